// 72 hours of samples: the shared trace of one point through an outage, and others of other shapes, so that nothing is fitted to
// one example. All of them are drawn from a seed; what a point has is a matter of its groups.
import { existsSync, readFileSync } from "node:fs";
import { createPlainRandom } from "../../firmware/simulator/driven-board.ts";
import type { Random } from "../../firmware/simulator/random.ts";
import type { Quantity, Report } from "../../protocol/index.ts";

export interface Trace {
  readonly name: string;
  readonly intervalS: number;
  readonly reports: readonly Report[];
}

const SHARED = new URL("../../../shared/data/trace-72h.csv", import.meta.url);
const HOURS = 72;
const START_S = 1_793_625_208;
/** Of the trace that stands in for the shared one. */
const STAND_IN_SEED = 72;

export function parseTrace(text: string): Report[] {
  const [head = "", ...lines] = text.trim().split("\n");
  const names = head.split(",");
  return lines.map((line) => {
    const cells = line.split(",");
    const text = (name: string) => cells[names.indexOf(name)] ?? "absent";
    const value = (name: string): Quantity => {
      const number = Number(text(name));
      return Number.isNaN(number) ? (text(name) as Quantity) : number;
    };
    return {
      sequence: Number(text("sequence")),
      time: Number(text("time")),
      flags: { clockSynced: text("clockSynced") === "1", localAlarm: text("localAlarm") === "1" },
      phase: text("phase"),
      power: {
        fuelLevelPct: value("fuelLevelPct"),
        generator: text("generator"),
        mains: text("mains"),
        loadKw: value("loadKw"),
        starterBatteryV: value("starterBatteryV"),
      },
      battery: {
        batteryV: value("batteryV"),
        batteryA: value("batteryA"),
        stateOfChargePct: value("stateOfChargePct"),
      },
      occupancy: { occupancy: value("occupancy"), entries: value("entries") },
      environment: { temperatureC: value("temperatureC") },
    };
  });
}

interface Shape {
  readonly name: string;
  readonly seed: number;
  readonly intervalS?: number;
  readonly groups?: readonly ("power" | "battery" | "occupancy" | "environment")[];
  /** Amperes of noise of the battery's current. */
  readonly noiseA?: number;
  readonly hasGenerator?: boolean;
  /** People who come in an hour when it is busiest. */
  readonly peopleHour?: number;
  /** Seconds that a sample is early or late at most. */
  readonly jitterS?: number;
  /** Share of samples behind which an event has taken a sequence, and of those in which a sensor fails. */
  readonly eventShare?: number;
  readonly faultShare?: number;
}

const OTHERS: readonly Shape[] = [
  { name: "tiny-point", seed: 101, groups: ["occupancy", "environment"], peopleHour: 20 },
  { name: "no-generator", seed: 102, hasGenerator: false },
  { name: "noisy-battery", seed: 103, noiseA: 4 },
  { name: "quarter-hours", seed: 104, intervalS: 900 },
  { name: "five-minutes", seed: 105, intervalS: 300 },
  { name: "door-counter", seed: 106, groups: ["occupancy"], peopleHour: 400 },
  { name: "crowd", seed: 107, peopleHour: 900, noiseA: 1.5 },
  { name: "jitter-and-events", seed: 108, jitterS: 4, eventShare: 0.05 },
  { name: "failing-sensors", seed: 109, faultShare: 0.03 },
];

const GROUPS = ["power", "battery", "occupancy", "environment"] as const;

interface Point {
  fuelPct: number;
  socPct: number;
  people: number;
  entries: number;
  temperatureC: number;
  loadKw: number;
}

interface Moment {
  readonly isOut: boolean;
  readonly runs: boolean;
  readonly isOpen: boolean;
}

/** Mains are gone from the 6th to the 66th hour; the generator, if there is one, runs by day and refills at the 40th. */
function momentOf(hour: number, shape: Shape): Moment {
  const isOut = hour >= 6 && hour < 66;
  return { isOut, runs: isOut && shape.hasGenerator !== false && hour % 24 > 6, isOpen: isOut && hour > 7 };
}

