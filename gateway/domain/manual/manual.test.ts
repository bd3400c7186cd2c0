import { describe, expect, test } from "vitest";
import type { Entry, NewEntry, PointState, Report, Statement } from "../../../protocol/index.ts";
import { entry, POINT } from "../../../tests/engine-fixtures.ts";
import { NOON_MS, report } from "../../../tests/fixtures.ts";
import { emptyModel, type PointModel, withReport } from "../point-model.ts";
import { pointState } from "../point-state.ts";
import { CONCEPT_2026 } from "../profile.ts";
import { whatCounts } from "./blend.ts";
import { stepEntry } from "./entry.ts";
import { AHEAD_MS_MAX, makeEntry } from "./new-entry.ts";

const MINUTE_MS = 60_000;
const at = (minute: number) => NOON_MS + minute * MINUTE_MS;
const TOLD = { by: "coordinator-1", via: "voice" };
const DEVICE = { deviceId: "alm-01-d1", pointId: "alm-01", link: "mqtt", reportIntervalS: 60 } as const;

const tell = (model: PointModel, statement: Statement, minute: number, part: Partial<Entry> = {}) =>
  stepEntry(model, POINT, entry(statement, at(minute), part), at(Math.max(minute, 500)));
const told = (statement: Statement, minute: number, model = emptyModel("alm-01")) =>
  tell(model, statement, minute).model;

function measured(minute: number, part: Partial<Report>, model = emptyModel("alm-01")): PointModel {
  const value = report(part);
  const arrival = {
    deviceId: "alm-01-d1",
    sequence: minute,
    receivedMs: at(minute),
    timeMs: at(minute),
    report: value,
  };
  return withReport(model, POINT, { ...arrival, quality: "synced" });
}

function shown(model: PointModel, minute: number, hasDevice = true): PointState {
  const contact = hasDevice ? "present" : "no-device";
  const devices = hasDevice ? [DEVICE] : [];
  return pointState(model, POINT, { nowMs: at(minute), targetMs: at(4_320), devices, contact, priority: 0 });
}

const reading = (state: PointState, name: string) => state.readings.find((one) => one.name === name);

describe("what counts", () => {
  const sensor = (value: number | string, minute: number) => {
    return { deviceId: "d", sequence: 1, atMs: at(minute), value, quality: "synced" } as const;
  };
  const word = (minute: number) => ({ value: 5, atMs: at(minute), by: "a", via: "voice" }) as const;
  test.each([
    ["nothing", undefined, undefined, undefined],
    ["a sensor alone", sensor(4, 0), undefined, "sensor"],
    ["a word alone", undefined, word(0), "told"],
    ["a good sensor that is newer", sensor(4, 1), word(0), "sensor"],
    ["a good sensor of the same moment", sensor(4, 0), word(0), "sensor"],
    ["a word that is newer", sensor(4, 0), word(1), "told"],
    ["a word beside a bad sensor, however new", sensor("open-circuit", 9), word(0), "told"],
    ["a word beside a sensor that is not fitted", sensor("absent", 9), word(0), "told"],
    ["a word beside a sensor that does not know", sensor("unknown", 9), word(0), "told"],
  ] as const)("of %s", (_, one, other, counts) => {
    expect(whatCounts(one, other)).toBe(counts);
  });

  test("mains by word hold until a device says otherwise later", () => {
    const lost = told(
      { kind: "power", mains: "lost", generator: "failed" },
      10,
      measured(0, { power: power("present") }),
    );
    expect(shown(lost, 11)).toMatchObject({
      mains: "lost",
      generator: "failed",
      mainsLostAt: new Date(at(10)).toISOString(),
    });
    expect(reading(shown(lost, 11), "power.mains")).toMatchObject({ value: "lost", told: TOLD });
    const back = measured(12, { power: power("present") }, lost);
    expect(shown(back, 12)).toMatchObject({ mains: "present", generator: "stopped" });
    expect(shown(back, 12).mainsLostAt).toBeUndefined();
    expect(reading(shown(back, 12), "power.mains")).toMatchObject({ deviceId: "alm-01-d1" });
  });

  test("supplies count by the newest, one by one", () => {
    const model = told({ kind: "supplies", water: 2 }, 20, told({ kind: "supplies", water: 4, food: 3 }, 10));
    const state = shown(model, 30, false);
    expect(reading(state, "supplies.water")?.value).toBe(2);
    expect(reading(state, "supplies.food")).toMatchObject({ value: 3, told: TOLD, quality: "good" });
    expect(reading(shown(model, 30 + 721, false), "supplies.food")?.quality).toBe("stale");
  });
});

