// One thing that a point lives on, and how long it lasts: an amount, what is used of it in each hour ahead, and how sure
// both are.
import { hoursUntilUsed, SEEN_HOURS } from "./rhythm.ts";

/** Beyond three weeks a number says no more than 'long'. */
export const HOURS_MAX = 500;
/** Loads of tomorrow differ from those of today: another hall, other weather. Those of hours not yet seen differ more. */
const DAY_SPREAD = 0.19;
const DAY_FULL_H = 16;
const UNSEEN_SPREAD = 0.2;
const UNSEEN_FULL_H = 8;
/** A point that has just opened fills, and nobody knows by how much. */
const FILLING_SPREAD = 0.25;

export interface Source {
  /** Litres or kWh that can be used. */
  readonly amount: number;
  readonly sigmaAmount: number;
  /** Of the rate, as a share of it. */
  readonly spread: number;
  /** Used in each hour ahead; the last day repeats. Empty when nothing is left. */
  readonly ahead: readonly number[];
  /** Hours of the day whose rhythm was seen. */
  readonly seenH: number;
  /** How much more than a set's fuel this swings with the load: a set drinks also at no load, a battery does not. */
  readonly swing: number;
  /** 1 at the beginning of an outage, 0 when all are there. */
  readonly filling: number;
  /** Rate now, as it is told. */
  readonly perH: number;
}

export type Part = Source | "no-source" | "no-data" | "too-early" | "bad-sensor" | "charging";

/** Hours until it is used up; at `z` standard deviations more of it than in the middle. Rises with the amount. */
export function sourceHours(source: Source, z: number): number {
  const { amount, sigmaAmount, ahead, seenH } = source;
  if (!(amount > 0) || ahead.length === 0) return 0;
  const middle = hoursUntilUsed(ahead, amount, HOURS_MAX);
  if (z === 0) return middle;
  const unseen = UNSEEN_SPREAD * Math.max(0, 1 - seenH / SEEN_HOURS) * (1 - Math.exp(-middle / UNSEEN_FULL_H));
  const days = DAY_SPREAD * (1 - Math.exp(-middle / DAY_FULL_H));
  const fills = source.filling * FILLING_SPREAD;
  const spread = Math.min(0.7, Math.hypot(source.spread, source.swing * Math.hypot(unseen, days, fills)));
  // Rates are log-normal; an amount is off by as much either way.
  const byRate = amount * Math.abs(Math.exp(z * spread) - 1);
  const away = Math.hypot(byRate, Math.abs(z) * sigmaAmount);
  return hoursUntilUsed(ahead, Math.max(0, amount + Math.sign(z) * away), HOURS_MAX);
}
