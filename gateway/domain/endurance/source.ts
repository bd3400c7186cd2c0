// One thing that a point lives on, and how long it lasts: an amount, what is used of it in each hour ahead, and how sure
// both are.
import { hoursUntilUsed, SEEN_HOURS } from "./rhythm.ts";

/** Beyond three weeks a number says no more than 'long'. */
export const HOURS_MAX = 500;
/** Loads of tomorrow differ from those of today; those of hours that nobody has seen yet differ more. */
const DAY_SPREAD = 0.07;
const UNSEEN_FULL_H = 8;

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
  /** How far hours that nobody has seen may be off: 0.2 for a set, which drinks also at no load. */
  readonly unseenSpread: number;
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
  const unseen = source.unseenSpread * Math.max(0, 1 - seenH / SEEN_HOURS) * (1 - Math.exp(-middle / UNSEEN_FULL_H));
  const ahead24 = DAY_SPREAD * (1 - Math.exp(-middle / UNSEEN_FULL_H));
  const spread = Math.min(0.7, Math.hypot(source.spread, unseen, ahead24));
  // Rates are log-normal; an amount is off by as much either way.
  const byRate = amount * Math.abs(Math.exp(z * spread) - 1);
  const away = Math.hypot(byRate, Math.abs(z) * sigmaAmount);
  return hoursUntilUsed(ahead, Math.max(0, amount + Math.sign(z) * away), HOURS_MAX);
}
