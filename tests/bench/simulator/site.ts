// Draws points: what they truly are, and what the registry says of them, which differs.
import type { PointView } from "../../../gateway/domain/point.ts";
import { POINT } from "../../engine-fixtures.ts";
import type { Chemistry } from "./accumulator.ts";
import type { PlantTruth } from "./course.ts";
import { createRandom, type Random } from "./random.ts";
import { filledShare, type TankShape } from "./tank.ts";

export type SiteKind = "set" | "set-and-battery" | "lfp" | "lead";

export interface Spell {
  readonly fromH: number;
  readonly toH: number;
}

export interface LevelSensorTruth {
  readonly kind: "probe" | "ultrasonic" | "reed" | "none" | "broken";
  readonly noisePct: number;
  /** Of the whole height; 0.1 % at least. */
  readonly stepPct: number;
  readonly offsetPct: number;
  readonly driftPctPerH: number;
  readonly sloshPct: number;
  readonly stuck: readonly Spell[];
  readonly dropouts: readonly Spell[];
}

export interface MonitorTruth {
  /** Amperes measured against those that flow. */
  readonly gain: number;
  readonly offsetA: number;
  /** What it takes the capacity for, against the true one. */
  readonly capacityGain: number;
  readonly peukert: number;
  readonly hasCharge: boolean;
}

export interface Site {
  readonly seed: number;
  readonly kind: SiteKind;
  readonly plant: PlantTruth;
  readonly view: PointView;
  readonly hasDevice: boolean;
  readonly intervalS: number;
  readonly leadH: number;
  readonly level: LevelSensorTruth;
  readonly monitor: MonitorTruth;
  readonly measuresLoad: boolean;
  readonly loadGain: number;
  readonly saysRunning: boolean;
  /** Nothing gets through; what was taken meanwhile comes later, or never. */
  readonly silences: readonly (Spell & { readonly isKept: boolean })[];
}

const KVA = [3, 4, 6, 6, 8, 10, 10, 12, 15, 20, 20, 30, 40, 60];
/** Most points save their radio: one in twelve tells every minute. */
const INTERVALS_S = [60, 300, 300, 600, 600, 900, 900, 900, 900, 900, 900, 900];
/** Nothing longer is simulated. */
export const HOURS_MAX = 500;

function spells(random: Random, meanEveryH: number, hours: readonly [number, number]): Spell[] {
  const found: Spell[] = [];
  let at = -Math.log(1 - random.next()) * meanEveryH;
  while (at < HOURS_MAX) {
    const toH = at + random.between(...hours);
    found.push({ fromH: at, toH });
    at = toH - Math.log(1 - random.next()) * meanEveryH;
  }
  return found;
}

function kindOf(random: Random): SiteKind {
  const at = random.next();
  return at < 0.6 ? "set" : at < 0.8 ? "set-and-battery" : at < 0.9 ? "lfp" : "lead";
}

function setOf(random: Random, ratedKw: number) {
  const isSmall = ratedKw < 6;
  return {
    ratedKw,
    idle: (isSmall ? 0.058 : 0.043) * random.between(0.8, 1.2),
    linear: (isSmall ? 0.26 : 0.215) * random.between(0.92, 1.08),
    bend: random.between(0.02, 0.06),
    thirst: Math.min(1.25, Math.max(0.75, random.normal(1, 0.12))),
    perCold: random.between(0.0005, 0.002),
    sootMax: random.between(0.02, 0.12),
    perHour: random.between(0, 0.0004),
  };
}

/** `scaleKw`: what the point can draw at most; `share`: of it on a usual day. */
function loadOf(random: Random, scaleKw: number, share: number) {
  const kw = scaleKw * share;
  const isStepped = random.chance(0.4);
  return {
    seed: random.seed(),
    startClockH: Math.floor(random.between(0, 48)) / 2,
    baseKw: kw * random.between(0.25, 0.5),
    peopleKw: kw * random.between(0.15, 0.5),
    // Some are community centres that were full of people when the lights went out.
    opensH: random.chance(0.3) ? -12 : random.between(0.5, 8),
    fillsH: random.between(1, 12),
    leaves: random.chance(0.3) ? { atH: random.between(6, 48), share: random.between(0.3, 0.8) } : undefined,
    heatKwPerC: random.chance(0.5) ? (kw / 18) * random.between(0.1, 0.5) : 0,
    mealKw: kw * random.between(0, 0.5),
    scheduled: {
      kw: kw * (random.chance(0.4) ? random.between(0.2, 0.6) : 0),
      fromClockH: random.between(0, 24),
      hours: random.between(1, 8),
    },
    steps: isStepped ? [{ atH: random.between(2, 60), factor: random.between(0.7, 1.4) }] : [],
    daySd: random.between(0.03, 0.15),
    noiseSd: random.between(0.05, 0.25),
    maxKw: 0.95 * scaleKw,
  };
}

