// Fuel and batteries as they are told of and learned of: worked figures, what people say, and what must never happen.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PointState } from "../../../protocol/index.ts";
import { POINT } from "../../../tests/engine-fixtures.ts";
import { NOON_MS, report } from "../../../tests/fixtures.ts";
import { rulesHeld } from "../alerts/rule-set.ts";
import type { Generator, PointView } from "../point.ts";
import {
  emptyModel,
  type PointModel,
  type ReadingState,
  withDelivery,
  withDip,
  withoutDelivery,
  withReport,
} from "../point-model.ts";
import { pointState } from "../point-state.ts";
import { CONCEPT_2026 } from "../profile.ts";
import { fuelWatched } from "../rules.ts";
import { type AssetModel, emptyAsset, PIECES_MAX, withDips, withStay } from "./asset-model.ts";
import { doubtOf } from "./charge.ts";
import { risesOf } from "./deliveries.ts";
import { calibrationOf, corrected, DIPS_MAX, dipsHere, sigmaAt } from "./dips.ts";
import { estimateEndurance } from "./endurance.ts";
import { EMPTY_FUEL, type FuelModel, fuelOfSet } from "./fuel-model.ts";
import { HOURS_KEPT } from "./hours.ts";
import { hoursUntilUsed, rhythmOf } from "./rhythm.ts";
import type { Entry } from "./series.ts";
import { litresAt, litresAtMm, roomLitres, usableLitres } from "./tank.ts";
import { modelLitresPerH, thirstOf } from "./thirst.ts";

const HOUR = 3_600_000;
const MINUTE = 60_000;
const told = { by: "coordinator-1", via: "voice" } as const;
const GENERATOR: Generator = { kind: "fixed", assetId: "set-1", ratedKw: 8, tank: { capacityL: 200 } };
const VIEW: PointView = { ...POINT, generator: GENERATOR };

interface Sample {
  readonly minute: number;
  readonly level: number | "open-circuit" | "absent";
  readonly generator?: string;
  readonly mains?: string;
  readonly loadKw?: number | "absent";
}

function after(model: PointModel, view: PointView, one: Sample): PointModel {
  const { minute, level, generator = "running", mains = "lost", loadKw = "absent" } = one;
  const timeMs = NOON_MS + minute * MINUTE;
  const power = { fuelLevelPct: level, generator, mains, loadKw, starterBatteryV: 13.8 };
  // All are received at the end: none lies ahead of any clock.
  const receivedMs = NOON_MS + 10_000 * MINUTE;
  const arrival = { deviceId: "d", sequence: 100_000 + minute, receivedMs, timeMs, quality: "synced" } as const;
  return withReport(model, view, { ...arrival, report: report({ time: timeMs / 1000, power }) });
}

const play = (samples: readonly Sample[], view = VIEW, from = emptyModel("alm-01")) =>
  samples.reduce((model, one) => after(model, view, one), from);

function stateOf(model: PointModel, minute: number, view = VIEW, asset?: AssetModel) {
  const devices = [{ deviceId: "d", pointId: "alm-01", link: "mqtt", reportIntervalS: 60 }] as const;
  const nowMs = NOON_MS + minute * MINUTE;
  return pointState(model, view, {
    nowMs,
    targetMs: NOON_MS + 72 * HOUR,
    devices,
    contact: "present",
    priority: 0,
    asset,
  });
}

const hoursOf = (state: ReturnType<typeof stateOf>) =>
  state.endurance.kind === "estimate" ? state.endurance : { p10H: Number.NaN, p50H: Number.NaN, p90H: Number.NaN };

/** A level that falls by so many litres an hour, a sample every five minutes. */
const falling = (fromMinute: number, hours: number, startL: number, perH: number, part: Partial<Sample> = {}) =>
  Array.from({ length: hours * 12 }, (_, i): Sample => {
    return { minute: fromMinute + i * 5, level: Math.round((startL - (perH * i) / 12) * 5) / 10, ...part };
  });

