// How long a battery can go on: energy above its floor against what was drawn of it in the last three quarters of an hour,
// and against what the last days drew at other hours.
import type { Battery } from "../point.ts";
import { DRAW_SUM, DRAWS, HOUR, HOUR_MS, type Hour, KNOWN } from "./hours.ts";
import { type HourValue, rhythmOf } from "./rhythm.ts";
import { type Entry, since } from "./series.ts";

const WINDOW_MS = 45 * 60_000;
const ENTRIES_MIN = 3;
/** Peukert exponents and floors (Victron's defaults). */
const PEUKERT = { lead: 1.25, lfp: 1.05 } as const;
const FLOOR_PCT = { lead: 50, lfp: 15 } as const;
const RATED_HOURS = 20;
/** Below this current a battery counts as idle. */
const IDLE_A = 0.1;
const SIGMA_MIN = 0.08;
/** A load rises by more as a point fills than the fuel of a set, which drinks also at no load. */
const LOAD_SWING = 1.5;
/** A shunt shows whole and half percents, and drifts. */
const SEEN_PCT_MIN = 4;
const STEP_PCT = 1;
/** Age and cold take their part of what the plate says, until it was seen how much. */
const USUAL_FACTOR = 1.08;
const FACTOR_SIGMA = 0.1;
const PENALTY_MIN = 0.9;
const PENALTY_MAX = 1.8;

/** A series of [atMs, volts, amperes (minus = discharge), state of charge %]. */
export type BatterySeries = readonly Entry[];

export interface Draw {
  /** kW drawn now, as the battery feels it: Peukert included. */
  readonly kw: number;
  readonly sigma: number;
  /** kWh in each hour ahead. */
  readonly ahead: readonly number[];
  readonly seenH: number;
}

export function floorPctOf(battery: Battery): number {
  return battery.floorPct ?? FLOOR_PCT[battery.chemistry];
}

export function usableKwh(battery: Battery, stateOfChargePct: number): number {
  return (battery.capacityKwh * Math.max(0, Math.min(stateOfChargePct, 100) - floorPctOf(battery))) / 100;
}

/** Hours to empty of a battery of `ratedAh` at `amperes`, by Peukert's law t = H × (C / (I × H))^k. */
export function peukertHours(ratedAh: number, amperes: number, k: number): number {
  return RATED_HOURS * (ratedAh / (amperes * RATED_HOURS)) ** k;
}

/** A faster draw than in 20 hours costs more than it gives. */
function penaltyOf(battery: Battery, amperes: number): number {
  const ratedAh = (battery.capacityKwh * 1000) / battery.nominalV;
  const k = battery.peukert ?? PEUKERT[battery.chemistry];
  return Math.min(PENALTY_MAX, Math.max(PENALTY_MIN, (amperes / (ratedAh / RATED_HOURS)) ** (k - 1)));
}

export interface DrawOptions {
  readonly atMs: number;
  readonly hours: readonly Hour[];
  /** Beside a generator only the hours in which it was drawn from say what a load asks of it. */
  readonly besideGenerator: boolean;
  /** When the outage began, an hour from 1970. */
  readonly outageHour?: number | undefined;
}

