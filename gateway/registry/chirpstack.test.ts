// Devices to and from the JSON of ChirpStack's API: its bodies and answers as api/device.proto has them.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../firmware/simulator/random.ts";
import type { Registry } from "../../protocol/index.ts";
import { NOON_MS, temporaryFolder } from "../../tests/fixtures.ts";
import { listProblems } from "../config/problems.ts";
import { readChirpstack } from "./chirpstack.ts";
import { createLorawanDesk } from "./lorawan-desk.ts";
import { loadLorawanKeys } from "./lorawan-keys.ts";
import { saveRegistry } from "./registry.ts";

const DEMO = JSON.parse(readFileSync(new URL("../../tests/demo/registry.json", import.meta.url), "utf8")) as Registry;
const EUI = "24e124713d491234";
const KEY = "0123456789abcdef0123456789abcdef";
const SEED = 20261126;
const UUID = "4a4ac9c0-3b6e-4f1b-9a3f-7f0f4a6a1c11";
/** As GET /api/devices/{devEui} and …/keys answer. */
const DEVICE = {
  device: {
    ...{ devEui: EUI, name: "Tank Almere 1", description: "", applicationId: UUID, deviceProfileId: UUID },
    ...{ skipFcntCheck: false, isDisabled: false, variables: {}, joinEui: "24e124c0002a0001" },
    tags: { pointId: "alm-01", model: "EM500-UDL" },
  },
  ...{
    createdAt: "2026-05-01T10:00:00Z",
    updatedAt: "2026-05-01T10:00:00Z",
    deviceStatus: null,
    classEnabled: "CLASS_A",
  },
};
const KEYS = { deviceKeys: { devEui: EUI, nwkKey: KEY, appKey: "0".repeat(32), genAppKey: "" }, createdAt: null };
const SESSION = {
  deviceActivation: {
    ...{ devEui: EUI, devAddr: "01ab02cd", appSKey: "a".repeat(32), nwkSEncKey: "b".repeat(32) },
    ...{ sNwkSIntKey: "b".repeat(32), fNwkSIntKey: "b".repeat(32), fCntUp: 5, nFCntDown: 2, aFCntDown: 0 },
  },
};

describe("what ChirpStack says", () => {
  const expected = [
    {
      ...{ devEui: EUI, name: "Tank Almere 1", isDisabled: false, joinEui: "24e124c0002a0001", keys: { appKey: KEY } },
      tags: { pointId: "alm-01", model: "EM500-UDL" },
    },
  ];
  test.each([
    ["an array", JSON.stringify([DEVICE, KEYS])],
    ["answers behind each other", `${JSON.stringify(DEVICE, null, 2)}\n${JSON.stringify(KEYS)}`],
    ["bodies of both in one, with a mark of UTF-8", `\uFEFF${JSON.stringify({ ...DEVICE, ...KEYS })}`],
    ["a list and keys", JSON.stringify({ totalCount: 1, result: [DEVICE.device] }) + JSON.stringify(KEYS)],
    [
      "gRPC's own names",
      JSON.stringify([DEVICE, KEYS]).replaceAll(/"([a-z]+)([A-Z])/g, (whole, a, b) =>
        whole.includes("alm") ? whole : `"${a}_${b.toLowerCase()}`,
      ),
    ],
  ])("is read from %s", (_, text) => {
    expect(readChirpstack(text)).toEqual({ devices: expected, problems: [] });
  });

  test("of a personalised device is its session, and of one without keys nothing", () => {
    expect(readChirpstack(JSON.stringify([DEVICE, SESSION])).devices[0]?.keys).toEqual({
      ...{ devAddr: "01ab02cd", nwkSKey: "b".repeat(32), appSKey: "a".repeat(32) },
    });
    expect(readChirpstack(JSON.stringify(DEVICE)).devices[0]?.keys).toBeUndefined();
  });

  test.each<[string, string]>([
    ["", "there is no device in it"],
    ['{"a":', "the value that begins on line 1 is no JSON"],
    [`${JSON.stringify(DEVICE)}\n{"device": "}`, "the value that begins on line 2 is no JSON"],
    ['[1, {"device": {"devEui": "12"}}]', "device 1 has no devEui"],
    [JSON.stringify({ deviceKeys: { ...KEYS.deviceKeys, nwkKey: "12" } }), `${EUI}: AppKey has not 32`],
    [JSON.stringify({ deviceKeys: { ...KEYS.deviceKeys, appKey: "1".repeat(32) } }), "is a LoRaWAN 1.1 device"],
    [JSON.stringify({ deviceKeys: { devEui: EUI, appKey: KEY } }), "has an appKey and no nwkKey"],
    [JSON.stringify({ deviceActivation: { ...SESSION.deviceActivation, sNwkSIntKey: KEY } }), "several network keys"],
    [JSON.stringify({ device: { ...DEVICE.device, joinEui: "12" } }), "joinEui has not 16"],
  ])("is refused with its reason: %s", (text, problem) => {
    const read = readChirpstack(text);
    expect(read.devices).toEqual([]);
    expect(read.problems[0]).toContain(problem);
    expect(JSON.stringify(read.problems)).not.toContain(KEY);
  });
});

