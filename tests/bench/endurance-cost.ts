// What a report and a point cost the engine, with few points and with many.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Arrival, feedEngine } from "./endurance-engine.ts";
import { HOUR_MS } from "./endurance-feed.ts";
import { createReporter } from "./simulator/reporter.ts";
import { drawSite, type Site } from "./simulator/site.ts";

const COST_POINTS = [100, 300, 1_000] as const;
/** Long enough for every series of a point to be full. */
const HOURS = 9;
/** The first points pay for what is compiled once. */
const WARM_POINTS = 10;
/** Every minute of it would be as dear for each, and longer. */
const INTERVAL_S = 180;
/** A cost that grows with the points shows as 10; machines are noisy. */
export const COST_RATIO_MAX = 2;
export const MEMORY_RATIO_MAX = 1.5;

export interface CostFigure {
  readonly points: number;
  /** Median over the last hours. */
  readonly microsecondsPerReport: number;
  readonly kilobytesPerPoint: number;
}

function collected(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}

/** Points with a set alone: each has the same to keep. */
function sitesFor(seed: number, points: number): Site[] {
  const found: Site[] = [];
  for (let number = 0; found.length < points; number++) {
    const site = drawSite(seed, number);
    if (site.kind !== "set") continue;
    const view = { ...site.view, pointId: `cost-${found.length}` };
    found.push({ ...site, view, hasDevice: true, intervalS: INTERVAL_S, silences: [] });
  }
  return found;
}

/** In the order of COST_POINTS. */
export async function costs(seed: number, startMs: number, progress: (points: number) => void): Promise<CostFigure[]> {
  await costOf(seed, WARM_POINTS, startMs);
  const figures: CostFigure[] = [];
  for (const points of COST_POINTS) {
    progress(points);
    figures.push(await costOf(seed, points, startMs));
  }
  return figures;
}

export async function costOf(seed: number, points: number, startMs: number): Promise<CostFigure> {
  const sites = sitesFor(seed, points);
  const reporters = sites.map((site) => createReporter(site, startMs));
  const fromH = Math.min(...sites.map((site) => -site.leadH));
  const before = collected();
  const fed = await feedEngine(sites, startMs + (fromH - 1) * HOUR_MS);
  const each: number[] = [];
  for (let hour = fromH; hour <= HOURS; hour += 1) {
    const arrivals = reporters.flatMap((one): Arrival[] => one.until(hour));
    const { ms, reports } = fed.cost();
    await fed.feed(arrivals, startMs + hour * HOUR_MS);
    const now = fed.cost();
    if (hour > HOURS - 4) each.push(((now.ms - ms) * 1_000) / (now.reports - reports));
  }
  const bytes = collected() - before;
  await fed.stop();
  const sorted = each.sort((a, b) => a - b);
  return {
    points,
    microsecondsPerReport: sorted[sorted.length >> 1] ?? Number.NaN,
    kilobytesPerPoint: bytes / 1_024 / points,
  };
}
