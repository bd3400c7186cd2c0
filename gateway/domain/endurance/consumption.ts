// How fast a generator drinks: three witnesses (what the set was seen to drink, the level as it falls now, the rating),
// blended by how far each can be trusted, and carried over the hours ahead by the rhythm of the days.
import type { Generator } from "../point.ts";
import type { FuelModel } from "./fuel-model.ts";
import {
  CHARGE_SUM,
  CHARGES,
  DRAW_SUM,
  DRAWS,
  HOUR,
  HOUR_MS,
  type Hour,
  KNOWN,
  litresOf,
  loadOf,
  middleMs,
  RAN,
  ranShare,
} from "./hours.ts";
import { filledAt, type HourValue, meanSince, type Rhythm, rhythmOf } from "./rhythm.ts";
import { type Entry, median, robustSlope, since } from "./series.ts";
import { modelLitresPerH, type Piece, piecesOf, RATED_SHARE, rateAt, type Thirst, thirstOf } from "./thirst.ts";

/** No rate is known better than this: load and temperature change tomorrow. */
const SIGMA_MIN = 0.05;
const FIT_SPAN_MS = 6 * HOUR_MS;
const FIT_HOURS_MIN = 0.5;
const FIT_ENTRIES_MIN = 8;
/** A sensor drifts by so much of its tank in an hour: sun, tilt, weather. */
const DRIFT_SHARE_PER_H = 0.0006;
/** A set that runs drinks at least half of what the model has it drink at no load; a level that falls slower is stuck. */
const BELIEVED_SHARE = 0.5;
/** Slopes go with the square of the entries: medians of a quarter of an hour give 276 of them at most. */
const FIT_POINTS_MAX = 24;
/** A rise of the level by more within half an hour is a delivery, and the fit starts again behind it. */
export const REFILL_L_MIN = 10;
export const REFILL_SHARE = 0.05;
export const REFILL_MS = HOUR_MS / 2;
/** Hours of running after which a set counts as known. */
const LEARNED_H = 3;
/** Noise of a level that nobody has seen move: the step of the frame and the slosh. */
const NOISE_SHARE_MIN = 0.0005;
const NOISE_ENTRIES = 24;

/** A series of [atMs, litres, running 0 or 1, loadKw or −1]. */
export type LevelSeries = readonly Entry[];

export type RateMethod = "fitted" | "modelled" | "rated" | "blended" | "learned";

export interface Rate {
  /** Litres per hour of running, now. */
  readonly litresPerH: number;
  readonly sigma: number;
  /** Share of the hours in which it runs, and how far that may be off. */
  readonly duty: number;
  readonly dutySigma: number;
  readonly method: RateMethod;
  readonly thirst: Thirst;
  readonly noiseL: number;
  /** The set runs and its level stands still. */
  readonly isStuck: boolean;
  /** Litres in each hour ahead, duty and rhythm included. */
  readonly ahead: readonly number[];
  /** Hours of the day whose rhythm was seen. */
  readonly seenH: number;
}

interface Witness {
  readonly litresPerH: number;
  readonly sigma: number;
}

/** The entries behind the last delivery: from the highest level that it reached. */
export function sinceRefill(levels: LevelSeries, capacityL: number): LevelSeries {
  const step = Math.max(REFILL_L_MIN, REFILL_SHARE * capacityL);
  const litres = (at: number) => (levels[at] as Entry)[1] as number;
  for (let end = levels.length - 1; end > 0; end--) {
    let top = end;
    for (let at = end - 1; at >= 0 && (levels[end] as Entry)[0] - (levels[at] as Entry)[0] <= REFILL_MS; at--) {
      if (litres(top) - litres(at) > step && litres(end) - litres(at) > step) return levels.slice(top);
      if (litres(at) > litres(top)) top = at;
    }
  }
  return levels;
}

/** Moments at which the level jumped. */
export function cutsOf({ deliveries }: Pick<FuelModel, "deliveries">): readonly number[] {
  return deliveries.flatMap((one) => (one.measuredL === undefined ? [] : [one.atMs, one.untilMs]));
}

/** The noise of one level, in litres: from second differences, which a steady fall does not show in. */
export function noiseOf(levels: LevelSeries, capacityL: number): number {
  const misses: number[] = [];
  for (let i = Math.max(2, levels.length - NOISE_ENTRIES); i < levels.length; i++) {
    const [a, b, c] = [levels[i - 2] as Entry, levels[i - 1] as Entry, levels[i] as Entry];
    misses.push(Math.abs((a[1] as number) - 2 * (b[1] as number) + (c[1] as number)));
  }
  const least = NOISE_SHARE_MIN * capacityL;
  return misses.length < 4 ? least * 4 : Math.max(least, (1.4826 * median(misses)) / Math.sqrt(6));
}