function step(point: Point, shape: Shape, hour: number, moment: Moment, random: Random): void {
  const hours = (shape.intervalS ?? 60) / 3600;
  const wave = Math.max(0, Math.sin(((hour % 24) / 24) * 2 * Math.PI - 1.8));
  if (moment.runs) point.fuelPct = Math.max(0, point.fuelPct - (0.9 + point.loadKw * 0.06) * hours);
  if (Math.abs(hour - 40) < hours / 2) point.fuelPct = 98;
  point.loadKw = moment.isOut ? Math.max(0.3, 3 + 2 * wave + random.normal(0, 0.15)) : 0;
  const chargePct = !moment.isOut || moment.runs ? 12 : -6 - point.loadKw;
  point.socPct = Math.min(100, Math.max(5, point.socPct + chargePct * hours));
  const come = moment.isOpen ? (shape.peopleHour ?? 60) * wave * hours : 0;
  const arrived = Math.max(0, Math.round(come + random.normal(0, Math.sqrt(come))));
  const left = Math.min(point.people, Math.round(arrived * random.between(0.3, 1.5) + (wave < 0.1 ? 0.4 : 0)));
  point.people += arrived - left;
  point.entries += arrived;
  point.temperatureC += (16 + 4 * wave - point.temperatureC) * 0.3 * hours + random.normal(0, 0.05);
}

function reportOf(point: Point, shape: Shape, moment: Moment, random: Random): Omit<Report, "sequence" | "time"> {
  const fails = (value: number, reason: Quantity): Quantity =>
    random.next() < (shape.faultShare ?? 0) ? reason : value;
  const batteryA = (moment.isOut && !moment.runs ? -point.loadKw * 40 : 5.5) + random.normal(0, shape.noiseA ?? 0.3);
  const all = {
    power: {
      fuelLevelPct: fails(point.fuelPct + random.normal(0, 0.04), "out-of-range"),
      generator: shape.hasGenerator === false ? "none" : moment.runs ? "running" : "stopped",
      mains: moment.isOut ? "lost" : "present",
      loadKw: point.loadKw,
      starterBatteryV: fails((moment.runs ? 13.8 : 12.7) + random.normal(0, 0.02), "open-circuit"),
    },
    battery: {
      batteryV: 24 + point.socPct / 40 + batteryA / 100 + random.normal(0, 0.006),
      batteryA: fails(batteryA, "corrupt"),
      stateOfChargePct: point.socPct,
    },
    occupancy: { occupancy: point.people, entries: point.entries },
    environment: { temperatureC: fails(point.temperatureC, "unknown") },
  };
  const flags = { clockSynced: true, localAlarm: moment.isOut && point.fuelPct < 15 };
  const phase = moment.isOpen ? "open" : moment.isOut ? "opening" : "standby";
  const groups = shape.groups ?? GROUPS;
  return { flags, phase, ...Object.fromEntries(groups.map((name) => [name, all[name]])) };
}

function generate(shape: Shape): Trace {
  const random = createPlainRandom(shape.seed);
  const intervalS = shape.intervalS ?? 60;
  const point: Point = { fuelPct: 86, socPct: 92, people: 0, entries: 119, temperatureC: 16, loadKw: 0 };
  const reports: Report[] = [];
  const jitterS = shape.jitterS ?? 0.6;
  let sequence = 9194;
  for (let atS = 0; atS < HOURS * 3600; atS += intervalS) {
    const moment = momentOf(atS / 3600, shape);
    step(point, shape, atS / 3600, moment, random);
    const time = Math.floor(START_S + atS + random.between(-jitterS, jitterS));
    reports.push({ sequence: sequence & 65535, time, ...reportOf(point, shape, moment, random) });
    sequence += random.next() < (shape.eventShare ?? 0.003) ? 2 : 1;
  }
  return { name: shape.name, intervalS, reports };
}

/** The shared trace, or one from a seed where this project stands alone; `isShared` says which. */
export function mainTrace(): Trace & { readonly isShared: boolean } {
  const isShared = existsSync(SHARED);
  if (!isShared) return { ...generate({ name: "stand-in", seed: STAND_IN_SEED }), isShared };
  return { name: "trace-72h", intervalS: 60, reports: parseTrace(readFileSync(SHARED, "utf8")), isShared };
}

export function otherTraces(): Trace[] {
  return OTHERS.map(generate);
}

/** The same point sampled less often: every nth sample, numbered one by one. */
export function thinnedTo(trace: Trace, intervalS: number): Trace {
  const nth = Math.round(intervalS / trace.intervalS);
  const first = trace.reports[0]?.sequence ?? 0;
  const kept = trace.reports.filter((_, i) => i % nth === 0);
  return {
    name: `${trace.name}-${intervalS}`,
    intervalS,
    reports: kept.map((one, i) => ({ ...one, sequence: (first + i) & 65535 })),
  };
}
