// Backlog: a run of consecutive samples with the same groups, compressed without loss. The decoder, for the gateway; it
// takes any bytes and stops after at most 255 samples.
import {
  AWAKE,
  BACKLOG_BATTERY,
  BACKLOG_ENVIRONMENT,
  BACKLOG_HEADER_BYTES,
  BACKLOG_OCCUPANCY,
  BACKLOG_PHASE,
  BACKLOG_POWER,
  BACKLOG_SUPPLIES,
  type BacklogRow,
  ESCAPE_ZEROS,
  FIRST_TIME_STATE,
  firstState,
  GRID_S,
  STEPS_S,
  WORD,
} from "./backlog-model.ts";
import { createBitReader } from "./bits.ts";
import { type DecodeFault, HEADER_BYTES, type Header, KIND_REPORT, takeHeader, VERSION } from "./header.ts";

export interface Backlog extends Header {
  /** Low byte of the boot count that the samples belong to. */
  readonly boot: number;
  /** The device has left samples out by its rule. */
  readonly thinned: boolean;
  /** The samples belong to a boot before the one that sends them. */
  readonly earlierBoot: boolean;
  /** The report frames, oldest first, exactly as they were stored. */
  readonly reports: readonly Uint8Array[];
}

const GROUP_ROWS = [BACKLOG_POWER, BACKLOG_BATTERY, BACKLOG_OCCUPANCY, BACKLOG_ENVIRONMENT, BACKLOG_SUPPLIES];

/** The row of a groups byte: phase, then the fields of its groups in bit order. */
export function backlogRowOf(groups: number): BacklogRow {
  return BACKLOG_PHASE.concat(...GROUP_ROWS.filter((_, i) => groups & (1 << i)));
}

interface CodeReader {
  /** The next `bits` (0..16); zeros behind the end. */
  take(bits: number): number;
  /** Nothing is left and nothing was missing. */
  fault(): DecodeFault | undefined;
}

/** Reads `bytes` from bit `start` on. */
function createCodeReader(bytes: Uint8Array, start: number): CodeReader {
  let at = start;
  return {
    take: (bits) => {
      const byte = at >> 3;
      const held = ((bytes[byte] ?? 0) << 16) | ((bytes[byte + 1] ?? 0) << 8) | (bytes[byte + 2] ?? 0);
      const value = (held >> (24 - (at & 7) - bits)) & ((1 << bits) - 1);
      at += bits;
      return value;
    },
    fault: () => {
      const end = (at + 7) >> 3;
      if (bytes.length < end) return "truncated";
      if (bytes.length > end) return "trailing-bytes";
      return ((bytes[end - 1] ?? 0) & ((1 << (8 * end - at)) - 1)) === 0 ? undefined : "nonzero-padding";
    },
  };
}

/** The sample that was taken out last, and what is expected of the next. */
interface Run {
  sequence: number;
  /** 32 signed bits: where the grid of times stands. */
  grid: number;
  /** 32 signed bits. */
  time: number;
  flags: number;
  step: number;
  readonly codes: Uint16Array;
  /** By field, and behind them of time and of the gap. */
  readonly states: Uint8Array;
}

/** A difference in the state of field `i`, which follows it. */
function takeNumber(states: Uint8Array, i: number, input: CodeReader): number {
  const state = states[i] as number;
  const parameter = state >> 2;
  let zeros = 0;
  while (zeros < ESCAPE_ZEROS && input.take(1) === 0) zeros++;
  const isEscaped = zeros === ESCAPE_ZEROS;
  const folded = isEscaped ? 0 : (zeros << parameter) | input.take(parameter);
  if (zeros > 1) states[i] = state + Math.min(zeros, 4);
  else if (zeros === 0 && (state > 1 || folded === 0)) states[i] = state - 1;
  if (isEscaped) return -((input.take(16) << 16) >> 16);
  return folded & 1 ? (folded + 1) >> 1 : -(folded >> 1);
}

/** Moves sequence and time on; how far time is off has 32 signed bits. */
function moveOn(run: Run, gap: number, isInStep: boolean, off: number, isFirst: boolean): void {
  const due = isInStep ? run.step * (gap + 1) : run.step;
  const delta = (due + off) | 0;
  run.sequence = (run.sequence + 1 + gap) & 65535;
  run.time = (run.grid + delta) | 0;
  if (off > -GRID_S && off < GRID_S) run.grid = (run.grid + due + (off >> 1)) | 0;
  else {
    run.grid = run.time;
    if (!isFirst && gap === 0 && delta >> 16 === 0) run.step = delta;
  }
}