describe("a tank", () => {
  const lying = {
    capacityL: 1005,
    deadVolumeL: 60,
    geometry: { shape: "lying-cylinder", lengthMm: 2000, diameterMm: 800 },
  } as const;

  test.each([
    [50, 26.2],
    [100, 72.5],
    [200, 196.5],
    [400, 502.7],
    [600, 808.8],
  ])("a lying cylinder of 800 mm holds at %d mm %d litres", (mm, litres) => {
    expect(litresAtMm(lying, mm)).toBeCloseTo(litres, 1);
    expect(litresAt(lying, mm / 8)).toBeCloseTo(litres, 1);
  });

  test("is read in millimetres from the sensor's offset and span, by strapping before geometry, never beyond", () => {
    const box = { capacityL: 500, geometry: { shape: "box", lengthMm: 1000, widthMm: 500, heightMm: 1000 } } as const;
    expect(litresAt({ ...box, sensor: { offsetMm: 50, spanMm: 900 } }, 50)).toBeCloseTo(250);
    const strapping = [
      { mm: 0, litres: 0 },
      { mm: 400, litres: 150 },
      { mm: 1000, litres: 480 },
    ];
    expect(litresAtMm({ ...box, strapping }, 700)).toBeCloseTo(315);
    expect(litresAtMm({ ...box, strapping }, 1001)).toBeUndefined();
    expect(litresAt({ ...box, sensor: { offsetMm: 200 } }, 100)).toBeUndefined();
    expect(litresAtMm({ capacityL: 500 }, 100)).toBeUndefined();
  });

  test("gives what lies above its dead volume, and takes no more than 97 %", () => {
    expect(usableLitres(lying, 100)).toBe(40);
    expect(roomLitres({ capacityL: 200 }, 150)).toBeCloseTo(44);
  });
});

describe("consumption by the published charts", () => {
  test.each([
    ["72 h idle", 8, 0, 72, [18, 30]],
    ["72 h at half load of 10 kVA", 8, 4, 72, [90, 107]],
    ["72 h at half load of 20 kVA", 16, 8, 72, [180, 205]],
  ] as const)("%s", (_, ratedKw, loadKw, hours, [low, high]) => {
    const litres = modelLitresPerH({ ...GENERATOR, ratedKw }, loadKw) * hours;
    expect(litres).toBeGreaterThan(low);
    expect(litres).toBeLessThan(high);
  });
});

describe("a dip stick", () => {
  const dip = (litres: number, minute: number) => ({ litres, atMs: NOON_MS + minute * MINUTE, told });

  test("corrects the sensor, shows what it was off by, and is surer than the sensor alone", () => {
    const model = play(falling(0, 2, 100, 1.4));
    const dipped = withDip(model, VIEW, dip(90, 115));
    const state = stateOf(dipped, 115);
    expect(state.fuel?.dip).toMatchObject({ litres: 90, at: "2026-11-24T13:55:00.000Z" });
    expect(state.fuel?.dip?.sensorMoreL).toBeCloseTo(7.3, 0);
    expect(Math.abs((state.fuel?.litres ?? 0) - 90)).toBeLessThan(2);
    expect(hoursOf(state).p50H).toBeLessThan(hoursOf(stateOf(model, 115)).p50H);
    const { tank } = GENERATOR;
    const none = calibrationOf(tank, [], NOON_MS);
    expect(sigmaAt(calibrationOf(tank, dipped.fuel.dips, NOON_MS), 97)).toBeLessThan(sigmaAt(none, 97) / 2);
    expect(corrected(none, tank, 97)).toBe(97);
  });

  test("two dips at different levels find the factor of a wrong table", () => {
    const dips = [180, 90, 30].map((sensorL, i) => ({ atMs: NOON_MS + i, litres: sensorL * 0.95, sensorL, ...told }));
    expect(corrected(calibrationOf(GENERATOR.tank, dips, NOON_MS), GENERATOR.tank, 100)).toBeCloseTo(95, 0);
  });

  test("is the fuel of a point without a sensor, carried forward by the set's rate, raised by what is delivered", () => {
    const silent = withDip(emptyModel("alm-01"), VIEW, dip(70, 0));
    const at = (model: PointModel, minute: number) => hoursOf(stateOf(model, minute)).p50H;
    expect(stateOf(silent, 0)).toMatchObject({ fuel: { litres: 70, told }, endurance: { method: "told" } });
    expect(at(silent, 0)).toBeCloseTo(50, 0);
    expect(at(silent, 600)).toBeCloseTo(40, 0);
    expect(stateOf(silent, 600).endurance).toMatchObject({ carriedForward: false });
    expect(stateOf(silent, 60 * 24).endurance).toMatchObject({ carriedForward: true });
    const filled = withDelivery(silent, VIEW, { litres: 28, atMs: NOON_MS + 300 * MINUTE, told }, "entry-0001");
    expect(at(filled, 600)).toBeCloseTo(60, 0);
    expect(filled.fuel.deliveries).toMatchObject([{ deliveryId: "entry-0001", toldL: 28, state: "confirmed" }]);
  });

  test("or the last good level stands in when the sensor goes bad, and it is marked", () => {
    const good = play(falling(0, 3, 100, 1.4));
    const broken = after(good, VIEW, { minute: 185, level: "open-circuit" });
    expect(stateOf(broken, 185).endurance).toMatchObject({ kind: "estimate", carriedForward: true });
    expect(Math.abs(hoursOf(stateOf(broken, 185)).p50H - hoursOf(stateOf(good, 180)).p50H)).toBeLessThan(2);
  });

  test("says nothing when it is more than the tank holds, or in millimetres of a tank without a table", () => {
    const model = emptyModel("alm-01");
    expect(withDip(model, VIEW, dip(300, 0)).fuel.dips).toEqual([]);
    expect(withDip(model, VIEW, { mm: 300, atMs: NOON_MS, told }).fuel.dips).toEqual([]);
    const many = Array.from({ length: DIPS_MAX + 1 }, (_, i) => dip(50, i)).reduce(
      (m, d) => withDip(m, VIEW, d),
      model,
    );
    expect(many.fuel.dips).toHaveLength(DIPS_MAX);
  });
});

