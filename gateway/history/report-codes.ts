// A report frame as the raw codes of its fields, and back to the very same bytes. The field tables of the protocol say
// which there are; a frame that would not come back as it was is none of these, and is kept as bytes.
import { createBitReader, createBitWriter } from "../../protocol/frames/bits.ts";
import {
  bitsOf,
  type Field,
  FRAME_BYTES_MAX,
  GROUPS,
  HEADER_BYTES,
  KIND_REPORT,
  VERSION,
} from "../../protocol/wire.ts";

const FIRST_BYTE = (VERSION << 4) | KIND_REPORT;

/** Where a group's fields begin in `REPORT_FIELDS`. */
export const GROUP_STARTS: readonly number[] = GROUPS.map((_, i) =>
  GROUPS.slice(0, i).reduce((sum, group) => sum + group.fields.length, 0),
);
/** Every field of a report's groups, in the order of the frame. */
export const REPORT_FIELDS: readonly Field[] = GROUPS.flatMap((group) => group.fields);
/** The group of each of them. */
export const GROUP_OF: readonly number[] = GROUPS.flatMap((group, i) => group.fields.map(() => i));
const GROUP_BITS = GROUPS.map((group) => bitsOf(group.fields));

export interface ReportCodes {
  /** As on the wire, 16 bits. */
  readonly sequence: number;
  /** As on the wire: seconds since 1970, or since boot. */
  readonly time: number;
  readonly flags: number;
  readonly phase: number;
  /** Which groups are there; bit 0 = the first. */
  readonly groups: number;
  /** By the index of REPORT_FIELDS; what an absent group would have is 0. */
  readonly codes: readonly number[];
}

function bytesNeeded(groups: number): number {
  let bits = 12;
  for (let i = 0; i < GROUPS.length; i++) if (groups & (1 << i)) bits += GROUP_BITS[i] as number;
  return HEADER_BYTES + ((bits + 7) >> 3);
}

/** Undefined when the frame is not a whole report of this version. */
export function splitReport(frame: Uint8Array): ReportCodes | undefined {
  if (frame[0] !== FIRST_BYTE || frame.length < HEADER_BYTES + 2) return undefined;
  const input = createBitReader(frame, 1);
  const sequence = input.take(16);
  const time = input.take(16) * 65_536 + input.take(16);
  const flags = input.take(8);
  const phase = input.take(4);
  const groups = input.take(8);
  if (groups >> GROUPS.length !== 0 || frame.length !== bytesNeeded(groups)) return undefined;
  const codes = new Array<number>(REPORT_FIELDS.length).fill(0);
  for (let i = 0; i < codes.length; i++) {
    if (groups & (1 << (GROUP_OF[i] as number))) codes[i] = input.take((REPORT_FIELDS[i] as Field).bits);
  }
  return input.padding() === 0 ? { sequence, time, flags, phase, groups, codes } : undefined;
}

export function joinReport({ sequence, time, flags, phase, groups, codes }: ReportCodes): Uint8Array {
  const out = createBitWriter(FRAME_BYTES_MAX);
  out.put(FIRST_BYTE, 8);
  out.put(sequence, 16);
  out.put(Math.floor(time / 65_536), 16);
  out.put(time % 65_536, 16);
  out.put(flags, 8);
  out.put(phase, 4);
  out.put(groups, 8);
  for (let i = 0; i < codes.length; i++) {
    if (groups & (1 << (GROUP_OF[i] as number))) out.put(codes[i] as number, (REPORT_FIELDS[i] as Field).bits);
  }
  return out.bytes().slice();
}