describe("a late statement", () => {
  test.each<[string, Statement]>([
    ["of power", { kind: "power", mains: "lost" }],
    ["of people", { kind: "count", people: 3 }],
    ["of the phase", { kind: "phase", phase: "closed" }],
  ])("%s overrides nothing that is newer", (_, statement) => {
    const now = told(
      statement.kind === "count" ? { kind: "count", people: 9 } : statement,
      60,
      measured(61, { phase: "open", power: power("present") }),
    );
    const { model, reason } = tell(now, statement, 30);
    expect(reason).toBe("late");
    const { readings: _a, phaseSince: _b, ...before } = shown(now, 62);
    expect(shown(model, 62)).toMatchObject(before);
  });

  test("of the mains leaves what samples said of the outage", () => {
    const model = measured(40, { power: power("lost") }, measured(0, { power: power("present") }));
    expect(shown(tell(model, { kind: "power", mains: "present" }, 20).model, 41).mainsLostAt).toBe(
      new Date(at(40)).toISOString(),
    );
  });
});

test("what was told while the gateway's clock was years ahead stands before nothing that comes after", () => {
  const years = 6_000_000;
  let model = stepEntry(
    emptyModel("alm-01"),
    POINT,
    entry({ kind: "power", mains: "lost" }, at(years)),
    at(years),
  ).model;
  model = stepEntry(model, POINT, entry({ kind: "phase", phase: "full" }, at(years)), at(years)).model;
  model = stepEntry(model, POINT, entry({ kind: "count", people: 8 }, at(years)), at(years)).model;
  const then = measured(10, { power: power("present"), phase: "open" }, model);
  expect(shown(then, 10)).toMatchObject({
    mains: "present",
    phase: "full",
    occupancy: { people: 8, at: new Date(at(10)).toISOString() },
  });
  const lost = stepEntry(model, POINT, entry({ kind: "power", mains: "lost" }, at(20)), at(20)).model;
  expect(shown(lost, 20, false).mainsLostAt).toBe(new Date(at(20)).toISOString());
  const after = stepEntry(then, POINT, entry({ kind: "phase", phase: "closing" }, at(11)), at(11)).model;
  expect(shown(stepEntry(after, POINT, entry({ kind: "count", people: 5 }, at(12)), at(12)).model, 12)).toMatchObject({
    phase: "closing",
    occupancy: { people: 5 },
  });
  expect(measured(13, { phase: "closed" }, after).lifecycle.current).toMatchObject({ phase: "closed", atMs: at(13) });
});

describe("fuel by word", () => {
  test("stands for a bad sensor, and says who told it", () => {
    const bad = measured(0, { power: { ...power("lost"), fuelLevelPct: "open-circuit" } });
    expect(shown(bad, 1).fuel).toBeUndefined();
    const state = shown(told({ kind: "dip", litres: 120 }, 1, bad), 2);
    expect(state.fuel).toMatchObject({
      litres: 120,
      told: TOLD,
      at: new Date(at(1)).toISOString(),
      dip: { litres: 120 },
    });
    expect(state.endurance.kind).toBe("estimate");
  });

  test("is held against the sensor: what that said more at that moment", () => {
    const model = told({ kind: "dip", litres: 120 }, 1, measured(0, { power: { ...power("lost"), fuelLevelPct: 65 } }));
    expect(shown(model, 2).fuel?.dip).toEqual({ litres: 120, at: new Date(at(1)).toISOString(), sensorMoreL: 10 });
    const later = measured(3, { power: { ...power("lost"), fuelLevelPct: 64 } }, model);
    // What the stick said corrects the sensor from then on.
    const { litres = 0, dip } = shown(later, 3).fuel ?? {};
    expect(dip).toMatchObject({ sensorMoreL: 10 });
    expect(Math.abs(litres - 118)).toBeLessThan(2);
    expect(shown(later, 3).fuel?.told).toBeUndefined();
  });

  test("of deliveries is kept with an end", () => {
    let model = emptyModel("alm-01");
    for (let i = 0; i < 40; i++) model = told({ kind: "delivery", litres: 10 }, i * 60, model);
    const { deliveries = [] } = shown(model, 40 * 60);
    expect(deliveries.length).toBeLessThanOrEqual(16);
    expect(deliveries.at(-1)).toMatchObject({ toldL: 10, state: "confirmed", told: TOLD });
  });
});

