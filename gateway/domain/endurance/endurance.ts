// How long a point can go on, as a range of hours with the way it was reached; and no number where there is no honest one.
import type { Endurance } from "../../../protocol/index.ts";
import { toInstant } from "../instant.ts";
import type { Battery, Generator } from "../point.ts";
import type { AssetModel } from "./asset-model.ts";
import { type BatterySeries, drawOf, usableKwh } from "./battery.ts";
import type { LevelSeries } from "./consumption.ts";
import { dipsHere } from "./dips.ts";
import { EMPTY_FUEL, type FuelModel } from "./fuel-model.ts";
import { fuelPart } from "./fuel-part.ts";
import { HOUR, HOUR_MS, type Hour, KNOWN } from "./hours.ts";
import { fillingAt } from "./rhythm.ts";
import { type Part, type Source, sourceHours } from "./source.ts";

export { HOURS_MAX } from "./source.ts";

export interface EnduranceInput {
  readonly nowMs: number;
  /** When the figures were taken; older figures are carried forward. */
  readonly sampledMs: number | undefined;
  readonly hasDevice: boolean;
  readonly contactLost: boolean;
  readonly mainsPresent: boolean;
  readonly mainsLostMs?: number | undefined;
  /** When 72 hours without mains are over. */
  readonly targetMs: number;
  readonly generator: Generator | undefined;
  readonly generatorState: string;
  readonly battery: Battery | undefined;
  /** Percent of the sensor's span; undefined with `fuelBad` when the sensor is the reason. */
  readonly fuelLevelPct: number | undefined;
  readonly fuelBad: boolean;
  /** As believed: not what a shunt says that was restarted. */
  readonly stateOfChargePct: number | undefined;
  readonly batteryBad: boolean;
  readonly levels: LevelSeries;
  readonly currents: BatterySeries;
  readonly fuel?: FuelModel;
  /** What was learned of the set, here and elsewhere. */
  readonly asset?: AssetModel | undefined;
}

type Reason = Extract<Endurance, { kind: "none" }>["reason"];
type Method = Extract<Endurance, { kind: "estimate" }>["method"];

/** Reasons for no number, the one that says most first. A battery that is being filled will have a rate when it gives. */
const REASONS: readonly (Reason & Part)[] = ["bad-sensor", "too-early", "no-data"];

export function estimateEndurance(input: EnduranceInput): Endurance {
  const none = (reason: Reason): Endurance => {
    return { kind: "none", reason, asOf: toInstant(input.sampledMs ?? input.nowMs) };
  };
  const fuel = input.fuel ?? EMPTY_FUEL;
  const here = dipsHere(fuel.dips);
  const isTold = here.length > 0;
  if (!input.hasDevice && !isTold) return none("no-device");
  if (input.sampledMs === undefined && !isTold) return none("no-data");
  const dipMs = Math.min(input.nowMs, here.at(-1)?.atMs ?? 0);
  // Where no sample ever came, what was told is carried to this moment; a dip after the newest sample counts at once.
  const asOfMs = input.sampledMs === undefined ? input.nowMs : Math.max(input.sampledMs, dipMs);
  const found = fuelPart({ ...input, fuel }, asOfMs);
  const fuelHours = typeof found.part === "string" ? 0 : sourceHours(found.part, 0);
  const battery = batteryPart(input, asOfMs, fuelHours);
  const parts: readonly Part[] = [found.part, battery];
  const known = parts.filter((part): part is Source => typeof part !== "string");
  // Beside a set whose fuel nobody knows, the hours of the battery are not those of the point.
  const isBlind = found.part === "no-data" || found.part === "bad-sensor";
  if (known.length === 0 || isBlind) {
    if (!input.hasDevice && found.part === "no-data") return none("no-device");
    if (parts.includes("charging")) return none("too-early");
    return none(
      REASONS.find((reason) => (isBlind ? found.part : undefined) === reason || parts.includes(reason)) ?? "no-backup",
    );
  }
  const method = typeof found.part === "string" ? "battery" : found.method;
  const isCarried = input.contactLost || found.isCarried;
  const toldMs = input.sampledMs === undefined ? dipMs : asOfMs;
  return assemble(input, { fuel: found.part, battery, known, method, asOfMs, toldMs, isCarried });
}

/**
 * The hour at which the outage began, from 1970; now when the mains are there. Undefined when nobody saw one. By the hours
 * and not by the moment at which the mains went, which depends on the order in which late samples come.
 */
export function outageHourOf({ mainsPresent, fuel }: EnduranceInput, atMs: number): number | undefined {
  if (mainsPresent) return atMs / HOUR_MS;
  const hours = fuel?.hours ?? [];
  let first: number | undefined;
  for (let i = hours.length - 1; i >= 0 && ((hours[i] as Hour)[KNOWN] as number) > 0; i--)
    first = (hours[i] as Hour)[HOUR];
  return first;
}

