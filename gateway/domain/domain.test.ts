import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NOON_MS } from "../../tests/fixtures.ts";
import { createWindow, isStored, markStored, WINDOW_RECORDS } from "./dedupe.ts";
import { peukertHours, usableKwh } from "./endurance/battery.ts";
import { rateOf, sinceRefill } from "./endurance/consumption.ts";
import { type EnduranceInput, estimateEndurance } from "./endurance/endurance.ts";
import { type Entry, robustSlope, SLOT_MS, SLOTS_MAX, withEntry } from "./endurance/series.ts";
import { cylinderLitres, litresAt } from "./endurance/tank.ts";
import { modelLitresPerH } from "./endurance/thirst.ts";
import { outageOf } from "./outage.ts";
import type { Battery, Generator } from "./point.ts";
import { localDay } from "./point.ts";
import { extendSequence } from "./sequence.ts";

const GENERATOR: Generator = { kind: "fixed", ratedKw: 8, tank: { capacityL: 200 } };
const HOUR = 3_600_000;

describe("a tank", () => {
  test("a lying cylinder holds what the geometry says", () => {
    const expected: [number, number][] = [
      [0.05, 26.2],
      [0.1, 72.5],
      [0.2, 196.5],
      [0.4, 502.7],
      [0.6, 808.8],
      [0.8, 1005.3],
    ];
    for (const [height, litres] of expected) expect(cylinderLitres(0.4, 2, height)).toBeCloseTo(litres, 1);
  });

  test("a strapping table is read between its rows and never beyond", () => {
    const tank = {
      capacityL: 500,
      table: [
        { levelPct: 10, litres: 20 },
        { levelPct: 50, litres: 300 },
        { levelPct: 90, litres: 480 },
      ],
    };
    expect(litresAt(tank, 30)).toBe(160);
    expect(litresAt(tank, 90)).toBe(480);
    expect(litresAt(tank, 9.9)).toBeUndefined();
    expect(litresAt(tank, 90.1)).toBeUndefined();
  });
});

describe("consumption", () => {
  test("the default model lies within a fifth of published charts at half and full load", () => {
    const charts: [number, number, number][] = [
      [8, 4, 1.3],
      [8, 8, 2.4],
      [10, 5, 1.6],
      [10, 10, 2.9],
      [12, 6, 2.0],
      [16, 8, 2.5],
      [16, 16, 4.8],
    ];
    for (const [ratedKw, loadKw, litres] of charts) {
      expect(modelLitresPerH({ ...GENERATOR, ratedKw }, loadKw) / litres).toBeCloseTo(1, 0);
      expect(Math.abs(modelLitresPerH({ ...GENERATOR, ratedKw }, loadKw) / litres - 1)).toBeLessThan(0.2);
    }
  });

  test("a level that falls steadily is believed over the rating", () => {
    const levels: Entry[] = Array.from({ length: 60 }, (_, i) => [NOON_MS + i * SLOT_MS, 150 - i * 0.15, 1, -1]);
    const rate = rateOf(GENERATOR, levels, { atMs: NOON_MS + 60 * SLOT_MS, cycles: false });
    expect(rate.litresPerH).toBeCloseTo(3, 0);
    expect(rate.method).not.toBe("rated");
  });

  test("a delivery starts the fit again", () => {
    const levels: Entry[] = [
      [0, 100, 1, -1],
      [SLOT_MS, 99, 1, -1],
      [2 * SLOT_MS, 160, 1, -1],
      [3 * SLOT_MS, 159, 1, -1],
    ];
    expect(sinceRefill(levels, 200)).toHaveLength(2);
  });

  test("a delivery that takes its time starts the fit again at its highest level; slow noise does not", () => {
    const rising = [100, 99.9, 104, 108, 112, 116, 115.9, 115.8];
    const series = (litres: number[]) => litres.map((l, i): Entry => [i * SLOT_MS, l, 1, -1]);
    expect(sinceRefill(series(rising), 200)).toHaveLength(3);
    const wobble = Array.from({ length: 100 }, (_, i) => 100 + 4 * Math.sin(i));
    expect(sinceRefill(series(wobble), 200)).toHaveLength(100);
  });

  test("the rate of a level that was refilled is that of the hours behind the delivery", () => {
    const before = Array.from({ length: 60 }, (_, i): Entry => [i * SLOT_MS, 100 - i * 0.3, 1, -1]);
    const behind = Array.from({ length: 50 }, (_, i): Entry => [(60 + i) * SLOT_MS, 180 - i * 0.1, 1, -1]);
    const rate = rateOf(GENERATOR, [...before, ...behind], { atMs: 110 * SLOT_MS, cycles: false });
    expect(rate.litresPerH).toBeCloseTo(2, 0);
    expect(Math.abs(rate.litresPerH - 2)).toBeLessThan(0.3);
  });

  test.each([0, 5e-324, 1e-9, 0.15])(
    "a level that falls %d l/h while the set runs is stuck: the rating counts",
    (perH) => {
      const levels = Array.from({ length: 60 }, (_, i): Entry => [i * SLOT_MS, (59 - i) * (perH / 20), 1, -1]);
      const rate = rateOf(GENERATOR, levels, { atMs: 60 * SLOT_MS, cycles: false });
      expect(rate.method).toBe("rated");
      expect(rate.litresPerH).toBeCloseTo(1.4);
    },
  );

  test("a robust slope does not move for a wild reading", () => {
    const points = Array.from({ length: 20 }, (_, i) => [i, 100 - 2 * i] as const);
    expect(robustSlope([...points, [20, 900]])?.slope).toBeCloseTo(-2, 5);
  });
});

