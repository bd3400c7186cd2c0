// Backlog encoder: device code for the smallest boards. All buffers are made once, one sample is added a turn, and all
// numbers stay in 32 bits. A sample is its report frame: what goes in comes out, bit for bit.
import {
  BACKLOG_SAMPLES_MAX,
  type BacklogRow,
  CHANGED,
  cellsOf,
  FIRST_SLOT,
  FLAGS,
  freshSlot,
  IN_STEP,
  LARGER,
  LAST_SIGN,
  NEGATIVE,
  PLAIN,
  resetCells,
  SECOND,
  SLOT,
  STEPS_S,
  takeCodes,
  WORD,
} from "./backlog-model.ts";

/** A header's time as 32 signed bits: differences of it come out right whatever the year. */
function timeOf(frame: Uint8Array): number {
  return (sequenceOf(frame, 3) << 16) | sequenceOf(frame, 5);
}

function sequenceOf(frame: Uint8Array, at: number): number {
  return ((frame[at] as number) << 8) | (frame[at + 1] as number);
}

export interface BacklogEncoder {
  /**
   * Begins a frame of at most `bytesMax` bytes. `head` is its header: the uplink header, boot, any count, and the byte of
   * thinned, earlierBoot and groups. `stepS` is the usual distance of the samples.
   */
  start(head: Uint8Array, bytesMax: number, stepS: number): void;
  /** Adds one sample (a report frame); false when it does not go into this frame, which then is ready to finish. */
  add(report: Uint8Array): boolean;
  count(): number;
  /** The frame, in the encoder's own buffer: take it before the next start. */
  finish(): Uint8Array;
}

