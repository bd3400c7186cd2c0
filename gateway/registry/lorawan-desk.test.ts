// The desk on real files: what is in the registry, what is a secret, and what is told once.
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NewLorawanDevice, Registry } from "../../protocol/index.ts";
import { NOON_MS, temporaryFolder } from "../../tests/fixtures.ts";
import { listProblems } from "../config/problems.ts";
import { loadKeys } from "./keys.ts";
import { createLorawanDesk, type LorawanDesk } from "./lorawan-desk.ts";
import { lorawanIdentities } from "./lorawan-identities.ts";
import { LORAWAN_KEYS_FILE, loadLorawanKeys, makeEui, readEui } from "./lorawan-keys.ts";
import { lorawanRows } from "./lorawan-moves.ts";
import { loadRegistry, saveRegistry } from "./registry.ts";

const DEMO = JSON.parse(readFileSync(new URL("../../tests/demo/registry.json", import.meta.url), "utf8")) as Registry;
const EUI = "24e124713d491234";
const TANK: NewLorawanDevice = {
  ...{ deviceId: "alm-01-t1", pointId: "alm-01", devEui: "24-E1-24-71-3D-49-12-34", model: "EM500-UDL" },
  sensing: { fuelLevelPct: { empty: 1150, full: 90 } },
};
let folder: ReturnType<typeof temporaryFolder>;
let desk: LorawanDesk;
let nowMs = NOON_MS;
beforeEach(() => {
  folder = temporaryFolder();
  nowMs = NOON_MS;
  saveRegistry(folder.path, DEMO);
  desk = createLorawanDesk({ dir: folder.path, listProblems, nowMs: () => nowMs });
});
afterEach(() => folder.remove());

const registryFile = () => readFileSync(join(folder.path, "registry.json"), "utf8");
const keysFile = () => join(folder.path, LORAWAN_KEYS_FILE);
const identity = (deviceId: string) => {
  const all = lorawanIdentities(loadRegistry(folder.path, listProblems), loadLorawanKeys(folder.path), nowMs);
  return all.find((one) => one.deviceId === deviceId);
};
function refusal(act: () => unknown): object {
  try {
    act();
  } catch (error) {
    const { code, detail } = error as { code: string; detail: object };
    return { code, ...detail };
  }
  return {};
}

