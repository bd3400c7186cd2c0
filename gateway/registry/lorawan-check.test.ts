import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Device, Registry } from "../../protocol/index.ts";
import { listProblems } from "../config/problems.ts";
import { registryOf } from "./registry.ts";
import { EMPTY_REGISTRY } from "./shape.ts";
import { readTables, tableOf } from "./tables.ts";
import { registryView } from "./view.ts";

const DEMO = JSON.parse(readFileSync(new URL("../../tests/demo/registry.json", import.meta.url), "utf8")) as Registry;
const EUI = "24e124713d491234";

function device(part: Partial<Device> = {}): Device {
  return {
    deviceId: "alm-01-t1",
    pointId: "alm-01",
    board: "other",
    link: "lorawan",
    lorawan: { devEui: EUI },
    model: "EM500-UDL",
    sensing: { fuelLevelPct: { empty: 1150, full: 90.5 } },
    ...part,
  };
}

function problemsOf(...devices: unknown[]): readonly string[] {
  try {
    registryOf({ ...DEMO, devices }, "x.json", listProblems);
    return [];
  } catch (error) {
    return (error as { detail: { problems: string[] } }).detail.problems;
  }
}

describe("devices on LoRaWAN", () => {
  const board: Device = {
    ...{ deviceId: "alm-01-d1", pointId: "alm-01", board: "esp32", link: "lorawan", path: "stadhuis" },
    lorawan: { devEui: "0080e115000a9c4e", joinEui: "0000000000000000", version: "1.0.4", activation: "otaa" },
  };

  test("ours and others are taken, and come through CSV as they were", () => {
    const devices = [
      board,
      device(),
      device({
        deviceId: "alm-01-c1",
        lorawan: { devEui: "24e124713d495678" },
        model: "UC300",
        sensing: {
          fuelLevelPct: { from: "current2Ma", empty: 4, full: 20 },
          generator: { from: "register3", atLeast: 500 },
          generatorFailed: { from: "input2", atLeast: 1 },
          mains: { from: "input1", below: 1 },
          starterBatteryV: { from: "voltage1V", scale: 2.5 },
        },
      }),
      device({ deviceId: "alm-01-p1", lorawan: { devEui: "24e124713d490000" }, model: "VS133", sensing: { lines: 2 } }),
    ];
    expect(problemsOf(...devices)).toEqual([]);
    const registry = { ...DEMO, devices };
    const { registry: read, problems } = readTables({ devices: tableOf("devices", registry) }, registry, listProblems);
    expect(problems).toEqual([]);
    expect(read.devices).toEqual(devices);
    expect(registryView(registry).devices(0)[0]).toMatchObject({ deviceId: "alm-01-d1", path: "stadhuis" });
    expect(EMPTY_REGISTRY.devices).toEqual([]);
  });

  test("a DevEUI is that of one device at a time, and written in one way", () => {
    const other = device({ deviceId: "alm-02-t1", pointId: "alm-02" });
    expect(problemsOf(device(), other)).toEqual([
      `devices/1 (alm-02-t1)/lorawan/devEui ${EUI} is that of devices/0 at the same time`,
    ]);
    expect(problemsOf(device({ until: "2026-12-01" }), { ...other, from: "2026-12-01" })).toEqual([]);
    expect(problemsOf(device({ until: "2026-12-01" }), device({ pointId: "alm-02", from: "2026-12-01" }))).toEqual([]);
    expect(problemsOf(device({ lorawan: { devEui: EUI.toUpperCase() } }))[0]).toMatch(
      /16 hexadecimal digits, a-f small/,
    );
  });

  test("a model, its board, its link and its channels go together", () => {
    const { model: _model, sensing: _sensing, ...bare } = device();
    expect(problemsOf(bare)).toEqual(["devices/0 (alm-01-t1)/board is other, so model has to say which device it is"]);
    expect(problemsOf({ ...board, sensing: {} })[0]).toMatch(/sensing needs a model/);
    expect(problemsOf(device({ board: "esp32", link: "mqtt" }))).toEqual([
      "devices/0 (alm-01-t1)/board is esp32 although it is a EM500-UDL: write other",
      "devices/0 (alm-01-t1)/model is EM500-UDL, which comes over LoRaWAN: set link to lorawan, and lorawan.devEui",
    ]);
    const sensing = {
      lines: 1,
      fuelLevelPct: { from: "distanceM", empty: 5, full: 5 },
      mains: { from: "distanceMm" },
      generator: { from: "distanceMm", atLeast: 1, below: 2 },
    };
    expect(problemsOf(device({ sensing })).map((one) => one.slice("devices/0 (alm-01-t1)/sensing/".length))).toEqual([
      "lines is of a VS133 alone",
      "fuelLevelPct/from distanceM is no channel of a EM500-UDL: did you mean distanceMm?",
      "fuelLevelPct/full is the same as empty",
      "mains needs either atLeast or below",
      "generator needs either atLeast or below",
    ]);
    expect(problemsOf(device({ model: "CPL03" }))[0]).toMatch(/from is missing: CPL03 has no level of its own/);
    expect(problemsOf(device({ model: "EM500-UD" as never }))[0]).toMatch(/did you mean EM500-UDL\?/);
  });
});
