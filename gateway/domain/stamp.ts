// What a frame says of itself in its header, also one that is not understood: read where it lies, since every frame that comes
// in is asked and few are decoded.
import { FLAG_NAMES, type FlagName, HEADER_BYTES, KIND_EVENT, KIND_REPORT, VERSION } from "../../protocol/wire.ts";
import type { StampedHeader } from "./placing.ts";

/** Of the header (protocol section 1): version and kind, sequence u16, time u32, flags. */
const SEQUENCE_AT = 1;
const TIME_AT = 3;
export const FLAGS_AT = 7;

export interface Stamp extends StampedHeader {
  /** As on the wire, 16 bits. */
  readonly sequence: number;
}

/** The bit of a flag in the byte of flags. */
export function flagBit(name: FlagName): number {
  return 0x80 >> FLAG_NAMES.indexOf(name);
}

const CLOCK_SYNCED = flagBit("clockSynced");
const ACK_REQUESTED = flagBit("ackRequested");

/** Undefined when the header cannot be read. */
export function stampOf(frame: Uint8Array): Stamp | undefined {
  if (frame.length < HEADER_BYTES || (frame[0] as number) >> 4 !== VERSION) return undefined;
  const u16 = (at: number) => ((frame[at] as number) << 8) | (frame[at + 1] as number);
  return {
    sequence: u16(SEQUENCE_AT),
    timeS: u16(TIME_AT) * 65_536 + u16(TIME_AT + 2),
    clockSynced: ((frame[FLAGS_AT] as number) & CLOCK_SYNCED) !== 0,
  };
}

/** True when a frame whose header can be read asks for an ack frame. */
export function asksForAck(frame: Uint8Array): boolean {
  return stampOf(frame) !== undefined && ((frame[FLAGS_AT] as number) & ACK_REQUESTED) !== 0;
}

/** True for a frame whose time is that of what it tells, which never changes; others say when they were sent, each time anew. */
export function isStampedOnce(frame: Uint8Array): boolean {
  const kind = (frame[0] as number) & 15;
  return kind === KIND_REPORT || kind === KIND_EVENT;
}

/** True for a frame that is cut off before the end of a header that this version knows. */
export function isTorn(frame: Uint8Array): boolean {
  if (frame.length === 0) return true;
  const kind = (frame[0] as number) & 15;
  const isKnown = (frame[0] as number) >> 4 === VERSION && kind >= KIND_REPORT && kind <= KIND_EVENT;
  return isKnown && frame.length < HEADER_BYTES;
}
