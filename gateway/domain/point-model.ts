// What is known of one point, stepped by the records of its devices. Pure: the same records in the same order give the
// same model, and late ones correct what they belong to without making it look fresh.
import type { Report, Told } from "../../protocol/index.ts";
import type { BatterySeries } from "./battery.ts";
import type { LevelSeries } from "./consumption.ts";
import type { HeldSeries } from "./held.ts";
import { type Lifecycle, NO_LIFECYCLE, stepDevicePhase } from "./lifecycle.ts";
import { type MainsSeries, mainsLostSince, mainsUntil, withMains } from "./mains.ts";
import { withoutAhead } from "./manual/ahead.ts";
import { NOTHING_TOLD, type ToldModel } from "./manual/told.ts";
import { byOwner } from "./ownership.ts";
import { NO_PEOPLE, type PeopleModel, withCounter } from "./people/people.ts";
import { AHEAD_MS_MAX } from "./placing.ts";
import type { PointView } from "./point.ts";
import type { TimeQuality } from "./record.ts";
import { until, withEntry } from "./series.ts";
import { litresAt } from "./tank.ts";

/** What came from which record. */
interface Origin {
  readonly deviceId: string;
  /** Extended. */
  readonly sequence: number;
  readonly atMs: number;
}

export interface ReadingState extends Origin {
  readonly value: number | string;
  readonly quality: TimeQuality;
  /** Told by a person: then there is no device. */
  readonly told?: Told;
}

export interface PointModel {
  readonly pointId: string;
  readonly lastReceivedMs: number | undefined;
  readonly lastSampleMs: number | undefined;
  readonly lifecycle: Lifecycle;
  readonly people: PeopleModel;
  readonly told: ToldModel;
  readonly readings: Readonly<Record<string, ReadingState>>;
  /** What devices say of groups that another one owns, by `{deviceId} {group.field}`. */
  readonly crossChecks?: Readonly<Record<string, ReadingState>>;
  readonly levels: LevelSeries;
  readonly currents: BatterySeries;
  readonly mains: MainsSeries;
  readonly mainsLostMs: number | undefined;
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
    lifecycle: NO_LIFECYCLE,
    people: NO_PEOPLE,
    told: NOTHING_TOLD,
    readings: {},
    levels: [],
    currents: [],
    mains: [],
    mainsLostMs: undefined,
    conditions: {},
    held: [],
  };
}

export interface ReportArrival {
  readonly deviceId: string;
  readonly sequence: number;
  readonly receivedMs: number;
  readonly timeMs: number;
  readonly quality: TimeQuality;
  readonly report: Report;
}

export const GROUP_NAMES = ["power", "battery", "occupancy", "environment", "supplies"] as const;

/**
 * True when a record says something newer. Of one device its sequence decides, whatever its clock did in between; of two
 * devices the time, unless that of the first lies ahead of now.
 */
function isNewer({ deviceId, sequence, timeMs, receivedMs }: ReportArrival, before: Origin | undefined): boolean {
  if (before === undefined || before.atMs > receivedMs + AHEAD_MS_MAX) return true;
  return before.deviceId === deviceId && before.sequence !== undefined
    ? sequence >= before.sequence
    : timeMs >= before.atMs;
}

/** The model after one report. A reading moves only to a newer one; of a group that another device owns it is a cross-check. */
export function withReport(before: PointModel, view: PointView, arrival: ReportArrival): PointModel {
  const model = withoutFuture(withoutAhead(before, arrival.receivedMs), arrival.receivedMs + AHEAD_MS_MAX);
  const { timeMs, deviceId, sequence } = arrival;
  const { counted: report, checks } = byOwner(arrival.report, deviceId, view.groupOwners);
  const origin = { deviceId, sequence, atMs: timeMs };
  const readings: Record<string, ReadingState> = { ...model.readings };
  for (const group of GROUP_NAMES) {
    const fields = report[group] as Record<string, number | string> | undefined;
    for (const field in fields) {
      const name = `${group}.${field}`;
      const value = fields[field] as number | string;
      if (value === "absent" && readings[name] === undefined) continue;
      if (isNewer(arrival, readings[name])) readings[name] = { ...origin, value, quality: arrival.quality };
    }
  }
  const mains = mainsWith(model.mains, report.power?.mains, timeMs);
  return {
    ...model,
    mains,
    mainsLostMs: mainsLostSince(mains),
    lastReceivedMs: arrival.receivedMs,
    lastSampleMs: Math.max(model.lastSampleMs ?? 0, timeMs),
    lifecycle: stepDevicePhase(model.lifecycle, {
      ...{ deviceId, atMs: timeMs, phase: report.phase, untilMs: arrival.receivedMs + AHEAD_MS_MAX },
    }).lifecycle,
    people: peopleWith(model.people, arrival),
    readings,
    ...(checks === undefined ? {} : { crossChecks: checksWith(model.crossChecks ?? {}, arrival, checks) }),
    levels: levelsWith(model.levels, view, report, timeMs),
    currents: currentsWith(model.currents, report, timeMs),
  };
}

function checksWith(
  before: NonNullable<PointModel["crossChecks"]>,
  arrival: ReportArrival,
  checks: Partial<Report>,
): Record<string, ReadingState> {
  const { deviceId, sequence, timeMs, quality } = arrival;
  const after: Record<string, ReadingState> = { ...before };
  for (const group of GROUP_NAMES) {
    const fields = checks[group] as Record<string, number | string> | undefined;
    for (const field in fields) {
      const value = fields[field] as number | string;
      const key = `${deviceId} ${group}.${field}`;
      if (value === "absent" && after[key] === undefined) continue;
      if (isNewer(arrival, after[key])) after[key] = { deviceId, sequence, atMs: timeMs, value, quality };
    }
  }
  return after;
}

/** Moments ahead of now are of a clock that was wrong for a while: they must not stand before what comes now. */
function withoutFuture(model: PointModel, untilMs: number): PointModel {
  const levels = until(model.levels, untilMs);
  const currents = until(model.currents, untilMs);
  const held = until(model.held, untilMs);
  const mains = mainsUntil(model.mains, untilMs);
  const isSampleAhead = model.lastSampleMs !== undefined && model.lastSampleMs > untilMs;
  const isSame = levels === model.levels && currents === model.currents && held === model.held;
  if (isSame && mains === model.mains && !isSampleAhead) return model;
  return { ...model, levels, currents, held, mains, lastSampleMs: isSampleAhead ? undefined : model.lastSampleMs };
}

function mainsWith(spans: MainsSeries, mains: string | undefined, timeMs: number): MainsSeries {
  if (mains !== "present" && mains !== "lost") return spans;
  return withMains(spans, timeMs, mains === "lost" ? 1 : 0);
}

function peopleWith(
  people: PeopleModel,
  { deviceId, sequence, timeMs, receivedMs, report }: ReportArrival,
): PeopleModel {
  if (report.occupancy === undefined) return people;
  const { occupancy, entries } = report.occupancy;
  return withCounter(people, deviceId, { sequence, atMs: timeMs, receivedMs, occupancy, entries });
}

/** A record of another kind: a sign of life. */
export function withContact(model: PointModel, receivedMs: number): PointModel {
  return { ...model, lastReceivedMs: receivedMs };
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
  return isBadValue(model.readings[name]?.value);
}

export function isBadValue(value: number | string | undefined): boolean {
  return typeof value === "string" && BAD_WORDS.includes(value);
}

const BAD_WORDS: readonly string[] = ["open-circuit", "short-circuit", "out-of-range", "stuck", "corrupt", "untrusted"];