/** What is drawn now and in the hours ahead; undefined while too little is known, "charging" when it is being filled. */
export function drawOf(battery: Battery, series: BatterySeries, options: DrawOptions): Draw | "charging" | undefined {
  const window = since(series, options.atMs, WINDOW_MS);
  if (window.length < ENTRIES_MIN) return undefined;
  const all = window.map((entry) => -(entry[2] as number));
  const newest = all[all.length - 1] as number;
  // A generator charges it in between: what the load asks is seen when it does not.
  const drawn = options.besideGenerator ? all.filter((a) => a > IDLE_A) : all;
  const amperes = drawn.length >= ENTRIES_MIN || !options.besideGenerator ? drawn : [];
  const mean = amperes.length === 0 ? 0 : amperes.reduce((sum, a) => sum + a, 0) / amperes.length;
  const values = drawValues(options.hours, options.besideGenerator);
  const rhythm = rhythmOf(values, options.atMs / HOUR_MS, options.outageHour, LOAD_SWING);
  const isKnown = rhythm !== undefined && rhythm.mean > 0;
  if (mean < IDLE_A && !(options.besideGenerator && isKnown)) {
    return mean < -IDLE_A || newest < -IDLE_A ? "charging" : undefined;
  }
  const volts = window.reduce((sum, entry) => sum + (entry[1] as number), 0) / window.length;
  const drawnA = mean < IDLE_A ? ((rhythm?.ahead[0] ?? 0) * 1000) / Math.max(1, volts) : mean;
  const factor = seenFactor(battery, series, options.atMs);
  const kw = ((drawnA * volts) / 1000) * penaltyOf(battery, drawnA) * factor.value;
  const variance = amperes.reduce((sum, a) => sum + (a - mean) ** 2, 0) / amperes.length;
  const wobble = mean < IDLE_A ? 0.2 : Math.sqrt(variance / amperes.length) / mean;
  const sigma = kw * Math.hypot(SIGMA_MIN, Math.min(0.4, wobble / 2), factor.sigma);
  const seenH = rhythm?.seenH ?? 0;
  if (!isKnown) return { kw, sigma, ahead: new Array<number>(48).fill(kw), seenH };
  const ahead = rhythm.ahead.map((kWh) => {
    return kWh * penaltyOf(battery, (kWh * 1000) / Math.max(1, volts)) * factor.value;
  });
  // What is drawn now counts at once, and gives way to the rhythm.
  return { kw, sigma, ahead: ahead.map((kWh, k) => kWh + (kw - (ahead[0] as number)) * 0.6 ** (k + 1)), seenH };
}

/** By how much more the charge fell, in what the series shows, than what was drawn of it: an old battery holds less. */
function seenFactor(battery: Battery, series: BatterySeries, atMs: number): { value: number; sigma: number } {
  let [kWh, fellPct] = [0, 0];
  for (let i = series.length - 1; i > 0; i--) {
    const [before, entry] = [series[i - 1] as Entry, series[i] as Entry];
    const [beforePct = -1, pct = -1] = [before[3], entry[3]];
    const hours = (entry[0] - before[0]) / HOUR_MS;
    const drawn = -((before[2] as number) + (entry[2] as number)) / 2;
    if (entry[0] > atMs) continue;
    if (hours > 0.5 || pct < 0 || beforePct < pct || drawn < IDLE_A) break;
    kWh += (drawn * (entry[1] as number) * hours * penaltyOf(battery, drawn)) / 1000;
    fellPct += beforePct - pct;
  }
  if (fellPct < SEEN_PCT_MIN || kWh <= 0) return { value: USUAL_FACTOR, sigma: FACTOR_SIGMA };
  const seen = (fellPct * battery.capacityKwh) / 100 / kWh;
  const sigma = STEP_PCT / fellPct + 0.02;
  const weight = FACTOR_SIGMA ** 2 / (FACTOR_SIGMA ** 2 + sigma ** 2);
  return {
    value: Math.min(1.6, Math.max(0.7, USUAL_FACTOR + weight * (seen - USUAL_FACTOR))),
    sigma: FACTOR_SIGMA * Math.sqrt(1 - weight),
  };
}

/** kWh drawn in each hour. */
function drawValues(hours: readonly Hour[], besideGenerator: boolean): HourValue[] {
  return hours.flatMap((row) => {
    // An hour with the mains there says nothing of what is drawn without them.
    const known = row[KNOWN] as number;
    const samples = besideGenerator || known === 0 ? (row[DRAWS] as number) : known;
    if (samples < ENTRIES_MIN) return [];
    const value = (row[DRAW_SUM] as number) / samples / 1000;
    return [{ hour: row[HOUR] as number, value, sigma: 0.03 * value }];
  });
}
