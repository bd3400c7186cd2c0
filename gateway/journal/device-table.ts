// Per device: which records are stored and the newest synchronised time. A batch first decides against this table and
// its own entries, and is marked in it only after the commit.
import type { DatabaseSync } from "node:sqlite";
import { createWindow, isStored, markStored, type StoredWindow, WINDOW_RECORDS } from "../domain/dedupe.ts";
import { isReplay, type Placing, placeTime } from "../domain/placing.ts";
import type { CheckedFrame } from "../domain/record.ts";
import { extendSequence } from "../domain/sequence.ts";

/** More devices than any registry holds; a frame reaches the journal only with a registered device's key. */
const DEVICES_MAX = 8_192;

interface DeviceRow {
  readonly number: number;
  window: StoredWindow | undefined;
  syncedMs: number | undefined;
}

export type Decision =
  | { readonly kind: "insert"; readonly device: number; readonly sequence: number; readonly placing: Placing }
  | { readonly kind: "duplicate"; readonly sequence: number }
  | { readonly kind: "replay" };

interface Staged {
  highest: number | undefined;
  syncedMs: number | undefined;
  readonly sequences: Set<number>;
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
    const device: DeviceRow = { number: row["device"] as number, window: undefined, syncedMs: undefined };
    rows.set(row["device_id"] as string, device);
    byNumber.set(device.number, device);
  }
  for (const row of db.prepare("SELECT device, sequence, time_ms, quality FROM journal ORDER BY id").iterate()) {
    const device = byNumber.get(row["device"] as number);
    const sequence = row["sequence"] as number;
    if (device === undefined || sequence === 0) continue;
    mark(device, sequence, row["quality"] === 0 ? (row["time_ms"] as number) : undefined);
  }
  return { rows, staged: new Map() };
}

function mark(device: DeviceRow, sequence: number, syncedMs: number | undefined): void {
  if (device.window === undefined) device.window = createWindow(sequence);
  else if (sequence > device.window.highest - WINDOW_RECORDS) markStored(device.window, sequence);
  if (syncedMs !== undefined && (device.syncedMs === undefined || syncedMs > device.syncedMs))
    device.syncedMs = syncedMs;
}

/** The device's row, made when it is new; the caller inserts new ones into the file. */
export function deviceRow(table: DeviceTable, deviceId: string, create: (deviceId: string) => number): DeviceRow {
  const found = table.rows.get(deviceId);
  if (found !== undefined) return found;
  if (table.rows.size >= DEVICES_MAX) throw new Error("more devices than the journal keeps apart");
  const made: DeviceRow = { number: create(deviceId), window: undefined, syncedMs: undefined };
  table.rows.set(deviceId, made);
  return made;
}

/** What becomes of a frame, given all that is stored and what this batch is about to store. */
export function decide(table: DeviceTable, device: DeviceRow, frame: CheckedFrame): Decision {
  const { header } = frame;
  if (header === undefined) {
    const placing: Placing = { timeMs: frame.receivedMs, quality: "suspect" };
    return { kind: "insert", device: device.number, sequence: 0, placing };
  }
  let staged = table.staged.get(frame.deviceId);
  if (staged === undefined) {
    staged = { highest: device.window?.highest, syncedMs: device.syncedMs, sequences: new Set() };
    table.staged.set(frame.deviceId, staged);
  }
  const sequence = extendSequence(staged.highest, header.sequence);
  if (staged.sequences.has(sequence) || (device.window !== undefined && isStored(device.window, sequence))) {
    return { kind: "duplicate", sequence };
  }
  const placing = placeTime(header, frame.receivedMs, frame.clockTrusted);
  const newest = staged.highest === undefined ? undefined : { sequence: staged.highest, syncedMs: staged.syncedMs };
  if (isReplay(newest, sequence, placing)) return { kind: "replay" };
  staged.sequences.add(sequence);
  staged.highest = Math.max(staged.highest ?? 0, sequence);
  if (placing.quality === "synced") staged.syncedMs = Math.max(staged.syncedMs ?? 0, placing.timeMs);
  return { kind: "insert", device: device.number, sequence, placing };
}

/** After the commit: what was staged is stored. */
export function applyStaged(table: DeviceTable): void {
  for (const [deviceId, staged] of table.staged) {
    const device = table.rows.get(deviceId);
    if (device === undefined) continue;
    for (const sequence of staged.sequences) mark(device, sequence, undefined);
    device.syncedMs = staged.syncedMs;
  }
  table.staged.clear();
}

/** After a failed commit: nothing of it counts. */
export function dropStaged(table: DeviceTable): void {
  table.staged.clear();
}