function accumulatorOf(random: Random, chemistry: Chemistry, ratedKwh: number, startCharge: number, floorPct: number) {
  const isLead = chemistry === "lead";
  return {
    chemistry,
    nominalV: ratedKwh > 8 ? 48 : 24,
    capacityKwh: ratedKwh * (isLead ? random.between(0.78, 1.02) : random.between(0.88, 1.03)),
    peukert: isLead ? random.between(1.12, 1.3) : random.between(1.01, 1.06),
    chargeShare: isLead ? random.between(0.8, 0.9) : random.between(0.93, 0.98),
    perCold: isLead ? 0.008 : 0.004,
    inverterShare: random.between(0.86, 0.94),
    startCharge,
    floor: floorPct / 100,
    shelter: random.between(0.2, 1),
  };
}

/** The registry's table: the true shape, within 5 % of the true litres, and a little wrong in its shape too. */
function tableOf(random: Random, shape: TankShape, capacityL: number) {
  const scale = random.between(0.95, 1.05);
  if (shape === "box" && random.chance(0.6)) return { capacityL: Math.round(capacityL * scale), table: undefined };
  const skew = random.between(-0.02, 0.02);
  const table = Array.from({ length: 11 }, (_, i) => {
    const h = i / 10;
    const litres = filledShare(shape, h) * capacityL * scale * (1 + skew * Math.sin(Math.PI * h));
    return { levelPct: i * 10, litres: Math.round(litres * 10) / 10 };
  });
  return { capacityL: Math.round(capacityL * scale), table };
}

function levelOf(random: Random, heightMm: number): LevelSensorTruth {
  const at = random.next();
  const kind = at < 0.5 ? "probe" : at < 0.75 ? "ultrasonic" : at < 0.96 ? "reed" : at < 0.98 ? "none" : "broken";
  return {
    kind,
    noisePct: kind === "probe" ? random.between(0.05, 0.3) : random.between(0.2, 0.8),
    stepPct: kind === "reed" ? (random.between(12, 21) / heightMm) * 100 : 0.1,
    offsetPct: random.normal(0, 0.7),
    driftPctPerH: random.normal(0, 0.01),
    sloshPct: random.between(0, 0.4),
    stuck: random.chance(0.15) ? spells(random, 40, [1, 6]) : [],
    dropouts: random.chance(0.3) ? spells(random, 40, [0.1, 4]) : [],
  };
}

interface Drawn {
  readonly plant: PlantTruth;
  readonly generator: PointView["generator"];
  readonly battery: PointView["battery"];
}