interface Fitted extends Witness {
  readonly hours: number;
}

/** Level against hours of running: standing still says nothing of thirst. */
function fitted(generator: Generator, levels: LevelSeries): Fitted | "stuck" | undefined {
  let hours = 0;
  const points: [number, number][] = [];
  for (let i = 0; i < levels.length; i++) {
    const entry = levels[i] as Entry;
    const before = levels[i - 1];
    const gapH = before === undefined ? 0 : (entry[0] - before[0]) / HOUR_MS;
    // A gap longer than a third of an hour tells nothing of whether it ran.
    if (before !== undefined && before[2] === 1 && gapH <= 0.34) hours += gapH;
    if (entry[2] === 1) points.push([hours, entry[1] as number]);
  }
  if (points.length < FIT_ENTRIES_MIN || hours < FIT_HOURS_MIN) return undefined;
  const fit = robustSlope(thinned(points));
  if (fit === undefined || !Number.isFinite(fit.sigma)) return undefined;
  const litresPerH = -fit.slope;
  if (!(litresPerH >= BELIEVED_SHARE * modelLitresPerH(generator, 0))) return "stuck";
  const drift = DRIFT_SHARE_PER_H * generator.tank.capacityL;
  return { litresPerH, sigma: Math.hypot(1.3 * fit.sigma, drift, SIGMA_MIN * litresPerH), hours };
}

/** Medians of as many neighbours as it takes, so that the whole span stays in sight and no wild reading does. */
function thinned(points: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
  const each = Math.ceil(points.length / FIT_POINTS_MAX);
  if (each <= 1) return points;
  const found: [number, number][] = [];
  for (let end = points.length; end - each >= 0; end -= each) {
    const group = points.slice(end - each, end);
    found.push([group.reduce((sum, [x]) => sum + x, 0) / each, median(group.map(([, y]) => y))]);
  }
  return found.reverse();
}

/** Samples after which both halves of a cycle are known. */
const CYCLE_SAMPLES = 8;
const CHARGE_EFFICIENCY = 0.95;
/** A set beside a battery may run all day, or a third of it. */
const UNSEEN_DUTY_SIGMA = 0.35;
const ALWAYS: Duty = { share: 1, sigma: 0 };

interface Duty {
  readonly share: number;
  readonly sigma: number;
}

/**
 * Share of the hours in which a set runs that fills a battery and rests. What the battery gives in the hours of rest
 * comes back in those of running: D / (D + efficiency × C). Before that is seen, the share of the last day in which it ran.
 */
function dutyOf(hours: readonly Hour[], atMs: number, loadNowKw: number | undefined): Duty {
  let [drawn, draws, charged, charges] = [0, 0, 0, 0];
  for (const row of hours) {
    if ((row[HOUR] as number) < atMs / HOUR_MS - 24) continue;
    drawn += row[DRAW_SUM] as number;
    draws += row[DRAWS] as number;
    charged += row[CHARGE_SUM] as number;
    charges += row[CHARGES] as number;
  }
  if (charges >= CYCLE_SAMPLES && charged > 0) {
    const charge = (CHARGE_EFFICIENCY * charged) / charges;
    if (draws >= CYCLE_SAMPLES) return { share: bounded01(drawn / draws / (drawn / draws + charge)), sigma: 0.15 };
    // What it delivers less what the battery takes is what the load asks.
    const loadW = loadNowKw === undefined ? 0 : loadNowKw * 1000 - charged / charges;
    if (loadW > 0) return { share: bounded01(loadW / (loadW + charge)), sigma: 0.2 };
  }
  const seen = ranOf(hours, atMs);
  return seen === undefined ? { share: 1, sigma: UNSEEN_DUTY_SIGMA } : { share: seen, sigma: 0.25 };
}

const bounded01 = (share: number) => Math.min(1, Math.max(0.05, share));

