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
  WORD,
} from "./backlog-model.ts";

/** One number's decisions: at most 33 for its size, its sign and 31 bits. */
const QUEUE_MAX = 66;

function least(a: number, b: number): number {
  return Math.min(a, b);
}

/** A header's time as 32 signed bits: differences of it come out right whatever the year. */
function timeOf(frame: Uint8Array): number {
  return (
    ((frame[3] as number) << 24) | ((frame[4] as number) << 16) | ((frame[5] as number) << 8) | (frame[6] as number)
  );
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
  const queue = new Uint16Array(QUEUE_MAX);
  const codes = new Uint16Array(row.length);
  const before = new Uint16Array(row.length);
  const out = new Uint8Array(bytesMax);
  let room = 0;
  let count = 0;
  let step = 0;
  let grid = 0;
  let lastDelta = 0;
  let time = 0;
  let sequence = 0;
  let flags = 0;
  let low = 0;
  let high = 0;
  let at = 0;

  /** Codes the first `n` of the queue, each 2 × cell + bit, and learns from them. */
  function code(n: number): void {
    const rate = count < 24 ? 4 + (count >> 2) : 10;
    for (let i = 0; i < n; i++) {
      const cell = (queue[i] as number) >> 1;
      const chance = cells[cell] as number;
      const middle = low + ((((high - low) >> 8) * chance) >> 4);
      if ((queue[i] as number) & 1) {
        high = middle;
        if (cell) cells[cell] = chance + (((4095 - chance) / rate) | 0);
      } else {
        low = middle + 1;
        if (cell) cells[cell] = chance - ((chance / rate) | 0);
      }
      while (!((low ^ high) & 0xff0000)) {
        out[at++] = high >> 16;
        low = (low & 65535) << 8;
        high = ((high & 65535) << 8) | 255;
      }
    }
  }

  /** Codes the low `bits` bits of `value` one after another in one cell. */
  function put(cell: number, value: number, bits: number): void {
    for (let i = 0; i < bits; i++) queue[i] = cell * 2 + ((value >> (bits - 1 - i)) & 1);
    code(bits);
  }

  /** Codes a difference in the slot at cell `base`. */
  function number(base: number, difference: number): void {
    const isMinus = difference < 0 ? 1 : 0;
    const magnitude = isMinus ? -difference : difference;
    const row = base + LARGER + (cells[base] as number);
    let size = 0;
    while (size < 32 && magnitude >>> size) {
      queue[size] = (row + least(size, 7)) * 2 + 1;
      size++;
    }
    let n = size;
    if (size < 32) queue[n++] = (row + least(size, 7)) * 2;
    if (size) {
      queue[n++] = (base + NEGATIVE + (cells[base + LAST_SIGN] as number)) * 2 + isMinus;
      for (let i = size - 2; i >= 0; i--) {
        const cell = i === size - 2 ? base + SECOND + least(size, 4) - 2 : PLAIN;
        queue[n++] = cell * 2 + ((magnitude >> i) & 1);
      }
    }
    cells[base] = least(size, 4) * 8;
    cells[base + LAST_SIGN] = size ? 2 - isMinus : 0;
    code(n);
  }

  /** The first sample stands in the frame as it is; in the code follow the usual step and how far its time is off. */
  function putFirst(report: Uint8Array, sequenceNow: number, timeNow: number): void {
    const distance = ((((out[1] as number) << 8) | (out[2] as number)) - sequenceNow) & 65535;
    out[11] = distance >> 8;
    out[12] = distance;
    out[13] = ((report[8] as number) & 240) | ((report[9] as number) & 15);
    out.set(report.subarray(10), 14);
    at = report.length + 4;
    const usual = STEPS_S.indexOf(step);
    put(PLAIN, usual, 2);
    if (usual < 0) put(PLAIN, step, 16);
    const off = (timeOf(out) - distance * step - timeNow) | 0;
    const folded = off < 0 ? ~off : off;
    let bits = 0;
    while (folded >> bits) bits++;
    put(PLAIN, bits, 5);
    put(PLAIN, off < 0 ? 1 : 0, 1);
    put(PLAIN, folded, bits - 1);
  }

  /** Sequence and time of a sample behind another one. */
  function putNext(sequenceNow: number, timeNow: number): void {
    const gap = ((sequenceNow - sequence + 32767) & 65535) - 32768;
    number(FIRST_SLOT, gap);
    const delta = (timeNow - time) | 0;
    let due = step;
    if (gap) {
      const inStep = step * (gap + 1);
      const isInStep = Math.abs(delta - inStep) < Math.abs(delta - step) ? 1 : 0;
      put(IN_STEP, isInStep, 1);
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

  /** Takes the report's codes out of it: 1 when a word differs from the sample before. */
  function take(report: Uint8Array): number {
    let held = ((report[8] as number) & 240) | ((report[9] as number) & 15);
    let heldBits = 8;
    let from = 10;
    let isChanged = 0;
    for (let i = 0; i < row.length; i++) {
      const bits = (row[i] as number) & 15;
      while (heldBits < bits) {
        held = ((held & 65535) << 8) | (report[from++] as number);
        heldBits += 8;
      }
      heldBits -= bits;
      const raw = (held >> heldBits) & ((1 << bits) - 1);
      codes[i] = raw;
      if (count === 0) before[i] = raw;
      else if ((row[i] as number) & WORD && raw !== before[i]) isChanged = 1;
    }
    return isChanged;
  }

  function putFields(isChanged: number): void {
    let base = FIRST_SLOT + 2 * SLOT;
    for (let i = 0; i < row.length; i++) {
      const raw = codes[i] as number;
      const bits = (row[i] as number) & 15;
      if ((row[i] as number) & WORD) {
        if (isChanged) {
          const differs = raw === before[i] ? 0 : 1;
          put(base, differs, 1);
          if (differs) put(PLAIN, raw, bits);
        }
        base++;
      } else {
        const half = 1 << (bits - 1);
        if (count) number(base, ((raw - (before[i] as number) + 3 * half) & (2 * half - 1)) - half);
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
    if (room === 0 || count === BACKLOG_SAMPLES_MAX || groups !== ((out[10] as number) & 63)) return false;
    const wasLow = low;
    const wasHigh = high;
    const wasAt = at;
    const sequenceNow = ((report[1] as number) << 8) | (report[2] as number);
    const timeNow = timeOf(report);
    const flagsNow = report[7] as number;
    const isFlags = flagsNow === flags ? 0 : 1;
    const isChanged = take(report) | isFlags;
    if (count) putNext(sequenceNow, timeNow);
    else putFirst(report, sequenceNow, timeNow);
    put(CHANGED, isChanged, 1);
    if (isChanged) {
      put(FLAGS, isFlags, 1);
      if (isFlags) put(PLAIN, flagsNow, 8);
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