test("Peukert's worked figures: 200 Ah at 25 A", () => {
  expect(peukertHours(200, 25, 1.25)).toBeCloseTo(6.36, 1);
  expect(peukertHours(200, 25, 1.05)).toBeCloseTo(7.64, 1);
});

test("nothing below the floor of a battery counts", () => {
  expect(usableKwh({ chemistry: "lead", capacityKwh: 10, nominalV: 24 }, 60)).toBeCloseTo(1);
  expect(usableKwh({ chemistry: "lfp", capacityKwh: 10, nominalV: 25.6 }, 10)).toBe(0);
});

function input(part: Partial<EnduranceInput> = {}): EnduranceInput {
  return {
    nowMs: NOON_MS,
    sampledMs: NOON_MS,
    hasDevice: true,
    contactLost: false,
    mainsPresent: false,
    targetMs: NOON_MS + 40 * HOUR,
    generator: GENERATOR,
    generatorState: "running",
    battery: undefined,
    fuelLevelPct: 50,
    fuelBad: false,
    stateOfChargePct: undefined,
    batteryBad: false,
    levels: [],
    currents: [],
    ...part,
  };
}

describe("endurance", () => {
  test("names the shortage in hours and litres", () => {
    const estimate = estimateEndurance(input({ fuelLevelPct: 14 }));
    expect(estimate).toMatchObject({
      kind: "estimate",
      p50H: 20,
      shortage: { hours: 20, litres: 28 },
      reaches72h: "no",
    });
  });

  test("gives no number where there is no honest one, and says why", () => {
    const reason = (part: Partial<EnduranceInput>) => {
      const estimate = estimateEndurance(input(part));
      return estimate.kind === "none" ? estimate.reason : "a number";
    };
    expect(reason({ hasDevice: false })).toBe("no-device");
    expect(reason({ sampledMs: undefined })).toBe("no-data");
    expect(reason({ fuelLevelPct: undefined, fuelBad: true })).toBe("bad-sensor");
    expect(reason({ generator: undefined })).toBe("no-backup");
    expect(reason({ generatorState: "failed" })).toBe("no-backup");
    const battery = { chemistry: "lfp", capacityKwh: 5, nominalV: 25.6 } as const;
    expect(reason({ generator: undefined, battery, stateOfChargePct: 80 })).toBe("too-early");
  });

  test("an older figure is carried forward: the hours run on", () => {
    const fresh = estimateEndurance(input());
    const later = estimateEndurance(input({ nowMs: NOON_MS + 2 * HOUR, contactLost: true }));
    expect(fresh.kind === "estimate" && later.kind === "estimate" && fresh.p50H - later.p50H).toBeCloseTo(2, 1);
    expect(later).toMatchObject({ carriedForward: true });
  });

  test("whatever comes in: no NaN, the range in order, more litres never fewer hours", () => {
    const level = fc.double({ min: 0, max: 100, noNaN: true });
    const entry = fc.tuple(
      fc.integer({ min: 0, max: 40 }),
      level,
      fc.constantFrom(0, 1),
      fc.double({ min: -1, max: 20, noNaN: true }),
    );
    fc.assert(
      fc.property(
        level,
        fc.array(entry, { maxLength: 40 }),
        fc.double({ min: 0.1, max: 500, noNaN: true }),
        (pct, rows, ratedKw) => {
          const levels = rows.reduce<readonly Entry[]>((series, [slot, l, on, kw]) => {
            return withEntry(series, [NOON_MS - slot * SLOT_MS, l * 2, on, kw]);
          }, []);
          const generator = { ...GENERATOR, ratedKw };
          const at = (fuelLevelPct: number) => estimateEndurance(input({ fuelLevelPct, levels, generator }));
          const one = at(pct);
          const more = at(Math.min(100, pct + 5));
          if (one.kind !== "estimate" || more.kind !== "estimate") throw new Error("no estimate");
          for (const value of [one.p10H, one.p50H, one.p90H]) expect(Number.isFinite(value) && value >= 0).toBe(true);
          expect(one.p10H).toBeLessThanOrEqual(one.p50H);
          expect(one.p50H).toBeLessThanOrEqual(one.p90H);
          expect(more.p50H).toBeGreaterThanOrEqual(one.p50H);
        },
      ),
    );
  });
});

