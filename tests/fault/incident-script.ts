// The incident of the proof: three hours at 40 points, what each reports when, and what people do.
import type { PointView, RegistryView } from "../../gateway/domain/point.ts";
import type { Deed } from "../../gateway/engine/deeds.ts";
import type { Report } from "../../protocol/index.ts";

export const POINTS = 40;
export const MINUTE_MS = 60_000;
export const INTERVAL_MIN = 5;
/** 2026-11-24 12:00 UTC. */
export const START_MS = Date.UTC(2026, 10, 24, 12, 0, 0);
export const END_MIN = 205;

/** Minutes at which something happens: the gateway goes down at, or soon after, each. */
export const STEPS = [
  { name: "outage", minute: 15 },
  { name: "outage-acknowledged", minute: 25 },
  { name: "second-fault", minute: 30 },
  { name: "fault-shelved", minute: 35 },
  { name: "point-falls-silent", minute: 40 },
  { name: "fault-acknowledged", minute: 45 },
  { name: "path-falls-silent", minute: 60 },
  { name: "silence-acknowledged", minute: 96 },
  { name: "point-is-back", minute: 100 },
  { name: "path-is-back", minute: 125 },
  { name: "shelf-ends", minute: 135 },
  { name: "mains-back", minute: 145 },
  { name: "fault-reset", minute: 165 },
] as const;

const ids = Array.from({ length: POINTS }, (_, i) => `point-${i + 1}`);
const VIEWS: readonly PointView[] = ids.map((pointId, i) => ({
  pointId,
  name: pointId,
  kind: "community-centre",
  municipality: "Almere",
  region: i < 25 ? "Flevoland" : "Gooi en Vechtstreek",
  coordination: false,
  location: { lat: 52.37, lon: 5.22 },
  capacity: { day: 150, night: 150 },
  connectionPoint: false,
  generator: { kind: "fixed", ratedKw: 8, tank: { capacityL: 200 } },
  battery: undefined,
}));

export const REGISTRY: RegistryView = {
  points: () => VIEWS,
  devices: () =>
    ids.map((pointId, i) => {
      const path = i < 30 ? "base-1" : "base-2";
      return { deviceId: `${pointId}-d1`, pointId, link: "mqtt", reportIntervalS: INTERVAL_MIN * 60, path } as const;
    }),
  nextChangeMs: () => Number.POSITIVE_INFINITY,
};

export interface Due {
  readonly deviceId: string;
  readonly report: Pick<Report, "phase" | "power">;
}

/** Who reports in this minute, and what. */
export function reportsAt(minute: number): Due[] {
  if (minute % INTERVAL_MIN !== 0) return [];
  return ids.flatMap((pointId, i) =>
    isHeard(i, minute) ? [{ deviceId: `${pointId}-d1`, report: reportOf(i, minute) }] : [],
  );
}

function isHeard(i: number, minute: number): boolean {
  if (i === 8) return minute < 40 || minute >= 100;
  return i < 30 || minute < 60 || minute >= 125;
}

function reportOf(i: number, minute: number): Due["report"] {
  const isLost = minute >= 15 && minute < 145 && i < 30;
  const generator = i === 6 && minute >= 30 && minute < 155 ? "failed" : isLost ? "running" : "stopped";
  const mains = isLost ? "lost" : "present";
  return {
    phase: i < 30 ? "open" : "standby",
    power: { fuelLevelPct: 90, generator, mains, loadKw: "absent", starterBatteryV: 13.8 },
  };
}

export interface PlannedAct {
  readonly minute: number;
  readonly ruleId: string;
  readonly on: string;
  readonly deed: Deed;
  readonly by: string;
}

const at = (minute: number) => new Date(START_MS + minute * MINUTE_MS).toISOString();

/** What people do, each a while after its alert: nobody is that quick, and a gateway that is down meanwhile is back. */
export const ACTS: readonly PlannedAct[] = [
  { minute: 25, ruleId: "group-mains-lost", on: "mains-lost", deed: { kind: "acknowledge" }, by: "anna" },
  {
    minute: 35,
    ruleId: "power-lost",
    on: "point-7",
    deed: { kind: "shelve", until: at(135), reason: "a set is on its way" },
    by: "anna",
  },
  { minute: 45, ruleId: "generator-failed", on: "point-7", deed: { kind: "acknowledge" }, by: "bram" },
  { minute: 96, ruleId: "silence", on: "point-9", deed: { kind: "acknowledge" }, by: "bram" },
  { minute: 165, ruleId: "generator-failed", on: "point-7", deed: { kind: "reset" }, by: "anna" },
];
