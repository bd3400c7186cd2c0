// How long a battery can go on: energy above its floor against what was drawn of it in the last three quarters of an hour.
import type { Battery } from "./point.ts";
import { type Entry, since } from "./series.ts";

const WINDOW_MS = 45 * 60_000;
const ENTRIES_MIN = 3;
/** Peukert exponents and floors (Victron's defaults). */
const PEUKERT = { lead: 1.25, lfp: 1.05 } as const;
const FLOOR_PCT = { lead: 50, lfp: 15 } as const;
const RATED_HOURS = 20;
/** Below this current a battery counts as idle. */
const IDLE_A = 0.1;
const SIGMA_MIN = 0.15;

/** A series of [atMs, volts, amperes (minus = discharge), state of charge %]. */
export type BatterySeries = readonly Entry[];

export interface Draw {
  /** kW drawn, as the battery feels it: Peukert included. */
  readonly kw: number;
  readonly sigma: number;
}

export function usableKwh(battery: Battery, stateOfChargePct: number): number {
  const floor = battery.floorPct ?? FLOOR_PCT[battery.chemistry];
  return (battery.capacityKwh * Math.max(0, Math.min(stateOfChargePct, 100) - floor)) / 100;
}

/** Hours to empty of a battery of `ratedAh` at `amperes`, by Peukert's law t = H × (C / (I × H))^k. */
export function peukertHours(ratedAh: number, amperes: number, k: number): number {
  return RATED_HOURS * (ratedAh / (amperes * RATED_HOURS)) ** k;
}

/** The mean discharge of the window; undefined while too little is known, zero power when it is not discharged. */
export function drawOf(battery: Battery, series: BatterySeries, atMs: number): Draw | undefined {
  const window = since(series, atMs, WINDOW_MS);
  if (window.length < ENTRIES_MIN) return undefined;
  const amperes = window.map((entry) => -(entry[2] as number));
  const mean = amperes.reduce((sum, a) => sum + a, 0) / amperes.length;
  if (mean < IDLE_A) return { kw: 0, sigma: 0 };
  const ratedAh = (battery.capacityKwh * 1000) / battery.nominalV;
  const volts = window.reduce((sum, entry) => sum + (entry[1] as number), 0) / window.length;
  // A faster draw than in 20 hours costs more than it gives.
  const penalty = (mean / (ratedAh / RATED_HOURS)) ** (PEUKERT[battery.chemistry] - 1);
  const kw = ((mean * volts) / 1000) * Math.min(1.8, Math.max(0.9, penalty));
  const variance = amperes.reduce((sum, a) => sum + (a - mean) ** 2, 0) / amperes.length;
  const wobble = Math.sqrt(variance / amperes.length) / mean;
  return { kw, sigma: kw * Math.max(SIGMA_MIN, wobble) };
}
