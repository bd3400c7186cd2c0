// The picture of one point for people: from what is known, at one moment.
import { type Field, GROUPS, type PointState, type Reading, type Tank } from "../../protocol/index.ts";
import type { AssetModel } from "./endurance/asset-model.ts";
import { usableKwh } from "./endurance/battery.ts";
import { doubtOf } from "./endurance/charge.ts";
import { deliveryState } from "./endurance/deliveries.ts";
import { calibrationOf, corrected, type Dip, dipsHere } from "./endurance/dips.ts";
import { estimateEndurance } from "./endurance/endurance.ts";
import { litresAt, usableLitres } from "./endurance/tank.ts";
import { toInstant } from "./instant.ts";
import { type PhaseNow, phaseNow } from "./lifecycle.ts";
import { blended } from "./manual/blend.ts";
import { minimumsOf } from "./minimum.ts";
import { crossReadings } from "./ownership.ts";
import { occupancyOf } from "./people/occupancy.ts";
import { ownersOf } from "./people/owners.ts";
import { capacityAt, type DeviceView, type PointView } from "./point.ts";
import { isBad, numberOf, ofSet, type PointModel, type ReadingState, wordOf } from "./point-model.ts";
import { CONCEPT_2026, type Profile } from "./profile.ts";

/** A reading is old after so many of its device's intervals. */
const STALE_INTERVALS = 3;
const STALE_GRACE_MS = 30_000;

export interface PointMoment {
  readonly nowMs: number;
  readonly targetMs: number;
  readonly devices: readonly DeviceView[];
  readonly contact: PointState["contact"];
  readonly priority: PointState["priority"];
  /** Norms; those of concept-2026 when left out. */
  readonly profile?: Profile;
  /** What was learned of the point's set, here and elsewhere. */
  readonly asset?: AssetModel | undefined;
  /** What was learned of its tank. */
  readonly tank?: AssetModel | undefined;
}

/** Readings whose end of range hides what lies beyond, with that range. */
const RANGES = new Map<string, { readonly min: number; readonly max: number }>();
/** Not the counter, which wraps, nor the state of charge, which ends at 100 by itself. */
const WATCHED = ["fuelLevelPct", "loadKw", "starterBatteryV", "batteryV", "batteryA", "occupancy", "temperatureC"];
for (const group of GROUPS) {
  for (const field of group.fields as readonly Field[]) {
    if ("words" in field || !WATCHED.includes(field.name)) continue;
    // Where zero is the end, zero is an everyday value.
    const min = field.base < 0 ? field.base / field.perUnit : Number.NEGATIVE_INFINITY;
    RANGES.set(`${group.name}.${field.name}`, { min, max: (field.rawMax + field.base) / field.perUnit });
  }
}

function isSaturated(name: string, value: number | string): boolean {
  const range = RANGES.get(name);
  return range !== undefined && typeof value === "number" && (value <= range.min || value >= range.max);
}

/** After how long something is old: what a device says, and what a person told. */
interface Ages {
  readonly nowMs: number;
  readonly staleMs: number;
  readonly toldStaleMs: number;
}

function qualityOf(name: string, reading: ReadingState, model: PointModel, ages: Ages): Reading["quality"] {
  if (isBad(model, name)) return "bad";
  if (reading.quality !== "synced") return reading.quality;
  const limitMs = reading.told === undefined ? ages.staleMs : ages.toldStaleMs;
  return ages.nowMs - reading.atMs > limitMs ? "stale" : "good";
}

function readingsOf(model: PointModel, ages: Ages): Reading[] {
  return Object.entries(model.readings).map(([name, reading]) => ({
    name,
    ...(reading.told === undefined ? { deviceId: reading.deviceId } : { told: reading.told }),
    value: reading.value,
    at: toInstant(reading.atMs),
    quality: qualityOf(name, reading, model, ages),
    ...(reading.told === undefined && isSaturated(name, reading.value) ? { saturated: true } : {}),
  }));
}

function mainsOf(model: PointModel): PointState["mains"] {
  const mains = wordOf(model, "power.mains");
  return mains === "present" || mains === "lost" ? mains : "unknown";
}

function sourceOf(model: PointModel, view: PointView): PointState["source"] {
  if (mainsOf(model) === "present") return "mains";
  const generator = wordOf(model, "power.generator");
  if (generator === "running" || generator === "cooling") return "generator";
  if (mainsOf(model) === "unknown") return "unknown";
  const amperes = numberOf(model, "battery.batteryA");
  if (view.battery !== undefined && (amperes === undefined || amperes < 0)) return "battery";
  if (view.generator === undefined && view.battery === undefined) return "none";
  return view.battery !== undefined
    ? "battery"
    : generator === "stopped" || generator === "failed"
      ? "none"
      : "unknown";
}

