// Per device: which records are stored, when they were, and when its boots began. A batch first decides against this
// table and its own entries, and is marked in it only after the commit.
import type { BootStart } from "../domain/backlog-placing.ts";
import { createWindow, isStored, markStored, WINDOW_RECORDS } from "../domain/dedupe.ts";
import { isSure, type Newest } from "../domain/placing.ts";
import type { CheckedFrame } from "../domain/record.ts";
import { stampOf } from "../domain/stamp.ts";
import { addMoment, copyTimeline, forgetBefore, forgetOldest, type Moment, type Timeline } from "../domain/timeline.ts";
import { type DeviceSummary, parseSummary, summaryJson } from "./device-summary.ts";
import { qualityCode, qualityOf, type StoredRow } from "./row.ts";
import type { SummaryRow, WriterState } from "./store.ts";

/**
 * Devices ever seen: all that a registry holds at once, and each replaced three times. 4 KiB each, and their runs. One more is
 * refused, and nobody else is.
 */
export const DEVICES_MAX = 16_384;
/** Points that people told of stand in the same table, without a window: their word is taken when devices have filled it. */
const TOLD_MAX = 4_096;
/** Of one device: some 2,500 records of which each tenth never comes. What comes later than that is placed by the oldest of them. */
export const RUNS_MAX = 256;

interface DeviceRow extends DeviceSummary {
  readonly number: number;
  boots: Map<number, BootStart>;
  /** Changed since its summary was written. */
  isChanged: boolean;
}

/** What a batch adds to one device, on top of what is stored. */
export interface Staged {
  readonly device: DeviceRow;
  highest: number | undefined;
  synced: Synced | undefined;
  latestS: number;
  readonly sequences: Set<number>;
  readonly timeline: Timeline;
  readonly boots: Map<number, BootStart>;
}

export interface DeviceTable {
  readonly rows: Map<string, DeviceRow>;
  readonly staged: Map<string, Staged>;
  /** Rows by the number of a device: what the tail of the log is read with. */
  readonly byNumber: Map<number, DeviceRow>;
  nextDevice: number;
}

/** The table as of the last summaries; the rows after them are to be taken with `takeRow`. */
export function createDeviceTable(state: WriterState): DeviceTable {
  const table: DeviceTable = { rows: new Map(), staged: new Map(), byNumber: new Map(), nextDevice: 1 };
  for (const { device, deviceId } of state.devices) addDevice(table, device, deviceId);
  for (const { device, boot, startedMs, sequence } of state.boots) {
    table.byNumber.get(device)?.boots.set(boot, { startedMs, sequence });
  }
  for (const { device, json } of state.summaries ?? []) {
    const row = table.byNumber.get(device);
    if (row === undefined) continue;
    Object.assign(row, parseSummary(json));
    tidy(row);
  }
  return table;
}

const SYNCED = qualityCode("synced");

/** A stored row of the log, in the order of the log. */
export function takeRow(table: DeviceTable, row: StoredRow): void {
  const device = table.byNumber.get(row.device);
  const { sequence, time_ms: timeMs } = row;
  if (device === undefined || sequence === 0) return;
  mark(device, sequence);
  addMoment(device.timeline, { sequence, timeMs, isSure: isSure(row.frame, qualityOf(row.quality)) });
  if (row.quality === SYNCED) device.synced = newerSynced(device.synced, { sequence, timeMs });
  device.latestS = laterOf(device.latestS, row.frame);
  tidy(device);
  device.isChanged = true;
}

/** Summaries of the devices that have changed since theirs were written. */
export function changedSummaries(table: DeviceTable): SummaryRow[] {
  const rows: SummaryRow[] = [];
  for (const row of table.rows.values()) {
    if (row.isChanged) rows.push({ device: row.number, json: summaryJson(row) });
  }
  return rows;
}

export function noteSummarised(table: DeviceTable): void {
  for (const row of table.rows.values()) row.isChanged = false;
}

function addDevice(table: DeviceTable, number: number, deviceId: string): DeviceRow {
  const row = emptyRow(number);
  table.rows.set(deviceId, row);
  table.byNumber.set(number, row);
  table.nextDevice = Math.max(table.nextDevice, number + 1);
  return row;
}

