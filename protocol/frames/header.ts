// The uplink header, 8 bytes: version u4, kind u4, sequence u16, time u32, flags u8.
import type { BitReader, BitWriter } from "./bits.ts";
import { modulo, putFields, takeFields, whole } from "./fields.ts";

export const VERSION = 1;
export const HEADER_BYTES = 8;

/** One frame: one LoRaWAN payload on FPort 10, or one MQTT payload with a tag behind it. */
export const FRAME_BYTES_MAX = 242;

export const KIND_REPORT = 1;
export const KIND_INFO = 2;
export const KIND_BACKLOG = 3;
export const KIND_EVENT = 4;
export const KIND_ACK = 8;
export const KIND_CONFIG = 9;
export const KIND_COMMAND = 10;

/** Bit 7 to bit 0. */
export const FLAG_NAMES = [
  "clockSynced",
  "ackRequested",
  "backlogPending",
  "localAlarm",
  "tamper",
  "helpRequested",
  "ownPowerLow",
  "firstSinceBoot",
] as const;
export type FlagName = (typeof FLAG_NAMES)[number];
/** All eight after decoding; an absent flag is false when encoding. */
export type Flags = { readonly [F in FlagName]?: boolean };

export interface Header {
  /** 16 bits; one for every record, moving forward only, also over power cuts. */
  readonly sequence: number;
  /** Unix seconds of the sample when clockSynced, else seconds since boot. */
  readonly time: number;
  readonly flags: Flags;
}

const HEADER_FIELDS = [modulo("sequence", 16), whole("time", 32)];

/** What is wrong with a frame, in the order in which it is looked for. */
export type DecodeFault =
  | "bad-tag"
  | "unsupported-version"
  | "unknown-kind"
  | "truncated"
  | "unsupported-group"
  | "trailing-bytes"
  | "nonzero-padding";

export function putHeader(out: BitWriter, kind: number, header: Header): void {
  out.put(VERSION, 4);
  out.put(kind, 4);
  putFields(out, HEADER_FIELDS, header as unknown as Record<string, unknown>);
  for (let i = 0; i < 8; i++) out.put(header.flags[FLAG_NAMES[i] as FlagName] ? 1 : 0, 1);
}

/** Reads sequence, time and flags into `into`; the reader stands behind the kind. */
export function takeHeader(input: BitReader, into: Record<string, unknown>): void {
  takeFields(input, HEADER_FIELDS, into);
  const flags: Record<string, boolean> = {};
  for (let i = 0; i < 8; i++) flags[FLAG_NAMES[i] as string] = input.take(1) === 1;
  into["flags"] = flags;
}
