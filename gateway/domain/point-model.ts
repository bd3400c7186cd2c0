// What is known of one point, stepped by the records of its devices. Pure: the same records in the same order give the
// same model, and late ones correct what they belong to without making it look fresh.
import type { Info, Report } from "../../protocol/index.ts";
import type { BatterySeries } from "./battery.ts";
import type { LevelSeries } from "./consumption.ts";
import type { HeldSeries } from "./held.ts";
import type { PointView } from "./point.ts";
import type { TimeQuality } from "./record.ts";
import { withEntry } from "./series.ts";
import { litresAt } from "./tank.ts";

export interface ReadingState {
  readonly deviceId: string;
  readonly value: number | string;
  readonly atMs: number;
  readonly quality: TimeQuality;
}

export interface PointModel {
  readonly pointId: string;
  readonly lastReceivedMs: number | undefined;
  readonly lastSampleMs: number | undefined;
  readonly phase: { readonly value: string; readonly atMs: number } | undefined;
  readonly readings: Readonly<Record<string, ReadingState>>;
  readonly levels: LevelSeries;
  readonly currents: BatterySeries;
  readonly mainsLostMs: number | undefined;
  readonly mainsSeenMs: number | undefined;
  /** Since when a rule's condition holds, or (`off-…`) has ceased to. */
  readonly conditions: Readonly<Record<string, number>>;
  /** Which rules held at samples of the last hours, late ones among them: [atMs, bits]. */
  readonly held: HeldSeries;
}

export function emptyModel(pointId: string): PointModel {
  return {
    pointId,
    lastReceivedMs: undefined,
    lastSampleMs: undefined,
    phase: undefined,
    readings: {},
    levels: [],
    currents: [],
    mainsLostMs: undefined,
    mainsSeenMs: undefined,
    conditions: {},
    held: [],
  };
}

export interface ReportArrival {
  readonly deviceId: string;
  readonly receivedMs: number;
  readonly timeMs: number;
  readonly quality: TimeQuality;
  readonly report: Report;
}

const GROUP_NAMES = ["power", "battery", "occupancy", "environment", "supplies"] as const;

/** The model after one report. A reading moves only to a later moment of its own. */
export function withReport(model: PointModel, view: PointView, arrival: ReportArrival): PointModel {
  const { report, timeMs } = arrival;
  const readings: Record<string, ReadingState> = { ...model.readings };
  for (const group of GROUP_NAMES) {
    const fields = report[group] as Record<string, number | string> | undefined;
    for (const [field, value] of Object.entries(fields ?? {})) {
      const name = `${group}.${field}`;
      const before = readings[name];
      if (value === "absent" && before === undefined) continue;
      if (before !== undefined && before.atMs > timeMs) continue;
      readings[name] = { deviceId: arrival.deviceId, value, atMs: timeMs, quality: arrival.quality };
    }
  }
  const saysPhase = report.phase !== "absent" && (model.phase === undefined || model.phase.atMs <= timeMs);
  return {
    ...model,
    ...mainsOf(model, report.power?.mains, timeMs),
    lastReceivedMs: Math.max(model.lastReceivedMs ?? 0, arrival.receivedMs),
    lastSampleMs: Math.max(model.lastSampleMs ?? 0, timeMs),
    phase: saysPhase ? { value: report.phase, atMs: timeMs } : model.phase,
    readings,
    levels: levelsWith(model.levels, view, report, timeMs),
    currents: currentsWith(model.currents, report, timeMs),
  };
}

/** A record of another kind: a sign of life. */
export function withContact(model: PointModel, receivedMs: number): PointModel {
  return { ...model, lastReceivedMs: Math.max(model.lastReceivedMs ?? 0, receivedMs) };
}

function mainsOf(model: PointModel, mains: string | undefined, timeMs: number) {
  const { mainsLostMs, mainsSeenMs } = model;
  if (mains === "present") {
    const seen = Math.max(mainsSeenMs ?? 0, timeMs);
    // A late sample from before the loss leaves the loss where it is.
    const stillLost = mainsLostMs !== undefined && timeMs < mainsLostMs;
    return { mainsSeenMs: seen, mainsLostMs: stillLost ? mainsLostMs : undefined };
  }
  if (mains !== "lost" || timeMs < (mainsSeenMs ?? 0)) return { mainsLostMs, mainsSeenMs };
  return { mainsLostMs: Math.min(mainsLostMs ?? timeMs, timeMs), mainsSeenMs };
}

function levelsWith(levels: LevelSeries, view: PointView, report: Report, timeMs: number): LevelSeries {
  const { power } = report;
  if (view.generator === undefined || typeof power?.fuelLevelPct !== "number") return levels;
  const litres = litresAt(view.generator.tank, power.fuelLevelPct);
  if (litres === undefined) return levels;
  // A set whose state nobody measures is taken to run when the mains are gone.
  const runs = power.generator === "running" || (power.generator === "absent" && power.mains !== "present");
  const load = typeof power.loadKw === "number" ? power.loadKw : -1;
  return withEntry(levels, [timeMs, Math.round(litres * 100) / 100, runs ? 1 : 0, load]);
}

function currentsWith(currents: BatterySeries, report: Report, timeMs: number): BatterySeries {
  const { battery } = report;
  if (typeof battery?.batteryV !== "number" || typeof battery.batteryA !== "number") return currents;
  const charge = typeof battery.stateOfChargePct === "number" ? battery.stateOfChargePct : -1;
  return withEntry(currents, [timeMs, battery.batteryV, battery.batteryA, charge]);
}

/** A number of a reading, or undefined when it has none. */
export function numberOf(model: PointModel, name: string): number | undefined {
  const value = model.readings[name]?.value;
  return typeof value === "number" ? value : undefined;
}

export function wordOf(model: PointModel, name: string): string {
  const value = model.readings[name]?.value;
  return typeof value === "string" ? value : "unknown";
}

/** True for a reading that should be there and is bad: neither a number nor simply not fitted. */
export function isBad(model: PointModel, name: string): boolean {
  const value = model.readings[name]?.value;
  return typeof value === "string" && BAD_WORDS.includes(value);
}

const BAD_WORDS: readonly string[] = ["open-circuit", "short-circuit", "out-of-range", "stuck", "corrupt", "untrusted"];

/** What is kept of one device. */
export interface DeviceModel {
  readonly deviceId: string;
  readonly pointId: string;
  readonly lastReceivedMs: number | undefined;
  readonly lastSampleMs: number | undefined;
  readonly highest: number | undefined;
  readonly records: number;
  readonly undecoded: number;
  readonly report: { readonly atMs: number; readonly value: Report } | undefined;
  readonly info: Info | undefined;
  readonly lastEvent: { readonly event: string; readonly argument: number; readonly atMs: number } | undefined;
}

export function emptyDevice(deviceId: string, pointId: string): DeviceModel {
  return {
    deviceId,
    pointId,
    lastReceivedMs: undefined,
    lastSampleMs: undefined,
    highest: undefined,
    records: 0,
    undecoded: 0,
    report: undefined,
    info: undefined,
    lastEvent: undefined,
  };
}
