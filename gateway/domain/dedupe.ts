// Which records of one device are stored: a window of bits behind the highest sequence. Storing a record twice stores it
// once, and a duplicate is acknowledged again.
import { invariant } from "../errors.ts";
import type { AckContext } from "./record.ts";

/** Half a cycle: as far back as a 16-bit sequence can be told apart from a later one. 4 KiB a device. */
export const WINDOW_RECORDS = 32_768;
const ACK_RECORDS = 32;

export interface StoredWindow {
  /** Highest extended sequence stored. */
  highest: number;
  readonly bits: Uint8Array;
}

export function createWindow(first: number): StoredWindow {
  const window = { highest: first, bits: new Uint8Array(WINDOW_RECORDS / 8) };
  put(window, first, true);
  return window;
}

function put(window: StoredWindow, sequence: number, stored: boolean): void {
  const at = sequence % WINDOW_RECORDS;
  const mask = 1 << (at & 7);
  const byte = window.bits[at >> 3] as number;
  window.bits[at >> 3] = stored ? byte | mask : byte & ~mask;
}

/** True when the record is stored, as far as the window remembers. */
export function isStored(window: StoredWindow, sequence: number): boolean {
  if (sequence > window.highest || sequence <= window.highest - WINDOW_RECORDS) return false;
  const at = sequence % WINDOW_RECORDS;
  return ((window.bits[at >> 3] as number) & (1 << (at & 7))) !== 0;
}

/** Marks a record stored. */
export function markStored(window: StoredWindow, sequence: number): void {
  invariant(sequence > window.highest - WINDOW_RECORDS, "a record before the window cannot be marked");
  if (sequence > window.highest) {
    const from = Math.max(window.highest + 1, sequence - WINDOW_RECORDS + 1);
    for (let between = from; between < sequence; between++) put(window, between, false);
    window.highest = sequence;
  }
  put(window, sequence, true);
}

/** Marks the records from `first` to `last` stored, as far as they are in the window; none is higher than its highest. */
export function markRun(window: StoredWindow, first: number, last: number): void {
  let sequence = Math.max(first, window.highest - WINDOW_RECORDS + 1, 0);
  while (sequence <= last) {
    const at = sequence % WINDOW_RECORDS;
    const bytes = Math.min((last - sequence + 1) >> 3, (WINDOW_RECORDS - at) >> 3);
    if ((at & 7) === 0 && bytes > 0) {
      window.bits.fill(0xff, at >> 3, (at >> 3) + bytes);
      sequence += bytes * 8;
    } else put(window, sequence++, true);
  }
}

/** 32 records from `base` on, as bits: bit 31 is the first. */
function bitsFrom(window: StoredWindow, base: number): number {
  let bits = 0;
  for (let i = 0; i < ACK_RECORDS; i++) bits = bits * 2 + (base + i >= 0 && isStored(window, base + i) ? 1 : 0);
  return bits;
}

/** The 32 records ending in `sequence`, as an ack frame names them, and the 32 behind it. */
export function ackContextAt(window: StoredWindow, sequence: number): AckContext {
  const base = sequence - ACK_RECORDS + 1;
  return {
    baseSequence: (base + 65_536) & 0xffff,
    bitmap: bitsFrom(window, base),
    after: sequence >= window.highest ? 0 : bitsFrom(window, sequence + 1),
  };
}