describe("a delivery", () => {
  const before = falling(0, 2, 60, 1.4);
  const filled = play([...before, ...falling(125, 1, 160, 1.4)]);

  test("is detected with its litres, above 10 litres and 5 % in half an hour", () => {
    expect(stateOf(filled, 180).deliveries).toMatchObject([{ state: "detected", at: "2026-11-24T13:55:00.000Z" }]);
    expect(Math.abs((stateOf(filled, 180).deliveries?.[0]?.measuredL ?? 0) - 102.6)).toBeLessThan(1);
    const rise = (litres: number): Entry[] =>
      [0, 1, 2].map((i) => [i * 10 * MINUTE, i === 2 ? 50 + litres : 50, 0, -1]);
    expect(risesOf(rise(10), 200)).toEqual([]);
    expect(risesOf(rise(10.1), 200)).toHaveLength(1);
    expect(risesOf(rise(10.1), 400)).toEqual([]);
  });

  test("confirmed or rejected late moves no estimate", () => {
    const [{ deliveryId } = { deliveryId: "" }] = filled.fuel.deliveries;
    const confirmed = withDelivery(filled, VIEW, { litres: 110, atMs: NOON_MS + 170 * MINUTE, told }, "entry-0001");
    expect(stateOf(confirmed, 180).deliveries).toMatchObject([{ deliveryId, toldL: 110, told, state: "confirmed" }]);
    expect(stateOf(confirmed, 180).endurance).toEqual(stateOf(filled, 180).endurance);
    const later = play(falling(185, 1, 158.6, 1.4), VIEW, confirmed);
    expect(later.fuel.deliveries).toMatchObject([{ deliveryId, toldL: 110, state: "confirmed" }]);
    const rejected = withoutDelivery(filled, deliveryId, told);
    expect(stateOf(rejected, 180).deliveries).toMatchObject([{ state: "rejected" }]);
    expect(stateOf(rejected, 180).endurance).toEqual(stateOf(filled, 180).endurance);
  });
});

