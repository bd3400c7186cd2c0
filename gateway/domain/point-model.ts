// What is known of one point, stepped by the records of its devices. Pure: the same records in the same order give the
// same model, and late ones correct what they belong to without making it look fresh.
import type { Report, Told } from "../../protocol/index.ts";
import type { AssetModel } from "./endurance/asset-model.ts";
import type { BatterySeries } from "./endurance/battery.ts";
import { type Doubt, doubtAfter } from "./endurance/charge.ts";
import type { LevelSeries } from "./endurance/consumption.ts";
import type { ToldDelivery } from "./endurance/deliveries.ts";
import {
  withDelivery as deliveryInto,
  withDip as dipInto,
  EMPTY_FUEL,
  type FuelModel,
  fuelOfSet,
  fuelUntil,
  isOfSet,
  withoutDelivery as rejectedIn,
  type ToldDip,
  withLevels,
} from "./endurance/fuel-model.ts";
import { withHour } from "./endurance/hours.ts";
import { until, withEntry } from "./endurance/series.ts";
import { litresAt } from "./endurance/tank.ts";
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
  /** What is believed of the battery's charge at the beginning of `currents`, when not its shunt. */
  readonly doubt?: Doubt;
  readonly fuel: FuelModel;
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
    fuel: EMPTY_FUEL,
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
  const model = ofSet(withoutFuture(withoutAhead(before, arrival.receivedMs), arrival.receivedMs + AHEAD_MS_MAX), view);
  const { timeMs, deviceId, sequence } = arrival;
  const { counted: report, checks } = byOwner(arrival.report, deviceId, view.groupOwners);
  const origin = { deviceId, sequence, atMs: timeMs };
  const readings: Record<string, ReadingState> = { ...model.readings };
  for (const group of GROUP_NAMES) {
    const fields = report[group] as Record<string, number | string> | undefined;
    for (const field in fields) {
      const name = `${group}.${field}`;
      const value = fields[field] as number | string;
      if (value === "absent" && isOfAnother(readings[name], deviceId)) continue;
      if (isNewer(arrival, readings[name])) readings[name] = { ...origin, value, quality: arrival.quality };
    }
  }
  const mains = mainsWith(model.mains, report.power?.mains, timeMs);
  const whole = {
    ...report,
    ...(report.power === undefined ? {} : { power: withOthers(report.power, readings, arrival) }),
  };
  const levels = levelsWith(model.levels, view, whole, timeMs);
  const currents = currentsWith(model.currents, report, timeMs);
  const doubt = doubtAfter(view.battery, model.currents, currents, model.doubt);
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
    levels,
    currents,
    ...(doubt === undefined && model.doubt === undefined ? {} : { doubt }),
    fuel: fuelWith(model.fuel, view, { levels, report: whole, timeMs }),
  };
}

/** A device without such a sensor says nothing about what another one measures. */
function isOfAnother(reading: ReadingState | undefined, deviceId: string): boolean {
  return reading === undefined || reading.deviceId !== deviceId;
}

/** What another device said longer ago says nothing of now. */
const OTHERS_MS_MAX = 3_600_000;

/** A sensor in a tank knows nothing of the set: whether that runs is what others of the point said of late. */
function withOthers(
  power: NonNullable<Report["power"]>,
  readings: PointModel["readings"],
  { deviceId, timeMs }: ReportArrival,
): NonNullable<Report["power"]> {
  const filled: Record<string, number | string> = { ...power };
  for (const field of ["generator", "mains", "loadKw"] as const) {
    const other = readings[`power.${field}`];
    // What it said itself at another time says nothing of this one.
    if (power[field] !== "absent" || other === undefined || other.deviceId === deviceId) continue;
    if (Math.abs(timeMs - other.atMs) <= OTHERS_MS_MAX) filled[field] = other.value;
  }
  return filled as unknown as NonNullable<Report["power"]>;
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
  const fuel = fuelUntil(model.fuel, untilMs);
  const isSampleAhead = model.lastSampleMs !== undefined && model.lastSampleMs > untilMs;
  const isSame = levels === model.levels && currents === model.currents && held === model.held;
  if (isSame && mains === model.mains && fuel === model.fuel && !isSampleAhead) return model;
  return {
    ...model,
    levels,
    currents,
    held,
    mains,
    fuel,
    lastSampleMs: isSampleAhead ? undefined : model.lastSampleMs,
  };
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
  const load = typeof power.loadKw === "number" ? power.loadKw : -1;
  return withEntry(levels, [timeMs, Math.round(litres * 100) / 100, runsIn(power) ? 1 : 0, load]);
}

/** A set whose state nobody measures is taken to run when the mains are gone. */
function runsIn({ generator, mains }: NonNullable<Report["power"]>): boolean {
  return generator === "running" || (generator === "absent" && mains !== "present");
}

/** Another set, another tank: nothing of the one before it holds. `tank` is what was learned of the tank that stands here now. */
export function ofSet(model: PointModel, view: PointView, tank?: AssetModel): PointModel {
  const fuel = fuelOfSet(model.fuel, view.generator, tank);
  if (fuel === model.fuel) return model;
  const isSame = model.fuel === EMPTY_FUEL || isOfSet(model.fuel, view.generator);
  return { ...model, levels: isSame ? model.levels : [], fuel };
}

interface FuelSample {
  readonly levels: LevelSeries;
  readonly report: Report;
  readonly timeMs: number;
}

function fuelWith(fuel: FuelModel, view: PointView, { levels, report, timeMs }: FuelSample): FuelModel {
  const { power, battery, environment } = report;
  if (power === undefined && battery === undefined) return fuel;
  const runs = power === undefined ? undefined : runsIn(power);
  const pct = power?.fuelLevelPct;
  const tank = view.generator?.tank;
  const volts = battery?.batteryV;
  const amperes = battery?.batteryA;
  const hours = withHour(fuel.hours, {
    atMs: timeMs,
    // Beside the mains a set at rest says nothing of how it is used without them.
    runs: runs === true || power?.mains === "lost" ? runs : undefined,
    litres: tank === undefined || typeof pct !== "number" ? undefined : litresAt(tank, pct),
    loadKw:
      typeof power?.loadKw === "number" && (runs === true || power.mains === "present") ? power.loadKw : undefined,
    temperatureC: typeof environment?.temperatureC === "number" ? environment.temperatureC : undefined,
    drawW: typeof volts === "number" && typeof amperes === "number" ? -volts * amperes : undefined,
  });
  return withLevels({ ...fuel, hours }, levels, view, timeMs);
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

/** The model after a dip that a person told of: it corrects the tank's sensor, or stands for it where there is none. */
export function withDip(before: PointModel, view: PointView, dip: ToldDip): PointModel {
  const model = ofSet(before, view);
  const fuel = dipInto(model.fuel, view, model.levels, dip);
  return fuel === model.fuel ? model : { ...model, fuel };
}

/** The model after a delivery that a person told of, or confirmed. `entryId` names one that no sensor saw. */
export function withDelivery(before: PointModel, view: PointView, told: ToldDelivery, entryId: string): PointModel {
  const model = ofSet(before, view);
  return { ...model, fuel: deliveryInto(model.fuel, told, entryId) };
}

/** The model after a person said that a detected delivery was none. */
export function withoutDelivery(model: PointModel, deliveryId: string, told: ToldDelivery["told"]): PointModel {
  return { ...model, fuel: rejectedIn(model.fuel, deliveryId, told) };
}
