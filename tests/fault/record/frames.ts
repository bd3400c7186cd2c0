// Frames for the proofs of the record: each differs from all others, so that what is found is known by its bytes alone.
import type { CheckedFrame } from "../../../gateway/domain/record.ts";
import { checkedFrame, NOON_MS } from "../../fixtures.ts";

export const DEVICES = 8;

export function deviceOf(number: number): string {
  return `proof-${number % DEVICES}`;
}

/** The frame with this number, from 0 on; a device's frames come in the order of its sequence. */
export function numbered(number: number): CheckedFrame {
  return checkedFrame({
    deviceId: deviceOf(number),
    sequence: (Math.floor(number / DEVICES) + 1) & 0xffff,
    time: NOON_MS / 1000 + number,
    receivedMs: NOON_MS + number * 1000,
  });
}

/** Frames made for comparison; bounded by the longest run of a proof. */
const KNOWN_MAX = 200_000;
const known = new Map<number, Uint8Array>();

function frameOf(number: number): Uint8Array {
  let frame = known.get(number);
  if (frame === undefined) {
    if (known.size >= KNOWN_MAX) known.clear();
    frame = numbered(number).frame;
    known.set(number, frame);
  }
  return frame;
}

/** The number of a stored frame: its time says it, its bytes prove it; undefined for one that was never sent. */
export function numberOf(frame: Uint8Array): number | undefined {
  if (frame.length < 7) return undefined;
  const number = new DataView(frame.buffer, frame.byteOffset).getUint32(3) - NOON_MS / 1000;
  if (number < 0 || number > 100_000_000) return undefined;
  return Buffer.compare(frameOf(number), frame) === 0 ? number : undefined;
}