function ranOf(hours: readonly Hour[], atMs: number): number | undefined {
  let [ran, known, rows] = [0, 0, 0];
  for (const row of hours) {
    if ((row[KNOWN] as number) === 0 || (row[HOUR] as number) < atMs / HOUR_MS - 24) continue;
    // Hours count alike, however often a device reports.
    const share = Math.min(1, (atMs - (row[HOUR] as number) * HOUR_MS) / HOUR_MS);
    ran += ranShare(row) * share;
    known += share;
    rows++;
  }
  return known < 2 || rows < 2 ? undefined : bounded01(ran / known);
}

export interface RateOptions {
  readonly atMs: number;
  /** Allows a duty below one: only a set that starts and stops by itself beside a battery. */
  readonly cycles: boolean;
  /** When the outage began, an hour from 1970. */
  readonly outageHour?: number | undefined;
  readonly fuel?: Pick<FuelModel, "hours" | "deliveries">;
  /** Learned of this set elsewhere, or longer ago than the hours reach. */
  readonly pieces?: readonly Piece[];
}

/** A series never changes, so its rate is found once: a tick asks again for every point that nothing came from. */
const found = new WeakMap<LevelSeries, { readonly generator: Generator; readonly options: RateOptions; rate: Rate }>();

/** The rate at `atMs`, and what it makes of the hours ahead. */
export function rateOf(generator: Generator, series: LevelSeries, options: RateOptions): Rate {
  const before = found.get(series);
  if (before?.generator === generator && isSame(before.options, options)) return before.rate;
  const rate = blend(generator, series, options);
  found.set(series, { generator, options, rate });
  return rate;
}

function isSame(a: RateOptions, b: RateOptions): boolean {
  const isSameMoment = a.atMs === b.atMs && a.cycles === b.cycles && a.outageHour === b.outageHour;
  return isSameMoment && a.fuel === b.fuel && a.pieces === b.pieces;
}

function blend(generator: Generator, series: LevelSeries, options: RateOptions): Rate {
  const { atMs } = options;
  const hours = options.fuel?.hours ?? [];
  const cutsMs = options.fuel === undefined ? [] : cutsOf(options.fuel);
  const { capacityL } = generator.tank;
  const levels = sinceRefill(since(series, atMs, FIT_SPAN_MS), capacityL);
  const loads = since(levels, atMs, HOUR_MS).flatMap((e) => ((e[3] as number) >= 0 ? [e[3] as number] : []));
  const knowsLoad = loads.length > 0;
  const noiseL = noiseOf(levels, capacityL);
  const own = piecesOf(hours, { cutsMs, noiseL: noiseL / 3, capacityL });
  const firstHour = (hours[0]?.[HOUR] as number | undefined) ?? Number.POSITIVE_INFINITY;
  const pieces = [...(options.pieces ?? []).filter((piece) => piece[0] < firstHour), ...own];
  const thirst = thirstOf(generator, pieces, { knowsLoad, atMs });
  const fit = fitted(generator, levels);
  const values = knowsLoad ? loadValues(hours) : litreValues(hours, noiseL / 3, cutsMs);
  const rhythm = rhythmOf(values, atMs / HOUR_MS, options.outageHour);
  const duty = options.cycles ? dutyOf(hours, atMs, knowsLoad ? median(loads) : undefined) : ALWAYS;
  const rate = carried(generator, {
    thirst,
    knowsLoad,
    rhythm,
    values,
    loadNowKw: knowsLoad ? median(loads) : RATED_SHARE * generator.ratedKw,
    fit: fit === "stuck" ? undefined : fit,
    duty: duty.share,
    atMs,
    outageHour: options.outageHour,
  });
  return { ...rate, dutySigma: duty.sigma, thirst, noiseL, isStuck: fit === "stuck" };
}

interface Found {
  readonly thirst: Thirst;
  readonly knowsLoad: boolean;
  readonly rhythm: Rhythm | undefined;
  readonly values: readonly HourValue[];
  readonly loadNowKw: number;
  readonly fit: Fitted | undefined;
  readonly duty: number;
  readonly atMs: number;
  readonly outageHour: number | undefined;
}