describe("endurance of generator and battery together", () => {
  const battery: Battery = { chemistry: "lfp", capacityKwh: 10, nominalV: 51.2 };
  const currents = (amperes: number): Entry[] =>
    Array.from({ length: 16 }, (_, i) => [NOON_MS - (15 - i) * SLOT_MS, 51.2, amperes, 80]);

  test("a battery lasts its usable energy over its draw, with the shortage in kWh", () => {
    const estimate = estimateEndurance(
      input({ generator: undefined, battery, stateOfChargePct: 65, currents: currents(-10) }),
    );
    // 5 kWh above the floor of 15 %; 10 A at 51.2 V is 0.512 kW, slightly more by Peukert as C/20 is 9.8 A, and 8 % for
    // the age of a battery that nobody has seen empty.
    expect(estimate).toMatchObject({ kind: "estimate", method: "battery", limitedBy: "battery", reaches72h: "no" });
    expect(estimate.kind === "estimate" && estimate.p50H).toBeCloseTo(5 / (1.08 * 0.512), 1);
    expect(estimate.kind === "estimate" && estimate.shortage?.kWh).toBeCloseTo(
      (40 - 5 / (1.08 * 0.512)) * 1.08 * 0.512,
      0,
    );
  });

  test("both count when both are known; one that is bad is left out, and one that charges is not counted", () => {
    const fuelOnly = estimateEndurance(input());
    const both = estimateEndurance(input({ battery, stateOfChargePct: 65, currents: currents(-10) }));
    const charging = estimateEndurance(input({ battery, stateOfChargePct: 65, currents: currents(20) }));
    const untrusted = estimateEndurance(input({ battery, batteryBad: true, currents: currents(-10) }));
    const hours = (estimate: typeof both) => (estimate.kind === "estimate" ? estimate.p50H : Number.NaN);
    expect(hours(both)).toBeGreaterThan(hours(fuelOnly) + 9);
    expect(hours(charging)).toBe(hours(fuelOnly));
    expect(hours(untrusted)).toBe(hours(fuelOnly));
    expect(both).toMatchObject({ limitedBy: "both" });
    expect(untrusted).toMatchObject({ limitedBy: "fuel" });
  });

  test("whatever comes in: finite, in order, and more charge never fewer hours", () => {
    const some = fc.record({
      stateOfChargePct: fc.double({ min: 0, max: 100, noNaN: true }),
      fuelLevelPct: fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: undefined }),
      amperes: fc.array(fc.double({ min: -204, max: 204.7, noNaN: true }), { maxLength: 16 }),
      volts: fc.double({ min: 0, max: 81.83, noNaN: true }),
      elapsedH: fc.double({ min: 0, max: 100, noNaN: true }),
      targetH: fc.double({ min: -100, max: 72, noNaN: true }),
      mainsPresent: fc.boolean(),
      chemistry: fc.constantFrom("lead" as const, "lfp" as const),
    });
    fc.assert(
      fc.property(some, ({ amperes, volts, elapsedH, targetH, chemistry, fuelLevelPct, ...rest }) => {
        const at = (stateOfChargePct: number) =>
          estimateEndurance(
            input({
              ...rest,
              stateOfChargePct,
              fuelLevelPct,
              battery: { ...battery, chemistry },
              sampledMs: NOON_MS - elapsedH * HOUR,
              targetMs: NOON_MS + targetH * HOUR,
              currents: amperes.map((a, i): Entry => [NOON_MS - elapsedH * HOUR - i * SLOT_MS, volts, a, 50]).reverse(),
            }),
          );
        const [one, more] = [at(rest.stateOfChargePct), at(Math.min(100, rest.stateOfChargePct + 5))];
        if (one.kind !== "estimate" || more.kind !== "estimate") return;
        const numbers = [
          one.p10H,
          one.p50H,
          one.p90H,
          one.rateKw ?? 0,
          one.shortage?.hours ?? 0,
          one.shortage?.kWh ?? 0,
        ];
        for (const value of numbers) expect(Number.isFinite(value) && value >= 0).toBe(true);
        expect(one.p10H).toBeLessThanOrEqual(one.p50H);
        expect(one.p50H).toBeLessThanOrEqual(one.p90H);
        expect(more.p50H).toBeGreaterThanOrEqual(one.p50H);
      }),
    );
  });
});

