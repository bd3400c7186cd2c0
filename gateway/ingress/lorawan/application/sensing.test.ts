import { describe, expect, test } from "vitest";
import type { DeviceModelName, Sensing } from "../../../../protocol/index.ts";
import type { Channels } from "../decoders/decoder.ts";
import { groupsOf } from "./sensing.ts";

const groups = (model: DeviceModelName, sensing: Sensing, channels: Channels, before?: Channels) =>
  groupsOf({ model, sensing }, channels, before);

describe("a level", () => {
  const tank = (distanceMm: Channels[string]) =>
    groups("EM500-UDL", { fuelLevelPct: { empty: 1100, full: 100 } }, { distanceMm }).power?.fuelLevelPct;

  test("lies on the line between empty and full, either way round", () => {
    expect([1100, 850, 600, 100].map(tank)).toEqual([0, 25, 50, 100]);
    const loop = { fuelLevelPct: { empty: 4, full: 20 } };
    expect(groups("PS-LB", loop, { currentMa: 12 }).power?.fuelLevelPct).toBe(50);
  });

  test("a little beyond is empty or full; far beyond is out of range, and a reason stays what it is", () => {
    expect([1150, 1151, 50, 49].map(tank)).toEqual([0, "out-of-range", 100, "out-of-range"]);
    expect(["open-circuit", "out-of-range"].map((reason) => tank(reason as never))).toEqual([
      "open-circuit",
      "out-of-range",
    ]);
  });

  test("a current loop says itself that it is broken (NAMUR NE 43)", () => {
    const of = (currentMa: number) =>
      groups("PS-LB", { fuelLevelPct: { empty: 4, full: 20 } }, { currentMa }).power?.fuelLevelPct;
    expect([3.59, 3.6, 20.5, 21, 21.01].map(of)).toEqual(["open-circuit", 0, 100, "out-of-range", "short-circuit"]);
  });
});

describe("inputs", () => {
  const sensing: Sensing = {
    generator: { from: "register3", atLeast: 500 },
    generatorFailed: { from: "input2", atLeast: 1 },
    mains: { from: "input1", below: 1 },
    starterBatteryV: { from: "voltage1V", scale: 2.5, offset: 0.1 },
    loadKw: { from: "register4", scale: 0.1 },
    temperatureC: { from: "temperature1C" },
  };

  test("are a set that runs, stands, or has failed, and mains that are there or not", () => {
    const power = (channels: Channels) => groups("UC300", sensing, channels).power;
    const all = { register3: 1500, input2: 0, input1: 0, voltage1V: 5, register4: 42 };
    expect(power(all)).toEqual({
      ...{ fuelLevelPct: "absent", generator: "running", mains: "present", loadKw: 4.2, starterBatteryV: 12.6 },
    });
    expect(power({ ...all, register3: 0, input1: 1 })).toMatchObject({ generator: "stopped", mains: "lost" });
    expect(power({ ...all, input2: 1 })).toMatchObject({ generator: "failed" });
    expect(power({ ...all, register3: "open-circuit", register4: "open-circuit" })).toMatchObject({
      ...{ generator: "unknown", loadKw: "open-circuit" },
    });
  });

  test("what this uplink leaves out is as it was of late; else nobody knows", () => {
    const before = { register3: 1500, input2: 0, voltage1V: 5 };
    expect(groups("UC300", sensing, { input1: 1 }, before)).toEqual({
      power: { fuelLevelPct: "absent", generator: "running", mains: "lost", loadKw: "unknown", starterBatteryV: 12.6 },
    });
    expect(groups("UC300", sensing, { input1: 1 }).power).toMatchObject({ generator: "unknown", mains: "lost" });
  });

  test("a group of which this uplink says nothing is not told of again", () => {
    expect(groups("UC300", sensing, { temperature1C: 4.5 }, { input1: 1 })).toEqual({
      environment: { temperatureC: 4.5 },
    });
    expect(groups("UC300", sensing, { output1: 1 }, { input1: 1 })).toEqual({});
    expect(groups("UC300", {}, { input1: 1 })).toEqual({});
  });

  test("a battery of the point", () => {
    const battery: Sensing = { batteryV: { from: "voltage2V", scale: 10 } };
    expect(groups("UC300", battery, { voltage2V: 2.6 })).toEqual({
      battery: { batteryV: 26, batteryA: "absent", stateOfChargePct: "absent" },
    });
  });
});

describe("people", () => {
  const door = (channels: Channels, lines?: number) =>
    groups("VS133", lines === undefined ? {} : { lines }, channels).occupancy;

  test("seen from above are as many as are seen; who came in is counted where it is told", () => {
    expect(groups("VS121", {}, { people: 12 })).toEqual({ occupancy: { occupancy: 12, entries: "absent" } });
    expect(groups("VS121", {}, { people: 12, totalIn: 16_400, totalOut: 0 }).occupancy?.entries).toBe(24);
    expect(groups("VS121", {}, { totalIn: 5, totalOut: 0 }, { people: 3 }).occupancy).toEqual({
      occupancy: 3,
      entries: 5,
    });
  });

  test("at a door are those who came in less those who went out, over all lines that are ways in", () => {
    const totals = { totalIn1: 72, totalOut1: 60, totalIn2: 10, totalOut2: 4 };
    expect(door(totals)).toEqual({ occupancy: 12, entries: 72 });
    expect(door(totals, 2)).toEqual({ occupancy: 18, entries: 82 });
    expect(door({ totalIn1: 72, totalOut1: 60 }, 2)).toEqual({ occupancy: "unknown", entries: "unknown" });
    expect(door({})).toBeUndefined();
  });

  test("a few missed are nobody; many more out than in is a counter that cannot be believed", () => {
    expect(door({ totalIn1: 50, totalOut1: 70 })?.occupancy).toBe(0);
    expect(door({ totalIn1: 50, totalOut1: 71 })?.occupancy).toBe("untrusted");
  });
});
