// When the records of one device were, in the order of their sequences: runs of consecutive stored ones, each with the
// times at its two ends. That is all that placing a late record between its neighbours takes.

/** How many runs are looked at for a neighbour with a sure time; beyond that any time serves. */
const LOOK_RUNS_MAX = 256;

interface Run {
  first: number;
  last: number;
  firstMs: number;
  lastMs: number;
  /** Times that a clock vouches for, the ones nearest to either end; undefined when the run has none. */
  firstSureMs: number | undefined;
  lastSureMs: number | undefined;
}

/** In the order of sequences, never touching each other. */
export type Timeline = Run[];

export interface Moment {
  readonly sequence: number;
  readonly timeMs: number;
  /** A clock vouches for it: the device's, or the gateway's at the receipt. */
  readonly isSure: boolean;
}

export type Neighbour = Moment;

/** Index of the first run that begins behind `sequence`. */
function indexBehind(timeline: Timeline, sequence: number): number {
  let low = 0;
  let high = timeline.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((timeline[middle] as Run).first > sequence) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function copyTimeline(timeline: Timeline): Timeline {
  return timeline.map((run) => ({ ...run }));
}

/** Adds a record. One whose sequence is there already changes nothing. */
export function addMoment(timeline: Timeline, { sequence, timeMs, isSure }: Moment): void {
  const at = indexBehind(timeline, sequence);
  const before = timeline[at - 1];
  const after = timeline[at];
  if (before !== undefined && sequence <= before.last) return;
  const sureMs = isSure ? timeMs : undefined;
  const joinsBefore = before !== undefined && before.last + 1 === sequence;
  const joinsAfter = after !== undefined && sequence + 1 === after.first;
  if (joinsBefore) {
    before.last = sequence;
    before.lastMs = timeMs;
    before.lastSureMs = sureMs ?? before.lastSureMs;
    before.firstSureMs ??= sureMs;
  }
  if (joinsAfter && !joinsBefore) {
    after.first = sequence;
    after.firstMs = timeMs;
    after.firstSureMs = sureMs ?? after.firstSureMs;
    after.lastSureMs ??= sureMs;
  }
  if (joinsBefore && joinsAfter) {
    before.last = after.last;
    before.lastMs = after.lastMs;
    before.lastSureMs = after.lastSureMs ?? before.lastSureMs;
    before.firstSureMs ??= after.firstSureMs;
    timeline.splice(at, 1);
  }
  if (joinsBefore || joinsAfter) return;
  const alone = { first: sequence, last: sequence, firstMs: timeMs, lastMs: timeMs };
  timeline.splice(at, 0, { ...alone, firstSureMs: sureMs, lastSureMs: sureMs });
}

/**
 * Forgets the oldest runs beyond `runsMax`; gives the last sequence of what it forgot, 0 for nothing. A device whose lost records never come
 * again leaves a run for each loss, and thousands of them once its window is full.
 */
export function forgetOldest(timeline: Timeline, runsMax: number): number {
  if (timeline.length <= runsMax) return 0;
  return timeline.splice(0, timeline.length - runsMax).at(-1)?.last ?? 0;
}

/** Forgets runs that end before `sequence`. */
export function forgetBefore(timeline: Timeline, sequence: number): void {
  let gone = 0;
  while (gone < timeline.length && (timeline[gone] as Run).last < sequence) gone++;
  if (gone > 0) timeline.splice(0, gone);
}

/** The record known before a sequence that is not there; one with a sure time where there is one. */
export function neighbourBefore(timeline: Timeline, sequence: number): Neighbour | undefined {
  const from = indexBehind(timeline, sequence) - 1;
  for (let i = from; i >= 0 && i > from - LOOK_RUNS_MAX; i--) {
    const run = timeline[i] as Run;
    if (run.lastSureMs !== undefined) return { sequence: run.last, timeMs: run.lastSureMs, isSure: true };
  }
  const run = timeline[from];
  return run === undefined ? undefined : { sequence: run.last, timeMs: run.lastMs, isSure: false };
}

/** The first record known after a sequence that is not there. */
export function neighbourAfter(timeline: Timeline, sequence: number): Neighbour | undefined {
  const from = indexBehind(timeline, sequence);
  for (let i = from; i < timeline.length && i < from + LOOK_RUNS_MAX; i++) {
    const run = timeline[i] as Run;
    if (run.firstSureMs !== undefined) return { sequence: run.first, timeMs: run.firstSureMs, isSure: true };
  }
  const run = timeline[from];
  return run === undefined ? undefined : { sequence: run.first, timeMs: run.firstMs, isSure: false };
}

/** True when no record is known between two sequences that are not there. */
export function isOpenBetween(timeline: Timeline, from: number, to: number): boolean {
  return indexBehind(timeline, from) === indexBehind(timeline, to);
}