function fuelOf(model: PointModel, view: PointView): PointState["fuel"] {
  const { generator } = view;
  if (generator === undefined) return undefined;
  const { tank } = generator;
  const { dips } = model.fuel;
  const last = dips[dips.length - 1];
  const levelPct = numberOf(model, "power.fuelLevelPct");
  const seenL = levelPct === undefined ? undefined : litresAt(tank, levelPct);
  const at = model.readings["power.fuelLevelPct"]?.atMs;
  if (levelPct === undefined || seenL === undefined || at === undefined) {
    const here = dipsHere(dips).at(-1);
    return here === undefined ? undefined : toldFuel(tank, here);
  }
  const litres = corrected(calibrationOf(tank, dips, at), tank, seenL);
  return {
    levelPct: Math.round(levelPct * 100) / 100,
    litres: tenth(litres),
    usableL: tenth(usableLitres(tank, litres)),
    capacityL: tank.capacityL,
    at: toInstant(at),
    ...(last === undefined ? {} : { dip: dipState(tank, dips, last) }),
  };
}

/** What a stick said where no sensor says anything: as it was then. */
function toldFuel(tank: Tank, dip: Dip): NonNullable<PointState["fuel"]> {
  return {
    levelPct: tenth((100 * dip.litres) / tank.capacityL),
    litres: tenth(dip.litres),
    usableL: tenth(usableLitres(tank, dip.litres)),
    capacityL: tank.capacityL,
    at: toInstant(dip.atMs),
    told: { by: dip.by, via: dip.via },
    dip: { litres: tenth(dip.litres), at: toInstant(dip.atMs) },
  };
}

type DipState = NonNullable<NonNullable<PointState["fuel"]>["dip"]>;

/** The difference is that of the sensor as the dips before this one had corrected it. */
function dipState(tank: Tank, dips: readonly Dip[], last: Dip): DipState {
  const base = { litres: tenth(last.litres), at: toInstant(last.atMs) };
  if (last.sensorL === undefined) return base;
  const before = calibrationOf(tank, dips.slice(0, -1), last.atMs);
  return { ...base, sensorMoreL: tenth(corrected(before, tank, last.sensorL) - last.litres) };
}

function batteryOf(model: PointModel, view: PointView): PointState["battery"] {
  const charge = chargeOf(model, view);
  const at = model.readings["battery.stateOfChargePct"]?.atMs;
  if (view.battery === undefined || charge === undefined || at === undefined) return undefined;
  const { capacityKwh } = view.battery;
  return {
    stateOfChargePct: tenth(charge),
    usableKwh: tenth(usableKwh(view.battery, charge)),
    capacityKwh,
    at: toInstant(at),
  };
}

