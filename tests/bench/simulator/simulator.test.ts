// The judge's physics: nothing is made or lost, what is known beforehand comes out, and a seed is a point.
import { describe, expect, test } from "vitest";
import { decodeUplink } from "../../../protocol/index.ts";
import { type AccumulatorTruth, takenShare } from "./accumulator.ts";
import { litresPerHour, ranFor, type SetTruth } from "./consumption.ts";
import { createCourse, emptyAfterH, type PlantTruth } from "./course.ts";
import type { LoadTruth } from "./load.ts";
import { loadAt } from "./load.ts";
import { createRandom, noiseAt } from "./random.ts";
import { createReporter } from "./reporter.ts";
import { drawSite, HOURS_MAX } from "./site.ts";
import { filledShare, heightShare } from "./tank.ts";

const SHAPES = ["box", "cylinder", "stepped"] as const;
const SEED = 7;
const START_MS = Date.UTC(2026, 10, 24, 12);

const CONSTANT_LOAD: LoadTruth = {
  seed: 1,
  startClockH: 0,
  baseKw: 4,
  peopleKw: 0,
  opensH: 0,
  fillsH: 1,
  leaves: undefined,
  heatKwPerC: 0,
  mealKw: 0,
  scheduled: { kw: 0, fromClockH: 0, hours: 1 },
  steps: [],
  daySd: 0,
  noiseSd: 0,
  maxKw: 10,
};
/** 15 °C to a hair: no cold to pay for. */
const PLAIN_SET: SetTruth = {
  ratedKw: 10,
  idle: 0.05,
  linear: 0.2,
  bend: 0.1,
  thirst: 1,
  perCold: 0,
  sootMax: 0,
  perHour: 0,
};
const PLAIN_BATTERY: AccumulatorTruth = {
  chemistry: "lfp",
  nominalV: 48,
  capacityKwh: 10,
  peukert: 1,
  chargeShare: 0.9,
  perCold: 0,
  inverterShare: 0.8,
};

function plant(part: Partial<PlantTruth>): PlantTruth {
  return {
    load: CONSTANT_LOAD,
    weather: { seed: 1, meanC: 15, swingC: 0 },
    set: undefined,
    fuel: undefined,
    battery: undefined,
    cycle: undefined,
    deliveries: [],
    testRun: undefined,
    ...part,
  };
}

const FUEL = { shape: "box", capacityL: 100, deadL: 10, startL: 50 } as const;

describe("tanks", () => {
  test.each(SHAPES)(
    "a %s is empty at the bottom, full at the top, rises all the way, and goes there and back",
    (shape) => {
      expect(filledShare(shape, 0)).toBeCloseTo(0, 9);
      expect(filledShare(shape, 1)).toBeCloseTo(1, 9);
      for (let h = 0.02; h < 1; h += 0.02) {
        expect(filledShare(shape, h)).toBeGreaterThan(filledShare(shape, h - 0.02));
        expect(heightShare(shape, filledShare(shape, h))).toBeCloseTo(h, 5);
      }
    },
  );

  test("a lying cylinder holds what its segment does (R 0.4 m, L 2 m: 26.2, 72.5, 196.5 L)", () => {
    const litres = (mm: number) => filledShare("cylinder", mm / 800) * Math.PI * 0.16 * 2_000;
    expect(litres(50)).toBeCloseTo(26.2, 1);
    expect(litres(100)).toBeCloseTo(72.5, 1);
    expect(litres(200)).toBeCloseTo(196.5, 1);
  });
});

