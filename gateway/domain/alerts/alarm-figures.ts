// Counts how the alerts themselves do (ISA-18.2 clause 16, EEMUA 191): pure, in a memory that is bounded, and as a document that
// outlives a restart.
import type { AlarmMetrics, Alert } from "../../../protocol/index.ts";
import { toInstant } from "../instant.ts";

const MINUTE_MS = 60_000;
const WINDOW_MS = 10 * MINUTE_MS;
const HOUR_MS = 60 * MINUTE_MS;
const FLOOD_FROM = 10;
const FLOOD_UNTIL = 5;
const FLEETING_MS = MINUTE_MS;
/** Moments of the last hour; more than these nobody can tell apart from a flood. */
const RECENT_MAX = 600;
/** Of the last ones: enough for a 90th percentile. */
const DELAYS_MAX = 500;
const NAMES_MAX = 300;
const TOP = 10;

/** What came of one alert in one turn. */
export type AlarmEvent =
  /** Shown as new. */
  | { readonly kind: "announced"; readonly alert: Alert }
  /** Seen by a person, so long after it was shown as new. */
  | { readonly kind: "acknowledged"; readonly afterMs: number }
  /** Its condition ceased, so long after; unseen or not. */
  | { readonly kind: "returned"; readonly afterMs: number; readonly isSeen: boolean };

export interface AlarmFigures {
  readonly sinceMs: number;
  readonly total: number;
  /** Moments of the last hour, the oldest first. */
  readonly recent: readonly number[];
  readonly peak: number;
  readonly byPriority: readonly [number, number, number];
  readonly floods: number;
  /** Of floods that are over. */
  readonly floodMs: number;
  readonly floodSinceMs?: number;
  readonly fleeting: number;
  /** Seconds until a person had seen it, the newest last. */
  readonly delaysS: readonly number[];
  readonly acknowledged: number;
  readonly rules: Readonly<Record<string, number>>;
  readonly subjects: Readonly<Record<string, number>>;
}

export function noFigures(sinceMs: number): AlarmFigures {
  return {
    ...{ sinceMs, total: 0, recent: [], peak: 0, byPriority: [0, 0, 0], floods: 0, floodMs: 0 },
    ...{ fleeting: 0, delaysS: [], acknowledged: 0, rules: {}, subjects: {} },
  };
}

export function withAlarmEvent(before: AlarmFigures, event: AlarmEvent, nowMs: number): AlarmFigures {
  switch (event.kind) {
    case "announced":
      return withAnnounced(before, event.alert, nowMs);
    case "acknowledged": {
      const seconds = Math.max(0, Math.round(event.afterMs / 1000));
      const delaysS = [...before.delaysS, seconds].slice(-DELAYS_MAX);
      return { ...before, delaysS, acknowledged: before.acknowledged + 1 };
    }
    case "returned":
      if (event.isSeen || event.afterMs > FLEETING_MS) return before;
      return { ...before, fleeting: before.fleeting + 1 };
  }
}

function withAnnounced(before: AlarmFigures, { ruleId, subject, priority }: Alert, nowMs: number): AlarmFigures {
  const recent = [...lately(before.recent, nowMs, HOUR_MS), nowMs].slice(-RECENT_MAX);
  const inWindow = lately(recent, nowMs, WINDOW_MS).length;
  const byPriority = before.byPriority.map((count, i) => count + Number(i === priority - 1));
  const next: AlarmFigures = {
    ...before,
    total: before.total + 1,
    recent,
    peak: Math.max(before.peak, inWindow),
    byPriority: byPriority as unknown as AlarmFigures["byPriority"],
    rules: counted(before.rules, ruleId),
    subjects: counted(before.subjects, subject.name),
  };
  return atMoment(next, nowMs);
}

/** A flood begins with its tenth line, and is over once fewer than five came in ten minutes; time alone ends it. */
export function atMoment(figures: AlarmFigures, nowMs: number): AlarmFigures {
  const { floodSinceMs, floods, floodMs, recent } = figures;
  const inWindow = lately(recent, nowMs, WINDOW_MS).length;
  if (floodSinceMs === undefined)
    return inWindow < FLOOD_FROM ? figures : { ...figures, floodSinceMs: nowMs, floods: floods + 1 };
  if (inWindow >= FLOOD_UNTIL) return figures;
  const { floodSinceMs: _, ...rest } = figures;
  return { ...rest, floodMs: floodMs + Math.max(0, nowMs - floodSinceMs) };
}

/** One that lies ahead was told by a clock that was wrong. */
function lately(moments: readonly number[], nowMs: number, spanMs: number): number[] {
  return moments.filter((one) => one > nowMs - spanMs && one <= nowMs);
}

/** The rarest gives way to a new name: it is not among the ten that anybody asks for. */
function counted(names: Readonly<Record<string, number>>, name: string): Readonly<Record<string, number>> {
  const next = { ...names, [name]: (names[name] ?? 0) + 1 };
  const all = Object.entries(next);
  if (all.length <= NAMES_MAX) return next;
  const rarest = all.filter(([one]) => one !== name).reduce((a, b) => (b[1] < a[1] ? b : a))[0];
  return Object.fromEntries(all.filter(([one]) => one !== rarest));
}

function top(names: Readonly<Record<string, number>>): { name: string; count: number }[] {
  return Object.entries(names)
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, TOP)
    .map(([name, count]) => ({ name, count }));
}

/** The value below which this share lies: nearest rank. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/** The figures as people are told of them, with those of the alerts that stand now. */
export function alarmMetrics(kept: AlarmFigures, open: readonly Alert[], nowMs: number): AlarmMetrics {
  const figures = atMoment(kept, nowMs);
  const { sinceMs, total, recent, peak, byPriority, floods, floodMs, floodSinceMs, fleeting, delaysS } = figures;
  const spanMs = Math.max(1, nowMs - sinceMs);
  const inFloodMs = floodMs + (floodSinceMs === undefined ? 0 : Math.max(0, nowMs - floodSinceMs));
  const active = open.filter((one) => one.state === "unacknowledged" || one.state === "acknowledged");
  const [one, two, three] = byPriority;
  const delays = { count: figures.acknowledged, median: quantile(delaysS, 0.5), p90: quantile(delaysS, 0.9) };
  return {
    since: toInstant(sinceMs),
    announced: {
      total,
      last10Min: lately(recent, nowMs, WINDOW_MS).length,
      lastHour: lately(recent, nowMs, HOUR_MS).length,
      peak10Min: peak,
      per10Min: Number(((total * WINDOW_MS) / Math.max(WINDOW_MS, spanMs)).toFixed(3)),
    },
    flood: {
      now: floodSinceMs !== undefined,
      count: floods,
      share: Number(Math.min(1, inFloodMs / spanMs).toFixed(4)),
    },
    byPriority: { "1": one, "2": two, "3": three },
    chattering: active.filter(({ values }) => values["times"] !== undefined).length,
    fleeting,
    stale: active.filter(({ staleAt }) => staleAt !== undefined).length,
    ...(delaysS.length === 0 ? {} : { acknowledgeS: delays }),
    topRules: top(figures.rules),
    topSubjects: top(figures.subjects),
  };
}
