// Since when the region is without mains, from what the points say.
import { median } from "./endurance/series.ts";

const HOUR_MS = 3_600_000;

export interface Outage {
  readonly startedMs: number;
  readonly untilMs: number;
}

/** The median over the points now without mains: one point with a cable fault of last week does not move it. */
export function outageOf(mainsLostMs: readonly number[], hours: number): Outage | undefined {
  if (mainsLostMs.length === 0) return undefined;
  const startedMs = median(mainsLostMs);
  return { startedMs, untilMs: startedMs + hours * HOUR_MS };
}

/** What the points are measured against: the end of so many hours of outage, or so many from now when there is none. */
export function targetMs(outage: Outage | undefined, nowMs: number, hours: number): number {
  return outage === undefined ? nowMs + hours * HOUR_MS : outage.untilMs;
}