/** For samples of one row of fields and frames of up to `bytesMax` bytes. */
export function createBacklogEncoder(row: BacklogRow, bytesMax: number): BacklogEncoder {
  const fresh = freshSlot();
  const cells = new Uint16Array(cellsOf(row));
  const codes = new Uint16Array(row.length);
  const before = new Uint16Array(row.length);
  // What does not fit is written nowhere.
  const out = new Uint8Array(bytesMax);
  let room = 0;
  let count = 0;
  let rate = 0;
  let step = 0;
  let grid = 0;
  let lastDelta = 0;
  let time = 0;
  let sequence = 0;
  let flags = 0;
  let low = 0;
  let high = 0;
  let at = 0;

  /** Codes a bit by what its cell expects, and the cell learns from it. */
  function bit(cell: number, value: number | boolean): void {
    const chance = cells[cell] as number;
    const middle = low + ((((high - low) >> 8) * chance) >> 4);
    if (value) high = middle;
    else low = middle + 1;
    if (cell) cells[cell] = chance + (((value ? 4095 - chance : -chance) / rate) | 0);
    while (!((low ^ high) & 0xff0000)) {
      out[at++] = high >> 16;
      low = (low & 65535) << 8;
      high = ((high & 65535) << 8) | 255;
    }
  }

  /** The low `bits` bits of a value of which nothing is expected. */
  function plain(value: number, bits: number): void {
    for (let i = bits - 1; i >= 0; i--) bit(PLAIN, (value >> i) & 1);
  }

  /** Codes a difference in the slot at cell `base`. */
  function number(base: number, difference: number): void {
    const isMinus = difference < 0 ? 1 : 0;
    const magnitude = isMinus ? -difference : difference;
    const larger = base + LARGER + (cells[base] as number);
    let size = 0;
    while (size < 32 && magnitude >>> size) {
      bit(larger + Math.min(size, 7), 1);
      size++;
    }
    if (size < 32) bit(larger + Math.min(size, 7), 0);
    const class4 = Math.min(size, 4);
    if (size) bit(base + NEGATIVE + (cells[base + LAST_SIGN] as number), isMinus);
    if (size > 1) bit(base + SECOND + class4 - 2, (magnitude >> (size - 2)) & 1);
    plain(magnitude, size - 2);
    cells[base] = class4 * 8;
    cells[base + LAST_SIGN] = size && 2 - isMinus;
  }

  /** The first sample stands in the frame as it is; in the code follow the usual step and how far its time is off. */
  function putFirst(report: Uint8Array, sequenceNow: number, timeNow: number): void {
    const distance = (sequenceOf(out, 1) - sequenceNow) & 65535;
    out[11] = distance >> 8;
    out[12] = distance;
    out[13] = ((report[8] as number) & 240) | ((report[9] as number) & 15);
    out.set(new Uint8Array(report.buffer, report.byteOffset + 10, report.length - 10), 14);
    at = report.length + 4;
    const usual = STEPS_S.indexOf(step);
    plain(usual, 2);
    if (usual < 0) plain(step, 16);
    const off = (timeOf(out) - distance * step - timeNow) | 0;
    const folded = off < 0 ? ~off : off;
    let bits = 0;
    while (folded >> bits) bits++;
    plain(bits, 5);
    bit(PLAIN, off < 0);
    plain(folded, bits - 1);
  }

  /** Sequence and time of a sample behind another one. */
  function putNext(sequenceNow: number, timeNow: number): void {
    const gap = ((sequenceNow - sequence + 32767) & 65535) - 32768;
    number(FIRST_SLOT, gap);
    const delta = (timeNow - time) | 0;
    let due = step;
    if (gap) {
      const inStep = step * (gap + 1);
      const isInStep = Math.abs(delta - inStep) < Math.abs(delta - step);
      bit(IN_STEP, isInStep);
      if (isInStep) due = inStep;
    }
    const shift = (grid + 8) >> 4;
    const off = (delta - due - shift) | 0;
    number(FIRST_SLOT + SLOT, off);
    if (off > -8 && off < 8) grid -= 16 * shift + 12 * off;
    else {
      grid = 0;
      if (delta >> 16 === 0 && Math.abs(delta - lastDelta) < 3) step = delta;
    }
    lastDelta = delta;
  }

  function putFields(isChanged: boolean): void {
    let base = FIRST_SLOT + 2 * SLOT;
    for (let i = 0; i < row.length; i++) {
      const field = row[i] as number;
      const raw = codes[i] as number;
      const difference = raw - (before[i] as number);
      if (field & WORD) {
        if (isChanged) {
          bit(base, difference);
          if (difference) plain(raw, field & 15);
        }
        base++;
      } else {
        const half = 1 << ((field & 15) - 1);
        if (count) number(base, ((difference + 3 * half) & (2 * half - 1)) - half);
        base += SLOT;
      }
    }
  }

  function start(head: Uint8Array, most: number, stepS: number): void {
    resetCells(cells, row, fresh);
    out.set(head);
    room = most;
    step = stepS;
    count = grid = lastDelta = low = 0;
    high = 0xffffff;
    flags = (head[7] as number) & 128;
  }

  function add(report: Uint8Array): boolean {
    const groups = (((report[8] as number) & 15) << 4) | ((report[9] as number) >> 4);
    if (!room || count === BACKLOG_SAMPLES_MAX || groups !== ((out[10] as number) & 63)) return false;
    const wasLow = low;
    const wasHigh = high;
    const wasAt = at;
    const sequenceNow = sequenceOf(report, 1);
    const timeNow = timeOf(report);
    const flagsNow = report[7] as number;
    const isFlags = flagsNow !== flags;
    takeCodes(report, row, codes);
    let isChanged = isFlags;
    if (!count) before.set(codes);
    for (let i = 0; i < row.length; i++) if ((row[i] as number) & WORD && codes[i] !== before[i]) isChanged = true;
    rate = count < 24 ? 4 + (count >> 2) : 10;
    if (count) putNext(sequenceNow, timeNow);
    else putFirst(report, sequenceNow, timeNow);
    bit(CHANGED, isChanged);
    if (isChanged) {
      bit(FLAGS, isFlags);
      if (isFlags) plain(flagsNow, 8);
    }
    putFields(isChanged);
    if (at + (low ? 1 : 0) > room) {
      low = wasLow;
      high = wasHigh;
      at = wasAt;
      room = 0;
      return false;
    }
    before.set(codes);
    sequence = sequenceNow;
    time = timeNow;
    flags = flagsNow;
    count++;
    return true;
  }

  function finish(): Uint8Array {
    if (low) out[at++] = (low >> 16) + 1;
    low = 0;
    out[9] = count;
    return new Uint8Array(out.buffer, 0, at);
  }

  return { start: start, add: add, count: () => count, finish: finish };
}