function carried(generator: Generator, found: Found): Omit<Rate, "dutySigma" | "thirst" | "noiseL" | "isStuck"> {
  const { thirst, knowsLoad, rhythm, fit, duty, loadNowKw, values } = found;
  const seenH = rhythm?.seenH ?? 0;
  const shape = rhythm === undefined || !(rhythm.mean > 0) ? undefined : rhythm;
  const window = meanSince(values, found.atMs / HOUR_MS - Math.min(6, fit?.hours ?? 1) - 0.5);
  // Where only litres are known, the hours of the fit asked this much of a whole day's mean.
  const share = knowsLoad || window === undefined ? 1 : bounded(window / usual(values));
  const model = rateAt(generator, thirst, knowsLoad ? (window ?? loadNowKw) : loadNowKw);
  const least = SIGMA_MIN * model.perH;
  const prior: Witness = { litresPerH: model.perH * share, sigma: Math.max(model.sigma, least) * share };
  const { litresPerH, sigma, method } = weighed(prior, fit, { knowsLoad, learned: thirst.learnedH >= LEARNED_H });
  // By what the set drinks more, in the hours of the fit, than what is known of it.
  const factor = litresPerH / prior.litresPerH;
  const now = knowsLoad ? factor * rateAt(generator, thirst, loadNowKw).perH : litresPerH;
  const ahead =
    shape === undefined
      ? Array.from({ length: 48 }, (_, k) => now * duty * grown(found, method, k))
      : knowsLoad
        ? shape.ahead.map((kw) => duty * factor * (thirst.f0 * generator.ratedKw + thirst.f1 * kw))
        : shape.ahead.map((litres) => (duty * litresPerH * litres) / inWindow(window, shape.mean));
  return { litresPerH: now, sigma: (sigma / litresPerH) * now, duty, method, ahead, seenH };
}

/** What is asked in hours that nobody has seen: as now, and as points fill. Of a rating nothing is known to grow. */
function grown({ atMs, outageHour }: Found, method: RateMethod, k: number): number {
  const hour = atMs / HOUR_MS;
  return method === "rated" ? 1 : filledAt(hour + k + 0.5, outageHour) / filledAt(hour, outageHour);
}

const usual = (values: readonly HourValue[]) => values.reduce((sum, one) => sum + one.value, 0) / values.length;

/** The hours of the fit, within half and twice of a day's mean. */
function inWindow(window: number | undefined, mean: number): number {
  return window === undefined ? mean : Math.min(2 * mean, Math.max(0.5 * mean, window));
}

const bounded = (share: number) => Math.min(2, Math.max(0.5, share));

function weighed(
  prior: Witness,
  fit: Witness | undefined,
  { knowsLoad, learned }: { readonly knowsLoad: boolean; readonly learned: boolean },
): Witness & { readonly method: RateMethod } {
  const name = learned ? "learned" : knowsLoad ? "modelled" : "rated";
  if (fit === undefined) return { ...prior, method: name };
  const [wFit, wPrior] = [1 / fit.sigma ** 2, 1 / prior.sigma ** 2];
  const litresPerH = (fit.litresPerH * wFit + prior.litresPerH * wPrior) / (wFit + wPrior);
  const sigma = Math.max(Math.sqrt(1 / (wFit + wPrior)), SIGMA_MIN * litresPerH);
  const method = learned ? "learned" : wFit > 9 * wPrior ? "fitted" : "blended";
  return { litresPerH, sigma, method };
}

/** kW in each hour that had a load. */
function loadValues(hours: readonly Hour[]): HourValue[] {
  return hours.flatMap((row) => {
    const value = loadOf(row);
    return value === undefined ? [] : [{ hour: row[HOUR] as number, value, sigma: 0.02 * value }];
  });
}

/** Litres per hour of running in each hour between two others, from the levels on either side. */
function litreValues(hours: readonly Hour[], noiseL: number, cutsMs: readonly number[]): HourValue[] {
  const values: HourValue[] = [];
  for (let i = 1; i + 1 < hours.length; i++) {
    const [before, row, after] = [hours[i - 1] as Hour, hours[i] as Hour, hours[i + 1] as Hour];
    if ((after[HOUR] as number) - (before[HOUR] as number) !== 2 || (row[RAN] as number) === 0) continue;
    const [high, low] = [litresOf(before), litresOf(after)];
    if (high === undefined || low === undefined) continue;
    const [fromMs, toMs] = [middleMs(before), middleMs(after)];
    if (cutsMs.some((cut) => cut >= fromMs - HOUR_MS && cut <= toMs + HOUR_MS)) continue;
    const spanH = (toMs - fromMs) / HOUR_MS;
    const ranH = ((ranShare(before) + 2 * ranShare(row) + ranShare(after)) / 4) * spanH;
    if (ranH < 0.25) continue;
    const value = Math.max(0, (high - low) / ranH);
    values.push({ hour: row[HOUR] as number, value, sigma: (Math.SQRT2 * noiseL) / ranH });
  }
  return values;
}
