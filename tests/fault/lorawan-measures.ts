// What a case of the LoRaWAN proof is judged by: rows of the journal and records of the boards, as minutes and shares.
import { openReaderFile } from "../../gateway/journal/file.ts";
import { ROW_COLUMNS, type Row, rowOf } from "./blackout-judge.ts";
import type { FleetDevice } from "./lorawan-fleet.ts";

const MINUTE = 60_000;
export const START_UNIX_MS = Date.UTC(2026, 10, 24, 12, 0, 0);
/** Samples come every so often: a live one is stored before the next is due. */
const LIVE_MS = 900_000;
const KIND_BACKLOG = 3;

/** Rows of the journal by device. */
export function rowsByDevice(dir: string): Map<string, Row[]> {
  const db = openReaderFile(dir);
  const rows = db.prepare(`SELECT device_id, ${ROW_COLUMNS} FROM journal JOIN device USING (device) ORDER BY id`).all();
  db.close();
  const found = new Map<string, Row[]>();
  for (const row of rows) {
    const deviceId = row["device_id"] as string;
    const mine = found.get(deviceId) ?? [];
    found.set(deviceId, mine);
    mine.push(rowOf(row));
  }
  return found;
}

/** From the first frame of history after the outage to the last, minutes. */
export function busyMin(rows: readonly Row[], fromMs: number, untilMs: number): number {
  const history = rows.filter(({ frame }) => ((frame[0] as number) & 15) === KIND_BACKLOG);
  const times = history.map((row) => row.receivedMs - START_UNIX_MS).filter((ms) => ms >= fromMs && ms <= untilMs);
  return times.length === 0 ? 0 : (Math.max(...times) - Math.min(...times)) / MINUTE;
}

/** Minutes after which so many devices knew that everything of before is stored. */
export function drainedMinOf(devices: readonly FleetDevice[], beforeMs: number, share: number): number {
  const ends = devices.map(({ board }) => {
    const mine = board.written.filter((record) => record.atMs < beforeMs && !record.isOverwritten);
    return Math.max(beforeMs, ...mine.map((record) => record.markedMs ?? Number.POSITIVE_INFINITY));
  });
  ends.sort((a, b) => a - b);
  return ((ends[Math.ceil(ends.length * share) - 1] as number) - beforeMs) / MINUTE;
}

/** Samples taken in that time that were stored before the next one was due, as a share. */
export function liveShare(
  devices: readonly FleetDevice[],
  rows: ReadonlyMap<string, Row[]>,
  fromMs: number,
  untilMs: number,
): number {
  let all = 0;
  let inTime = 0;
  for (const { member, board } of devices) {
    const received = new Map<number, number>();
    for (const row of rows.get(member.deviceId) ?? [])
      if (!received.has(row.sequence & 0xffff)) received.set(row.sequence & 0xffff, row.receivedMs - START_UNIX_MS);
    for (const record of board.written) {
      if (!record.isSample || record.atMs < fromMs || record.atMs > untilMs - LIVE_MS) continue;
      all++;
      if ((received.get(record.sequence) ?? Number.POSITIVE_INFINITY) - record.atMs <= LIVE_MS) inTime++;
    }
  }
  return all === 0 ? 1 : inTime / all;
}