test("whatever stands in it, it is read or refused, in a while", () => {
  const many = `[${"1,".repeat(1_000_000)}1]`;
  expect(readChirpstack(many).problems).toEqual(["more than 20000 values"]);
  expect(readChirpstack("[".repeat(1_000_000)).problems).toHaveLength(1);
  expect(readChirpstack(`{"result":[${"{},".repeat(9)}{}]}`).problems).toHaveLength(10);
  const devices = Array.from({ length: 4_001 }, (_, i) => ({ device: { devEui: i.toString(16).padStart(16, "0") } }));
  expect(readChirpstack(JSON.stringify(devices)).problems).toEqual(["4001 devices, at most 4000"]);
  const text = JSON.stringify([DEVICE, KEYS, SESSION]);
  const { next: random } = createRandom(SEED);
  for (let i = 0; i < 2_000; i++) {
    const at = Math.floor(random() * text.length);
    const piece = ["", '"', "{", "]", "\\", "null", "0", "\uD800"][Math.floor(random() * 8)] ?? "";
    const read = readChirpstack(text.slice(0, at) + piece + text.slice(at + Math.floor(random() * 4)));
    expect(read.devices.length === 0 || read.problems.length === 0, `seed ${SEED}, ${i}`).toBe(true);
  }
});

describe("between ChirpStack and the registry", () => {
  const folder = temporaryFolder();
  const desk = createLorawanDesk({ dir: folder.path, listProblems, nowMs: () => NOON_MS });
  const again = () => {
    saveRegistry(folder.path, DEMO);
    return desk;
  };

  test("a device with tags is added with its keys, once; a dry run only says so", () => {
    const text = JSON.stringify([DEVICE, KEYS]);
    const result = { added: ["tank-almere-1"], keyed: [], unchanged: [], warnings: [] };
    expect(again().importAll(text, true)).toEqual({ result: { dryRun: true, ...result }, act: undefined });
    expect(desk.registry()).toEqual(DEMO);
    expect(desk.importAll(text, false)).toMatchObject({
      result: { dryRun: false, ...result },
      act: { detail: "1 devices added, keys of 0 set" },
    });
    expect(desk.find("tank-almere-1")).toMatchObject({ pointId: "alm-01", lorawan: { joinEui: "24e124c0002a0001" } });
    expect(loadLorawanKeys(folder.path).get(EUI)).toEqual({ appKey: KEY });
    expect(desk.importAll(text, false)).toEqual({
      result: { dryRun: false, added: [], keyed: [], unchanged: ["tank-almere-1"], warnings: [] },
      act: undefined,
    });
  });

  test("a device that the registry names gets its keys, whatever its tags", () => {
    again().add({
      deviceId: "alm-01-t1",
      pointId: "alm-01",
      devEui: EUI,
      model: "EM500-UDL",
      sensing: { fuelLevelPct: { empty: 9, full: 1 } },
    });
    expect(desk.importAll(JSON.stringify(KEYS), false).result).toMatchObject({ added: [], keyed: ["alm-01-t1"] });
    expect(loadLorawanKeys(folder.path).get(EUI)).toEqual({ appKey: KEY });
  });

  test.each<[object, string]>([
    [{ tags: {} }, "the registry has no device with this devEui"],
    [{ tags: { pointId: "alm-1" } }, "tag pointId alm-1 is no point: did you mean alm-01?"],
    [{ tags: { pointId: "alm-01" } }, "give it the tag model"],
    [{ tags: { pointId: "alm-01", model: "EM500-UDX" } }, "did you mean EM500-UDL?"],
    [{ name: "?", tags: { pointId: "alm-01", model: "CPL03" } }, "its name makes no id"],
  ])("what cannot be placed is told and changes nothing: %j", (part, problem) => {
    const text = JSON.stringify([{ device: { ...DEVICE.device, ...part } }, KEYS]);
    expect(() => again().importAll(text, false)).toThrowError(
      expect.objectContaining({ code: "IMPORT_INVALID", detail: { problems: [expect.stringContaining(problem)] } }),
    );
    expect(desk.registry()).toEqual(DEMO);
  });

  test("what everybody knows as a key, and a device without one, is told of", () => {
    const known = { deviceKeys: { devEui: EUI, nwkKey: "5572404c696e6b4c6f52613230313823" } };
    expect(again().importAll(JSON.stringify([DEVICE, known]), true).result.warnings).toEqual([
      "tank-almere-1 has a key that everybody knows: give it another",
    ]);
    expect(desk.importAll(JSON.stringify([DEVICE]), true).result.warnings[0]).toContain("comes without keys");
  });

  test("what is exported comes back as it was; without keys none is in it", () => {
    const sensing = { fuelLevelPct: { empty: 9, full: 1 } };
    again().add({ deviceId: "alm-01-t1", pointId: "alm-01", devEui: EUI, model: "EM500-UDL", sensing });
    const { issued } = desk.add({ deviceId: "alm-01-d9", pointId: "alm-01", board: "esp32", activation: "abp" });
    const target = { applicationId: UUID, deviceProfileId: UUID };
    const { bodies, act } = desk.exportAll(target, true);
    expect(act?.detail).toBe("2 devices, with keys");
    expect(bodies[1]).toEqual({
      device: {
        ...{ devEui: issued.devEui, name: "alm-01-d9", applicationId: UUID, deviceProfileId: UUID },
        description: expect.any(String),
        ...{ skipFcntCheck: false, isDisabled: false },
        tags: { deviceId: "alm-01-d9", pointId: "alm-01", board: "esp32" },
      },
      deviceActivation: {
        ...{ devEui: issued.devEui, devAddr: issued.keys.devAddr, appSKey: issued.keys.appSKey },
        ...{ nwkSEncKey: issued.keys.nwkSKey, sNwkSIntKey: issued.keys.nwkSKey, fNwkSIntKey: issued.keys.nwkSKey },
      },
    });
    const whole = loadLorawanKeys(folder.path).all();
    again();
    expect(desk.importAll(bodies.map((one) => JSON.stringify(one)).join("\n"), false).result.added).toEqual([
      "alm-01-t1",
      "alm-01-d9",
    ]);
    expect(loadLorawanKeys(folder.path).all()).toEqual(whole);
    expect(JSON.stringify(desk.exportAll(target, false).bodies)).not.toMatch(/[0-9a-f]{32}/);
    folder.remove();
  });
});