describe("a set", () => {
  test("burns by a curve that bends, and more when it is cold or sooted", () => {
    const clean = { soot: 0, ranH: 0 };
    // 10 × (0.05 + 0.2 × 0.4 + 0.1 × 0.16) = 1.46.
    expect(litresPerHour(PLAIN_SET, clean, 4, 15)).toBeCloseTo(1.46, 9);
    expect(litresPerHour({ ...PLAIN_SET, perCold: 0.002 }, clean, 4, -5)).toBeCloseTo(1.46 * 1.04, 9);
    expect(litresPerHour({ ...PLAIN_SET, sootMax: 0.1 }, { soot: 1, ranH: 0 }, 4, 15)).toBeCloseTo(1.46 * 1.1, 9);
  });

  test("soots below 30 % of its load and burns clean above", () => {
    let state = { soot: 0, ranH: 0 };
    for (let i = 0; i < 24; i++) state = ranFor(PLAIN_SET, state, 1, 1);
    expect(state.soot).toBeGreaterThan(0.85);
    for (let i = 0; i < 6; i++) state = ranFor(PLAIN_SET, state, 6, 1);
    expect(state.soot).toBeLessThan(0.05);
  });

  test("at a constant load the usable litres last as long as they must", () => {
    // 40 usable litres at 1.46 L/h.
    const emptyH = emptyAfterH(plant({ set: PLAIN_SET, fuel: FUEL }), -1, 0, HOURS_MAX);
    expect(emptyH).toBeGreaterThanOrEqual(40 / 1.46);
    expect(emptyH).toBeLessThan(40 / 1.46 + 2 / 60);
  });

  test("a delivery comes once, fills to its share, and moves the end by its litres", () => {
    const filled = plant({ set: PLAIN_SET, fuel: FUEL, deliveries: [{ atH: 10, toShare: 0.9 }] });
    const without = emptyAfterH(filled, 0, 0, HOURS_MAX) ?? 0;
    const course = createCourse(filled, 0);
    while (!course.moment().isEmpty) course.step();
    const { deliveredL, hour } = course.moment();
    expect(deliveredL).toBeCloseTo(90 - (50 - 10 * 1.46), 1);
    expect(hour - without).toBeCloseTo(deliveredL / 1.46, 1);
  });
});

describe("a battery", () => {
  test("without Peukert, cold or losses gives its energy, and no more", () => {
    expect(takenShare(PLAIN_BATTERY, 2, 1, 15)).toBeCloseTo(0.2, 9);
    expect(takenShare(PLAIN_BATTERY, -2, 1, 15)).toBeCloseTo(-0.18, 9);
  });

  test("costs more than it gives when it is drawn quickly, by Peukert's law, and when it is cold", () => {
    // Twice the 20-hour rate.
    expect(takenShare({ ...PLAIN_BATTERY, peukert: 1.2 }, 1, 1, 20)).toBeCloseTo(0.1 * 2 ** 0.2, 9);
    expect(takenShare({ ...PLAIN_BATTERY, perCold: 0.01 }, 1, 1, 0)).toBeCloseTo(0.1 / 0.8, 9);
  });

  test("alone at a constant load lasts as long as it must", () => {
    // 10 kWh from 90 to 20 %, 4 kW through an inverter of 80 %: 5 kW.
    const alone = plant({ battery: { ...PLAIN_BATTERY, startCharge: 0.9, floor: 0.2, shelter: 1 } });
    expect(emptyAfterH(alone, 0, 0, HOURS_MAX)).toBeCloseTo(7 / 5, 1);
  });

  test("in the open feels the cold, in a heated room does not", () => {
    const frost = (shelter: number) =>
      plant({
        weather: { seed: 1, meanC: -10, swingC: 0 },
        battery: { ...PLAIN_BATTERY, perCold: 0.01, startCharge: 1, floor: 0, shelter },
      });
    const [open, inside] = [0, 1].map((shelter) => emptyAfterH(frost(shelter), 0, 0, HOURS_MAX) ?? 0);
    // 10 kWh at 5 kW: less 2 % inside, about 30 % in the open.
    expect(inside).toBeCloseTo(1.96, 1);
    expect(open).toBeLessThan(1.55);
  });
});

