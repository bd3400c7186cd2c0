// Which rules held when: so that a delay counts in the time of the samples, and an hour that arrives late counts as the
// hour that it was.
import { type Entry, hasSlot, withEntry } from "./endurance/series.ts";

/** A series of [atMs, bits]: one bit a rule. */
export type HeldSeries = readonly Entry[];

/** Rules with a delay. The bits are kept in the point's document: never renumber. */
const BITS: Readonly<Record<string, number>> = {
  "endurance-critical": 1,
  "endurance-low": 2,
  "cannot-reach-72h": 4,
  "sensor-bad": 8,
  "fuel-leak": 16,
  "fuel-overuse": 32,
  "fuel-tamper": 64,
  "mains-lost": 128,
  "starter-battery": 256,
  "occupancy-full": 512,
  "occupancy-high": 1024,
  "generator-not-ready": 2048,
};
/** Of a delay that is longer, only this much counts of what came late. */
export const HELD_MS = 2 * 3_600_000;
/** Samples further apart say nothing of the time between: the slowest boards report every quarter of an hour. */
const GAP_MS = 20 * 60_000;

export function bitsOf(rules: readonly string[]): number {
  return rules.reduce((bits, rule) => bits | (BITS[rule] ?? 0), 0);
}

/** True when a sample of that moment adds something: not too old, and its slot still open. */
export function isWanted(held: HeldSeries, atMs: number, newestMs: number): boolean {
  return newestMs - atMs <= HELD_MS && !hasSlot(held, atMs);
}

export function withHeld(held: HeldSeries, atMs: number, bits: number): HeldSeries {
  return withEntry(held, [atMs, bits]).filter((entry) => atMs - entry[0] <= HELD_MS);
}

/** Since when a rule that holds at `atMs` has held without a break, as far as samples say. */
export function heldSince(held: HeldSeries, rule: string, atMs: number): number {
  const bit = BITS[rule] ?? 0;
  let sinceMs = atMs;
  for (let i = held.length - 1; i >= 0; i--) {
    const [entryMs, bits = 0] = held[i] as Entry;
    if (entryMs >= sinceMs) continue;
    if (sinceMs - entryMs > GAP_MS || (bits & bit) === 0) break;
    sinceMs = entryMs;
  }
  return sinceMs;
}
