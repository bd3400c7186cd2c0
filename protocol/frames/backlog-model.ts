// What a backlog frame looks like to its coder: the rows of fields, and how the state of a number moves. Encoder and decoder
// stand beside it; `protocol/README.md` says the same in words. Shipped: never change it.

/** Uplink header, boot u8, count u8, thinned u1, earlierBoot u1, groups u6. */
export const BACKLOG_HEADER_BYTES = 11;
/** Most samples in one frame. */
export const BACKLOG_SAMPLES_MAX = 255;

/** A row of fields as the coder sees it: phase first, then the fields of the groups in bit order. */
export type BacklogRow = readonly number[];
/** Low four bits: how wide. Words and scores have bit 7, numbers in bits 4 to 6 the parameter that they begin with. */
export const WORD = 128;
export const BACKLOG_PHASE: BacklogRow = [WORD | 4];
export const BACKLOG_POWER: BacklogRow = [26, WORD | 3, WORD | 2, 26, 9];
export const BACKLOG_BATTERY: BacklogRow = [61, 92, 24];
export const BACKLOG_OCCUPANCY: BacklogRow = [11, 14];
export const BACKLOG_ENVIRONMENT: BacklogRow = [8];
export const BACKLOG_SUPPLIES: BacklogRow = [131, 131, 131, 131, 131, 131, 131, 131, 131];

/** Usual steps between samples in seconds, by their code; code 3 is followed by the step itself, u16. */
export const STEPS_S: readonly number[] = [60, 300, 900];

// The state of a field: four times its parameter and what is on the way to the next one. 0 is asleep, as words always are.
/** Of the first sample's time. */
export const FIRST_TIME_STATE = 48;
/** Of time behind the first sample, and of a number that wakes. */
export const AWAKE = 4;
/** So many zeros stand in front of a difference that is written out, in 16 bits. */
export const ESCAPE_ZEROS = 9;
/** A time less than this off moves the grid by half of it; any other begins a new one. */
export const GRID_S = 8;

/** The state in which a field begins. */
export function firstState(field: number): number {
  return (field >> 2) & 28;
}

/** The codes of a report frame, by the widths of their row; the caller knows that the frame is one of this row. */
export function takeCodes(report: Uint8Array, row: BacklogRow, codes: Uint16Array): number {
  let held = ((report[8] as number) & 240) | ((report[9] as number) & 15);
  let bits = 8;
  let from = 10;
  for (let i = 0; i < row.length; i++) {
    const width = (row[i] as number) & 15;
    while (bits < width) {
      held = (held << 8) | (report[from++] as number);
      bits += 8;
    }
    bits -= width;
    codes[i] = (held >> bits) & ((1 << width) - 1);
  }
  return bits;
}
