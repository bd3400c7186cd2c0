// When the samples of a backlog frame were taken. A clock that was set is believed; samples of a clock that was not are
// placed by their age within the boot that sends them, and between their neighbours when their boot is over.
import type { Backlog } from "../../protocol/index.ts";
import type { BacklogSample } from "./backlog.ts";
import { isAhead, type Placing, type Receipt, type StampedHeader } from "./placing.ts";
import { addMoment, isOpenBetween, neighbourAfter, neighbourBefore, type Timeline } from "./timeline.ts";

/** A live record may have waited so long before it was sent and placed at its receipt: order goes before exactness here. */
const WAITED_MS_MAX = 150_000;
/** Two frames that put the start of a boot this close together saw the same one. */
const SAME_START_MS = 10 * 60_000;
/** The usual distance of samples, where a frame with one sample says nothing. */
const STEP_MS = 60_000;
/** Boot counts come with their low byte: one that was learned so many records ago may be another. */
const BOOT_RECORDS_MAX = 32_768;

export interface BootStart {
  readonly startedMs: number;
  /** Of the frame that said so. */
  readonly sequence: number;
}

export interface BacklogContext {
  readonly backlog: Pick<Backlog, "boot" | "earlierBoot">;
  readonly header: StampedHeader;
  /** Extended, of the frame. */
  readonly sequence: number;
  readonly receipt: Receipt;
  /** Holds the frame's own moment; takes those of the samples. */
  readonly timeline: Timeline;
  /** When boots began, by the low byte of their count; takes what this frame says of its own. */
  readonly boots: Map<number, BootStart>;
}

/** Places samples that are not stored yet, in the order of their sequences. */
export function placeBacklog(samples: readonly BacklogSample[], context: BacklogContext): Placing[] {
  const { timeline } = context;
  noteOwnBoot(context);
  const placings = new Array<Placing>(samples.length);
  const open: number[] = [];
  samples.forEach((sample, i) => {
    const placing = placeAlone(sample, context);
    if (placing === undefined) open.push(i);
    else placings[i] = note(timeline, sample, placing);
  });
  for (let from = 0; from < open.length; ) {
    let to = from + 1;
    while (to < open.length && isOneRun(samples, open[to - 1] as number, open[to] as number, timeline)) to++;
    const run = open.slice(from, to).map((i) => samples[i] as BacklogSample);
    const { times, isSure } = placeRun(run, context);
    run.forEach((sample, k) => {
      const quality = sample.clockSynced || !isSure ? "suspect" : "estimated";
      placings[open[from + k] as number] = note(timeline, sample, { timeMs: times[k] as number, quality });
    });
    from = to;
  }
  return placings;
}

function note(timeline: Timeline, { sequence }: BacklogSample, placing: Placing): Placing {
  addMoment(timeline, { sequence, timeMs: placing.timeMs, isSure: placing.quality !== "suspect" });
  return placing;
}

/** Samples of the same clock with no record known between them. */
function isOneRun(samples: readonly BacklogSample[], a: number, b: number, timeline: Timeline): boolean {
  const [before, next] = [samples[a] as BacklogSample, samples[b] as BacklogSample];
  return before.clockSynced === next.clockSynced && isOpenBetween(timeline, before.sequence, next.sequence);
}

/** The frame's header is the sender's present time: without a clock, how long its boot has lasted. */
function noteOwnBoot({ backlog, header, receipt, sequence, boots }: BacklogContext): void {
  if (backlog.earlierBoot || header.clockSynced || !receipt.clockTrusted) return;
  const startedMs = receipt.receivedMs - header.timeS * 1000;
  const known = boots.get(backlog.boot);
  // Every frame takes some time to come: the earliest start is the nearest to the truth.
  const isSame = known !== undefined && Math.abs(known.startedMs - startedMs) <= SAME_START_MS;
  boots.set(backlog.boot, { startedMs: isSame ? Math.min(known.startedMs, startedMs) : startedMs, sequence });
}

/** By the sample's own clock, or by its age; undefined when neither says anything. */
function placeAlone(sample: BacklogSample, context: BacklogContext): Placing | undefined {
  const { backlog, header, receipt, timeline } = context;
  const ageMs = (header.timeS - sample.timeS) * 1000;
  if (sample.clockSynced) {
    const timeMs = sample.timeS * 1000;
    if (!isAhead(timeMs, receipt)) return { timeMs, quality: "synced" };
    // A clock that runs ahead still tells how long ago it was, unless it was set in between.
    if (!header.clockSynced || ageMs < 0) return undefined;
    return { timeMs: receipt.receivedMs - ageMs, quality: "suspect" };
  }
  if (backlog.earlierBoot || header.clockSynced || ageMs < 0) return undefined;
  const timeMs = receipt.receivedMs - ageMs;
  if (!receipt.clockTrusted) return { timeMs, quality: "suspect" };
  return { timeMs: keptInOrder(timeMs, sample.sequence, timeline), quality: "estimated" };
}

