// The ring of records in raw flash: append-only, a checksum on every record, acknowledged records marked and not erased. A power
// cut costs at most the record being written; sequences never run backwards.
//
// A page begins with its turn and the turn inverted (two words, little endian); turn t lies in page t modulo pages. Slots follow: a
// word (little endian: the lower three bytes of the record's CRC-32, then the mark, ones until acknowledged and then zero), and the
// record: a frame padded with ones, low byte of the boot count, length of the frame. A slot is written once and marked once: no word
// more than twice.
//
// A page begins with the state (kind 0) and, once there are any, the settings (kind 15): what must outlive every page. A frame that
// is not kept here takes its sequence by writing the state anew, so that no sequence is used twice.
import type { FlashArea } from "../hal.ts";
import { putU16, u16 } from "./bytes.ts";

/** A moment in the ring's life: turn × slots of a page + slot. Never comes back. */
export type Place = number;

/** Bytes of a slot that are not the frame's: mark and checksum, boot count and length. */
export const SLOT_OVERHEAD = 6;
/** Version and kind of a state record. */
export const STATE_HEAD = 0x10;
/** And of a settings record. */
export const SETTINGS_HEAD = 0x1f;
/** Bytes of state and settings, the largest that fit every board. */
export const STATE_BYTES = 14;
const HEADER = 8;
/** Slots or pages looked at in one turn of `recover`. */
const LOOKS = 2;
const ONES = 0xffffffff;
/** A slot's first word is at least this until its record is acknowledged. */
const UNMARKED = 0xff000000;

export interface Ring {
  /** One bounded part of finding out what is there; true when done. To be called until then before anything else. */
  recover(): boolean;
  /** The next sequence, 16 bits. */
  next(): number;
  /** Stores a frame of at most the slot's bytes less 6; gives its place. The oldest page is overwritten when all are full. */
  append(frame: Uint8Array): Place;
  /** Takes a sequence for a frame that is not stored. */
  use(): number;
  /** Writes the state down. */
  save(): void;
  /** Byte 0 head, 1 and 2 last sequence, 3 and 4 boot count; the rest is the device's. Edit it, then `save`. */
  readonly state: Uint8Array;
  /** Byte 0 its head, or 0 while there are none; 1 and 2 a sequence; the rest is the device's. Edit it, then `saveSettings`. */
  readonly settings: Uint8Array;
  saveSettings(): void;
  /** The newest report, found when the ring was recovered. */
  newest(): Uint8Array | undefined;
  /** The frame at a place, or undefined: torn, overwritten, or marked and `isAll` not set. */
  read(place: Place, isAll: boolean): Uint8Array | undefined;
  /** Low byte of the boot count in which a frame that was read was stored. */
  bootOf(frame: Uint8Array): number;
  /** Marks a record acknowledged; it stays readable until its page is needed. */
  mark(place: Place): void;
  /** Where the next record will lie, and the oldest that can be there. */
  head(): Place;
  oldest(): Place;
  /** Share of the pages that hold records, in percent. */
  usedPct(): number;
}

