// What became of the samples: each once, byte for byte, where the ring has it and where the journal has it, and at its time.

import { unpackBacklog } from "../../gateway/domain/backlog.ts";
import { openReaderFile } from "../../gateway/journal/file.ts";
import { qualityCode } from "../../gateway/journal/row.ts";
import { decodeUplink } from "../../protocol/wire.ts";
import type { Written } from "./blackout-board.ts";

/** Ack requested and backlog pending: of the sending, not of the sample. */
const SENDING_FLAGS = 0x60;
const KIND_REPORT = 1;
const KIND_BACKLOG = 3;
const KIND_EVENT = 4;
/** An ack frame that waits behind another comes in the window of the empty frame that fetches it. */
const TIME_MS_MAX = 15_000;
/** A sample without a clock of the boot that still lasts: as exact as the way of its frame is short. */
const AGE_MS_MAX = 180_000;

interface Placed {
  readonly record: Written;
  readonly row: Row;
}

/** What a store holds of one device. */
export interface Row {
  /** In the order in which they were stored. */
  readonly id: number;
  readonly sequence: number;
  readonly timeMs: number;
  readonly quality: number;
  readonly receivedMs: number;
  readonly frame: Uint8Array;
}

/** Columns of the journal that make a row. */
export const ROW_COLUMNS = "id, sequence, time_ms, quality, received_ms, frame";

export function rowOf(row: Readonly<Record<string, unknown>>): Row {
  return {
    id: row["id"] as number,
    sequence: row["sequence"] as number,
    timeMs: row["time_ms"] as number,
    quality: row["quality"] as number,
    receivedMs: row["received_ms"] as number,
    frame: row["frame"] as Uint8Array,
  };
}

export function rowsOf(dir: string): Row[] {
  const db = openReaderFile(dir);
  const rows = db.prepare(`SELECT ${ROW_COLUMNS} FROM journal ORDER BY id`).all();
  db.close();
  return rows.map(rowOf);
}

export interface Verdict {
  samples: number;
  events: number;
  stored: number;
  /** Samples that the device has left out by its rule, of frames that say so. */
  thinned: number;
  acknowledged: number;
  lost: number;
  twice: number;
  /** Other bytes than those in the ring. */
  changed: number;
  /** At another time than they may be. */
  misplaced: number;
  unsynced: number;
  /** Largest distance from the true time: of a boot that lasted, and of one that was over. */
  presentOffMin: number;
  earlierOffMin: number;
  examples: string[];
}

type Say = (what: string, record: Written) => void;

export interface JudgeOptions {
  readonly written: readonly Written[];
  readonly rows: readonly Row[];
  readonly boots: readonly number[];
  readonly startUnixMs: number;
  /** Samples from here on may still be under way. */
  readonly untilMs: number;
  /** No clock was wrong without anybody knowing it. */
  readonly isTimeSure: boolean;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  return a.every((byte, i) => byte === b[i] || (i === 7 && ((byte ^ (b[i] as number)) & ~SENDING_FLAGS) === 0));
}

function kindOf(frame: Uint8Array): number {
  return (frame[0] as number) & 15;
}

/** Sequences, 16 bits, of the first and the last sample of each frame that says `thinned`. */
function thinnedSpans(rows: readonly Row[]): [from: number, to: number][] {
  return rows.flatMap(({ frame }) => {
    const backlog = kindOf(frame) === KIND_BACKLOG ? unpackBacklog(frame) : undefined;
    if (backlog === undefined || !backlog.thinned) return [];
    const sequences = backlog.reports.map((one) => ((one[1] as number) << 8) | (one[2] as number));
    return [[sequences[0] as number, sequences.at(-1) as number] as [number, number]];
  });
}

/** Left out by a frame that says so: between samples that it holds. */
function findThinned(records: readonly Written[], bySequence: ReadonlyMap<number, Row[]>, rows: readonly Row[]) {
  const open = new Set<number>();
  for (const [from, to] of thinnedSpans(rows)) for (let at = from; at !== to; at = (at + 1) & 0xffff) open.add(at);
  const isLeftOut = ({ isSample, sequence, markedMs }: Written) =>
    isSample && markedMs !== undefined && open.has(sequence) && !bySequence.has(sequence);
  return new Set(records.filter(isLeftOut));
}