describe("what is learned of a set", () => {
  test("goes along when it moves, and stays bounded", () => {
    const samples = falling(0, 30, 190, 3.2, { loadKw: 5 });
    const first = play(samples);
    const asset = withStay(emptyAsset("set-1"), GENERATOR, first.fuel, first.levels);
    expect(first.fuel.hours.length).toBeLessThanOrEqual(HOURS_KEPT);
    expect(asset.pieces.length).toBeGreaterThan(3);
    expect(asset.pieces.length).toBeLessThanOrEqual(PIECES_MAX);
    const there: PointView = { ...VIEW, pointId: "alm-02" };
    const moved = play(falling(3_000, 1, 190, 0, { loadKw: 5 }).slice(0, 3), there, emptyModel("alm-02"));
    const bare = stateOf(moved, 3_015, there).endurance;
    const known = stateOf(moved, 3_015, there, asset).endurance;
    expect(bare).toMatchObject({ method: "modelled" });
    expect(known).toMatchObject({ method: "learned" });
    expect(known.kind === "estimate" && Math.abs((known.rateLPerH ?? 0) - 3.2)).toBeLessThan(0.3);
    expect(bare.kind === "estimate" && bare.rateLPerH).toBeCloseTo(modelLitresPerH(GENERATOR, 5), 1);
  });

  test("F0 and F1 are found from pieces at different loads", () => {
    const at = (hour: number, kw: number) => [hour, 6, 6 * kw, 6 * (0.5 + 0.33 * kw), 0.1] as const;
    const thirst = thirstOf(
      GENERATOR,
      [1, 6, 2, 7, 3, 5, 1, 6].map((kw, i) => at(1_000 + 6 * i, kw)),
      {
        knowsLoad: true,
        atMs: 1_050 * HOUR,
      },
    );
    expect(thirst.f1).toBeGreaterThan(0.3);
    expect(Math.abs(thirst.f0 * 8 + thirst.f1 * 4 - 1.82)).toBeLessThan(0.1);
  });

  test("another set begins anew", () => {
    const model = play(falling(0, 2, 100, 1.4));
    const other: PointView = { ...VIEW, generator: { ...GENERATOR, assetId: "set-2" } };
    const next = after(model, other, { minute: 130, level: 80 });
    expect(next.levels).toHaveLength(1);
    expect(next.fuel).toMatchObject({ assetId: "set-2", dips: [], deliveries: [] });
  });
});

test("the rhythm of a day that was seen is what the next one asks", () => {
  const values = Array.from({ length: 48 }, (_, hour) => ({ hour, value: hour % 24 < 12 ? 1 : 3, sigma: 0 }));
  const rhythm = rhythmOf(values, 48);
  expect(rhythm?.ahead[30]).toBeCloseTo(1, 1);
  expect(rhythm?.ahead[40]).toBeCloseTo(3, 1);
  expect(hoursUntilUsed([1, ...new Array<number>(47).fill(2)], 5, 500)).toBeCloseTo(3);
});

describe("the fuel of a set and its tank", () => {
  const dip = (atMs: number) => ({ atMs, litres: 80, sensorL: 100, by: "coordinator-1", via: "voice" }) as const;
  const linked = (tankId: string): Generator => ({ ...GENERATOR, tankId });
  const tank = (...dips: number[]) => ({ assetId: "tank-1", pieces: [], dips: dips.map(dip) });
  const marks = (fuel: FuelModel) => fuel.dips.map(({ atMs, elsewhere = false }) => [atMs, elsewhere]);

  test("is the same while they stand there, and one kept before tanks had names stays", () => {
    const fuel = { ...EMPTY_FUEL, assetId: "set-1", dips: [dip(1)] };
    expect(fuelOfSet(fuel, GENERATOR, tank(1))).toBe(fuel);
    const named = fuelOfSet(fuel, linked("tank-1"), tank(1));
    expect(named).toEqual({ ...fuel, tankId: "tank-1" });
    expect(fuelOfSet(named, linked("tank-1"), tank(1))).toBe(named);
  });

  test("begins anew with another tank of the same set, with the dips that it brings along", () => {
    const fuel = { ...EMPTY_FUEL, assetId: "set-1", tankId: "tank-0", hours: [[1, 2, 3]], dips: [dip(1)] } as never;
    const next = fuelOfSet(fuel, linked("tank-1"), tank(2, 3));
    expect(next).toMatchObject({ assetId: "set-1", tankId: "tank-1", hours: [] });
    expect(marks(next)).toEqual([
      [2, true],
      [3, true],
    ]);
  });

  test("of a tank that was away and came back unseen knows that its own dips are of the time before", () => {
    const fuel = { ...EMPTY_FUEL, assetId: "set-1", dips: [dip(1), dip(2)] };
    const back = fuelOfSet(fuel, GENERATOR, tank(1, 2, 5));
    expect(marks(back)).toEqual([
      [1, true],
      [2, true],
      [5, true],
    ]);
    expect(dipsHere(back.dips)).toEqual([]);
    const dipped = { ...back, dips: [...back.dips, dip(7)] };
    expect(dipsHere(fuelOfSet(dipped, GENERATOR, withDips(tank(1, 2, 5), dipped.dips)).dips)).toEqual([dip(7)]);
    expect(withDips(tank(1, 2, 5), dipped.dips).dips).toEqual([1, 2, 5, 7].map(dip));
  });
});