/** `crc32` is the board's own. */
export function createRing(flash: FlashArea, slotBytes: number, crc32: (bytes: Uint8Array) => number): Ring {
  const slots = ((flash.pageBytes - HEADER) / slotBytes) | 0;
  const pages = flash.pages;
  const slot = new Uint8Array(slotBytes);
  const record = new Uint8Array(slot.buffer, 4);
  const state = new Uint8Array(STATE_BYTES);
  const settings = new Uint8Array(STATE_BYTES);
  const marked = new Uint8Array([255, 255, 255, 0]);
  let turn = 0;
  let free = slots;
  /** 1 when the oldest page was being erased: what is left of it is nothing any more, its marks may be gone. */
  let torn = 0;
  let last = -1;
  let newest: Uint8Array | undefined;
  /** Of `recover`: pages looked at, then slots from the head backwards. */
  let looked = 0;
  /** First slot of the newest page that may be free: those before it are written, whole or torn. */
  let low = slots;
  let hasState = false;

  function offsetOf(place: Place): number {
    const at = (place / slots) | 0;
    return (at % pages) * flash.pageBytes + HEADER + (place - at * slots) * slotBytes;
  }

  function wordsAt(offset: number, bytes: number): Uint32Array {
    return new Uint32Array(flash.read(offset, bytes).buffer);
  }

  function isHere(place: Place): boolean {
    return place >= oldest() && place < head();
  }

  function head(): Place {
    return turn * slots + free;
  }

  function oldest(): Place {
    return Math.max(turn + 1 - pages + torn, 1) * slots;
  }

  function read(place: Place, isAll: boolean): Uint8Array | undefined {
    if (!isHere(place)) return undefined;
    const words = wordsAt(offsetOf(place), slotBytes);
    const found = new Uint8Array(words.buffer, 4);
    const first = words[0] as number;
    // Any cleared bit is a mark: a cut in the middle of marking must not undo it, nor half do it.
    if ((first < UNMARKED && !isAll) || (first ^ crc32(found)) & 0xffffff) return undefined;
    return new Uint8Array(words.buffer, 4, found[slotBytes - 5]);
  }

  function write(frame: Uint8Array): void {
    slot.fill(255);
    record.set(frame);
    slot[slotBytes - 2] = state[4] as number;
    slot[slotBytes - 1] = frame.length;
    new Uint32Array(slot.buffer)[0] = UNMARKED | crc32(record);
    flash.write(offsetOf(head()), slot);
    free++;
  }

  function turnPage(): void {
    const page = (turn + 1) % pages;
    flash.erase(page);
    flash.write(page * flash.pageBytes, new Uint8Array(new Uint32Array([turn + 1, ONES - turn - 1]).buffer));
    turn++;
    free = torn = 0;
    save();
    if (settings[0]) saveSettings();
  }

  function saveSettings(): void {
    settings[0] = SETTINGS_HEAD;
    putU16(settings, 1, last);
    // A page turn brings them along.
    if (free >= slots) turnPage();
    else write(settings);
  }

  /** A page begins with the state: a page turn saves it. */
  function save(): void {
    if (free >= slots) {
      turnPage();
      return;
    }
    state[0] = STATE_HEAD;
    putU16(state, 1, last);
    write(state);
  }

  /** Halves the slots of the newest page among which the first free one is. */
  function halve(): void {
    const middle = (low + free) >> 1;
    const words = wordsAt(offsetOf(turn * slots + middle), slotBytes);
    let isBlank = true;
    for (let i = 0; i < words.length; i++) if (words[i] !== ONES) isBlank = false;
    if (isBlank) free = middle;
    else low = middle + 1;
  }

  /** The turn of a page, or 0. */
  function turnOf(page: number): number {
    const words = wordsAt(page * flash.pageBytes, HEADER);
    const found = words[0] as number;
    // Torn, the second word is not the first one inverted.
    return found + (words[1] as number) === ONES && found % pages === page ? found : 0;
  }

  /** Behind the head lies the newest of everything. */
  function lookBack(place: Place): void {
    const found = read(place, true);
    if (!found) return;
    if (last < 0) last = u16(found, 1);
    if (found[0] === STATE_HEAD) {
      if (!hasState) state.set(found);
      hasState = true;
    } else if (found[0] === SETTINGS_HEAD) {
      if (!settings[0]) settings.set(found);
    } else if (!newest && ((found[0] as number) & 15) === 1) newest = found;
  }

  return {
    recover: () => {
      for (let i = 0; i < LOOKS; i++) {
        if (looked < pages) {
          const found = turnOf(looked++);
          if (found > turn) turn = found;
          if (looked === pages && turn > 0) {
            torn = turnOf((turn + 1) % pages) > 0 ? 0 : 1;
            low = 0;
          }
        } else if (low < free) halve();
        else {
          const place = head() - 1 - (looked++ - pages);
          // Neither is ever further away than the page before, unless all that were written since are torn.
          const isFar = looked > pages + 2 * slots || (newest && settings[0]);
          if (turn === 0 || (hasState && isFar) || !isHere(place)) return true;
          lookBack(place);
        }
      }
      return false;
    },
    next: () => (last + 1) & 0xffff,
    append: (frame) => {
      if (free >= slots) turnPage();
      const place = head();
      write(frame);
      last = u16(frame, 1);
      return place;
    },
    use: () => {
      last = (last + 1) & 0xffff;
      save();
      return last;
    },
    save: save,
    state: state,
    settings: settings,
    saveSettings: saveSettings,
    newest: () => newest,
    read: read,
    bootOf: (frame) => new Uint8Array(frame.buffer)[slotBytes - 2] as number,
    mark: (place) => {
      if (isHere(place) && (wordsAt(offsetOf(place), 4)[0] as number) >= UNMARKED) flash.write(offsetOf(place), marked);
    },
    head: head,
    oldest: oldest,
    usedPct: () => Math.min(100, ((turn * 100) / pages) | 0),
  };
}