/** After a failed commit: devices that were new in it, from this number on, are not known. */
export function forgetDevices(table: DeviceTable, nextDevice: number): void {
  if (table.nextDevice === nextDevice) return;
  for (const [deviceId, { number }] of table.rows) {
    if (number < nextDevice) continue;
    table.rows.delete(deviceId);
    table.byNumber.delete(number);
  }
  table.nextDevice = nextDevice;
}

function emptyRow(number: number): DeviceRow {
  const nothing = { window: undefined, synced: undefined, latestS: 0, forgottenTo: 0 };
  return { number, ...nothing, timeline: [], boots: new Map(), isChanged: false };
}

function mark(device: DeviceRow, sequence: number): void {
  if (device.window === undefined) device.window = createWindow(sequence);
  else if (sequence > device.window.highest - WINDOW_RECORDS) markStored(device.window, sequence);
}

type Synced = NonNullable<DeviceSummary["synced"]>;

function newerSynced(before: Synced | undefined, next: Synced): Synced {
  return before === undefined || next.sequence > before.sequence ? next : before;
}

/** The later one of this and what the frame says of itself, when a clock says it. */
function laterOf(latestS: number, frame: Uint8Array): number {
  const stamp = stampOf(frame);
  return stamp?.clockSynced === true ? Math.max(stamp.timeS, latestS) : latestS;
}

/** What lies behind the window is never placed against again. */
function tidy(device: DeviceRow): void {
  forgetBefore(device.timeline, (device.window?.highest ?? 0) - WINDOW_RECORDS);
  device.forgottenTo = Math.max(device.forgottenTo, forgetOldest(device.timeline, RUNS_MAX));
}

/**
 * The device's row, made when it is new: then `isNew` is called, since the log must know it too. Undefined when there are more
 * devices than are kept apart.
 */
export function deviceRow(
  table: DeviceTable,
  { deviceId, link }: Pick<CheckedFrame, "deviceId" | "link">,
  isNew: (row: DeviceRow) => void,
): DeviceRow | undefined {
  const found = table.rows.get(deviceId);
  if (found !== undefined) return found;
  if (table.rows.size >= DEVICES_MAX + (link === "manual" ? TOLD_MAX : 0)) return undefined;
  const made = addDevice(table, table.nextDevice, deviceId);
  isNew(made);
  return made;
}

/** The device with what this batch has decided so far. */
export function stage(table: DeviceTable, deviceId: string, device: DeviceRow): Staged {
  const found = table.staged.get(deviceId);
  if (found !== undefined) return found;
  const staged: Staged = {
    device,
    highest: device.window?.highest,
    synced: device.synced,
    latestS: device.latestS,
    sequences: new Set(),
    timeline: copyTimeline(device.timeline),
    boots: new Map(device.boots),
  };
  table.staged.set(deviceId, staged);
  return staged;
}

/** True for a record that is stored or staged, and for one so far behind that nobody can tell any more. */
export function isKnown(staged: Staged, sequence: number): boolean {
  if (staged.sequences.has(sequence)) return true;
  if (sequence <= Math.max(0, (staged.highest ?? 0) - WINDOW_RECORDS)) return true;
  return staged.device.window !== undefined && isStored(staged.device.window, sequence);
}

export function newestOf(staged: Staged): Newest | undefined {
  return staged.highest === undefined ? undefined : { sequence: staged.highest, syncedMs: staged.synced?.timeMs };
}

/** Takes one record into the batch. */
export function stageRecord(staged: Staged, moment: Moment, frame: Uint8Array, isSynced: boolean): void {
  const { sequence, timeMs } = moment;
  staged.sequences.add(sequence);
  staged.highest = Math.max(staged.highest ?? 0, sequence);
  addMoment(staged.timeline, moment);
  if (isSynced) staged.synced = newerSynced(staged.synced, { sequence, timeMs });
  staged.latestS = laterOf(staged.latestS, frame);
}

/** After the commit: what was staged is stored. */
export function applyStaged(table: DeviceTable): void {
  for (const { device, sequences, synced, latestS, timeline, boots } of table.staged.values()) {
    for (const sequence of sequences) mark(device, sequence);
    device.synced = synced;
    device.latestS = latestS;
    device.timeline = timeline;
    device.boots = boots;
    device.isChanged = true;
    tidy(device);
  }
  table.staged.clear();
}

/** After a failed commit: nothing of it counts. */
export function dropStaged(table: DeviceTable): void {
  table.staged.clear();
}
