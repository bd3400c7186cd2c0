// Per device: which records are stored, when they were, and when its boots began. A batch first decides against this
// table and its own entries, and is marked in it only after the commit.
import type { DatabaseSync } from "node:sqlite";
import type { BootStart } from "../domain/backlog-placing.ts";
import { createWindow, isStored, markStored, type StoredWindow, WINDOW_RECORDS } from "../domain/dedupe.ts";
import { isSure, type Newest } from "../domain/placing.ts";
import { addMoment, copyTimeline, forgetBefore, type Moment, type Timeline } from "../domain/timeline.ts";
import { qualityCode, qualityOf } from "./row.ts";

/** More devices than any registry holds; a frame reaches the journal only with a registered device's key. */
const DEVICES_MAX = 8_192;

/** The highest record with a synchronised time. */
interface Synced {
  readonly sequence: number;
  readonly timeMs: number;
}

interface DeviceRow {
  readonly number: number;
  window: StoredWindow | undefined;
  synced: Synced | undefined;
  timeline: Timeline;
  boots: Map<number, BootStart>;
}

/** What a batch adds to one device, on top of what is stored. */
export interface Staged {
  readonly device: DeviceRow;
  highest: number | undefined;
  synced: Synced | undefined;
  readonly sequences: Set<number>;
  readonly timeline: Timeline;
  readonly boots: Map<number, BootStart>;
}

export interface DeviceTable {
  readonly rows: Map<string, DeviceRow>;
  readonly staged: Map<string, Staged>;
}

/** Rebuilds the table from the journal. */
export function loadDeviceTable(db: DatabaseSync): DeviceTable {
  const rows = new Map<string, DeviceRow>();
  const byNumber = new Map<number, DeviceRow>();
  for (const row of db.prepare("SELECT device, device_id FROM device").iterate()) {
    const device = emptyRow(row["device"] as number);
    rows.set(row["device_id"] as string, device);
    byNumber.set(device.number, device);
  }
  for (const row of db.prepare("SELECT device, boot, started_ms, sequence FROM boot").iterate()) {
    const start = { startedMs: row["started_ms"] as number, sequence: row["sequence"] as number };
    byNumber.get(row["device"] as number)?.boots.set(row["boot"] as number, start);
  }
  const synced = qualityCode("synced");
  const all = db.prepare(
    "SELECT device, sequence, time_ms, quality, substr(frame, 1, 1) AS head FROM journal ORDER BY id",
  );
  for (const row of all.iterate()) {
    const device = byNumber.get(row["device"] as number);
    const sequence = row["sequence"] as number;
    const timeMs = row["time_ms"] as number;
    if (device === undefined || sequence === 0) continue;
    mark(device, sequence);
    addMoment(device.timeline, {
      sequence,
      timeMs,
      isSure: isSure(row["head"] as Uint8Array, qualityOf(row["quality"] as number)),
    });
    if (row["quality"] === synced) device.synced = newerSynced(device.synced, { sequence, timeMs });
    tidy(device);
  }
  return { rows, staged: new Map() };
}

function emptyRow(number: number): DeviceRow {
  return { number, window: undefined, synced: undefined, timeline: [], boots: new Map() };
}

function mark(device: DeviceRow, sequence: number): void {
  if (device.window === undefined) device.window = createWindow(sequence);
  else if (sequence > device.window.highest - WINDOW_RECORDS) markStored(device.window, sequence);
}

function newerSynced(before: Synced | undefined, next: Synced): Synced {
  return before === undefined || next.sequence > before.sequence ? next : before;
}

/** What lies behind the window is never placed against again. */
function tidy(device: DeviceRow): void {
  forgetBefore(device.timeline, (device.window?.highest ?? 0) - WINDOW_RECORDS);
}

/** The device's row, made when it is new; the caller inserts new ones into the file. */
export function deviceRow(table: DeviceTable, deviceId: string, create: (deviceId: string) => number): DeviceRow {
  const found = table.rows.get(deviceId);
  if (found !== undefined) return found;
  if (table.rows.size >= DEVICES_MAX) throw new Error("more devices than the journal keeps apart");
  const made = emptyRow(create(deviceId));
  table.rows.set(deviceId, made);
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
export function stageRecord(staged: Staged, moment: Moment, isSynced: boolean): void {
  const { sequence, timeMs } = moment;
  staged.sequences.add(sequence);
  staged.highest = Math.max(staged.highest ?? 0, sequence);
  addMoment(staged.timeline, moment);
  if (isSynced) staged.synced = newerSynced(staged.synced, { sequence, timeMs });
}

/** After the commit: what was staged is stored. */
export function applyStaged(table: DeviceTable): void {
  for (const { device, sequences, synced, timeline, boots } of table.staged.values()) {
    for (const sequence of sequences) mark(device, sequence);
    device.synced = synced;
    device.timeline = timeline;
    device.boots = boots;
    tidy(device);
  }
  table.staged.clear();
}

/** After a failed commit: nothing of it counts. */
export function dropStaged(table: DeviceTable): void {
  table.staged.clear();
}
