// The fuel that a point can still burn: by the sensor and what dips say of it, or by what a person told.
import type { Endurance } from "../../../protocol/index.ts";
import type { Generator } from "../point.ts";
import { type Rate, rateOf } from "./consumption.ts";
import { calibrationOf, corrected, type Dip, dipsHere, sigmaAt } from "./dips.ts";
import { type EnduranceInput, outageHourOf } from "./endurance.ts";
import type { FuelModel } from "./fuel-model.ts";
import { HOUR_MS } from "./hours.ts";
import { fillingAt } from "./rhythm.ts";
import { type Entry, median } from "./series.ts";
import type { Part } from "./source.ts";
import { litresAt, usableLitres } from "./tank.ts";
import { toldLitres } from "./told.ts";

/** A level without any dip is known within this share of the tank: sensor, table, tilt. */
const LEVEL_SIGMA_SHARE = 0.018;
const LEVEL_SIGMA_SHARE_MIN = 0.006;
/** Levels of the last half hour still one that sloshes. */
const STILL_MS = HOUR_MS / 2;
const STILL_ENTRIES = 10;
/** A level that is further away from them than so many times its noise counts as it is. */
const STILL_NOISES = 2.5;
const STILL_WEIGHT = 0.8;

type Method = Extract<Endurance, { kind: "estimate" }>["method"];

/** A level older than this says nothing of a tank whose sensor is gone, and what was told longer ago is carried forward. */
const CARRIED_MS_MAX = 12 * HOUR_MS;

export interface FuelFound {
  readonly part: Part;
  readonly method: Method;
  /** The level is not measured now: it is carried forward from what was known. */
  readonly isCarried: boolean;
}

export function fuelPart(input: EnduranceInput & { readonly fuel: FuelModel }, atMs: number): FuelFound {
  const { generator, fuel } = input;
  // A set that failed gives nothing, whatever is in its tank.
  if (generator === undefined || input.generatorState === "none" || input.generatorState === "failed") {
    return { part: "no-source", method: "rated", isCarried: false };
  }
  const cycles = input.battery !== undefined && !input.mainsPresent;
  const pieces = input.asset === undefined ? {} : { pieces: input.asset.pieces };
  const outageHour = outageHourOf(input, atMs);
  const rate = rateOf(generator, input.levels, { atMs, cycles, fuel, outageHour, ...pieces });
  const filling = rate.method === "rated" ? 0 : fillingAt(atMs / HOUR_MS, outageHour);
  const litres = input.fuelLevelPct === undefined ? undefined : litresAt(generator.tank, input.fuelLevelPct);
  if (litres !== undefined) {
    const part = measured(input, generator, rate, { litres, atMs, filling });
    return { part, method: rate.method, isCarried: false };
  }
  const carried = told(input, generator, rate, { atMs, filling, outageHour });
  if (carried !== undefined) return carried;
  const isBad = input.fuelBad || input.fuelLevelPct !== undefined;
  return { part: isBad ? "bad-sensor" : "no-data", method: "told", isCarried: false };
}

function measured(
  { fuel, levels }: EnduranceInput & { readonly fuel: FuelModel },
  generator: Generator,
  rate: Rate,
  { litres, atMs, filling }: { readonly litres: number; readonly atMs: number; readonly filling: number },
): Part {
  const { tank } = generator;
  const still = stilled(levels, litres, rate, atMs);
  const calibration = calibrationOf(tank, fuel.dips, atMs);
  const true50 = corrected(calibration, tank, still);
  const sigmaL =
    calibration.dips === 0
      ? LEVEL_SIGMA_SHARE * tank.capacityL
      : Math.max(LEVEL_SIGMA_SHARE_MIN * tank.capacityL, sigmaAt(calibration, still));
  // Rates were seen on the same table: they are off by the same factor.
  const factor = calibration.dips === 0 ? 1 : calibration.scale;
  return {
    amount: usableLitres(tank, true50),
    sigmaAmount: Math.hypot(sigmaL, deadSigma(generator)),
    spread: Math.hypot(rate.sigma / rate.litresPerH, rate.dutySigma),
    ahead: factor === 1 ? rate.ahead : rate.ahead.map((one) => one * factor),
    seenH: rate.seenH,
    swing: 1,
    filling,
    perH: rate.litresPerH * rate.duty * factor,
  };
}

/** The level with what those before it say of it. Rises with the level. */
function stilled(levels: readonly Entry[], litres: number, rate: Rate, atMs: number): number {
  const expected: number[] = [];
  for (let i = levels.length - 1; i >= 0 && expected.length < STILL_ENTRIES; i--) {
    const entry = levels[i] as Entry;
    if (entry[0] > atMs) continue;
    if (atMs - entry[0] > STILL_MS) break;
    const burnt = entry[2] === 1 ? (rate.litresPerH * (atMs - entry[0])) / HOUR_MS : 0;
    expected.push((entry[1] as number) - burnt);
  }
  if (expected.length < 3) return litres;
  const most = STILL_NOISES * rate.noiseL;
  const away = median(expected) - litres;
  return Math.max(0, litres + STILL_WEIGHT * Math.min(most, Math.max(-most, away)));
}

function told(
  input: EnduranceInput & { readonly fuel: FuelModel },
  generator: Generator,
  rate: Rate,
  given: { readonly atMs: number; readonly filling: number; readonly outageHour: number | undefined },
): Pick<FuelFound, "part" | "method" | "isCarried"> | undefined {
  const { fuel, levels } = input;
  const { atMs, filling, outageHour } = given;
  const lostMs = outageHour === undefined ? (input.mainsLostMs ?? 0) : outageHour * HOUR_MS;
  const runsSinceMs = input.mainsPresent ? undefined : lostMs;
  const last = input.fuelBad ? levels[levels.length - 1] : undefined;
  const dips: Dip[] = [...dipsHere(fuel.dips)];
  const isLevel =
    last !== undefined && atMs - last[0] <= CARRIED_MS_MAX && last[0] > (dips[dips.length - 1]?.atMs ?? 0);
  // The last good level of a sensor that is gone counts as a dip that nobody took.
  if (isLevel) {
    const litres = corrected(calibrationOf(generator.tank, fuel.dips, atMs), generator.tank, last[1] as number);
    dips.push({ atMs: last[0], litres, by: "sensor", via: "screen" });
  }
  const found = toldLitres({ generator, ...fuel, dips, thirst: rate.thirst, atMs, runsSinceMs });
  if (found === undefined) return undefined;
  const part: Part = {
    amount: usableLitres(generator.tank, found.litres),
    sigmaAmount: Math.hypot(found.sigmaL, deadSigma(generator)),
    spread: Math.hypot(rate.sigma / rate.litresPerH, rate.dutySigma),
    ahead: rate.ahead,
    seenH: rate.seenH,
    swing: 1,
    filling,
    perH: rate.litresPerH * rate.duty,
  };
  const isOld = atMs - found.dip.atMs > CARRIED_MS_MAX;
  return { part, method: isLevel ? rate.method : "told", isCarried: isLevel || isOld };
}

/** What lies under the suction pipe is a guess, also where it was written down. */
function deadSigma({ tank }: Generator): number {
  return tank.deadVolumeL === undefined ? DEAD_SIGMA_SHARE * tank.capacityL : DEAD_SAID_SIGMA * tank.deadVolumeL;
}

const DEAD_SIGMA_SHARE = 0.03;
const DEAD_SAID_SIGMA = 0.2;