function takeSample(run: Run, row: BacklogRow, isFirst: boolean, input: CodeReader): void {
  const { codes, states } = run;
  const size = row.length;
  let off = 0;
  let gap = 0;
  const move = (i: number) => {
    const difference = takeNumber(states, i, input);
    // What is written out in 16 bits may be 32768 too much, or too little.
    if (i === size) off = (difference << 16) >> 16;
    else if (i > size) gap = difference & 65535;
    // Modulo the size of the field, so that any bytes give codes of it.
    else codes[i] = ((codes[i] as number) + difference) & ((1 << ((row[i] as number) & 15)) - 1);
  };
  let high = 0;
  for (let i = 0; i < size + 2; i++) if (states[i] !== 0) move(i);
  while (input.take(1) === 1) {
    const i = input.take(5);
    const field = row[i] ?? 0;
    if (i > size + 1) {
      high = input.take(16);
      run.flags = input.take(8);
    } else if (field & WORD) codes[i] = input.take(field & 15);
    else {
      states[i] = AWAKE;
      move(i);
    }
  }
  const isInStep = gap !== 0 && input.take(1) === 1;
  moveOn(run, gap, isInStep, ((high << 16) + off) | 0, isFirst);
}

/** What the first sample is measured by: the header, and the usual step. All but time sleeps. */
function takeFirst(header: Header, distance: number, row: BacklogRow, input: CodeReader): Run {
  const codes = new Uint16Array(row.length);
  const states = new Uint8Array(row.length + 2);
  states[row.length] = FIRST_TIME_STATE;
  for (let i = 0; i < row.length; i++) codes[i] = input.take((row[i] as number) & 15);
  const step = STEPS_S[input.take(2)] ?? input.take(16);
  const grid = (header.time - (distance + 1) * step) | 0;
  const flags = header.flags.clockSynced ? 128 : 0;
  const run: Run = { sequence: header.sequence - distance - 1, grid, time: 0, flags, step, codes, states };
  takeSample(run, row, true, input);
  states[row.length] = AWAKE;
  for (let i = 0; i < row.length; i++) states[i] = firstState(row[i] as number);
  return run;
}

function reportOf(run: Run, groups: number, row: BacklogRow, size: number): Uint8Array {
  const out = new Uint8Array(size);
  new DataView(out.buffer).setInt32(3, run.time);
  out[0] = (VERSION << 4) | KIND_REPORT;
  out[1] = run.sequence >> 8;
  out[2] = run.sequence & 255;
  out[7] = run.flags;
  let held = ((run.codes[0] as number) << 8) | groups;
  let heldBits = 12;
  let at = HEADER_BYTES;
  for (let i = 1; i <= row.length; i++) {
    while (heldBits >= 8) {
      heldBits -= 8;
      out[at++] = (held >> heldBits) & 255;
    }
    const bits = (row[i] ?? 0) & 15;
    held = ((held & 255) << bits) | (run.codes[i] ?? 0);
    heldBits += bits;
  }
  if (heldBits > 0) out[at] = (held << (8 - heldBits)) & 255;
  return out;
}

/** The samples of a backlog frame, or what is wrong with it. */
export function decodeBacklog(bytes: Uint8Array): Backlog | DecodeFault {
  if (bytes.length < BACKLOG_HEADER_BYTES) return "truncated";
  const value: Record<string, unknown> = {};
  takeHeader(createBitReader(bytes, 1), value);
  const header = value as unknown as Header;
  const marks = bytes[10] as number;
  const groups = marks & 63;
  const row = backlogRowOf(groups);
  const rowBits = row.reduce((bits, field) => bits + (field & 15), 0);
  const start = BACKLOG_HEADER_BYTES + 2;
  const count = bytes[9] as number;
  if (bytes.length < start + ((rowBits + 7) >> 3) || count === 0) return "truncated";
  if (groups >> GROUP_ROWS.length !== 0) return "unsupported-group";
  const input = createCodeReader(bytes, 8 * start);
  const distance = ((bytes[11] as number) << 8) | (bytes[12] as number);
  const run = takeFirst(header, distance, row, input);
  const size = HEADER_BYTES + ((rowBits + 8 + 7) >> 3);
  const reports = [reportOf(run, groups, row, size)];
  for (let i = 1; i < count; i++) {
    takeSample(run, row, false, input);
    reports.push(reportOf(run, groups, row, size));
  }
  const fault = input.fault();
  if (fault !== undefined) return fault;
  const boot = bytes[8] as number;
  return { ...header, boot, thinned: (marks & 128) !== 0, earlierBoot: (marks & 64) !== 0, reports };
}
