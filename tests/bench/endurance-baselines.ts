// Two ways in which it is done elsewhere: the maker's consumption table at half load, and the moving average over three
// minutes of a battery monitor, with the table where a load is known and the falling level where it is not.
import type { PointView } from "../../gateway/domain/point.ts";
import type { Heard, Sample } from "./endurance-heard.ts";

export type Baseline = (view: PointView, heard: Heard, nowMs: number) => number | undefined;

const HOUR_MS = 3_600_000;
const AVERAGE_MS = 3 * 60_000;
export const LONGEST_H = 500;

/** Litres an hour at 25, 50, 75 and 100 % of the load, by rated kW: makers' sheets. */
const SHEETS: readonly (readonly [ratedKw: number, ...litres: number[]])[] = [
  [8, 0.8, 1.3, 1.8, 2.4],
  [9.6, 0.9, 1.6, 2.2, 2.9],
  [12, 1.2, 2.0, 2.7, 3.6],
  [16, 1.5, 2.5, 3.6, 4.8],
  [20, 2.5, 3.4, 4.9, 6.1],
];
/** Hours in which a battery is discharged by its rating. */
const RATED_H = 20;
const PEUKERT = { lead: 1.25, lfp: 1.05 } as const;
const FLOOR_PCT = { lead: 50, lfp: 15 } as const;

/** By the sheet of the nearest set, in proportion to its rating. */
export function sheetLitresPerH(ratedKw: number, share: number): number {
  const distance = (sheet: (typeof SHEETS)[number]) => Math.abs(Math.log(sheet[0] / ratedKw));
  const sheet = SHEETS.reduce((best, one) => (distance(one) < distance(best) ? one : best));
  const at = Math.min(3, Math.max(1, share * 4));
  const low = Math.min(2, Math.floor(at));
  const litres = (i: number) => sheet[i] as number;
  const between = litres(low) + (litres(low + 1) - litres(low)) * (at - low);
  return between * (ratedKw / sheet[0]);
}

function litresOf(view: PointView, levelPct: number): number {
  const tank = view.generator?.tank;
  if (tank === undefined) return 0;
  const table = tank.table ?? [
    { levelPct: 0, litres: 0 },
    { levelPct: 100, litres: tank.capacityL },
  ];
  const above = Math.max(
    1,
    table.findIndex((row) => row.levelPct >= levelPct),
  );
  const [low, high] = [table[above - 1], table[above]];
  if (low === undefined || high === undefined) return 0;
  const share = (levelPct - low.levelPct) / (high.levelPct - low.levelPct);
  return Math.max(0, low.litres + share * (high.litres - low.litres) - (tank.deadVolumeL ?? 0));
}

/** The average of the last three minutes of samples, or the last alone. */
function averageOf(recent: readonly Sample[], of: (sample: Sample) => number | undefined): number | undefined {
  const newestMs = recent[recent.length - 1]?.atMs ?? 0;
  const values = recent.filter((one) => one.atMs > newestMs - AVERAGE_MS).flatMap((one) => of(one) ?? []);
  return values.length === 0 ? undefined : values.reduce((sum, one) => sum + one, 0) / values.length;
}

function usableAh({ battery }: PointView, chargePct: number): { readonly ratedAh: number; readonly leftAh: number } {
  if (battery === undefined) return { ratedAh: 0, leftAh: 0 };
  const ratedAh = (battery.capacityKwh * 1000) / battery.nominalV;
  const floorPct = battery.floorPct ?? FLOOR_PCT[battery.chemistry];
  return { ratedAh, leftAh: (ratedAh * Math.max(0, chargePct - floorPct)) / 100 };
}

function batteryHours(view: PointView, heard: Heard, amperes: number): number {
  const { battery } = view;
  const { ratedAh, leftAh } = usableAh(view, heard.chargePct ?? 0);
  if (battery === undefined || amperes <= 0) return 0;
  const penalty = Math.max(1, (amperes * RATED_H) / ratedAh) ** (PEUKERT[battery.chemistry] - 1);
  return leftAh / (amperes * penalty);
}

function carried(hours: number, sampledMs: number, nowMs: number): number {
  return Math.max(0, Math.min(LONGEST_H, hours) - (nowMs - sampledMs) / HOUR_MS);
}

/** The set at half load by its sheet; a battery alone at its rated current. */
export const ratedTable: Baseline = (view, heard, nowMs) => {
  const { generator, battery } = view;
  if (generator !== undefined && heard.levelPct !== undefined && heard.newest?.generator !== "failed") {
    const litres = litresOf(view, heard.levelPct);
    return carried(litres / sheetLitresPerH(generator.ratedKw, 0.5), heard.levelMs ?? nowMs, nowMs);
  }
  if (battery === undefined || heard.chargePct === undefined) return undefined;
  const { ratedAh, leftAh } = usableAh(view, heard.chargePct);
  return carried((leftAh / ratedAh) * RATED_H, heard.chargeMs ?? nowMs, nowMs);
};

function levelSlope(view: PointView, recent: readonly Sample[]): number | undefined {
  const known = recent.filter((one) => typeof one.levelPct === "number");
  const last = known[known.length - 1];
  if (last === undefined) return undefined;
  const earlier = known.filter((one) => one.atMs <= last.atMs - AVERAGE_MS);
  const first = earlier[earlier.length - 1];
  if (first === undefined) return undefined;
  const fell = litresOf(view, first.levelPct as number) - litresOf(view, last.levelPct as number);
  return fell / ((last.atMs - first.atMs) / HOUR_MS);
}

/** What is drawn now goes on. */
export const movingAverage: Baseline = (view, heard, nowMs) => {
  const { generator } = view;
  const { recent } = heard;
  const sampledMs = heard.newest?.atMs ?? nowMs;
  const amperes = averageOf(recent, (sample) => (sample.amperes === undefined ? undefined : -sample.amperes));
  const giving = amperes ?? 0;
  if (generator === undefined || heard.newest?.generator === "failed") {
    if (heard.chargePct === undefined || giving <= 0) return undefined;
    return carried(batteryHours(view, heard, giving), sampledMs, nowMs);
  }
  if (heard.levelPct === undefined) return undefined;
  const loadKw = heard.newest?.generator === "stopped" ? undefined : averageOf(recent, (sample) => sample.loadKw);
  const perH =
    loadKw === undefined ? levelSlope(view, recent) : sheetLitresPerH(generator.ratedKw, loadKw / generator.ratedKw);
  if (perH === undefined || perH <= 0) return undefined;
  return carried(litresOf(view, heard.levelPct) / perH, sampledMs, nowMs);
};
