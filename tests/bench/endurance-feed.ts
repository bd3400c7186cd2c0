// Points of any source, from the beginning of an outage until they are empty: simulated, or read from a file. Each is
// asked every half hour of its outage.
import type { Endurance } from "../../protocol/index.ts";
import { movingAverage, ratedTable } from "./endurance-baselines.ts";
import { type Arrival, type FedPoint, feedEngine } from "./endurance-engine.ts";
import { type Heard, NOTHING_HEARD, withArrival } from "./endurance-heard.ts";
import { emptyAfterH } from "./simulator/course.ts";
import { createReporter } from "./simulator/reporter.ts";
import { HOURS_MAX, type Site } from "./simulator/site.ts";

export const HOUR_MS = 3_600_000;
export const ASK_EVERY_H = 0.5;
/** Points that one engine has at once. */
const GROUP = 40;

export interface Feed extends FedPoint {
  /** Names by which its figures are counted: how it lives, what is known of it. */
  readonly classes: readonly string[];
  /** When its outage begins; hours are counted from here. */
  readonly startMs: number;
  /** Before the outage, hours below zero. */
  readonly fromH: number;
  /** When the last of it is told. */
  readonly toH: number;
  /** When it is empty if nothing is brought after this hour; undefined when that is beyond what was simulated. */
  emptyH(hour: number): number | undefined;
  until(hour: number): readonly Arrival[];
}

export interface Asked {
  readonly hour: number;
  /** Hours until it is truly empty. */
  readonly truthH: number | undefined;
  readonly endurance: Endurance;
  readonly rated: number | undefined;
  readonly average: number | undefined;
  readonly heard: Heard;
  readonly nowMs: number;
}

export interface Judged {
  readonly feed: Feed;
  readonly asked: readonly Asked[];
}

/** `midnightMs`: of the local day on which the outage begins, at the point's own hour of the clock. */
export function feedOf(site: Site, midnightMs: number): Feed {
  const { plant, view } = site;
  const startMs = midnightMs + plant.load.startClockH * HOUR_MS;
  const ends = [0, ...plant.deliveries].map((_, made) => emptyAfterH(plant, -site.leadH, made, HOURS_MAX));
  const reporter = createReporter(site, startMs);
  const hasSet = plant.set !== undefined;
  return {
    view,
    hasDevice: site.hasDevice,
    intervalS: site.intervalS,
    classes: [
      site.kind,
      ...(hasSet ? [site.measuresLoad ? "load-known" : "load-unknown", `level-${site.level.kind}`] : []),
      site.intervalS === 60 ? "every-minute" : site.intervalS === 900 ? "every-quarter" : "between",
      ...(plant.deliveries.length > 0 ? ["delivered-to"] : []),
    ],
    startMs,
    fromH: -site.leadH,
    toH: ends[ends.length - 1] ?? HOURS_MAX,
    emptyH: (hour) => ends[plant.deliveries.filter((one) => one.atH <= hour).length],
    until: (hour) => reporter.until(hour),
  };
}

function askOne(feed: Feed, heard: Heard, hour: number, nowMs: number, endurance: Endurance): Asked {
  const emptyH = feed.emptyH(hour);
  return {
    hour,
    truthH: emptyH === undefined ? undefined : emptyH - hour,
    endurance,
    rated: ratedTable(feed.view, heard, nowMs),
    average: movingAverage(feed.view, heard, nowMs),
    heard: { ...heard, recent: [] },
    nowMs,
  };
}

const hourOf = (feed: Feed, nowMs: number) => (nowMs - feed.startMs) / HOUR_MS;

async function runGroup(feeds: readonly Feed[], cost: Cost): Promise<Judged[]> {
  const fromMs = Math.min(...feeds.map((one) => one.startMs + one.fromH * HOUR_MS));
  const fed = await feedEngine(feeds, fromMs - HOUR_MS);
  const states = feeds.map((feed) => ({ feed, heard: NOTHING_HEARD, asked: [] as Asked[] }));
  for (let nowMs = fromMs; ; nowMs += ASK_EVERY_H * HOUR_MS) {
    const lasting = states.filter(({ feed }) => hourOf(feed, nowMs) < feed.toH);
    if (lasting.length === 0) break;
    const active = lasting.filter(({ feed }) => hourOf(feed, nowMs) >= feed.fromH);
    const arrivals = active.flatMap((state) => {
      const some = state.feed.until(hourOf(state.feed, nowMs));
      for (const one of some) state.heard = withArrival(state.heard, one);
      return some;
    });
    await fed.feed(arrivals, nowMs);
    for (const { feed, heard, asked } of active) {
      const hour = hourOf(feed, nowMs);
      const endurance = fed.engine.point(feed.view.pointId)?.endurance;
      if (hour >= 0 && endurance !== undefined) asked.push(askOne(feed, heard, hour, nowMs, endurance));
    }
  }
  const { ms, reports } = fed.cost();
  cost.ms += ms;
  cost.reports += reports;
  await fed.stop();
  return states;
}

export interface Cost {
  ms: number;
  reports: number;
}

/** Runs all; those that last alike share an engine, so that none of them waits long for the others. */
export async function runFeeds(
  feeds: readonly Feed[],
  progress: (done: number) => void,
): Promise<{ readonly judged: readonly Judged[]; readonly cost: Cost }> {
  const cost: Cost = { ms: 0, reports: 0 };
  const judged: Judged[] = [];
  const ordered = [...feeds].sort((a, b) => a.toH - b.toH);
  for (let at = 0; at < ordered.length; at += GROUP) {
    judged.push(...(await runGroup(ordered.slice(at, at + GROUP), cost)));
    progress(judged.length);
  }
  return { judged, cost };
}