function withSet(random: Random, kind: SiteKind, pointId: string): Drawn {
  const kva = random.pick(KVA);
  const ratedKw = kva * 0.8;
  const shape = random.pick(["box", "box", "cylinder", "stepped"] as const);
  const deadShare = random.between(0.03, 0.1);
  const startShare = random.between(0.35, 0.95);
  const isCycling = kind === "set-and-battery";
  const capacityL = Math.max(20, kva * (isCycling ? random.between(2, 8) : random.between(4, 16)));
  const share = isCycling ? random.between(0.08, 0.35) : random.between(0.12, 0.7);
  const load = loadOf(random, ratedKw * (isCycling ? 0.5 : 1), isCycling ? share * 1.6 : share);
  const floorPct = 15;
  const ratedKwh = Math.max(4, ratedKw * random.between(0.8, 2));
  const chemistry = random.chance(0.75) ? "lfp" : "lead";
  const battery = isCycling
    ? accumulatorOf(random, chemistry, ratedKwh, random.between(0.6, 0.99), floorPct)
    : undefined;
  const said = tableOf(random, shape, capacityL);
  const saidDeadL = random.chance(0.85) ? Math.round(deadShare * capacityL * random.between(0.7, 1.3)) : 0;
  const saidKw = random.chance(0.1) ? ratedKw * random.pick([0.8, 1.25]) : ratedKw;
  const deliveries = random.chance(0.2)
    ? [{ atH: random.between(4, 36), toShare: random.between(0.6, 0.95) }].map((one) => ({
        ...one,
        atH: Math.round(one.atH * 60) / 60,
      }))
    : [];
  const testRun = random.chance(0.3) ? { fromH: -2, hours: random.between(0.5, 1.5), share: 0.5 } : undefined;
  return {
    plant: {
      load,
      weather: weatherOf(random),
      set: setOf(random, ratedKw),
      fuel: { shape, capacityL, deadL: deadShare * capacityL, startL: startShare * capacityL },
      battery,
      cycle: isCycling
        ? {
            startAt: random.between(0.25, 0.5),
            stopAt: random.between(0.8, 0.95),
            chargeKw: Math.min(ratedKwh * random.between(0.15, 0.4), 0.45 * ratedKw),
          }
        : undefined,
      deliveries,
      testRun,
    },
    generator: {
      kind: "fixed",
      assetId: `${pointId}-set`,
      ratedKw: saidKw,
      tank: {
        capacityL: said.capacityL,
        ...(saidDeadL > 0 ? { deadVolumeL: saidDeadL } : {}),
        ...(said.table === undefined ? {} : { table: said.table }),
      },
    },
    battery:
      battery === undefined
        ? undefined
        : {
            chemistry,
            assetId: `${pointId}-battery`,
            capacityKwh: Math.round(ratedKwh * 10) / 10,
            nominalV: battery.nominalV,
            floorPct,
          },
  };
}

function weatherOf(random: Random) {
  return { seed: random.seed(), meanC: random.between(-6, 14), swingC: random.between(1, 6) };
}

function batteryOnly(random: Random, chemistry: Chemistry, pointId: string): Drawn {
  const ratedKwh = Math.round(random.between(2.5, 30) * 10) / 10;
  const floorPct = chemistry === "lead" ? 50 : random.pick([10, 15, 20]);
  const battery = accumulatorOf(random, chemistry, ratedKwh, random.between(0.85, 1), floorPct);
  const usableKwh = battery.capacityKwh * (1 - floorPct / 100);
  // A load that it carries for six hours to three days.
  const meanKw = usableKwh / random.between(6, 70);
  const load = loadOf(random, meanKw * 3, 1 / 3);
  return {
    plant: {
      load,
      weather: weatherOf(random),
      set: undefined,
      fuel: undefined,
      battery,
      cycle: undefined,
      deliveries: [],
      testRun: undefined,
    },
    generator: undefined,
    battery: { chemistry, assetId: `${pointId}-battery`, capacityKwh: ratedKwh, nominalV: battery.nominalV, floorPct },
  };
}

/** One point of a run's seed and number. */
export function drawSite(seed: number, number: number): Site {
  const own = (seed * 1_000_003 + number) | 0;
  const random = createRandom(own);
  const kind = kindOf(random);
  const pointId = `sim-${number}`;
  const drawn = kind === "lfp" || kind === "lead" ? batteryOnly(random, kind, pointId) : withSet(random, kind, pointId);
  const chemistry = drawn.plant.battery?.chemistry ?? "lfp";
  const level = levelOf(random, random.between(500, 1_300));
  const silences = random.chance(0.4) ? spells(random, 40, [0.5, 8]) : [];
  return {
    seed: own,
    kind,
    plant: drawn.plant,
    view: { ...POINT, pointId, name: pointId, generator: drawn.generator, battery: drawn.battery },
    hasDevice: random.chance(0.98),
    intervalS: random.pick(INTERVALS_S),
    leadH: drawn.plant.testRun === undefined ? random.pick([1, 2]) : 3,
    level,
    monitor: {
      gain: random.normal(1, 0.015),
      offsetA: random.normal(0, 0.05),
      capacityGain: random.normal(1, 0.04),
      peukert: chemistry === "lead" ? 1.25 : 1.05,
      hasCharge: random.chance(0.96),
    },
    measuresLoad: random.chance(0.5),
    loadGain: random.normal(1, 0.02),
    saysRunning: random.chance(0.9),
    silences: silences.map((spell) => ({ ...spell, isKept: random.chance(0.7) })),
  };
}
