// Frames as a board makes them: the field tables of `protocol/frames` flattened to what a small board can hold. A sample is a row
// of raw codes, as they go on the wire: quantised once, before anything looks at it. Pure.
import { type BacklogRow, type Quantity, REASONS } from "../../protocol/wire.ts";
import { putU16, putU32 } from "../store/bytes.ts";

export const REPORT = 1;
export const INFO = 2;
export const BACKLOG = 3;
export const EVENT = 4;
export const HEADER = 8;

// The header's flags.
export const CLOCK_SYNCED = 128;
export const ACK_REQUESTED = 64;
export const BACKLOG_PENDING = 32;
export const LOCAL_ALARM = 16;
export const TAMPER = 8;
export const HELP_REQUESTED = 4;
export const OWN_POWER_LOW = 2;
export const FIRST_SINCE_BOOT = 1;

// Events, by their code.
export const MAINS_LOST = 1;
export const MAINS_RESTORED = 2;
export const GENERATOR_STARTED = 3;
export const GENERATOR_STOPPED = 4;
export const GENERATOR_FAILED = 5;
export const REFUELLED = 6;
export const FUEL_DROP = 7;
export const TAMPERED = 8;
export const HELP = 9;
export const BATTERY_LOW = 14;
export const OVER_CAPACITY = 15;
export const DOWNLINK_APPLIED = 16;
export const DOWNLINK_REFUSED = 17;

/** A numeric field: bits, codes to the unit, code of zero, highest code that is a value. */
export type Scale = readonly [bits: number, perUnit: number, base: number, rawMax: number];
export const FUEL_LEVEL: Scale = [10, 10, 0, 1000];
export const STARTER: Scale = [9, 10, 0, 503];
export const BATTERY_V: Scale = [13, 100, 0, 8183];
export const BATTERY_A: Scale = [12, 10, -2040, 4087];
export const CHARGE: Scale = [8, 2, 0, 200];

/** A value as it goes on the wire; a reason is the field's code for it, what is no number is unknown. */
export function codeOf(value: Quantity, scale: Scale): number {
  if (typeof value === "number" && value > -Infinity && value < Infinity) {
    // Six decimals first, so that 12.75 V at 0.1 V is the half that it looks like and not a hair below.
    const q = Math.floor((value * scale[1] - scale[2]) * 1e6 + 0.5) / 1e6;
    return Math.max(0, Math.min(Math.floor(q + 0.5), scale[3]));
  }
  const at = REASONS.indexOf(value as (typeof REASONS)[number]);
  return (1 << scale[0]) - 1 - (at < 0 ? 1 : at);
}

/** Codes of occupancy and entries, counts that are their own codes; the one reason that a door knows is that it is stuck. */
export function peopleCodes(isStuck: boolean, occupancy: number, entries: number): number[] {
  return isStuck ? [2042, 16378] : [occupancy, entries];
}

/** Code of a word by its place in a list, of a field of so many bits; what is not in the list is unknown. */
export function wordOf(words: readonly string[], word: string, bits: number): number {
  const at = words.indexOf(word);
  return at < 0 ? (1 << bits) - 2 : at;
}

export function putHeader(out: Uint8Array, kind: number, sequence: number, time: number, flags: number): void {
  out[0] = 16 | kind;
  putU16(out, 1, sequence);
  putU32(out, 3, time);
  out[7] = flags;
}

/** Bytes of a report with this row of fields. */
export function reportBytes(row: BacklogRow): number {
  let bits = 8;
  for (let i = 0; i < row.length; i++) bits += (row[i] as number) & 15;
  return HEADER + ((bits + 7) >> 3);
}

/** Groups of a report. */
export function groupsOf(report: Uint8Array): number {
  return (((report[8] as number) & 15) << 4) | ((report[9] as number) >> 4);
}

/** What follows the header of a report: phase, groups, and the codes by the widths of their row. */
export function putCodes(out: Uint8Array, groups: number, row: BacklogRow, codes: Uint16Array): void {
  let held = groups & 15;
  let bits = 4;
  let at = HEADER + 1;
  out[HEADER] = ((codes[0] as number) << 4) | (groups >> 4);
  for (let i = 1; i < row.length; i++) {
    const width = (row[i] as number) & 15;
    held = (held << width) | (codes[i] as number);
    bits += width;
    while (bits >= 8) {
      bits -= 8;
      out[at++] = held >> bits;
    }
  }
  if (bits) out[at] = held << (8 - bits);
}