describe("a state of charge", () => {
  const battery = { chemistry: "lfp", capacityKwh: 5.12, nominalV: 51.2 } as const;
  const entry = (minute: number, pct: number, amperes = -5, volts = 51.2): Entry => [
    minute * MINUTE,
    volts,
    amperes,
    pct,
  ];

  test("that jumps to 100 % is that of a shunt that was restarted, until the battery is truly full", () => {
    const jumped = [entry(0, 76), entry(3, 75.5), entry(6, 100), entry(66, 95)];
    expect(doubtOf(battery, jumped, undefined)?.believedPct).toBeCloseTo(75.25 - 5, 0);
    expect(doubtOf(battery, [...jumped, entry(90, 100, 2, 54)], undefined)).toBeUndefined();
    expect(doubtOf(battery, [...jumped, entry(90, 100, 2, 51)], undefined)).toBeDefined();
  });

  test("that the charger can have filled is believed", () => {
    expect(doubtOf(battery, [entry(0, 60, 50), entry(30, 84, 50)], undefined)).toBeUndefined();
  });
});

describe("fuel that goes where it should not", () => {
  const RULES = CONCEPT_2026.rules.filter((one) => one.matter === "fuel");
  const found = (model: PointModel, minute: number) => {
    const { known } = fuelWatched(model, VIEW, { nowMs: NOON_MS + minute * MINUTE });
    return rulesHeld(RULES, known, () => undefined).map(({ rule }) => rule.ruleId);
  };
  const resting = { generator: "stopped", mains: "present" } as const;

  test("a fall at rest is a loss when it is seen three times, and none while the set runs as it should", () => {
    const still = falling(0, 2, 100, 0, resting);
    expect(found(play([...still, ...falling(120, 1, 85, 0, resting).slice(0, 2)]), 130)).toEqual([]);
    expect(found(play([...still, ...falling(120, 1, 85, 0, resting).slice(0, 3)]), 130)).toEqual(["fuel-loss"]);
    expect(found(play([...still, ...falling(120, 1, 96, 0, resting)]), 175)).toEqual([]);
    expect(found(play(falling(0, 8, 150, 2)), 475)).toEqual([]);
  });

  test("half a litre an hour over a night at rest is a leak, a tenth is not", () => {
    expect(found(play(falling(0, 15, 150, 0.5, resting)), 895)).toEqual(["fuel-leak"]);
    expect(found(play(falling(0, 15, 150, 0.1, resting)), 895)).toEqual([]);
  });

  test("a running set that drinks far more than it can is told of", () => {
    const usual = falling(0, 6, 190, 1.4, { loadKw: 4 });
    expect(found(play([...usual, ...falling(360, 1, 181, 4, { loadKw: 4 })]), 415)).toEqual(["fuel-overuse"]);
    expect(found(play([...usual, ...falling(360, 1, 181, 1.8, { loadKw: 4 })]), 415)).toEqual([]);
  });

  test("a sensor that is unplugged from a tank with fuel is tampered with, from an empty one it is not", () => {
    const cut = (level: number) =>
      play([
        { minute: 0, level },
        { minute: 1, level: "open-circuit" },
      ]);
    expect(found(cut(60), 2)).toEqual(["fuel-tamper"]);
    expect(found(cut(19), 2)).toEqual([]);
  });
});

