// How long a point can go on, as a range of hours with the way it was reached; and no number where there is no honest one.
import type { Endurance } from "../../protocol/index.ts";
import { type BatterySeries, drawOf, usableKwh } from "./battery.ts";
import { type LevelSeries, rateOf } from "./consumption.ts";
import { toInstant } from "./instant.ts";
import type { Battery, Generator } from "./point.ts";
import { litresAt, usableLitres } from "./tank.ts";

const HOUR_MS = 3_600_000;
/** The 10 % and 90 % points of a standard normal. */
const Z90 = 1.2816;
/** The level is known within this share of the tank: sensor, table, tilt. */
const LEVEL_SIGMA_SHARE = 0.015;
/** Beyond three weeks a number says no more than 'long'. */
export const HOURS_MAX = 500;

export interface EnduranceInput {
  readonly nowMs: number;
  /** When the figures were taken; older figures are carried forward. */
  readonly sampledMs: number | undefined;
  readonly hasDevice: boolean;
  readonly contactLost: boolean;
  readonly mainsPresent: boolean;
  /** When 72 hours without mains are over. */
  readonly targetMs: number;
  readonly generator: Generator | undefined;
  readonly generatorState: string;
  readonly battery: Battery | undefined;
  /** Percent of the sensor's span; undefined with `fuelBad` when the sensor is the reason. */
  readonly fuelLevelPct: number | undefined;
  readonly fuelBad: boolean;
  readonly stateOfChargePct: number | undefined;
  readonly batteryBad: boolean;
  readonly levels: LevelSeries;
  readonly currents: BatterySeries;
}

/** Hours of one source: the middle and its relative spread. */
interface Source {
  readonly hours: number;
  readonly spread: number;
  readonly ratePerH: number;
}

type Part = Source | "no-source" | "no-data" | "too-early" | "bad-sensor";
type Method = Extract<Endurance, { kind: "estimate" }>["method"];

export function estimateEndurance(input: EnduranceInput): Endurance {
  const none = (reason: Extract<Endurance, { kind: "none" }>["reason"]): Endurance => {
    return { kind: "none", reason, asOf: toInstant(input.sampledMs ?? input.nowMs) };
  };
  if (!input.hasDevice) return none("no-device");
  if (input.sampledMs === undefined) return none("no-data");
  const { part: fuel, method } = fuelHours(input, input.sampledMs);
  const battery = batteryHours(input, input.sampledMs);
  const known = [fuel, battery].filter((part): part is Source => typeof part !== "string");
  if (known.length === 0) {
    const parts = [fuel, battery];
    if (parts.includes("bad-sensor")) return none("bad-sensor");
    if (parts.includes("too-early")) return none("too-early");
    return none(parts.includes("no-data") ? "no-data" : "no-backup");
  }
  return assemble(input, { fuel, battery, known, method: typeof fuel === "string" ? "battery" : method });
}

function fuelHours(input: EnduranceInput, sampledMs: number): { part: Part; method: Method } {
  const { generator } = input;
  const without = (part: Part) => ({ part, method: "rated" as const });
  // A set that failed gives nothing, whatever is in its tank.
  if (generator === undefined || input.generatorState === "none" || input.generatorState === "failed") {
    return without("no-source");
  }
  if (input.fuelLevelPct === undefined) return without(input.fuelBad ? "bad-sensor" : "no-data");
  const litres = litresAt(generator.tank, input.fuelLevelPct);
  if (litres === undefined) return without("bad-sensor");
  const usable = usableLitres(generator.tank, litres);
  const cycles = input.battery !== undefined && !input.mainsPresent;
  const rate = rateOf(generator, input.levels, { atMs: sampledMs, cycles });
  const perH = rate.litresPerH * rate.duty;
  const levelSigma = LEVEL_SIGMA_SHARE * generator.tank.capacityL;
  const spread = Math.hypot(rate.sigma / rate.litresPerH, usable > 0 ? Math.min(1, levelSigma / usable) : 0);
  return { part: { hours: Math.min(HOURS_MAX, usable / perH), spread, ratePerH: perH }, method: rate.method };
}

function batteryHours(input: EnduranceInput, sampledMs: number): Part {
  const { battery } = input;
  if (battery === undefined) return "no-source";
  if (input.stateOfChargePct === undefined) return input.batteryBad ? "bad-sensor" : "no-data";
  const kWh = usableKwh(battery, input.stateOfChargePct);
  const draw = drawOf(battery, input.currents, sampledMs);
  // Empty is empty, whatever is drawn of it.
  if (kWh <= 0 && !input.mainsPresent) return { hours: 0, spread: 0, ratePerH: draw?.kw ?? 0 };
  if (draw === undefined) return "too-early";
  // Nothing is drawn: no rate, so no hours.
  if (draw.kw <= 0) return "too-early";
  return { hours: Math.min(HOURS_MAX, kWh / draw.kw), spread: draw.sigma / draw.kw, ratePerH: draw.kw };
}

interface Assembly {
  readonly fuel: Part;
  readonly battery: Part;
  readonly known: readonly Source[];
  readonly method: Method;
}

function assemble(input: EnduranceInput, parts: Assembly): Endurance {
  const sampledMs = input.sampledMs ?? input.nowMs;
  const elapsedH = Math.max(0, (input.nowMs - sampledMs) / HOUR_MS);
  const total = parts.known.reduce((sum, part) => sum + part.hours, 0);
  const spread = total > 0 ? Math.sqrt(parts.known.reduce((sum, p) => sum + (p.hours * p.spread) ** 2, 0)) / total : 0;
  // Times are log-normal: never negative, and a late end is likelier than an early one by the same factor.
  const at = (z: number) => Math.max(0, Math.min(HOURS_MAX, total * Math.exp(z * Math.min(spread, 1))) - elapsedH);
  const [p10H, p50H, p90H] = [at(-Z90), at(0), at(Z90)];
  const wantedH = (input.targetMs - input.nowMs) / HOUR_MS;
  const fuel = typeof parts.fuel === "string" ? undefined : parts.fuel;
  const battery = typeof parts.battery === "string" ? undefined : parts.battery;
  const shortH = wantedH - p50H;
  const emptyAt = (hours: number) => toInstant(input.nowMs + hours * HOUR_MS);
  return {
    kind: "estimate",
    method: parts.method,
    limitedBy: fuel !== undefined && battery !== undefined ? "both" : fuel !== undefined ? "fuel" : "battery",
    p10H: round(p10H),
    p50H: round(p50H),
    p90H: round(p90H),
    emptyAt: emptyAt(p50H),
    emptyEarliestAt: emptyAt(p10H),
    emptyLatestAt: emptyAt(p90H),
    reaches72h: p10H >= wantedH ? "yes" : p90H < wantedH ? "no" : "uncertain",
    ...(shortH > 0 ? { shortage: shortage(shortH, fuel, battery) } : {}),
    ...(fuel === undefined ? {} : { rateLPerH: round(fuel.ratePerH) }),
    ...(battery === undefined ? {} : { rateKw: round(battery.ratePerH) }),
    carriedForward: input.contactLost,
    hypothetical: input.mainsPresent,
    asOf: toInstant(sampledMs),
  };
}

function shortage(hours: number, fuel: Source | undefined, battery: Source | undefined) {
  if (fuel !== undefined) return { hours: round(hours), litres: Math.ceil(round(hours * fuel.ratePerH)) };
  return { hours: round(hours), kWh: round(hours * (battery?.ratePerH ?? 0)) };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