/** Of many points: litres and energy in and out, and what lies between. */
test(`nothing is made or lost, over 60 points of seed ${SEED}`, () => {
  for (let number = 0; number < 60; number++) {
    const { plant: one, leadH, kind } = drawSite(SEED, number);
    const course = createCourse(one, -leadH);
    let [inKwh, outKwh, wrong] = [0, 0, 0];
    for (let now = course.moment(); !now.isEmpty && now.hour < 100; now = course.step()) {
      if (now.batteryKw < 0) inKwh -= now.batteryKw / 60;
      else outKwh += now.batteryKw / 60;
      // Whoever is not empty is fed by something.
      const isFed = now.mains || now.isRunning || now.batteryKw > 0;
      if (!isFed || !(now.litres >= 0) || !(now.charge >= 0 && now.charge <= 1)) wrong++;
    }
    expect(wrong, kind).toBe(0);
    const end = course.moment();
    if (one.fuel !== undefined) expect(end.litres + end.burntL - end.deliveredL).toBeCloseTo(one.fuel.startL, 6);
    // More comes out of a battery only by the bonus of a small current.
    const { battery } = one;
    if (battery !== undefined) {
      const stored = (battery.startCharge - end.charge) * battery.capacityKwh;
      expect(outKwh, kind).toBeLessThanOrEqual((stored + inKwh) / 0.85 + 0.1);
    }
    expect(end.mains).toBe(false);
  }
});

describe("chance", () => {
  test("a seed and a number are a point, another number is another", () => {
    expect(drawSite(SEED, 3)).toEqual(drawSite(SEED, 3));
    expect(drawSite(SEED, 3)).not.toEqual(drawSite(SEED, 4));
  });

  test("is uniform and normal as it says", () => {
    const random = createRandom(SEED);
    const uniform = Array.from({ length: 20_000 }, () => random.next());
    const normal = Array.from({ length: 20_000 }, () => random.normal(2, 3));
    const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
    expect(mean(uniform)).toBeCloseTo(0.5, 1);
    expect(mean(normal)).toBeCloseTo(2, 0);
    expect(Math.sqrt(mean(normal.map((one) => (one - 2) ** 2)))).toBeCloseTo(3, 0);
  });

  test("people come, eat at noon, and leave", () => {
    const load = {
      ...CONSTANT_LOAD,
      baseKw: 1,
      peopleKw: 2,
      mealKw: 1,
      opensH: 2,
      fillsH: 4,
      leaves: { atH: 60, share: 0.5 },
    };
    // Of the hour of the clock, which begins at midnight: doors shut, half of them there at 04:00 and asleep, noon, 16:00.
    expect([1, 4, 12.5, 16, 64].map((hour) => loadAt(load, hour, 15))).toEqual([1, 1.45, 4, 3, 2]);
  });

  test("the load of an hour is the same whoever asks, and noise has no drift", () => {
    const { load } = drawSite(SEED, 1).plant;
    expect(loadAt(load, 12.25, 5)).toBe(loadAt(load, 12.25, 5));
    const values = Array.from({ length: 5_000 }, (_, i) => noiseAt(SEED, i * 0.37));
    expect(Math.abs(values.reduce((sum, one) => sum + one, 0) / values.length)).toBeLessThan(0.05);
  });
});

describe("what is told", () => {
  const arrivalsOf = (number: number, toH: number) => {
    const reporter = createReporter(drawSite(SEED, number), START_MS);
    return Array.from({ length: toH * 2 }, (_, i) => reporter.until(i / 2)).flat();
  };

  test("every frame decodes, each sample comes at most once, and none before it was taken", () => {
    let late = 0;
    for (let number = 0; number < 40; number++) {
      const arrivals = arrivalsOf(number, 48);
      for (const { frame, receivedMs, timeMs } of arrivals) {
        expect(decodeUplink(frame).kind).toBe("report");
        expect(receivedMs).toBeGreaterThan(timeMs);
        if (receivedMs - timeMs > 20 * 60_000) late++;
      }
      expect(new Set(arrivals.map((one) => one.sequence)).size).toBe(arrivals.length);
    }
    expect(late).toBeGreaterThan(0);
  });

  test("a point without a device says nothing", () => {
    const number = Array.from({ length: 400 }, (_, i) => i).find((i) => !drawSite(SEED, i).hasDevice) ?? -1;
    expect(number).toBeGreaterThanOrEqual(0);
    expect(arrivalsOf(number, 6)).toEqual([]);
  });

  test("steps of half an hour and of an hour tell the same", () => {
    const whole = createReporter(drawSite(SEED, 2), START_MS);
    expect(Array.from({ length: 24 }, (_, i) => whole.until(i)).flat()).toEqual(
      arrivalsOf(2, 24).filter((one) => one.receivedMs <= START_MS + 23 * 3_600_000),
    );
  });
});
