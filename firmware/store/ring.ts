// The ring of records in raw flash: append-only, a checksum on every record, acknowledged records marked and not erased.
// A power cut costs at most the record being written; sequence numbers never run backwards.
//
// A page begins with its turn (u32) and the turn inverted. A slot is 36 bytes: mark (all ones until acknowledged, then
// zero), CRC-32 of the rest, length u8, frame of up to 27 bytes.
import { crc32 } from "../../protocol/wire.ts";
import type { FlashArea } from "../hal.ts";

const HEADER = 8;
export const SLOT_BYTES = 36;
export const RECORD_BYTES_MAX = 27;
const EMPTY = 0xffffffff;

/** Where a record lies; -1 is nowhere. */
export type Place = number;
export const NOWHERE: Place = -1;

export interface RingRecord {
  readonly place: Place;
  readonly frame: Uint8Array;
  readonly acknowledged: boolean;
}

export interface Ring {
  /** Highest sequence stored, or -1. */
  lastSequence(): number;
  /** Stores a frame and gives its place. The oldest page is overwritten when all are full. */
  append(frame: Uint8Array): Place;
  /** Marks a record acknowledged; it stays readable until its page is needed. */
  acknowledge(place: Place): void;
  /** The oldest record that is not acknowledged, from `from` on (NOWHERE: from the start). */
  nextOpen(from: Place): RingRecord | undefined;
  /** The place after this one, on which `nextOpen` can go on. */
  after(place: Place): Place;
  /** The newest record for which `wanted` holds, within the newest `pages` pages. */
  findNewest(pages: number, wanted: (frame: Uint8Array) => boolean): Uint8Array | undefined;
  /** Records overwritten before they were acknowledged, since boot. */
  overwritten(): number;
  /** Share of the slots that hold records, in percent. */
  usedPct(): number;
}

function u32(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  return high * 65536 + (((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number));
}

function putU32(bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 65536);
  bytes[at] = (high >> 8) & 255;
  bytes[at + 1] = high & 255;
  bytes[at + 2] = (value >> 8) & 255;
  bytes[at + 3] = value & 255;
}

function sequenceOf(frame: Uint8Array): number {
  return ((frame[1] as number) << 8) | (frame[2] as number);
}

/** Opens the ring: finds the newest page by its turn and the first free slot in it. */
export function openRing(flash: FlashArea): Ring {
  const slots = Math.floor((flash.pageBytes - HEADER) / SLOT_BYTES);
  const pages = flash.pages;
  // One place more than slots: behind the last record of a page there is a place too.
  const stride = slots + 1;
  let turn = 0;
  let page = -1;
  let slot = 0;
  let last = -1;
  let overwritten = 0;

  function turnOf(index: number): number {
    const head = flash.read(index * flash.pageBytes, HEADER);
    const value = u32(head, 0);
    // The second word is the first one inverted: a torn header is no header.
    return value !== EMPTY && u32(head, 4) === EMPTY - value ? value : 0;
  }

  function offsetOf(place: Place): number {
    return Math.floor(place / stride) * flash.pageBytes + HEADER + (place % stride) * SLOT_BYTES;
  }

  function read(place: Place): RingRecord | undefined {
    const bytes = flash.read(offsetOf(place), SLOT_BYTES);
    const size = bytes[8] as number;
    if (size < 8 || size > RECORD_BYTES_MAX) return undefined;
    if (u32(bytes, 4) !== crc32(bytes, 8, 9 + size)) return undefined;
    // Any cleared bit is a mark: a cut in the middle of marking must not undo it, nor half do it.
    return { place: place, frame: bytes.slice(9, 9 + size), acknowledged: u32(bytes, 0) !== EMPTY };
  }

  function isFree(place: Place): boolean {
    const bytes = flash.read(offsetOf(place), SLOT_BYTES);
    for (let i = 0; i < SLOT_BYTES; i++) if (bytes[i] !== 255) return false;
    return true;
  }

  /** The page that follows in the order of writing, of those that hold records; from the oldest when `index` is -1. */
  function oldestPage(): number {
    if (page < 0) return -1;
    for (let step = 1; step <= pages; step++) {
      const index = (page + step) % pages;
      if (turnOf(index) !== 0) return index;
    }
    return page;
  }

  function lastIn(index: number): number {
    for (let i = slots - 1; i >= 0; i--) {
      const record = read(index * stride + i);
      if (record !== undefined) return sequenceOf(record.frame);
    }
    return -1;
  }

  function scan(): void {
    for (let index = 0; index < pages; index++) {
      const value = turnOf(index);
      if (value > turn) {
        turn = value;
        page = index;
      }
    }
    if (page < 0) return;
    slot = slots;
    // The first free slot behind the last one that is not: a torn slot is passed by.
    while (slot > 0 && isFree(page * stride + slot - 1)) slot--;
    last = lastIn(page);
    for (let step = 1; last < 0 && step < pages; step++) last = lastIn((page + pages - step) % pages);
  }

  function countOpen(index: number): number {
    if (turnOf(index) === 0) return 0;
    let open = 0;
    for (let i = 0; i < slots; i++) {
      const record = read(index * stride + i);
      if (record !== undefined && !record.acknowledged) open++;
    }
    return open;
  }

  function turnPage(): void {
    const next = (page + 1) % pages;
    overwritten += countOpen(next);
    flash.erase(next);
    turn++;
    const head = new Uint8Array(HEADER);
    putU32(head, 0, turn);
    putU32(head, 4, EMPTY - turn);
    flash.write(next * flash.pageBytes, head);
    page = next;
    slot = 0;
  }

  scan();

  return {
    lastSequence: () => last,
    append: (frame) => {
      if (page < 0 || slot >= slots) turnPage();
      const place = page * stride + slot;
      const bytes = new Uint8Array(SLOT_BYTES);
      bytes.fill(255);
      bytes[8] = frame.length;
      bytes.set(frame, 9);
      putU32(bytes, 4, crc32(bytes, 8, 9 + frame.length));
      flash.write(offsetOf(place), bytes);
      slot++;
      last = sequenceOf(frame);
      return place;
    },
    acknowledge: (place) => {
      flash.write(offsetOf(place), new Uint8Array(4));
    },
    nextOpen: (from) => {
      if (page < 0) return undefined;
      const first = oldestPage();
      let index = from === NOWHERE ? first : Math.floor(from / stride);
      let at = from === NOWHERE ? 0 : from % stride;
      for (let step = 0; step <= pages; step++) {
        const end = index === page ? slot : slots;
        if (turnOf(index) !== 0) {
          for (; at < end; at++) {
            const record = read(index * stride + at);
            if (record !== undefined && !record.acknowledged) return record;
          }
        }
        if (index === page) return undefined;
        index = (index + 1) % pages;
        at = 0;
      }
      return undefined;
    },
    after: (place) => place + 1,
    findNewest: (depth, wanted) => {
      for (let step = 0; step < depth && step < pages && page >= 0; step++) {
        const index = (page + pages - step) % pages;
        if (turnOf(index) === 0) return undefined;
        for (let i = (step === 0 ? slot : slots) - 1; i >= 0; i--) {
          const record = read(index * stride + i);
          if (record !== undefined && wanted(record.frame)) return record.frame;
        }
      }
      return undefined;
    },
    overwritten: () => overwritten,
    usedPct: () => (turn >= pages ? 100 : Math.floor((turn * 100) / pages)),
  };
}
