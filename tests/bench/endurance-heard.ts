// What an outsider knows of a point from the frames that arrived: the ground on which a baseline answers, and on which an
// answer or its absence is judged honest.
import { decodeUplink, type Report } from "../../protocol/index.ts";
import type { Arrival } from "./endurance-engine.ts";

/** The longest report interval, and a little. */
const RECENT_MS = 20 * 60_000;

export interface Sample {
  readonly atMs: number;
  readonly levelPct: number | string | undefined;
  readonly loadKw: number | undefined;
  readonly generator: string;
  readonly mains: string;
  readonly volts: number | undefined;
  readonly amperes: number | undefined;
  readonly chargePct: number | undefined;
}

export interface Heard {
  readonly newest: Sample | undefined;
  /** In the order of time, the newest last: at least two where there are so many. */
  readonly recent: readonly Sample[];
  /** The newest level and charge that were numbers. */
  readonly levelMs: number | undefined;
  readonly levelPct: number | undefined;
  readonly chargeMs: number | undefined;
  readonly chargePct: number | undefined;
  /** Since when the battery is seen giving and nothing else; undefined while it is charged or idle. */
  readonly givingMs: number | undefined;
  /** It was seen giving at some time of the outage. */
  readonly gave: boolean;
}

export const NOTHING_HEARD: Heard = {
  newest: undefined,
  recent: [],
  levelMs: undefined,
  levelPct: undefined,
  chargeMs: undefined,
  chargePct: undefined,
  givingMs: undefined,
  gave: false,
};

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function sampleOf(report: Report, atMs: number): Sample {
  const { power, battery } = report;
  return {
    atMs,
    levelPct: power?.fuelLevelPct,
    loadKw: numberOf(power?.loadKw),
    generator: power?.generator ?? "absent",
    mains: power?.mains ?? "absent",
    volts: numberOf(battery?.batteryV),
    amperes: numberOf(battery?.batteryA),
    chargePct: numberOf(battery?.stateOfChargePct),
  };
}

/** With one arrival more. Late ones tell a baseline nothing: it looks at what is newest. */
export function withArrival(heard: Heard, arrival: Arrival): Heard {
  const decoded = decodeUplink(arrival.frame);
  if (decoded.kind !== "report") return heard;
  const sample = sampleOf(decoded.value, arrival.timeMs);
  const isGiving = sample.mains === "lost" && (sample.amperes ?? 0) < 0;
  const gave = heard.gave || isGiving;
  if (heard.newest !== undefined && sample.atMs <= heard.newest.atMs) return { ...heard, gave };
  const before = heard.recent.filter((one, i, all) => one.atMs > sample.atMs - RECENT_MS || i === all.length - 1);
  const { levelPct, chargePct } = sample;
  return {
    newest: sample,
    recent: [...before, sample],
    levelMs: typeof levelPct === "number" ? sample.atMs : heard.levelMs,
    levelPct: typeof levelPct === "number" ? levelPct : heard.levelPct,
    chargeMs: chargePct === undefined ? heard.chargeMs : sample.atMs,
    chargePct: chargePct ?? heard.chargePct,
    givingMs: isGiving ? (heard.givingMs ?? sample.atMs) : undefined,
    gave,
  };
}