export function judge(options: JudgeOptions): Verdict {
  const { written, rows, untilMs } = options;
  const verdict: Verdict = {
    samples: 0,
    events: 0,
    stored: 0,
    thinned: 0,
    acknowledged: 0,
    lost: 0,
    twice: 0,
    changed: 0,
    misplaced: 0,
    unsynced: 0,
    presentOffMin: 0,
    earlierOffMin: 0,
    examples: [],
  };
  const bySequence = new Map<number, Row[]>();
  for (const row of rows) {
    const kind = kindOf(row.frame);
    if (kind !== KIND_REPORT && kind !== KIND_EVENT) continue;
    bySequence.set(row.sequence & 0xffff, [...(bySequence.get(row.sequence & 0xffff) ?? []), row]);
  }
  const thinned = findThinned(written, bySequence, rows);
  const say = (what: string, record: Written) => {
    if (verdict.examples.length < 12)
      verdict.examples.push(
        `${what}: ${record.sequence} at ${(record.atMs / 3_600_000).toFixed(3)} h, boot ${record.boot}`,
      );
  };
  for (const record of written) {
    const found = bySequence.get(record.sequence) ?? [];
    bySequence.delete(record.sequence);
    if (record.isSample) verdict.samples++;
    else verdict.events++;
    if (record.markedMs !== undefined) verdict.acknowledged++;
    if (found.length > 0) verdict.stored++;
    if (found.length === 0 && thinned.has(record)) verdict.thinned++;
    else if (found.length === 0 && (record.markedMs !== undefined || record.atMs < untilMs)) {
      verdict.lost++;
      say(record.markedMs === undefined ? "lost" : "acknowledged and lost", record);
    }
    if (found.length > 1) {
      verdict.twice++;
      say("twice", record);
    }
    if (found[0] !== undefined && !isEqual(found[0].frame, record.frame)) {
      verdict.changed++;
      say("changed", record);
    }
  }
  // What is left was never written by the device.
  verdict.twice += bySequence.size;
  for (const [sequence, strange] of bySequence)
    verdict.examples.push(`nobody's: ${sequence}, ${Buffer.from(strange[0]?.frame ?? []).toString("hex")}`);
  if (thinned.size > 0) judgeThinning(written, thinned, say, verdict);
  if (options.isTimeSure) judgeTimes(options, verdict, say);
  return verdict;
}

/** Numbers of a sample by their place in it. */
function numbersOf(frame: Uint8Array): number[] {
  const decoded = decodeUplink(frame);
  if (decoded.kind !== "report") return [];
  const { power, battery, occupancy } = decoded.value;
  return [power, battery, occupancy].flatMap((group) =>
    Object.values(group ?? {}).map((value) => (typeof value === "number" ? value : Number.NaN)),
  );
}

/** Thinning keeps the least and the most of every number. */
function judgeThinning(written: readonly Written[], thinned: ReadonlySet<Written>, say: Say, verdict: Verdict): void {
  const least: number[] = [];
  const most: number[] = [];
  for (const record of written) {
    if (!record.isSample || thinned.has(record)) continue;
    numbersOf(record.frame).forEach((value, i) => {
      if (Number.isNaN(value)) return;
      least[i] = Math.min(least[i] ?? value, value);
      most[i] = Math.max(most[i] ?? value, value);
    });
  }
  for (const record of thinned) {
    const isExtreme = numbersOf(record.frame).some(
      (value, i) => value < (least[i] ?? value) || value > (most[i] ?? value),
    );
    if (!isExtreme) continue;
    verdict.lost++;
    say("a least or most was left out", record);
  }
}

function judgeTimes(options: JudgeOptions, verdict: Verdict, say: Say): void {
  const { written, boots, startUnixMs } = options;
  const rows = new Map(
    options.rows.filter((row) => kindOf(row.frame) === KIND_REPORT).map((row) => [row.sequence & 0xffff, row]),
  );
  const suspect = qualityCode("suspect");
  const wrong = (what: string, record: Written) => {
    verdict.misplaced++;
    say(what, record);
  };
  const samples: Placed[] = [];
  for (const record of written) {
    const row = rows.get(record.sequence);
    if (!record.isSample || row === undefined) continue;
    if (row.quality !== suspect) samples.push({ record, row });
    const offMs = row.timeMs - startUnixMs - record.atMs;
    if (record.clockSynced) {
      const stampMs = new DataView(record.frame.buffer, record.frame.byteOffset).getUint32(3) * 1000;
      if (row.quality !== qualityCode("synced") || row.timeMs !== stampMs) wrong("not at its time", record);
      else if (Math.abs(offMs) > TIME_MS_MAX) wrong(`its clock was off by ${Math.round(offMs / 1000)} s`, record);
    } else {
      verdict.unsynced++;
      if (row.quality === suspect) continue;
      const isPresent = row.receivedMs - startUnixMs < (boots[record.boot] ?? Number.POSITIVE_INFINITY);
      const offMin = Math.abs(offMs) / 60_000;
      if (row.quality !== qualityCode("estimated")) wrong("without a clock, and not estimated", record);
      else if (isPresent && Math.abs(offMs) > AGE_MS_MAX) wrong(`off by ${offMin.toFixed(1)} min`, record);
      if (isPresent) verdict.presentOffMin = Math.max(verdict.presentOffMin, offMin);
      else verdict.earlierOffMin = Math.max(verdict.earlierOffMin, offMin);
    }
  }
  judgeOrder(samples, wrong);
}

/** Samples without a clock stand between the neighbours that were known when they came. */
function judgeOrder(samples: readonly Placed[], wrong: (what: string, record: Written) => void): void {
  samples.forEach(({ record, row }, at) => {
    if (record.clockSynced) return;
    let before = at - 1;
    while (before >= 0 && (samples[before] as Placed).row.id > row.id) before--;
    let after = at + 1;
    while (after < samples.length && (samples[after] as Placed).row.id > row.id) after++;
    const tooEarlyMs = (samples[before]?.row.timeMs ?? row.timeMs) - row.timeMs;
    const tooLateMs = row.timeMs - (samples[after]?.row.timeMs ?? row.timeMs);
    const offMs = Math.max(tooEarlyMs, tooLateMs);
    if (offMs > AGE_MS_MAX) wrong(`${Math.round(offMs / 1000)} s out of order`, record);
  });
}
