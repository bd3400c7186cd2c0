// Backlog encoder: device code for the smallest boards. All buffers are made once, one sample is added a turn, and all
// numbers stay in 32 bits. A sample is its report frame: what goes in comes out, bit for bit.
import {
  AWAKE,
  BACKLOG_SAMPLES_MAX,
  type BacklogRow,
  ESCAPE_ZEROS,
  FIRST_TIME_STATE,
  firstState,
  GRID_S,
  STEPS_S,
  takeCodes,
  WORD,
} from "./backlog-model.ts";

function sequenceOf(frame: Uint8Array, at: number): number {
  return ((frame[at] as number) << 8) | (frame[at + 1] as number);
}

/** A header's time as 32 signed bits: differences of it come out right whatever the year. */
function timeOf(frame: Uint8Array): number {
  return (sequenceOf(frame, 3) << 16) | sequenceOf(frame, 5);
}

/** So many differences are written in one turn; in a sample of a whole point there may be four times as many. */
const TURN_NUMBERS = 3;

export interface BacklogEncoder {
  /**
   * Begins a frame of at most `bytesMax` bytes. `head` is its header: the uplink header, boot, any count, and the byte of
   * thinned, earlierBoot and groups. `stepS` is the usual distance of the samples.
   */
  start(head: Uint8Array, bytesMax: number, stepS: number): void;
  /** A bounded part of adding this sample, for a turn of its own: true when only `add` is left to do. */
  take(report: Uint8Array): boolean;
  /**
   * Adds one sample, a report frame of the encoder's row; false when it does not go into this frame, or is not the one that
   * was taken: then the frame is ready to finish.
   */
  add(report: Uint8Array): boolean;
  count(): number;
  /** The frame, in the encoder's own buffer: take it before the next start. */
  finish(): Uint8Array;
}

