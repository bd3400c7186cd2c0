// One row of the journal as it lies in the file, guarded by a checksum over everything that it says.
import { crc32 } from "node:zlib";
import type { JournalRecord, Link, TimeQuality } from "../domain/record.ts";

const LINKS: readonly Link[] = ["mqtt", "lorawan", "manual"];
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
  /** Take-over of the journal that wrote it, from 1 up; 0 in rows of before they were counted. */
  readonly boot: number;
  /** How long the gateway had run by then, over all its boots: never jumps, whatever the wall clock does. */
  readonly run_ms: number;
}

/** With the name of its device; null when the file does not know it. */
export type NamedRow = StoredRow & { readonly device_id: string | null };

export function linkCode(link: Link): number {
  return LINKS.indexOf(link);
}

export function linkOf(code: number): Link | undefined {
  return LINKS[code];
}

export function qualityCode(quality: TimeQuality): number {
  return QUALITIES.indexOf(quality);
}

export function qualityOf(code: number): TimeQuality {
  return QUALITIES[code] ?? "suspect";
}

const NUMBERS = 7;
const head = new DataView(new ArrayBuffer((NUMBERS + 2) * 8));
const long = new Uint8Array(head.buffer);
const short = long.subarray(0, NUMBERS * 8);

/** CRC-32 over id, times, quality, device, sequence, link, boot and run time (where they are known), and frame. */
export function rowChecksum(row: Omit<StoredRow, "crc">): number {
  head.setFloat64(0, row.id);
  head.setFloat64(8, row.received_ms);
  head.setFloat64(16, row.time_ms);
  head.setFloat64(24, row.quality);
  head.setFloat64(32, row.device);
  head.setFloat64(40, row.sequence);
  head.setFloat64(48, row.link);
  if (row.boot === 0) return crc32(row.frame, crc32(short));
  head.setFloat64(56, row.boot);
  head.setFloat64(64, row.run_ms);
  return crc32(row.frame, crc32(long));
}

/** The record of a row. A row whose checksum does not fit comes back `damaged`: it keeps its place, and nothing else. */
export function recordOf(row: NamedRow): JournalRecord {
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
    boot: row.boot,
    runMs: row.run_ms,
    ...(sound ? {} : { damaged: true as const }),
  };
}
