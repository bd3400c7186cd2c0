// One row of history: a journal record without its device. What it was, bit for bit, and where in time it is kept.
import { isPlausibleWallTime } from "../clock.ts";
import type { JournalRecord } from "../domain/record.ts";

export type HistoryRow = Omit<JournalRecord, "deviceId" | "damaged" | "link"> & { readonly link: "mqtt" | "lorawan" };
/** A row of a device: history is of what devices measured. What people told stands in the journal and the engine's documents. */
export type DeviceRecord = Omit<JournalRecord, "link"> & Pick<HistoryRow, "link">;

export function isOfDevice(record: JournalRecord): record is DeviceRecord {
  return record.link !== "manual";
}

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** A sample further behind its receipt than this has a clock that was wrong: devices hold 72 hours, with room for a month away. */
export const LATE_MS_MAX = 31 * DAY_MS;
const AHEAD_MS_MAX = DAY_MS;

/** True when the row's moment cannot be right. It is kept under its receipt, and in no average. */
export function isStray({ timeMs, receivedMs }: Pick<HistoryRow, "timeMs" | "receivedMs">): boolean {
  // A gateway whose own clock was never set has nothing to say about the device's.
  if (!isPlausibleWallTime(receivedMs)) return false;
  return timeMs < receivedMs - LATE_MS_MAX || timeMs > receivedMs + AHEAD_MS_MAX;
}

/** The moment under which a row is kept and found, milliseconds since 1970. A function of the row alone. */
export function placedMs(row: Pick<HistoryRow, "timeMs" | "receivedMs">): number {
  return isStray(row) ? row.receivedMs : row.timeMs;
}

export function hourOf(ms: number): number {
  return Math.floor(ms / HOUR_MS) * HOUR_MS;
}

export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS;
}

/** In the order in which samples were taken; ids settle what time does not. */
export function byPlace(a: HistoryRow, b: HistoryRow): number {
  return placedMs(a) - placedMs(b) || a.id - b.id;
}