describe("sequences", () => {
  test("are extended to the value nearest to the highest, for every distance", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 65_536, max: 2 ** 31 }),
        fc.integer({ min: -32_767, max: 32_767 }),
        (highest, step) => {
          const target = highest + step;
          expect(extendSequence(highest, target & 0xffff)).toBe(target);
        },
      ),
    );
  });

  test("a window remembers half a cycle and nothing that was never stored", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 1, maxLength: 200 }), (steps) => {
        const first = 100_000;
        const window = createWindow(first);
        const stored = new Set([first]);
        for (const step of steps) {
          const sequence = first + step;
          if (sequence <= window.highest - WINDOW_RECORDS) continue;
          expect(isStored(window, sequence)).toBe(stored.has(sequence));
          markStored(window, sequence);
          stored.add(sequence);
        }
        for (let s = window.highest - WINDOW_RECORDS + 1; s <= window.highest; s += 97)
          expect(isStored(window, s)).toBe(stored.has(s));
      }),
    );
  });
});

describe("a series", () => {
  test("holds one entry a slot in the order of time, whatever order they come in", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 * SLOT_MS }), { maxLength: 600 }), (times) => {
        const series = times.reduce<readonly Entry[]>((kept, at) => withEntry(kept, [at, 1]), []);
        expect(series.length).toBeLessThanOrEqual(SLOTS_MAX);
        for (let i = 1; i < series.length; i++) {
          const [a, b] = [series[i - 1] as Entry, series[i] as Entry];
          expect(Math.floor(b[0] / SLOT_MS)).toBeGreaterThan(Math.floor(a[0] / SLOT_MS));
        }
      }),
    );
  });
});

test("the outage began at the median of the points, whatever one of them says", () => {
  expect(outageOf([NOON_MS, NOON_MS + 1000, NOON_MS - 30 * 24 * HOUR], 72)?.startedMs).toBe(NOON_MS);
  expect(outageOf([], 72)).toBeUndefined();
});

test("a day is a local day: New Year's Eve ends at 23:00 in Greenwich", () => {
  expect(localDay(Date.UTC(2026, 11, 31, 22, 59))).toBe("2026-12-31");
  expect(localDay(Date.UTC(2026, 11, 31, 23, 0))).toBe("2027-01-01");
});