/** The state of charge that is believed: not a shunt's that was restarted. */
function chargeOf(model: PointModel, view: PointView): number | undefined {
  const told = numberOf(model, "battery.stateOfChargePct");
  if (view.battery === undefined || told === undefined) return told;
  return doubtOf(view.battery, model.currents, model.doubt)?.believedPct ?? told;
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

/** When the figures that count were taken: of a charge that was told that moment, else of the newest sample. */
function figuresMs(model: PointModel): number | undefined {
  const charge = model.readings["battery.stateOfChargePct"];
  return charge?.told === undefined ? model.lastSampleMs : charge.atMs;
}

/** What was told long ago is carried forward like what a device said that has fallen silent. */
function isToldOld(model: PointModel, { nowMs, profile = CONCEPT_2026 }: PointMoment): boolean {
  const dip = dipsHere(model.fuel.dips).at(-1);
  const isDipped = dip !== undefined && numberOf(model, "power.fuelLevelPct") === undefined;
  const isTold = isDipped || model.readings["battery.stateOfChargePct"]?.told !== undefined;
  const toldMs = isDipped ? dip.atMs : (figuresMs(model) ?? nowMs);
  return isTold && nowMs - toldMs > profile.toldStaleS * 1000;
}

/** Somebody may have been heard since, of something else: figures older than a device may be quiet for are carried forward all the same. */
function areFiguresOld(model: PointModel, { nowMs, devices, profile = CONCEPT_2026 }: PointMoment): boolean {
  const { intervals, graceS } = profile.silence;
  const quietS = devices.map(({ link, reportIntervalS }) => intervals[link] * reportIntervalS + graceS);
  return quietS.length > 0 && nowMs - (model.lastSampleMs ?? nowMs) > 1000 * Math.max(...quietS);
}

function enduranceOf(model: PointModel, view: PointView, moment: PointMoment): PointState["endurance"] {
  return estimateEndurance({
    nowMs: moment.nowMs,
    sampledMs: figuresMs(model),
    hasDevice: moment.devices.length > 0 || model.told.lastMs !== undefined,
    contactLost: moment.contact === "silent" || isToldOld(model, moment) || areFiguresOld(model, moment),
    mainsPresent: mainsOf(model) === "present",
    mainsLostMs: model.mainsLostMs,
    targetMs: mainsOf(model) === "present" ? Math.max(moment.targetMs, moment.nowMs) : moment.targetMs,
    generator: view.generator,
    generatorState: wordOf(model, "power.generator"),
    battery: view.battery,
    fuelLevelPct: numberOf(model, "power.fuelLevelPct"),
    fuelBad: isBad(model, "power.fuelLevelPct"),
    stateOfChargePct: chargeOf(model, view),
    batteryBad: isBad(model, "battery.stateOfChargePct"),
    levels: model.levels,
    currents: model.currents,
    fuel: model.fuel,
    asset: moment.asset,
  });
}

function phaseSinceOf({ sinceMs, deviceId, told }: PhaseNow): Pick<PointState, "phaseSince"> {
  if (sinceMs === undefined) return {};
  const source = { ...(deviceId === undefined ? {} : { deviceId }), ...(told === undefined ? {} : { told }) };
  return { phaseSince: { at: toInstant(sinceMs), ...source } };
}

/** Of a point without a device what was told says how old the picture is. */
function sampledMsOf(model: PointModel, hasDevice: boolean): number | undefined {
  const { lastSampleMs, told } = model;
  if (hasDevice || told.lastMs === undefined) return lastSampleMs;
  return Math.max(lastSampleMs ?? 0, told.lastMs);
}

export function pointState(measured: PointModel, view: PointView, moment: PointMoment): PointState {
  const { nowMs, profile = CONCEPT_2026 } = moment;
  const model = blended(ofSet(measured, view, moment.tank));
  const hasDevice = moment.devices.length > 0;
  const intervalMs = Math.max(60, ...moment.devices.map((device) => device.reportIntervalS)) * 1000;
  const staleMs = STALE_INTERVALS * intervalMs + STALE_GRACE_MS;
  const heardMs = Math.max(model.lastReceivedMs ?? 0, model.told.lastMs ?? 0) || undefined;
  const phase = phaseNow(model.lifecycle, { nowMs, hasDevice, heardMs, norms: profile.lifecycle });
  const capacity = capacityAt(view, nowMs);
  const fuel = fuelOf(model, view);
  const battery = batteryOf(model, view);
  const sampledMs = sampledMsOf(model, hasDevice);
  const occupancy = occupancyOf(model.people, {
    ...{ nowMs, staleMs, capacity, phase: phase.phase, norms: profile.people },
    ...ownersOf(model.people, moment.devices, view.groupOwners?.occupancy),
  });
  const endurance = enduranceOf(model, view, moment);
  const crosses = crossReadings(model, view.groupOwners, { nowMs, staleMs, devices: moment.devices });
  return {
    pointId: view.pointId,
    name: view.name,
    kind: view.kind,
    municipality: view.municipality,
    region: view.region,
    coordination: view.coordination,
    location: view.location,
    phase: phase.phase,
    ...phaseSinceOf(phase),
    contact: moment.contact,
    ...(model.lastReceivedMs === undefined ? {} : { lastReceivedAt: toInstant(model.lastReceivedMs) }),
    ...(sampledMs === undefined ? {} : { lastSampleAt: toInstant(sampledMs) }),
    mains: mainsOf(model),
    ...(model.mainsLostMs === undefined ? {} : { mainsLostAt: toInstant(model.mainsLostMs) }),
    source: sourceOf(model, view),
    generator: wordOf(model, "power.generator"),
    ...(fuel === undefined ? {} : { fuel }),
    ...(battery === undefined ? {} : { battery }),
    endurance,
    ...(occupancy === undefined ? {} : { occupancy }),
    ...(capacity === undefined ? {} : { capacity }),
    ...(view.organisation === undefined ? {} : { organisation: view.organisation }),
    ...(view.fuelPriority === undefined ? {} : { fuelPriority: view.fuelPriority }),
    ...(view.minimums === undefined
      ? {}
      : { minimums: minimumsOf(view.minimums, model, { endurance, fuel, battery, norms: profile.norms }) }),
    ...(model.fuel.deliveries.length === 0 ? {} : { deliveries: model.fuel.deliveries.map(deliveryState) }),
    priority: moment.priority,
    readings: [...readingsOf(model, { nowMs, staleMs, toldStaleMs: profile.toldStaleS * 1000 }), ...crosses],
    updatedAt: toInstant(nowMs),
  };
}