describe("whatever comes in", () => {
  const sample = fc.record({
    minute: fc.integer({ min: 0, max: 5_000 }),
    level: fc.oneof(
      fc.integer({ min: 0, max: 1000 }).map((tenths) => tenths / 10),
      fc.constant("open-circuit" as const),
    ),
    generator: fc.constantFrom("running", "stopped", "absent"),
    mains: fc.constantFrom("lost", "present"),
    loadKw: fc.oneof(
      fc.integer({ min: 0, max: 100 }).map((tenths) => tenths / 10),
      fc.constant("absent" as const),
    ),
  });
  const samples = fc.uniqueArray(sample, {
    selector: (one) => Math.floor(one.minute / 3),
    minLength: 1,
    maxLength: 80,
  });

  /** Of sums that are made in another order the last digits differ. */
  function expectSame(one: PointState["endurance"], other: PointState["endurance"]): void {
    const entriesOf = (estimate: object) =>
      Object.entries(estimate).map(([key, value]) => [key, figureOf(value)] as const);
    const figures = new Map(entriesOf(one));
    expect(Object.keys(other)).toEqual(Object.keys(one));
    for (const [key, value] of entriesOf(other)) {
      if (typeof value === "number") expect(Math.abs(value - Number(figures.get(key))), key).toBeLessThanOrEqual(1);
      else expect(value, key).toEqual(figures.get(key));
    }
  }
  /** Times in seconds, other numbers in millionths. */
  function figureOf(value: unknown): unknown {
    if (typeof value === "number") return value * 1e6;
    return typeof value === "string" && /^\d{4}-.*Z$/.test(value) ? Date.parse(value) / 1000 : value;
  }

  test("the range is in order and a number, and the order of arrival changes nothing", () => {
    fc.assert(
      fc.property(samples, fc.infiniteStream(fc.nat(1_000)), (rows, keys) => {
        const sorted = [...rows].sort((a, b) => a.minute - b.minute);
        const end = (sorted[sorted.length - 1] as Sample).minute;
        const shuffled = rows.map((row) => ({ row, key: keys.next().value as number })).sort((a, b) => a.key - b.key);
        const one = stateOf(play(sorted), end).endurance;
        const other = stateOf(play(shuffled.map(({ row }) => row)), end).endurance;
        expectSame(one, other);
        if (one.kind !== "estimate") return;
        for (const hours of [one.p10H, one.p50H, one.p90H, one.rateLPerH ?? 0])
          expect(Number.isFinite(hours) && hours >= 0).toBe(true);
        expect(one.p10H).toBeLessThanOrEqual(one.p50H);
        expect(one.p50H).toBeLessThanOrEqual(one.p90H);
      }),
      { numRuns: 60 },
    );
  });

  test("more litres are never fewer hours, at P10, P50 and P90", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 1, max: 100 }), (tenths, more) => {
        const base = play(falling(0, 4, 150, 1.8));
        const at = (level: number) => {
          const reading = { ...base.readings["power.fuelLevelPct"], value: level / 10 } as ReadingState;
          return hoursOf(stateOf({ ...base, readings: { ...base.readings, "power.fuelLevelPct": reading } }, 235));
        };
        const [low, high] = [at(tenths), at(tenths + more)];
        for (const key of ["p10H", "p50H", "p90H"] as const) expect(high[key]).toBeGreaterThanOrEqual(low[key]);
      }),
      { numRuns: 60 },
    );
  });
});

test("a late sample that has no load borrows none from what its own device said later", () => {
  const newer = { minute: 30, level: 60, loadKw: 2.5 } as const;
  const model = play([newer, { minute: 0, level: 62, loadKw: "absent" }]);
  expect(model.levels.map(([, , , load]) => load)).toEqual([-1, 2.5]);
});

test("the error of a shunt at rest, with the mains there, is no rate", () => {
  const battery = { chemistry: "lfp", capacityKwh: 5, nominalV: 48 } as const;
  const view = { ...VIEW, generator: undefined, battery };
  const currents = Array.from({ length: 12 }, (_, i) => [NOON_MS - (12 - i) * 3 * MINUTE, 48.7, -0.1, 96] as const);
  const input = {
    ...{
      nowMs: NOON_MS,
      sampledMs: NOON_MS,
      hasDevice: true,
      contactLost: false,
      targetMs: NOON_MS + 72 * 60 * MINUTE,
    },
    ...{
      generator: undefined,
      generatorState: "absent",
      battery: view.battery,
      fuelLevelPct: undefined,
      fuelBad: false,
    },
    ...{ stateOfChargePct: 96, batteryBad: false, levels: [], currents },
  };
  expect(estimateEndurance({ ...input, mainsPresent: true })).toMatchObject({ kind: "none", reason: "too-early" });
  const drawn = currents.map(([atMs, volts, , charge]) => [atMs, volts, -10, charge] as const);
  expect(estimateEndurance({ ...input, currents: drawn, mainsPresent: true })).toMatchObject({ kind: "estimate" });
});
