// Since when the region is without mains, from what the points say.
import { median } from "./endurance/series.ts";

export const OUTAGE_HOURS = 72;
const HOUR_MS = 3_600_000;

export interface Outage {
  readonly startedMs: number;
  readonly untilMs: number;
}

/** The median over the points now without mains: one point with a cable fault of last week does not move it. */
export function outageOf(mainsLostMs: readonly number[]): Outage | undefined {
  if (mainsLostMs.length === 0) return undefined;
  const startedMs = median(mainsLostMs);
  return { startedMs, untilMs: startedMs + OUTAGE_HOURS * HOUR_MS };
}

/** What the points are measured against: the end of 72 hours of outage, or 72 hours from now when there is none. */
export function targetMs(outage: Outage | undefined, nowMs: number): number {
  return outage === undefined ? nowMs + OUTAGE_HOURS * HOUR_MS : outage.untilMs;
}