describe("a point without a device", () => {
  const model = told(
    { kind: "count", people: 40 },
    12,
    told(
      { kind: "power", mains: "lost", generator: "running", loadKw: 4 },
      11,
      told({ kind: "dip", litres: 120 }, 10, told({ kind: "phase", phase: "open" }, 0)),
    ),
  );

  test("is a full citizen: phase, age, power, people and hours by word alone", () => {
    expect(shown(model, 20, false)).toMatchObject({
      phase: "open",
      phaseSince: { at: new Date(at(0)).toISOString(), told: TOLD },
      contact: "no-device",
      lastSampleAt: new Date(at(12)).toISOString(),
      mains: "lost",
      source: "generator",
      fuel: { litres: 120, told: TOLD },
      occupancy: { people: 40, told: TOLD, quality: "good" },
      endurance: { kind: "estimate", limitedBy: "fuel", carriedForward: false, asOf: new Date(at(10)).toISOString() },
    });
    const hours = (minute: number) => (shown(model, minute, false).endurance as { p50H: number }).p50H;
    expect(hours(70)).toBeCloseTo(hours(10) - 1, 1);
    expect(shown(model, 10 + 721, false).endurance).toMatchObject({ carriedForward: true });
  });

  test("of which nobody told anything has no number", () => {
    expect(shown(emptyModel("alm-01"), 0, false).endurance).toMatchObject({ kind: "none", reason: "no-device" });
    expect(shown(told({ kind: "phase", phase: "open" }, 0), 1, false).endurance).toMatchObject({ reason: "no-data" });
  });

  test("a note changes no picture", () => {
    expect(tell(model, { kind: "note", text: "key at the neighbours" }, 30)).toEqual({
      model,
      reason: "noted",
      moved: false,
    });
  });
});

describe("what is typed in", () => {
  const make = (asked: Partial<NewEntry>) => {
    const whole: NewEntry = { via: "voice", statement: { kind: "count", people: 3 }, ...asked };
    return makeEntry({ pointId: "alm-01", asked: whole, by: "coordinator-1", newId: "id-of-our-own", nowMs: NOON_MS });
  };
  test("becomes an entry of now, or of its moment", () => {
    expect(make({})).toMatchObject({
      entry: { at: "2026-11-24T12:00:00.000Z", entryId: "id-of-our-own", by: "coordinator-1" },
    });
    expect(make({ at: "2026-11-24T09:30:00Z", entryId: "mine-0001" })).toMatchObject({
      entry: { at: "2026-11-24T09:30:00.000Z", entryId: "mine-0001" },
    });
    // A screen whose clock runs a little ahead means now.
    expect(make({ at: new Date(NOON_MS + AHEAD_MS_MAX).toISOString() })).toMatchObject({
      entry: { at: "2026-11-24T12:00:00.000Z" },
    });
  });
  test.each<[Partial<NewEntry>, RegExp]>([
    [{ at: new Date(NOON_MS + AHEAD_MS_MAX + 1).toISOString() }, /^\/at .* lies ahead of now/],
    [{ at: "2026-13-24T12:00:00Z" }, /^\/at .* is no moment/],
    [{ statement: { kind: "power" } }, /^\/statement says nothing: power/],
    [{ statement: { kind: "dip" } }, /^\/statement says nothing: dip/],
    [{ statement: { kind: "supplies" } }, /^\/statement says nothing: supplies/],
  ])("%j is none", (asked, problem) => {
    expect((make(asked) as { problem: string }).problem).toMatch(problem);
  });
});

test("the norms of people are data of the profile", () => {
  expect(CONCEPT_2026.people.shiftS).toBe(12 * 3_600);
});

function power(mains: "lost" | "present"): NonNullable<Report["power"]> {
  const generator = mains === "lost" ? "running" : "stopped";
  return { fuelLevelPct: 63.5, generator, mains, loadKw: 4.2, starterBatteryV: 13.8 };
}
