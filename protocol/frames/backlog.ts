// Backlog: a run of consecutive samples with the same groups, compressed without loss. The decoder, for the gateway; it
// takes any bytes and stops after at most 255 samples.
import {
  BACKLOG_BATTERY,
  BACKLOG_ENVIRONMENT,
  BACKLOG_HEADER_BYTES,
  BACKLOG_OCCUPANCY,
  BACKLOG_PHASE,
  BACKLOG_POWER,
  BACKLOG_SUPPLIES,
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

interface RangeDecoder {
  /** The next bit in the context of a cell, which learns from it. */
  bit(cell: number): number;
  plain(bits: number): number;
  number(base: number): number;
  /** Nothing is left, nothing was missing, and the end is the one that an encoder writes. */
  fault(): DecodeFault | undefined;
  /** Samples so far: cells learn slower with time. */
  count: number;
}

/** Decodes `bytes` from byte `start`; past their end it reads zeros. */
function createRangeDecoder(bytes: Uint8Array, start: number, cells: Uint16Array): RangeDecoder {
  let low = 0;
  let high = 0xffffff;
  let at = start;
  let code = 0;
  for (let i = 0; i < 3; i++) shift();

  function shift(): void {
    code = ((code & 65535) << 8) | (bytes[at] ?? 0);
    at++;
  }

  function bit(cell: number): number {
    const chance = cells[cell] as number;
    const middle = low + ((((high - low) >> 8) * chance) >> 4);
    const value = code <= middle ? 1 : 0;
    if (value) high = middle;
    else low = middle + 1;
    if (cell !== PLAIN) {
      const rate = decoder.count < 24 ? 4 + (decoder.count >> 2) : 10;
      cells[cell] = value ? chance + (((4095 - chance) / rate) | 0) : chance - ((chance / rate) | 0);
    }
    while (((low ^ high) & 0xff0000) === 0) {
      low = (low & 65535) << 8;
      high = ((high & 65535) << 8) | 255;
      shift();
    }
    return value;
  }

  function plain(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++) value = (value << 1) | bit(PLAIN);
    return value;
  }

  function number(base: number): number {
    const row = base + LARGER + (cells[base] as number);
    let size = 0;
    while (size < 32 && bit(row + Math.min(size, 7))) size++;
    const isMinus = size > 0 ? bit(base + NEGATIVE + (cells[base + LAST_SIGN] as number)) : 0;
    let magnitude = size > 0 ? 1 : 0;
    if (size > 1) magnitude = 2 | bit(base + SECOND + Math.min(size, 4) - 2);
    for (let i = 2; i < size; i++) magnitude = (magnitude << 1) | bit(PLAIN);
    cells[base] = Math.min(size, 4) * 8;
    cells[base + LAST_SIGN] = size === 0 ? 0 : 2 - isMinus;
    return isMinus ? -magnitude : magnitude;
  }

  function fault(): DecodeFault | undefined {
    const end = at - 3 + (low === 0 ? 0 : 1);
    if (bytes.length < end) return "truncated";
    if (bytes.length > end) return "trailing-bytes";
    return low === 0 || bytes[end - 1] === (low >> 16) + 1 ? undefined : "nonzero-padding";
  }

  const decoder: RangeDecoder = { bit, plain, number, fault, count: 0 };
  return decoder;
}

/** The sample that was taken out last, and what is expected of the next. */
interface Run {
  sequence: number;
  /** 32 signed bits. */
  time: number;
  flags: number;
  readonly codes: Uint16Array;
  step: number;
  /** How far the grid of times is behind the last sample, in 16ths of a second. */
  grid: number;
  lastDelta: number;
}

function takeFirst(run: Run, header: Header, distance: number, range: RangeDecoder): void {
  const usual = range.plain(2);
  run.step = STEPS_S[usual] ?? range.plain(16);
  const bits = range.plain(5);
  const isMinus = range.plain(1);
  const folded = bits === 0 ? 0 : (1 << (bits - 1)) | range.plain(bits - 1);
  run.sequence = (header.sequence - distance) & 65535;
  run.time = (header.time - distance * run.step - (isMinus ? ~folded : folded)) | 0;
}

function takeNext(run: Run, range: RangeDecoder): void {
  const gap = range.number(FIRST_SLOT);
  const isInStep = gap !== 0 && range.bit(IN_STEP) === 1;
  const due = isInStep ? run.step * (gap + 1) : run.step;
  const shift = (run.grid + 8) >> 4;
  const off = range.number(FIRST_SLOT + SLOT);
  const delta = (off + due + shift) | 0;
  if (off > -8 && off < 8) run.grid -= 16 * shift + 12 * off;
  else {
    run.grid = 0;
    if (delta >> 16 === 0 && Math.abs(delta - run.lastDelta) < 3) run.step = delta;
  }
  run.lastDelta = delta;
  run.sequence = (run.sequence + 1 + gap) & 65535;
  run.time = (run.time + delta) | 0;
}

function takeFields(run: Run, row: BacklogRow, isFirst: boolean, range: RangeDecoder): void {
  const isChanged = range.bit(CHANGED);
  if (isChanged && range.bit(FLAGS)) run.flags = range.plain(8);
  let base = FIRST_SLOT + 2 * SLOT;
  for (let i = 0; i < row.length; i++) {
    const bits = (row[i] as number) & 15;
    if ((row[i] as number) & WORD) {
      if (isChanged && range.bit(base)) run.codes[i] = range.plain(bits);
      base++;
    } else {
      // Modulo the size of the field: every code can follow every other, reasons included.
      if (!isFirst) run.codes[i] = ((run.codes[i] as number) + range.number(base)) & ((1 << bits) - 1);
      base += SLOT;
    }
  }
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

/** The first sample's codes as they stand in the frame; false when the padding behind them is not zero. */
function takeCodes(bytes: Uint8Array, row: BacklogRow, codes: Uint16Array): boolean {
  const input = createBitReader(bytes, BACKLOG_HEADER_BYTES + 2);
  for (let i = 0; i < row.length; i++) codes[i] = input.take((row[i] as number) & 15);
  return input.padding() === 0;
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
  const start = BACKLOG_HEADER_BYTES + 2 + ((rowBits + 7) >> 3);
  const count = bytes[9] as number;
  if (bytes.length < start || count === 0) return "truncated";
  if (groups >> GROUP_ROWS.length !== 0) return "unsupported-group";
  const cells = new Uint16Array(cellsOf(row));
  resetCells(cells, row, freshSlot());
  const range = createRangeDecoder(bytes, start, cells);
  const codes = new Uint16Array(row.length);
  const isPadded = takeCodes(bytes, row, codes);
  const flags = (bytes[7] as number) & 128;
  const run: Run = { sequence: 0, time: 0, flags, codes, step: 0, grid: 0, lastDelta: 0 };
  const reports: Uint8Array[] = [];
  for (; range.count < count; range.count++) {
    if (range.count > 0) takeNext(run, range);
    else takeFirst(run, header, ((bytes[11] as number) << 8) | (bytes[12] as number), range);
    takeFields(run, row, range.count === 0, range);
    reports.push(reportOf(run, groups, row, HEADER_BYTES + ((rowBits + 8 + 7) >> 3)));
  }
  const fault = range.fault() ?? (isPadded ? undefined : "nonzero-padding");
  if (fault !== undefined) return fault;
  const boot = bytes[8] as number;
  return { ...header, boot, thinned: (marks & 128) !== 0, earlierBoot: (marks & 64) !== 0, reports };
}
