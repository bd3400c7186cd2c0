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

/** What a fresh slot expects, in 64ths; the first two are no chances. */
const FRESH: readonly number[] = [
  0, 0, 6, 19, 19, 26, 32, 38, 38, 38, 35, 21, 14, 26, 32, 38, 38, 38, 50, 42, 16, 26, 32, 38, 38, 38, 59, 54, 42, 32,
  29, 38, 38, 38, 61, 60, 58, 56, 51, 46, 40, 40, 32, 32, 32, 26, 26, 26,
];
/** A number with a usual size above 0, and time, move more often from standing still. */
export const RESTLESS = 36 * 64;
export const HALF = 32 * 64;
/** For what is seldom: gaps in the sequence, changes. */
export const SELDOM = 64;
/** For each word once something has changed. */
export const PERHAPS = 16 * 64;

export function freshSlot(): Uint16Array {
  const slot = new Uint16Array(SLOT);
  for (let i = 0; i < SLOT; i++) slot[i] = (FRESH[i] as number) * 64;
  return slot;
}

/** How many cells a row of fields needs. */
export function cellsOf(row: BacklogRow): number {
  let cells = FIRST_SLOT + 2 * SLOT;
  for (let i = 0; i < row.length; i++) cells += (row[i] as number) & WORD ? 1 : SLOT;
  return cells;
}

/** All cells as they are before the first sample. */
export function resetCells(cells: Uint16Array, row: BacklogRow, fresh: Uint16Array): void {
  cells[PLAIN] = HALF;
  cells[CHANGED] = SELDOM;
  cells[FLAGS] = PERHAPS;
  cells[IN_STEP] = HALF;
  cells.set(fresh, FIRST_SLOT);
  cells[FIRST_SLOT + LARGER] = SELDOM;
  cells.set(fresh, FIRST_SLOT + SLOT);
  cells[FIRST_SLOT + SLOT + LAST_SIZE] = 8;
  cells[FIRST_SLOT + SLOT + LARGER] = RESTLESS;
  let at = FIRST_SLOT + 2 * SLOT;
  for (let i = 0; i < row.length; i++) {
    const usual = (row[i] as number) >> 4;
    if (usual > 7) cells[at++] = PERHAPS;
    else {
      cells.set(fresh, at);
      if (usual) {
        cells[at + LAST_SIZE] = usual * 8;
        cells[at + LARGER] = RESTLESS;
      }
      at += SLOT;
    }
  }
}
