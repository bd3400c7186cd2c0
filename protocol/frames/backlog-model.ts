// What a backlog frame looks like to its range coder: the order of things, the cells that learn, and what they expect at
// first. Encoder and decoder stand beside it; `protocol/README.md` says the same in words. Shipped: never change it.

/** Uplink header, boot u8, count u8, thinned u1, earlierBoot u1, groups u6. */
export const BACKLOG_HEADER_BYTES = 11;
/** Most samples in one frame. */
export const BACKLOG_SAMPLES_MAX = 255;

/** A row of fields as the coder sees it: phase first, then the fields of the groups in bit order. */
export type BacklogRow = readonly number[];
/** Low four bits: how wide. Words and scores have bit 7, numbers in bits 4 to 6 how many bits a usual difference has. */
export const WORD = 128;
export const BACKLOG_PHASE: BacklogRow = [WORD | 4];
export const BACKLOG_POWER: BacklogRow = [26, WORD | 3, WORD | 2, 26, 9];
export const BACKLOG_BATTERY: BacklogRow = [45, 60, 40];
export const BACKLOG_OCCUPANCY: BacklogRow = [11, 14];
export const BACKLOG_ENVIRONMENT: BacklogRow = [8];
export const BACKLOG_SUPPLIES: BacklogRow = [131, 131, 131, 131, 131, 131, 131, 131, 131];

/** Usual steps between samples in seconds, by their code; code 3 is followed by the step itself, u16. */
export const STEPS_S: readonly number[] = [60, 300, 900];

// Cells: one chance each, in 4096, that a bit is one.
/** Never learns: bits that nothing is known of. */
export const PLAIN = 0;
/** Flags or any word differ from the sample before. */
export const CHANGED = 1;
/** The flags do. */
export const FLAGS = 2;
/** Behind a gap in the sequence: time has gone on in step with it. */
export const IN_STEP = 3;
/** The slots of numbers begin here: sequence, time, then the row; a word has one cell. */
export const FIRST_SLOT = 4;

// A number's slot: what its last difference was, and the cells for the next one.
export const SLOT = 48;
/** 8 × size of the last difference, at most 4. Not a chance. */
export const LAST_SIZE = 0;
/** Sign of the last difference: 0 none, 1 minus, 2 plus. Not a chance. */
export const LAST_SIGN = 1;
/** Five rows by the last size, eight columns by step: the size of the difference is larger still. */
export const LARGER = 2;
/** By the last sign: the difference is negative. */
export const NEGATIVE = 42;
/** By the size 2, 3, 4 and more: the bit below the topmost one. */
export const SECOND = 45;

/** What a fresh slot expects, in 64ths, as characters from `0` on; the first two are no chances. */
const FRESH = "006CCJPVVVSE>JPVVVbZ@JPVVVkfZPMVVVmljhc^XXPPPJJJ";
/** A number with a usual size above 0, and time, move more often from standing still. */
export const RESTLESS = 36 * 64;
export const HALF = 32 * 64;
/** For what is seldom: gaps in the sequence, changes. */
export const SELDOM = 64;
/** For each word once something has changed. */
export const PERHAPS = 16 * 64;

export function freshSlot(): Uint16Array {
  const slot = new Uint16Array(SLOT);
  for (let i = 0; i < SLOT; i++) slot[i] = (FRESH.charCodeAt(i) - 48) * 64;
  return slot;
}

/** How many cells a row of fields needs. */
export function cellsOf(row: BacklogRow): number {
  let cells = FIRST_SLOT + 2 * SLOT;
  for (let i = 0; i < row.length; i++) cells += (row[i] as number) & WORD ? 1 : SLOT;
  return cells;
}

/** A number's slot as it is at first, of a field whose usual difference has so many bits. */
function resetSlot(cells: Uint16Array, fresh: Uint16Array, base: number, usual: number): void {
  cells.set(fresh, base);
  if (!usual) return;
  cells[base + LAST_SIZE] = usual * 8;
  cells[base + LARGER] = RESTLESS;
}

/** All cells as they are before the first sample. */
export function resetCells(cells: Uint16Array, row: BacklogRow, fresh: Uint16Array): void {
  cells.fill(PERHAPS);
  cells[PLAIN] = HALF;
  cells[CHANGED] = SELDOM;
  cells[IN_STEP] = HALF;
  resetSlot(cells, fresh, FIRST_SLOT, 0);
  cells[FIRST_SLOT + LARGER] = SELDOM;
  resetSlot(cells, fresh, FIRST_SLOT + SLOT, 1);
  let base = FIRST_SLOT + 2 * SLOT;
  for (let i = 0; i < row.length; i++) {
    const usual = (row[i] as number) >> 4;
    if (usual > 7) base++;
    else {
      resetSlot(cells, fresh, base, usual);
      base += SLOT;
    }
  }
}

/** The codes of a report frame, by the widths of their row. The caller knows that the frame is one of this row. */
export function takeCodes(report: Uint8Array, row: BacklogRow, codes: Uint16Array): void {
  let held = ((report[8] as number) & 240) | ((report[9] as number) & 15);
  let bits = 8;
  let from = 10;
  for (let i = 0; i < row.length; i++) {
    const width = (row[i] as number) & 15;
    while (bits < width) {
      held = ((held & 65535) << 8) | (report[from++] as number);
      bits += 8;
    }
    bits -= width;
    codes[i] = (held >> bits) & ((1 << width) - 1);
  }
}
