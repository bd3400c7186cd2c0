// In which steps a range is told, and from what: samples, quarters of an hour or hours.
import type { Resolution } from "./messages.ts";
import { QUARTER_MS } from "./rollup.ts";
import { HOUR_MS } from "./row.ts";
import type { Steps } from "./summary.ts";

const SECOND_MS = 1_000;
/** Steps of samples are at least this. */
const GRAINS: { readonly [R in Resolution]: number } = { sample: SECOND_MS, quarter: QUARTER_MS, hour: HOUR_MS };
/** From this step on the next coarser form tells nearly the same at a fraction of the cost. */
const QUARTERS_FROM_MS = HOUR_MS;
const HOURS_FROM_MS = 4 * HOUR_MS;

export interface Plan extends Steps {
  readonly resolution: Resolution;
}

export interface Range {
  readonly fromMs: number;
  readonly toMs: number;
  /** Most steps. */
  readonly points: number;
}

/** The range in whole steps, at most `points` of them. Samples before `rawFromMs` are gone: only rollups tell of them. */
export function planSteps({ fromMs, toMs, points }: Range, rawFromMs: number): Plan {
  const wantedMs = (toMs - fromMs) / points;
  const byWidth = wantedMs >= HOURS_FROM_MS ? "hour" : wantedMs >= QUARTERS_FROM_MS ? "quarter" : "sample";
  const resolution = byWidth === "sample" && fromMs < rawFromMs ? "quarter" : byWidth;
  const grainMs = GRAINS[resolution];
  const beginMs = Math.floor(fromMs / grainMs) * grainMs;
  // The beginning moved back by less than a grain: one grain a step more is enough.
  const fitting = Math.ceil((toMs - beginMs) / points / grainMs) * grainMs;
  const stepMs = Math.max(grainMs, fitting);
  return { resolution, fromMs: beginMs, stepMs, count: Math.max(1, Math.ceil((toMs - beginMs) / stepMs)) };
}