/** A state of charge is known within so much of the capacity. */
const CHARGE_SIGMA_SHARE = 0.03;
/** While the mains are there a battery rests: less than its content in so many hours is the error of its shunt. */
const RESTING_H = 200;
/** Loads swing by more than the fuel of a set does. */
const SWING = 1.6;

function batteryPart(input: EnduranceInput, atMs: number, fuelHours: number): Part {
  const { battery, generator } = input;
  if (battery === undefined) return "no-source";
  if (input.stateOfChargePct === undefined) return input.batteryBad ? "bad-sensor" : "no-data";
  const kWh = usableKwh(battery, input.stateOfChargePct);
  const besideGenerator = generator !== undefined;
  const outageHour = outageHourOf(input, atMs);
  const draw = drawOf(battery, input.currents, { atMs, hours: input.fuel?.hours ?? [], besideGenerator, outageHour });
  // A battery that is being filled is not about to be empty; without a rate it has no hours.
  if (draw === "charging") return "charging";
  const empty = {
    amount: 0,
    sigmaAmount: 0,
    spread: 0,
    ahead: [],
    seenH: 0,
    swing: 1,
    filling: 0,
    perH: draw?.kw ?? 0,
  };
  if (kWh <= 0 && !input.mainsPresent) return empty;
  if (draw === undefined || !(draw.kw > 0)) return "too-early";
  if (input.mainsPresent && draw.kw < battery.capacityKwh / RESTING_H) return "too-early";
  // It takes over where the fuel ends, at the hour of the day that it is then.
  const shift = Math.round(fuelHours) % 24;
  const ahead = fuelHours < 1 ? draw.ahead : draw.ahead.map((_, k) => draw.ahead[24 + ((k + shift) % 24)] as number);
  return {
    amount: kWh,
    sigmaAmount: CHARGE_SIGMA_SHARE * battery.capacityKwh,
    spread: draw.sigma / draw.kw,
    ahead,
    seenH: draw.seenH,
    swing: SWING,
    filling: fillingAt(atMs / HOUR_MS, outageHour),
    perH: draw.kw,
  };
}

interface Assembly {
  readonly fuel: Part;
  readonly battery: Part;
  readonly known: readonly Source[];
  readonly method: Method;
  readonly asOfMs: number;
  /** When the newest of it was known. */
  readonly toldMs: number;
  readonly isCarried: boolean;
}

/** The 10 % and 90 % points of a standard normal. */
const Z90 = 1.2816;
/** What nobody hears of goes its own way: per square root of the hours of silence. */
const SILENT_SPREAD = 0.02;

function assemble(input: EnduranceInput, parts: Assembly): Endurance {
  const { asOfMs } = parts;
  const elapsedH = Math.max(0, (input.nowMs - asOfMs) / HOUR_MS);
  const silent = input.contactLost ? SILENT_SPREAD * Math.sqrt(elapsedH) : 0;
  const at = (z: number) => totalHours(parts.known, z, silent) - elapsedH;
  const p50H = Math.max(0, at(0));
  const p10H = Math.min(p50H, Math.max(0, at(-Z90)));
  const p90H = Math.max(p50H, at(Z90));
  const wantedH = (input.targetMs - input.nowMs) / HOUR_MS;
  const fuel = typeof parts.fuel === "string" ? undefined : parts.fuel;
  const battery = typeof parts.battery === "string" ? undefined : parts.battery;
  const shortH = wantedH - p50H;
  // To the second: what lies below is the order in which a sum was made.
  const emptyAt = (hours: number) => toInstant(Math.round((input.nowMs + hours * HOUR_MS) / 1000) * 1000);
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
    ...(fuel === undefined ? {} : { rateLPerH: round(fuel.perH) }),
    ...(battery === undefined ? {} : { rateKw: round(battery.perH) }),
    carriedForward: parts.isCarried,
    hypothetical: input.mainsPresent,
    asOf: toInstant(parts.toldMs),
  };
}

/** One source after the other; their errors do not know of each other. */
function totalHours(known: readonly Source[], z: number, silent: number): number {
  let [middle, away2] = [0, 0];
  for (const source of known) {
    const hours = sourceHours(source, 0);
    middle += hours;
    if (z !== 0) away2 += (sourceHours({ ...source, spread: Math.hypot(source.spread, silent) }, z) - hours) ** 2;
  }
  return middle + Math.sign(z) * Math.sqrt(away2);
}

function shortage(hours: number, fuel: Source | undefined, battery: Source | undefined) {
  if (fuel !== undefined) return { hours: round(hours), litres: Math.ceil(round(hours * meanOf(fuel))) };
  return { hours: round(hours), kWh: round(hours * (battery === undefined ? 0 : meanOf(battery))) };
}

/** A day's mean, as the shortage lies ahead; what is asked now where no day is known. */
function meanOf(source: Source): number {
  const day = source.ahead.slice(-24);
  return day.length === 0 ? source.perH : day.reduce((sum, one) => sum + one, 0) / day.length;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
