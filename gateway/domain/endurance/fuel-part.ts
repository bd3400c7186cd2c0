// The fuel that a point can still burn: by the sensor and what dips say of it, or by what a person told.
import type { Endurance } from "../../../protocol/index.ts";
import type { Generator } from "../point.ts";
import { type Rate, type RateOptions, rateOf } from "./consumption.ts";
import { calibrationOf, corrected, sigmaAt } from "./dips.ts";
import type { EnduranceInput } from "./endurance.ts";
import type { FuelModel } from "./fuel-model.ts";
import { HOUR_MS } from "./hours.ts";
import { type Entry, median } from "./series.ts";
import type { Part } from "./source.ts";
import { litresAt, usableLitres } from "./tank.ts";
import { toldLitres } from "./told.ts";

/** A level without any dip is known within this share of the tank: sensor, table, tilt. */
const LEVEL_SIGMA_SHARE = 0.015;
const LEVEL_SIGMA_SHARE_MIN = 0.006;
/** Levels of the last half hour still one that sloshes. */
const STILL_MS = HOUR_MS / 2;
const STILL_ENTRIES = 10;
/** A level that is further away from them than so many times its noise counts as it is. */
const STILL_NOISES = 2.5;
const STILL_WEIGHT = 0.8;

/** Load rhythms of hours that were not seen, as far as a set drinks by them. */
const UNSEEN_SPREAD = 0.2;

type Method = Extract<Endurance, { kind: "estimate" }>["method"];

export function fuelPart(
  input: EnduranceInput & { readonly fuel: FuelModel },
  atMs: number,
): { readonly part: Part; readonly method: Method } {
  const { generator, fuel } = input;
  // A set that failed gives nothing, whatever is in its tank.
  if (generator === undefined || input.generatorState === "none" || input.generatorState === "failed") {
    return { part: "no-source", method: "rated" };
  }
  const cycles = input.battery !== undefined && !input.mainsPresent;
  const options: RateOptions = {
    atMs,
    cycles,
    fuel,
    ...(input.asset === undefined ? {} : { pieces: input.asset.pieces }),
  };
  const rate = rateOf(generator, input.levels, options);
  const litres = input.fuelLevelPct === undefined ? undefined : litresAt(generator.tank, input.fuelLevelPct);
  if (litres !== undefined) return { part: measured(input, generator, rate, { litres, atMs }), method: rate.method };
  const part = told(input, generator, rate, atMs);
  return {
    part: part ?? (input.fuelBad || input.fuelLevelPct !== undefined ? "bad-sensor" : "no-data"),
    method: "told",
  };
}

function measured(
  { fuel, levels }: EnduranceInput & { readonly fuel: FuelModel },
  generator: Generator,
  rate: Rate,
  { litres, atMs }: { readonly litres: number; readonly atMs: number },
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
    sigmaAmount: sigmaL,
    spread: Math.hypot(rate.sigma / rate.litresPerH, rate.dutySigma),
    ahead: factor === 1 ? rate.ahead : rate.ahead.map((one) => one * factor),
    seenH: rate.seenH,
    unseenSpread: UNSEEN_SPREAD,
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
  atMs: number,
): Part | undefined {
  const { fuel } = input;
  const runsSinceMs = input.mainsPresent ? undefined : (input.mainsLostMs ?? 0);
  const found = toldLitres({ generator, ...fuel, thirst: rate.thirst, atMs, runsSinceMs });
  if (found === undefined) return undefined;
  return {
    amount: usableLitres(generator.tank, found.litres),
    sigmaAmount: found.sigmaL,
    spread: Math.hypot(rate.sigma / rate.litresPerH, rate.dutySigma),
    ahead: rate.ahead,
    seenH: rate.seenH,
    unseenSpread: UNSEEN_SPREAD,
    perH: rate.litresPerH * rate.duty,
  };
}
