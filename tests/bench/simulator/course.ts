// The course of one point, minute by minute, from before the outage until it is truly empty.
import { type AccumulatorTruth, takenShare } from "./accumulator.ts";
import { litresPerHour, ranFor, type SetState, type SetTruth } from "./consumption.ts";
import { type LoadTruth, loadAt, temperatureAt, type WeatherTruth } from "./load.ts";
import type { TankShape } from "./tank.ts";

export const STEP_H = 1 / 60;

export interface FuelTruth {
  readonly shape: TankShape;
  readonly capacityL: number;
  readonly deadL: number;
  readonly startL: number;
}

/** Inside a heated house. */
const INSIDE_C = 18;

export interface PlantTruth {
  readonly load: LoadTruth;
  readonly weather: WeatherTruth;
  readonly set: SetTruth | undefined;
  readonly fuel: FuelTruth | undefined;
  readonly battery:
    | (AccumulatorTruth & {
        readonly startCharge: number;
        readonly floor: number;
        /** How far it stands inside: 0 in the open … 1 in a heated room. */
        readonly shelter: number;
      })
    | undefined;
  /** Beside a battery the set starts and stops by itself at these charges. */
  readonly cycle: { readonly startAt: number; readonly stopAt: number; readonly chargeKw: number } | undefined;
  /** Hours after the beginning at which the tank is filled to a share. */
  readonly deliveries: readonly { readonly atH: number; readonly toShare: number }[];
  /** The set runs under part of the load so long before the mains fail. */
  readonly testRun: { readonly fromH: number; readonly hours: number; readonly share: number } | undefined;
}

export interface Moment {
  readonly hour: number;
  readonly mains: boolean;
  readonly isRunning: boolean;
  /** The set found no fuel. */
  readonly isDry: boolean;
  readonly litres: number;
  /** Share of the true capacity. */
  readonly charge: number;
  readonly loadKw: number;
  /** kW that the set gives. */
  readonly setKw: number;
  /** kW out of the battery; minus is into it. */
  readonly batteryKw: number;
  readonly temperatureC: number;
  readonly isEmpty: boolean;
  /** Sums since the beginning. */
  readonly burntL: number;
  readonly deliveredL: number;
}

export interface Course {
  moment(): Moment;
  /** One minute on. */
  step(): Moment;
}

/** `deliveries`: the first so many are made. */
export function createCourse(plant: PlantTruth, fromH: number, deliveries = plant.deliveries.length): Course {
  const { set, fuel, battery, cycle } = plant;
  const due = plant.deliveries.slice(0, deliveries);
  let minute = Math.round(fromH / STEP_H);
  let state: SetState = { soot: 0, ranH: 0 };
  let litres = fuel?.startL ?? 0;
  let charge = battery?.startCharge ?? 0;
  let isRunning = false;
  let burntL = 0;
  let deliveredL = 0;
  let now = momentAt();

  function deliver(hour: number): void {
    for (const { atH, toShare } of due) {
      if (fuel === undefined || Math.abs(hour - atH) >= STEP_H / 2) continue;
      const more = Math.max(0, toShare * fuel.capacityL - litres);
      litres += more;
      deliveredL += more;
    }
  }

  function runs(hasFuel: boolean, isTest: boolean, mains: boolean): boolean {
    if (set === undefined || !hasFuel) return false;
    if (mains) return isTest;
    if (cycle === undefined) return true;
    return isRunning ? charge < cycle.stopAt : charge <= cycle.startAt;
  }

  function momentAt(): Moment {
    const hour = minute * STEP_H;
    const mains = hour < 0;
    deliver(hour);
    const clockH = (((plant.load.startClockH + hour) % 24) + 24) % 24;
    const temperatureC = temperatureAt(plant.weather, hour, clockH);
    const loadKw = loadAt(plant.load, hour, temperatureC);
    const { testRun } = plant;
    const isTest = testRun !== undefined && hour >= testRun.fromH && hour < testRun.fromH + testRun.hours;
    const hasFuel = litres > (fuel?.deadL ?? 0);
    isRunning = runs(hasFuel, isTest, mains);
    const chargingKw = isRunning && !mains && cycle !== undefined ? cycle.chargeKw : 0;
    const setKw = !isRunning ? 0 : mains ? loadKw * (testRun?.share ?? 1) : loadKw + chargingKw;
    const fromBattery = mains || battery === undefined ? 0 : isRunning ? -chargingKw : loadKw / battery.inverterShare;
    const hasCharge = battery !== undefined && charge > battery.floor;
    const isEmpty = !mains && !hasFuel && !hasCharge;
    return {
      hour,
      mains,
      isRunning,
      isDry: set !== undefined && !hasFuel,
      litres,
      charge,
      loadKw,
      setKw,
      batteryKw: fromBattery,
      temperatureC,
      isEmpty,
      burntL,
      deliveredL,
    };
  }

  function pass(): void {
    if (set !== undefined && now.isRunning) {
      const litresNow = Math.min(litres, litresPerHour(set, state, now.setKw, now.temperatureC) * STEP_H);
      litres -= litresNow;
      burntL += litresNow;
      state = ranFor(set, state, now.setKw, STEP_H);
    }
    if (battery !== undefined && now.batteryKw !== 0) {
      const roomC = now.temperatureC + battery.shelter * (INSIDE_C - now.temperatureC);
      const taken = takenShare(battery, now.batteryKw, STEP_H, roomC);
      charge = Math.min(1, Math.max(0, charge - taken));
    }
  }

  return {
    moment: () => now,
    step() {
      pass();
      minute++;
      now = momentAt();
      return now;
    },
  };
}

/** Hours from the beginning until the point is empty when only the first `deliveries` are made; undefined beyond `maxH`. */
export function emptyAfterH(plant: PlantTruth, fromH: number, deliveries: number, maxH: number): number | undefined {
  const course = createCourse(plant, fromH, deliveries);
  for (let now = course.moment(); now.hour <= maxH; now = course.step()) if (now.isEmpty) return now.hour;
  return undefined;
}
