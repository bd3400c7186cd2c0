// How fast a generator drinks: three witnesses (the falling level, a model of the load, the rating), blended by how far
// each can be trusted.
import type { Generator } from "./point.ts";
import { type Entry, median, robustSlope, since } from "./series.ts";

const HOUR_MS = 3_600_000;
/** Litres per hour at no load per rated kW, and litres per kWh; within ±20 % for diesel sets of 8 to 20 kW. */
export const F0_DEFAULT = 0.04;
export const F1_DEFAULT = 0.27;
const MODEL_SIGMA = 0.2;
/** A set without a known load is taken at half of it: half or twice of that is well possible. */
const RATED_SHARE = 0.5;
const RATED_SIGMA = 0.4;
/** No rate is known better than this: load and temperature change tomorrow. */
const SIGMA_MIN = 0.1;
const FIT_SPAN_MS = 6 * HOUR_MS;
const FIT_HOURS_MIN = 0.5;
const FIT_ENTRIES_MIN = 8;
/** A set that runs drinks at least half of what the model has it drink at no load; a level that falls slower is stuck. */
const BELIEVED_SHARE = 0.5;
/** Slopes go with the square of the entries: 60 give 1,770, which is a third of a millisecond. */
const FIT_ENTRIES_MAX = 60;
/** A rise of the level by more within half an hour is a delivery, and the fit starts again behind it. */
const REFILL_L_MIN = 10;
const REFILL_SHARE = 0.05;
const REFILL_MS = HOUR_MS / 2;

/** A series of [atMs, litres, running 0 or 1, loadKw or −1]. */
export type LevelSeries = readonly Entry[];

export interface Rate {
  /** Litres per hour of running. */
  readonly litresPerH: number;
  readonly sigma: number;
  /** Share of the hours in which it runs. */
  readonly duty: number;
  readonly method: "fitted" | "modelled" | "rated" | "blended";
}

interface Witness {
  readonly litresPerH: number;
  readonly sigma: number;
}

/** The linear model F0 × rated kW + F1 × load kW. */
export function modelLitresPerH(generator: Generator, loadKw: number): number {
  const f0 = generator.f0LPerHPerKw ?? F0_DEFAULT;
  const f1 = generator.f1LPerKwh ?? F1_DEFAULT;
  return f0 * generator.ratedKw + f1 * loadKw;
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

/** Level against hours of running: standing still says nothing of thirst. */
function fitted(generator: Generator, levels: LevelSeries): Witness | undefined {
  let hours = 0;
  const points: [number, number][] = [];
  for (let i = 0; i < levels.length; i++) {
    const entry = levels[i] as Entry;
    const before = levels[i - 1];
    const gapH = before === undefined ? 0 : (entry[0] - before[0]) / HOUR_MS;
    // A gap longer than a quarter of an hour tells nothing of whether it ran.
    if (before !== undefined && before[2] === 1 && gapH <= 0.25) hours += gapH;
    if (entry[2] === 1) points.push([hours, entry[1] as number]);
  }
  if (points.length < FIT_ENTRIES_MIN || hours < FIT_HOURS_MIN) return undefined;
  const fit = robustSlope(thinned(points));
  if (fit === undefined || !Number.isFinite(fit.sigma)) return undefined;
  const litresPerH = -fit.slope;
  if (!(litresPerH >= BELIEVED_SHARE * modelLitresPerH(generator, 0))) return undefined;
  return { litresPerH, sigma: Math.max(fit.sigma, SIGMA_MIN * litresPerH) };
}

/** Every second, third … so that the whole span stays in sight. */
function thinned<T>(points: readonly T[]): readonly T[] {
  const every = Math.ceil(points.length / FIT_ENTRIES_MAX);
  return every <= 1 ? points : points.filter((_, i) => (points.length - 1 - i) % every === 0);
}

function dutyOf(levels: LevelSeries): number {
  let running = 0;
  let known = 0;
  for (let i = 1; i < levels.length; i++) {
    const before = levels[i - 1] as Entry;
    const gap = (levels[i] as Entry)[0] - before[0];
    if (gap > HOUR_MS / 4) continue;
    known += gap;
    if (before[2] === 1) running += gap;
  }
  // Less than two hours of it show no rhythm: taken as running all the time.
  if (known < 2 * HOUR_MS) return 1;
  return Math.min(1, Math.max(0.05, running / known));
}

export interface RateOptions {
  readonly atMs: number;
  /** Allows a duty below one: only a set that starts and stops by itself beside a battery. */
  readonly cycles: boolean;
}

/** A series never changes, so its rate is found once: a tick asks again for every point that nothing came from. */
const found = new WeakMap<LevelSeries, RateOptions & { readonly generator: Generator; readonly rate: Rate }>();

/** The rate at `atMs`. */
export function rateOf(generator: Generator, series: LevelSeries, options: RateOptions): Rate {
  const before = found.get(series);
  if (before?.generator === generator && before.atMs === options.atMs && before.cycles === options.cycles) {
    return before.rate;
  }
  const rate = blend(generator, series, options);
  found.set(series, { generator, atMs: options.atMs, cycles: options.cycles, rate });
  return rate;
}

function blend(generator: Generator, series: LevelSeries, options: RateOptions): Rate {
  const levels = sinceRefill(since(series, options.atMs, FIT_SPAN_MS), generator.tank.capacityL);
  const fit = fitted(generator, levels);
  const loads = since(levels, options.atMs, HOUR_MS)
    .map((e) => e[3] as number)
    .filter((kw) => kw >= 0);
  const model = modelLitresPerH(generator, loads.length > 0 ? median(loads) : RATED_SHARE * generator.ratedKw);
  const prior: Witness = { litresPerH: model, sigma: model * (loads.length > 0 ? MODEL_SIGMA : RATED_SIGMA) };
  const duty = options.cycles ? dutyOf(levels) : 1;
  const priorName = loads.length > 0 ? "modelled" : "rated";
  if (fit === undefined) return { ...prior, duty, method: priorName };
  const [wFit, wPrior] = [1 / fit.sigma ** 2, 1 / prior.sigma ** 2];
  const litresPerH = (fit.litresPerH * wFit + prior.litresPerH * wPrior) / (wFit + wPrior);
  const sigma = Math.max(Math.sqrt(1 / (wFit + wPrior)), SIGMA_MIN * litresPerH);
  return { litresPerH, sigma, duty, method: wFit > 9 * wPrior ? "fitted" : "blended" };
}
