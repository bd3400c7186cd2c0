// One row of the journal as it lies in the file, guarded by a checksum over everything that it says.
import { crc32 } from "node:zlib";
import type { JournalRecord, Link, TimeQuality } from "../domain/record.ts";

const LINKS: readonly Link[] = ["mqtt", "lorawan"];
const QUALITIES: readonly TimeQuality[] = ["synced", "estimated", "suspect"];

export interface StoredRow {
  readonly id: number;
  readonly received_ms: number;
  readonly time_ms: number;
  readonly quality: number;
  readonly device: number;
  readonly sequence: number;
  readonly link: number;
  readonly frame: Uint8Array;
  readonly crc: number;
}

export function linkCode(link: Link): number {
  return LINKS.indexOf(link);
}

export function qualityCode(quality: TimeQuality): number {
  return QUALITIES.indexOf(quality);
}

export function qualityOf(code: number): TimeQuality {
  return QUALITIES[code] ?? "suspect";
}

const head = Buffer.alloc(7 * 8);

/** CRC-32 over id, times, quality, device, sequence, link and frame. */
export function rowChecksum(row: Omit<StoredRow, "crc">): number {
  const numbers = [row.id, row.received_ms, row.time_ms, row.quality, row.device, row.sequence, row.link];
  for (let i = 0; i < numbers.length; i++) head.writeDoubleBE(numbers[i] as number, i * 8);
  return crc32(row.frame, crc32(head));
}

/** The record of a row. A row whose checksum does not fit comes back `damaged`: it keeps its place, and nothing else. */
export function recordOf(row: StoredRow & { device_id: string | null }): JournalRecord {
  const link = LINKS[row.link];
  const quality = QUALITIES[row.quality];
  const sound = row.crc === rowChecksum(row) && link !== undefined && quality !== undefined && row.device_id !== null;
  return {
    id: row.id,
    deviceId: row.device_id ?? "",
    sequence: row.sequence,
    receivedMs: row.received_ms,
    timeMs: row.time_ms,
    timeQuality: quality ?? "suspect",
    link: link ?? "mqtt",
    frame: row.frame,
    ...(sound ? {} : { damaged: true as const }),
  };
}
