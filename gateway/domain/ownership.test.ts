import { describe, expect, test } from "vitest";
import { POINT, power } from "../../tests/engine-fixtures.ts";
import { NOON_MS, report } from "../../tests/fixtures.ts";
import { byOwner, crossReadings, TOLERANCES } from "./ownership.ts";
import type { DeviceView, PointView } from "./point.ts";
import { emptyModel, type PointModel, withReport } from "./point-model.ts";
import { pointState } from "./point-state.ts";

const OWNED: PointView = { ...POINT, groupOwners: { power: "a-d1" } };
const DEVICES: DeviceView[] = ["a-d1", "a-d2"].map((deviceId) => {
  return { deviceId, pointId: "alm-01", link: "mqtt", reportIntervalS: 60 };
});

function said(model: PointModel, deviceId: string, minute: number, part: Parameters<typeof report>[0]): PointModel {
  const timeMs = NOON_MS + minute * 60_000;
  const arrival = { deviceId, sequence: minute, receivedMs: timeMs, timeMs, quality: "synced" } as const;
  return withReport(model, OWNED, { ...arrival, report: report(part) });
}

const stateOf = (model: PointModel, minute: number) =>
  pointState(model, OWNED, {
    nowMs: NOON_MS + minute * 60_000,
    targetMs: NOON_MS + 72 * 3_600_000,
    devices: DEVICES,
    contact: "present",
    priority: 0,
  });

describe("a group that a device owns", () => {
  test("counts from it alone, whoever came last; the other is shown beside it", () => {
    const both = said(said(emptyModel("alm-01"), "a-d1", 0, power(60)), "a-d2", 1, power(20, "present"));
    const state = stateOf(both, 1);
    expect(state).toMatchObject({ mains: "lost", fuel: { levelPct: 60 } });
    expect(both.levels).toHaveLength(1);
    const levels = state.readings.filter((one) => one.name === "power.fuelLevelPct");
    expect(levels).toMatchObject([
      { deviceId: "a-d1", value: 60 },
      { deviceId: "a-d2", value: 20, quality: "good", crossCheck: { difference: -40, differs: true } },
    ]);
    expect(state.readings.find((one) => one.name === "power.mains" && one.deviceId === "a-d2")).toMatchObject({
      crossCheck: { differs: true },
    });
  });

  test("says nothing of itself until its owner does", () => {
    const state = stateOf(said(emptyModel("alm-01"), "a-d2", 0, power(20)), 0);
    expect(state.fuel).toBeUndefined();
    expect(state.mains).toBe("unknown");
    expect(state.readings.find((one) => one.name === "power.fuelLevelPct")).toMatchObject({
      deviceId: "a-d2",
      crossCheck: { differs: false },
    });
  });

  test("differs beyond the tolerance and not at it; of another hour nothing is said", () => {
    const tolerance = TOLERANCES["power.fuelLevelPct"] ?? 0;
    const differs = (level: number, minute = 1) => {
      const model = said(said(emptyModel("alm-01"), "a-d1", 0, power(50)), "a-d2", minute, power(level));
      const moment = { nowMs: NOON_MS, staleMs: 60_000, devices: DEVICES };
      return crossReadings(model, OWNED.groupOwners, moment).find((one) => one.name === "power.fuelLevelPct")
        ?.crossCheck;
    };
    expect(differs(50 + tolerance)).toEqual({ difference: tolerance, differs: false });
    expect(differs(50 + tolerance + 0.5)).toEqual({ difference: tolerance + 0.5, differs: true });
    expect(differs(90, 16)).toEqual({ differs: false });
  });

  test("of a device that has left nothing is shown, and nobody's groups are left as they came", () => {
    const model = said(said(emptyModel("alm-01"), "a-d1", 0, power(50)), "a-d2", 1, power(90));
    const moment = { nowMs: NOON_MS, staleMs: 60_000, devices: DEVICES.slice(0, 1) };
    expect(crossReadings(model, OWNED.groupOwners, moment)).toEqual([]);
    const whole = report(power(50));
    expect(byOwner(whole, "a-d2", undefined)).toEqual({ counted: whole, checks: undefined });
    expect(byOwner(whole, "a-d1", { power: "a-d1" }).counted).toBe(whole);
    const { counted, checks } = byOwner(whole, "a-d2", { power: "a-d1", battery: "a-d1" });
    expect(counted.power).toBeUndefined();
    expect(checks).toEqual({ power: whole.power });
  });
});

describe("two devices that each have a part of a group", () => {
  const SET = {
    ...power(0),
    power: { ...power(0).power, fuelLevelPct: "absent", generator: "stopped", mains: "present" },
  };
  const tank = (level: number) => ({
    power: { fuelLevelPct: level, generator: "absent", mains: "absent", loadKw: "absent", starterBatteryV: "absent" },
  });
  const seen = (model: PointModel, deviceId: string, minute: number, part: Parameters<typeof report>[0]) => {
    const timeMs = NOON_MS + minute * 60_000;
    const arrival = { deviceId, sequence: minute, receivedMs: timeMs, timeMs, quality: "synced" } as const;
    return withReport(model, POINT, { ...arrival, report: report(part) });
  };

  test("take nothing from each other: what one has no sensor for stays as the other said", () => {
    const set = SET as Parameters<typeof report>[0];
    const model = seen(seen(emptyModel("alm-01"), "a-d1", 0, set), "a-d2", 1, tank(40) as never);
    expect(model.readings).toMatchObject({
      "power.mains": { deviceId: "a-d1", value: "present" },
      "power.generator": { deviceId: "a-d1", value: "stopped" },
      "power.fuelLevelPct": { deviceId: "a-d2", value: 40 },
    });
    expect(model.levels.map(([, , runs]) => runs)).toEqual([0]);
    expect(seen(model, "a-d2", 120, tank(39) as never).levels.map(([, , runs]) => runs)).toEqual([0, 1]);
  });

  test("but of one device a sensor that is gone is gone", () => {
    const model = seen(seen(emptyModel("alm-01"), "a-d1", 0, power(60)), "a-d1", 1, SET as never);
    expect(model.readings["power.fuelLevelPct"]?.value).toBe("absent");
  });
});

test("minimum levels of an own post: met, not met, and not known, which is never met", () => {
  const at = (processId: string, quantity: "enduranceH" | "fuelL" | "temperatureC", minimum: number) => {
    return { processId, name: processId, directorate: "brandweer", quantity, minimum };
  };
  const view = {
    ...POINT,
    minimums: [at("turnout", "fuelL", 100), at("desk", "enduranceH", 200), at("hall", "temperatureC", 15)],
  };
  const model = said(emptyModel("alm-01"), "a-d1", 0, power(60));
  const moment = { nowMs: NOON_MS, targetMs: NOON_MS, devices: DEVICES, contact: "present", priority: 0 } as const;
  expect(
    pointState(model, view, moment).minimums?.map((one) => [one.processId, one.value === undefined, one.met]),
  ).toEqual([
    ["turnout", false, "yes"],
    ["desk", false, "no"],
    ["hall", true, "unknown"],
  ]);
});
