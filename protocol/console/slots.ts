// A slot: the place of a program in a board's flash. A header of thirteen words, little endian, then the program as it is.
//
// | word | what |
// |---|---|
// | 0 | magic; written last, so that a program that is half there is none |
// | 1 | turn: the higher one is the newer program |
// | 2 | length of the program in bytes |
// | 3 | CRC-32 of the program |
// | 4 | CRC-32 of the four words before |
// | 5 | erased until the program has said that its boot is complete |
// | 6 … 12 | tries: each boot of a program that is not confirmed uses one up |
import { crc32 } from "../frames/crc32.ts";

export const SLOT_MAGIC = 0x31534b57;
export const SLOT_HEADER_BYTES = 52;
export const SLOT_CONFIRMED_WORD = 5;
export const SLOT_TRIES_WORD = 6;
export const SLOT_TRIES = 7;
const CHECKED_BYTES = 16;
const ERASED = 0xffffffff;

export interface SlotHeader {
  /** The header is whole. Whether the program behind it is, its checksum has to show. */
  readonly isWhole: boolean;
  readonly turn: number;
  readonly length: number;
  readonly crc32: number;
  readonly isConfirmed: boolean;
  readonly triesLeft: number;
}

export function encodeSlotHeader(turn: number, program: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(SLOT_HEADER_BYTES).fill(255);
  const view = new DataView(bytes.buffer);
  const words = [SLOT_MAGIC, turn, program.length, crc32(program)];
  for (const [index, word] of words.entries()) view.setUint32(index * 4, word, true);
  view.setUint32(CHECKED_BYTES, crc32(bytes, 0, CHECKED_BYTES), true);
  return bytes;
}

export function decodeSlotHeader(bytes: Uint8Array): SlotHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, SLOT_HEADER_BYTES);
  const word = (index: number) => view.getUint32(index * 4, true);
  let triesLeft = 0;
  for (let index = 0; index < SLOT_TRIES; index++) if (word(SLOT_TRIES_WORD + index) === ERASED) triesLeft++;
  return {
    isWhole: word(0) === SLOT_MAGIC && word(4) === crc32(bytes, 0, CHECKED_BYTES),
    turn: word(1),
    length: word(2),
    crc32: word(3),
    isConfirmed: word(SLOT_CONFIRMED_WORD) !== ERASED,
    triesLeft,
  };
}

/**
 * The slot that the loader runs, of those whose programs check: the highest turn that is confirmed or has tries left; when
 * there is none such, the highest turn. -1 when no program checks. The loader's own text says the same.
 */
export function chooseSlot(slots: readonly (SlotHeader | undefined)[]): number {
  let chosen = -1;
  let best = 0;
  slots.forEach((slot, index) => {
    if (slot === undefined) return;
    const weight = slot.turn + (slot.isConfirmed || slot.triesLeft > 0 ? ERASED : 0);
    if (weight <= best) return;
    best = weight;
    chosen = index;
  });
  return chosen;
}