/** For samples of one row of fields, which the caller looks at, and frames of up to `bytesMax` bytes. */
export function createBacklogEncoder(row: BacklogRow, bytesMax: number): BacklogEncoder {
  // By field, and behind them how far time is off, the lower half of it, and the sequence less the count.
  const size = row.length;
  const codes = new Uint16Array(size + 2);
  const before = new Uint16Array(size + 2);
  // Then a stack: what was asleep and has moved.
  const states = new Uint8Array(2 * size + 4);
  // What does not fit is written nowhere.
  const out = new Uint8Array(bytesMax);
  let room = 0;
  let count = 0;
  let step = 0;
  let grid = 0;
  let flags = 0;
  let at = 0;
  let held = 0;
  let heldBits = 0;
  // Behind the last sample that is in.
  let endAt = 0;
  let endHeld = 0;
  let endBits = 0;
  // Of the sample that is taken. Stage: nothing yet, what it is, and from 2 on the next field to write.
  let stage = 0;
  let padding = 0;
  let wakes = 0;
  let isRare = false;
  let isInStep = false;
  let gap = 0;
  let high = 0;

  /** The low `length` (0..25) bits of a value; no others are set. */
  function put(value: number, length: number): void {
    held = (held << length) | value;
    heldBits += length;
    while (heldBits > 7) {
      heldBits -= 8;
      out[at++] = held >> heldBits;
    }
  }

  /** How much less a field is than before, in its state, which follows it. */
  function number(i: number, less: number): void {
    const state = states[i] as number;
    const folded = (less << 1) ^ (less >> 31);
    const parameter = state >> 2;
    const zeros = folded >> parameter;
    if (zeros < ESCAPE_ZEROS) put(folded + ((1 - zeros) << parameter), zeros + 1 + parameter);
    else put(less & 65535, ESCAPE_ZEROS + 16);
    if (zeros > 1) states[i] = state + Math.min(zeros, 4);
    else if (!zeros && (state > 1 || !folded)) states[i] = state - 1;
  }

  /** The first sample's row stands in the frame as it is, and the code begins behind its last bit. */
  function putFirst(report: Uint8Array): void {
    const distance = (sequenceOf(out, 1) - sequenceOf(report, 1)) & 65535;
    out.set(report.subarray(8), 12);
    out[11] = distance >> 8;
    out[12] = distance;
    out[13] = ((report[8] as number) & 240) | ((report[9] as number) & 15);
    at = report.length + 3;
    heldBits = 8 - padding;
    held = (out[at] as number) >> padding;
    const usual = STEPS_S.indexOf(step);
    put(usual & 3, 2);
    if (usual < 0) put(step, 16);
    before.set(codes);
    grid = timeOf(out) - (distance + 1) * step;
  }

  function start(head: Uint8Array, most: number, stepS: number): void {
    step = stepS;
    room = 8 * most;
    states.fill(0);
    states[size] = FIRST_TIME_STATE;
    out.set(head);
    count = 0;
    stage = wakes = 0;
    flags = (head[7] as number) & 128;
  }

  /** What the sample is. */
  function takeSample(report: Uint8Array): void {
    padding = takeCodes(report, row, codes);
    codes[size + 1] = sequenceOf(report, 1) - count;
  }

  /** How it differs in time from what was expected. */
  function takeTime(report: Uint8Array): void {
    if (!count) putFirst(report);
    else if (count < 2) {
      for (let i = 0; i < size; i++) states[i] = firstState(row[i] as number);
      states[size] = AWAKE;
    }
    gap = ((codes[size + 1] as number) - (before[size + 1] as number)) & 65535;
    const timeNow = timeOf(report);
    const delta = (timeNow - grid) | 0;
    let due = step;
    isInStep = Math.abs(delta - step * (gap + 1)) < Math.abs(delta - step);
    if (isInStep) due = step * (gap + 1);
    const off = (delta - due) | 0;
    high = (((off >> 15) + 1) >> 1) & 65535;
    isRare = high > 0 || report[7] !== flags;
    flags = report[7] as number;
    codes[size] = off ^ 32768;
    before[size] = 32768;
    if (off > -GRID_S && off < GRID_S) grid += due + (off >> 1);
    else {
      grid = timeNow;
      if (count && !gap && delta >> 16 === 0) step = delta;
    }
  }

  /** Of what is awake; what wakes goes on the stack, and comes behind all that is. */
  function putSome(): void {
    let left = TURN_NUMBERS;
    let i = stage - 2;
    for (; i < size + 2; i++) {
      const less = (before[i] as number) - (codes[i] as number);
      if (states[i]) {
        number(i, less);
        if (!--left) break;
      } else if (less) states[size + 1 + ++wakes] = i;
    }
    stage = i + 3;
    for (; wakes && left; left--) {
      i = states[size + 1 + wakes--] as number;
      const field = row[i] as number;
      put(32 | i, 6);
      if (field & WORD) put(codes[i] as number, field & 15);
      else {
        states[i] = AWAKE;
        number(i, (before[i] as number) - (codes[i] as number));
      }
    }
  }

  function take(report: Uint8Array): boolean {
    if (stage > size + 3 && !wakes) return true;
    if (stage > 1) putSome();
    else if (stage++) takeTime(report);
    else takeSample(report);
    return false;
  }

  function add(report: Uint8Array): boolean {
    if (count === BACKLOG_SAMPLES_MAX) return false;
    // Another sample than the one that is taken.
    if (stage && ((codes[size + 1] as number) + count - sequenceOf(report, 1)) & 65535) return false;
    for (; !take(report); );
    if (isRare) {
      put(63, 6);
      put(high, 16);
      put(flags, 8);
    }
    put(0, 1);
    if (gap) put(isInStep ? 1 : 0, 1);
    if (8 * at + heldBits > room) return false;
    stage = 0;
    endAt = at;
    endHeld = held;
    endBits = heldBits;
    before.set(codes);
    count++;
    return true;
  }

  function finish(): Uint8Array {
    out[9] = count;
    out[endAt] = endHeld << (8 - endBits);
    return new Uint8Array(out.buffer, 0, endAt + (endBits ? 1 : 0));
  }

  return { start: start, take: take, add: add, count: () => count, finish: finish };
}