describe("a device that is added", () => {
  test("has a random key, in a file of its own and in the one answer", () => {
    const { issued, act } = desk.add(TANK);
    expect(issued).toEqual({
      ...{ deviceId: "alm-01-t1", pointId: "alm-01", devEui: EUI, joinEui: "0000000000000000" },
      keys: { appKey: expect.stringMatching(/^[0-9a-f]{32}$/) },
    });
    expect(statSync(keysFile()).mode & 0o777).toBe(0o600);
    const key = issued.keys.appKey as string;
    expect(readFileSync(keysFile(), "utf8")).toContain(key);
    expect(registryFile()).not.toContain(key);
    expect(JSON.stringify(act)).not.toContain(key);
    expect(act).toEqual({ action: "lorawan-device-added", object: "alm-01-t1", detail: `at alm-01, DevEUI ${EUI}` });
    expect(identity("alm-01-t1")).toMatchObject({ devEui: EUI, version: "1.0.3", isEnabled: true, appKey: key });
    const other = desk.add({ deviceId: "alm-01-t2", pointId: "alm-01", board: "esp32" });
    expect(other.issued.keys.appKey).not.toBe(key);
  });

  test("of ours has the key of its frames as well, and an EUI where it has none", () => {
    const { issued } = desk.add({ deviceId: "alm-01-d9", pointId: "alm-01", board: "xiaoble", version: "1.0.4" });
    expect(readEui(issued.devEui)).toBe(issued.devEui);
    expect(Number.parseInt(issued.devEui.slice(0, 2), 16) & 3).toBe(2);
    expect(Buffer.from(loadKeys(folder.path).get("alm-01-d9") ?? []).toString("hex")).toBe(issued.frameKey);
    expect(identity("alm-01-d9")).toMatchObject({ version: "1.0.4" });
  });

  test("that is personalised has an address that no other has", () => {
    const first = desk.add({ ...TANK, activation: "abp" });
    expect(first.issued.keys).toEqual({
      devAddr: expect.stringMatching(/^0[01][0-9a-f]{6}$/),
      nwkSKey: expect.stringMatching(/^[0-9a-f]{32}$/),
      appSKey: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(identity("alm-01-t1")).toMatchObject({ abp: first.issued.keys });
    const keys = { ...first.issued.keys, nwkSKey: "9".repeat(32) };
    const second = { ...TANK, deviceId: "alm-01-t2", devEui: makeEui(), activation: "abp" as const, keys };
    expect(refusal(() => desk.add(second))).toEqual({
      code: "LORAWAN_KEY_REFUSED",
      reason: "another device has this DevAddr",
    });
  });

  test("with the key that it was made with keeps that", () => {
    const appKey = "AABBCCDDEEFF00112233445566778899";
    expect(desk.add({ ...TANK, keys: { appKey } }).issued.keys).toEqual({ appKey: appKey.toLowerCase() });
  });

  test.each<[string, Partial<NewLorawanDevice>, object]>([
    ["a known name", { deviceId: "alm-01-d1" }, { code: "DEVICE_EXISTS", deviceId: "alm-01-d1" }],
    ["no EUI", { devEui: "24-E1-24-71-3D-49-12-3G" }, { problems: ["devEui has not 16 hexadecimal digits"] }],
    ["no place", { pointId: "alm-99" }, { code: "REGISTRY_INVALID" }],
    [
      "no kind",
      { model: undefined as never, sensing: undefined as never },
      { problems: ["board or model is missing"] },
    ],
    [
      "the maker's key",
      { keys: { appKey: "5572404C696E6B4C6F52613230313823" } },
      { reason: "it is one that everybody knows" },
    ],
    ["half of its keys", { keys: { nwkSKey: "a".repeat(32) } }, { reason: "give appKey, and nothing else" }],
    ["keys of another kind", { activation: "abp", keys: { appKey: "a".repeat(32) } }, { code: "LORAWAN_KEY_REFUSED" }],
  ])("with %s is refused, and nothing is written", (_, part, expected) => {
    const before = registryFile();
    expect(refusal(() => desk.add({ ...TANK, ...part }))).toMatchObject(expected);
    expect([registryFile(), existsSync(keysFile())]).toEqual([before, false]);
  });
});

test("another device takes the place of one from now on, under a name of its own", () => {
  const { issued: old } = desk.add({ ...TANK, version: "1.0.2", path: "stadhuis" });
  nowMs += 3_600_000;
  const { issued, act } = desk.replace("alm-01-t1", { deviceId: "alm-01-t2", devEui: "24e124713d495678" });
  expect(issued.keys.appKey).not.toBe(old.keys.appKey);
  expect(act?.detail).toContain("takes the place of alm-01-t1 at alm-01");
  const rows = loadRegistry(folder.path, listProblems).devices.filter((one) => one.lorawan !== undefined);
  const at = "2026-11-24T13:00:00.000Z";
  expect(rows).toMatchObject([
    { deviceId: "alm-01-t1", until: at },
    { deviceId: "alm-01-t2", from: at, path: "stadhuis", sensing: TANK.sensing, lorawan: { version: "1.0.2" } },
  ]);
  expect([identity("alm-01-t1")?.isEnabled, identity("alm-01-t2")?.isEnabled]).toEqual([false, true]);
  expect(refusal(() => desk.replace("alm-01-t9", { deviceId: "alm-01-t3" }))).toMatchObject({ code: "DEVICE_UNKNOWN" });
  expect(refusal(() => desk.replace("alm-01-t2", { deviceId: "alm-01-t1" }))).toMatchObject({ code: "DEVICE_EXISTS" });
});

test("new keys take the place of the old ones, of the frames too, and others stay", () => {
  const [ours, theirs] = [desk.add({ deviceId: "alm-01-d9", pointId: "alm-01", board: "esp32" }), desk.add(TANK)];
  const again = desk.rekey("alm-01-d9");
  expect(again.issued.keys.appKey).not.toBe(ours.issued.keys.appKey);
  expect(again.issued.frameKey).not.toBe(ours.issued.frameKey);
  expect(identity("alm-01-d9")).toMatchObject({ appKey: again.issued.keys.appKey });
  expect(identity("alm-01-t1")).toMatchObject({ appKey: theirs.issued.keys.appKey });
  expect(desk.rekey("alm-01-t1").issued.frameKey).toBeUndefined();
  expect(refusal(() => desk.rekey("alm-01-d1"))).toEqual({
    ...{ code: "DEVICE_UNKNOWN", deviceId: "alm-01-d1", reason: "it has no DevEUI" },
  });
});

test("a device is heard no more, and again; said twice it is one act", () => {
  desk.add(TANK);
  expect(desk.disable("alm-01-t1", true).act?.action).toBe("lorawan-device-disabled");
  expect(desk.disable("alm-01-t1", true).act).toBeUndefined();
  expect(identity("alm-01-t1")?.isEnabled).toBe(false);
  expect(desk.disable("alm-01-t1", false).act?.action).toBe("lorawan-device-enabled");
  expect(identity("alm-01-t1")?.isEnabled).toBe(true);
  expect(lorawanRows(desk.registry(), nowMs).map(({ deviceId }) => deviceId)).toEqual(["alm-01-t1"]);
});

test("keys of devices that the registry no longer names go with the next that are made", () => {
  const { issued } = desk.add(TANK);
  saveRegistry(folder.path, DEMO);
  desk.add({ deviceId: "alm-01-d9", pointId: "alm-01", board: "esp32" });
  expect(readFileSync(keysFile(), "utf8")).not.toContain(issued.keys.appKey);
});

test.each(["{", '{"version":1,"keys":{"24e124713d491234":{"appKey":"zz"}}}'])(
  "damaged keys are no keys: %s",
  (text) => {
    writeFileSync(keysFile(), text);
    expect(refusal(() => loadLorawanKeys(folder.path))).toMatchObject({ code: "FILE_UNREADABLE" });
    expect(refusal(() => desk.add(TANK))).toMatchObject({ code: "FILE_UNREADABLE" });
    expect(readFileSync(keysFile(), "utf8")).toBe(text);
  },
);
