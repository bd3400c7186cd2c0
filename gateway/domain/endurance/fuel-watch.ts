// Fuel that goes where it should not: out of a tank at rest, slowly or at once, or faster than the set can drink.
import type { Generator } from "../point.ts";
import { type LevelSeries, noiseOf } from "./consumption.ts";
import type { FuelModel } from "./fuel-model.ts";
import { HOUR, HOUR_MS, type Hour, litresOf, meanOf, RAN, TEMPERATURE_SUM, TEMPERATURES } from "./hours.ts";
import { type Entry, median, robustSlope, since } from "./series.ts";
import { type Piece, piecesOf, rateAt, thirstOf } from "./thirst.ts";

/** A loss: more than three times the noise, 2 % of the tank and 5 litres, within half an hour, seen three times. */
const LOSS_NOISES = 3;
const LOSS_SHARE = 0.02;
const LOSS_L_MIN = 5;
const LOSS_MS = HOUR_MS / 2;
const LOSS_SEEN = 3;
/** It is told of for so long. */
const LOSS_HELD_MS = 6 * HOUR_MS;
/** A leak: 0.3 litres an hour over half a day at rest, as it would be at one temperature. */
const LEAK_L_PER_H = 0.3;
const LEAK_HOURS = 12;
/** Diesel grows by so much of itself for each °C. */
const EXPANSION_PER_C = 0.00083;
/** Overuse: half as much again as the model, over three quarters of an hour. */
const OVERUSE_FACTOR = 1.5;
const OVERUSE_MS = 45 * 60_000;
const OVERUSE_ENTRIES_MIN = 4;
/** What is known of a set leaves the hours out in which it may drink too much. */
const KNOWN_BEFORE_H = 3;
const LEARNED_H = 6;

/** Litres that left a tank at rest; undefined when none did. */
export function lossOf(levels: LevelSeries, capacityL: number, nowMs: number): number | undefined {
  const recent = since(levels, nowMs, LOSS_HELD_MS);
  const at = (i: number) => recent[i] as Entry;
  const least = Math.max(LOSS_NOISES * noiseOf(recent, capacityL), LOSS_SHARE * capacityL, LOSS_L_MIN);
  for (let end = recent.length - LOSS_SEEN; end > 1; end--) {
    if (at(end)[2] === 1) continue;
    for (let from = end - 1; from > 0 && at(end)[0] - at(from)[0] <= LOSS_MS && at(from)[2] === 0; from--) {
      // A set that has just stopped lets its tank settle, and its return line runs back.
      if (at(from - 1)[2] === 1) break;
      const fell = (at(from)[1] as number) - Math.max(...recent.slice(end, end + LOSS_SEEN).map((e) => e[1] as number));
      const isLasting = (at(recent.length - 1)[1] as number) <= (at(from)[1] as number) - least;
      const isAtRest = recent.slice(end, end + LOSS_SEEN).every((entry) => entry[2] === 0);
      if (fell > least && isLasting && isAtRest) return fell;
    }
  }
  return undefined;
}

/** Litres an hour that seep from a tank at rest; undefined when none do. */
export function leakOf(fuel: FuelModel): number | undefined {
  const rows = fuel.hours.slice(-LEAK_HOURS - 1, -1);
  const first = rows[0];
  if (rows.length < LEAK_HOURS || first === undefined) return undefined;
  if (rows.some((row, i) => row[HOUR] !== (first[HOUR] as number) + i || (row[RAN] as number) > 0)) return undefined;
  const startMs = (first[HOUR] as number) * HOUR_MS;
  if (fuel.deliveries.some((one) => one.untilMs >= startMs)) return undefined;
  const warmth = (row: Hour) => meanOf(row, TEMPERATURE_SUM, TEMPERATURES, 2);
  const usual = warmth(first);
  const points = rows.flatMap((row, i): [number, number][] => {
    const litres = litresOf(row);
    const above = usual === undefined ? 0 : (warmth(row) ?? usual) - usual;
    return litres === undefined ? [] : [[i, litres * (1 - EXPANSION_PER_C * above)]];
  });
  if (points.length < LEAK_HOURS) return undefined;
  const fit = robustSlope(points);
  return fit !== undefined && -fit.slope > LEAK_L_PER_H + 3 * fit.sigma ? -fit.slope : undefined;
}

export interface Overuse {
  readonly measuredLPerH: number;
  readonly expectedLPerH: number;
}

/** How much a running set drinks more than what is known of it; undefined when it does not. */
export function overuseOf(
  generator: Generator,
  levels: LevelSeries,
  fuel: FuelModel,
  { pieces, nowMs }: { readonly pieces: readonly Piece[]; readonly nowMs: number },
): Overuse | undefined {
  const recent = since(levels, nowMs, OVERUSE_MS);
  const [first, last] = [recent[0], recent[recent.length - 1]];
  if (recent.length < OVERUSE_ENTRIES_MIN || first === undefined || last === undefined) return undefined;
  if (recent.some((entry) => entry[2] !== 1) || last[0] - first[0] < OVERUSE_MS / 2) return undefined;
  const loads = recent.flatMap((entry) => ((entry[3] as number) >= 0 ? [entry[3] as number] : []));
  const knowsLoad = loads.length > 0;
  const expectedLPerH = expectedOf(generator, { fuel, pieces, nowMs, loadKw: knowsLoad ? median(loads) : undefined });
  const hours = (entry: Entry) => (entry[0] - first[0]) / HOUR_MS;
  // Mostly it is not so, and the ends of the window say it.
  const ends = ((first[1] as number) - (last[1] as number)) / hours(last);
  if (ends < OVERUSE_FACTOR * expectedLPerH) return undefined;
  const fit = robustSlope(recent.map((entry) => [hours(entry), entry[1] as number] as const));
  if (fit === undefined) return undefined;
  const noise = noiseOf(levels, generator.tank.capacityL) / hours(last);
  const measuredLPerH = -fit.slope;
  return measuredLPerH - 2 * Math.max(fit.sigma, noise) > OVERUSE_FACTOR * expectedLPerH
    ? { measuredLPerH, expectedLPerH }
    : undefined;
}

function expectedOf(
  generator: Generator,
  given: {
    readonly fuel: FuelModel;
    readonly pieces: readonly Piece[];
    readonly nowMs: number;
    readonly loadKw: number | undefined;
  },
): number {
  const { fuel, nowMs, loadKw } = given;
  const knowsLoad = loadKw !== undefined;
  const own = piecesOf(fuel.hours, {
    cutsMs: fuel.deliveries.map((one) => one.atMs),
    noiseL: 0,
    capacityL: generator.tank.capacityL,
  });
  const firstHour = own[0]?.[0] ?? Number.POSITIVE_INFINITY;
  const before = [...given.pieces.filter((one) => one[0] < firstHour), ...own].filter((piece) => {
    return piece[0] + piece[1] < nowMs / HOUR_MS - KNOWN_BEFORE_H;
  });
  const thirst = thirstOf(generator, before, { knowsLoad, atMs: nowMs });
  // A load that nobody knows may be the whole rating, until the set was seen for a while.
  const kw = loadKw ?? generator.ratedKw * (thirst.learnedH >= LEARNED_H ? 0.5 : 1);
  return rateAt(generator, thirst, kw).perH;
}