/** Neighbours that were placed at their receipt may have waited a little; what is further off had a wrong clock. */
function keptInOrder(timeMs: number, sequence: number, timeline: Timeline): number {
  const before = neighbourBefore(timeline, sequence);
  const after = neighbourAfter(timeline, sequence);
  let kept = timeMs;
  if (before !== undefined && kept < before.timeMs && before.timeMs - kept <= WAITED_MS_MAX) kept = before.timeMs;
  if (after !== undefined && kept > after.timeMs && kept - after.timeMs <= WAITED_MS_MAX) kept = after.timeMs;
  return kept;
}

/**
 * Times of consecutive samples between the record known before them and the one known after. Where the start of their
 * boot is known and fits, by that; else as early as they can be, room left for records that are still missing. Their
 * distances are kept when there is room, and all squeezed alike when there is not.
 */
function placeRun(run: readonly BacklogSample[], context: BacklogContext): PlacedRun {
  const { backlog, boots } = context;
  const first = run[0] as BacklogSample;
  const last = run[run.length - 1] as BacklogSample;
  const offsets = offsetsOf(run);
  const lengthMs = offsets[offsets.length - 1] as number;
  const { before, after } = roomFor(run, lengthMs, context);
  const isUptime = !first.clockSynced;
  const from = (firstMs: number): PlacedRun => ({ times: offsets.map((offset) => firstMs + offset), isSure: true });

  const start = isUptime ? boots.get(backlog.boot) : undefined;
  if (start !== undefined && Math.abs(context.sequence - start.sequence) < BOOT_RECORDS_MAX) {
    const firstMs = start.startedMs + first.timeS * 1000;
    const fits = firstMs >= (before?.timeMs ?? firstMs) && (!after.isSure || firstMs + lengthMs <= after.timeMs);
    if (fits) return from(firstMs);
  }
  const stepMs = stepOf(offsets);
  const behindMs = (after.sequence - last.sequence) * stepMs;
  if (before === undefined) {
    const firstMs = after.timeMs - behindMs - lengthMs;
    if (after.isSure) learn(context, isUptime, firstMs - first.timeS * 1000);
    return { ...from(firstMs), isSure: after.isSure };
  }
  const roomMs = after.isSure ? after.timeMs - before.timeMs : Number.POSITIVE_INFINITY;
  const aheadMs = (first.sequence - before.sequence) * stepMs;
  if (lengthMs > roomMs) {
    const share = roomMs / (aheadMs + lengthMs + behindMs);
    return { times: offsets.map((offset) => Math.round(before.timeMs + (aheadMs + offset) * share)), isSure: true };
  }
  const firstMs = before.timeMs + Math.round(aheadMs * Math.min(1, (roomMs - lengthMs) / (aheadMs + behindMs)));
  learn(context, isUptime, firstMs - first.timeS * 1000);
  return from(firstMs);
}

/**
 * The records between which a run was taken. `before` is left out where it says nothing; `after` is no limit unless it is
 * sure. A frame of an earlier boot that says how long the sender's boot has lasted says when all of it was over.
 */
function roomFor(run: readonly BacklogSample[], lengthMs: number, context: BacklogContext) {
  const { backlog, header, receipt, timeline } = context;
  const first = run[0] as BacklogSample;
  const last = run[run.length - 1] as BacklogSample;
  const known = neighbourBefore(timeline, first.sequence);
  let after = neighbourAfter(timeline, last.sequence) ?? {
    sequence: context.sequence,
    timeMs: receipt.receivedMs,
    isSure: receipt.clockTrusted,
  };
  const startedMs = receipt.receivedMs - header.timeS * 1000;
  if (backlog.earlierBoot && !header.clockSynced && receipt.clockTrusted) {
    const isRoom = known?.isSure !== true || startedMs - known.timeMs >= lengthMs / 2;
    if (isRoom && (!after.isSure || startedMs < after.timeMs)) after = { ...after, timeMs: startedMs, isSure: true };
  }
  // Neighbours that contradict each other: the later one had the later clock, unless only one has a clock.
  const isBefore = known !== undefined && (after.isSure ? known.timeMs <= after.timeMs : known.isSure);
  return { before: isBefore ? known : undefined, after };
}

interface PlacedRun {
  readonly times: readonly number[];
  /** Some clock stands behind them. */
  readonly isSure: boolean;
}

/** The next frame of this boot goes on where this one ends. */
function learn({ backlog, boots, sequence }: BacklogContext, isUptime: boolean, startedMs: number): void {
  if (isUptime) boots.set(backlog.boot, { startedMs, sequence });
}

/** Milliseconds from the first sample, by the device's own clock; a clock that runs backwards stands still here. */
function offsetsOf(run: readonly BacklogSample[]): number[] {
  let offset = 0;
  return run.map((sample, i) => {
    if (i > 0) offset += Math.max(0, sample.timeS - (run[i - 1] as BacklogSample).timeS) * 1000;
    return offset;
  });
}

/** The usual distance: the median, which a pause does not move. */
function stepOf(offsets: readonly number[]): number {
  const steps = offsets.slice(1).map((offset, i) => offset - (offsets[i] as number));
  const middle = steps.sort((a, b) => a - b)[steps.length >> 1];
  return middle === undefined || middle === 0 ? STEP_MS : middle;
}
