// The desk in a gateway that runs: over HTTP's interface and from a shell, with what the network and the base stations say.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Value } from "typebox/value";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  LorawanDeviceSchema,
  LorawanStationSchema,
  type NewLorawanDevice,
  type Registry,
} from "../../protocol/index.ts";
import { NOON_MS, temporaryFolder } from "../../tests/fixtures.ts";
import { type VirtualClock, virtualClock } from "../../tests/virtual-clock.ts";
import type { ApiAct } from "../api/interfaces.ts";
import { loadLorawanKeys } from "../registry/lorawan-keys.ts";
import { listRequests, putRequest, takeAnswer } from "../registry/lorawan-requests.ts";
import { saveRegistry } from "../registry/registry.ts";
import { type LorawanWays, type StartedDesk, startLorawanDesk } from "./lorawan-desk.ts";
import { openStore } from "./store.ts";

const DEMO = JSON.parse(readFileSync(new URL("../../tests/demo/registry.json", import.meta.url), "utf8")) as Registry;
const EUI = "24e124713d491234";
const STATION = "0016c001f153a14c";
const ADMIN = { by: "admin-1", origin: "http 127.0.0.1" };
const TANK: NewLorawanDevice = {
  ...{ deviceId: "alm-01-t1", pointId: "alm-01", devEui: EUI, model: "EM500-UDL" },
  sensing: { fuelLevelPct: { empty: 1150, full: 90 } },
};

let folder: ReturnType<typeof temporaryFolder>;
let clock: VirtualClock;
let desk: StartedDesk;
let acts: ApiAct[];
let done: string[];
let failures = 0;
let looks = 0;

const WAYS: LorawanWays = {
  network: {
    flushNonces: async (devEui) => {
      if (failures-- > 0) throw new Error("the journal refuses");
      done.push(`flushed ${devEui}`);
    },
    forgetSession: async (devEui) => void done.push(`forgot ${devEui}`),
    states: () => [
      {
        ...{
          devEui: EUI,
          deviceId: "alm-01-t1",
          state: "active",
          devAddr: "00ab12cd",
          lastHeardMs: NOON_MS,
          counterUp: 7,
        },
        ...{ counterDown: undefined, dataRate: 3, downlinks: [{}], nonces: { used: 2, max: 4096 } },
        receptions: [{ stationId: STATION, rssi: -101, snr: -3.5 }],
      },
    ],
    airtime: () => [{ stationId: STATION, band: "P", usedMs: 1_234.4, limitMs: 360_000 }],
  },
  stations: {
    states: () => [
      {
        ...{
          eui: STATION,
          name: "dak stadhuis",
          lastHeardMs: NOON_MS,
          isConnected: true,
          isSilent: false,
          framesHeard: 9,
        },
        ...{ transmissions: { sent: 3 }, refused: {} },
      },
    ],
  },
};

function start(ways: LorawanWays = WAYS) {
  const journal = {
    save: async (change: { readonly acts: readonly ApiAct[] }) => void acts.push(...change.acts),
  };
  return startLorawanDesk({ ...ways, dir: folder.path, clock, journal, look: () => looks++ });
}

beforeEach(() => {
  folder = temporaryFolder();
  saveRegistry(folder.path, DEMO);
  clock = virtualClock(NOON_MS);
  [acts, done, failures, looks] = [[], [], 0, 0];
  desk = start();
});
afterEach(async () => {
  await desk.stop();
  folder.remove();
});

describe("over HTTP", () => {
  test("each act is in force, and in the log without keys", async () => {
    const issued = await desk.add(TANK, ADMIN);
    await desk.rekey("alm-01-t1", undefined, ADMIN);
    expect(await desk.disable("alm-01-t1", true, ADMIN)).toMatchObject({ disabled: true, hasKeys: true });
    await desk.flushNonces("alm-01-t1", ADMIN);
    await desk.forgetSession("alm-01-t1", ADMIN);
    await desk.replace("alm-01-t1", { deviceId: "alm-01-t2" }, ADMIN);
    expect(done).toEqual([`flushed ${EUI}`, `forgot ${EUI}`]);
    expect(acts.map(({ action, object, actor, origin }) => [action, object, actor, origin])).toEqual(
      [
        ["lorawan-device-added", "alm-01-t1"],
        ["lorawan-keys-made", "alm-01-t1"],
        ["lorawan-device-disabled", "alm-01-t1"],
        ["lorawan-nonces-flushed", "alm-01-t1"],
        ["lorawan-session-forgotten", "alm-01-t1"],
        ["lorawan-device-replaced", "alm-01-t2"],
      ].map((row) => [...row, "admin-1", "http 127.0.0.1"]),
    );
    expect(looks).toBe(6);
    const keys = loadLorawanKeys(folder.path)
      .all()
      .map(([, one]) => one.appKey ?? "");
    for (const key of [...keys, issued.keys.appKey ?? "?"])
      expect(JSON.stringify([acts, desk.devices()])).not.toContain(key);
    expect(desk.label(issued)).toContain("alm-01-t1");
  });

  test("devices and base stations are told in the form of their schemas", async () => {
    await desk.add(TANK, ADMIN);
    const [device] = desk.devices();
    const [station] = desk.stations();
    expect(Value.Check(LorawanDeviceSchema, device)).toBe(true);
    expect(Value.Check(LorawanStationSchema, station)).toBe(true);
    expect(device?.session).toEqual({
      ...{ state: "active", devAddr: "00ab12cd", lastHeardAt: "2026-11-24T12:00:00.000Z", counterUp: 7, dataRate: 3 },
      ...{ stationId: STATION, rssi: -101, snr: -3.5, downlinks: 1, noncesUsed: 2, noncesMax: 4096 },
    });
    expect(station).toMatchObject({ connected: true, airtime: [{ band: "P", usedMs: 1_234, limitMs: 360_000 }] });
  });

  test("without a network there are no sessions to act on", async () => {
    await desk.stop();
    desk = start({});
    await desk.add(TANK, ADMIN);
    await expect(desk.flushNonces("alm-01-t1", ADMIN)).rejects.toMatchObject({ code: "LORAWAN_OFF" });
    expect([desk.devices()[0]?.session, desk.stations()]).toEqual([undefined, []]);
  });

  test("an import is shown before it is done, and an export has no keys", async () => {
    const bodies = [{ deviceKeys: { devEui: EUI, nwkKey: "0123456789abcdef0123456789abcdef" } }];
    await desk.add(TANK, ADMIN);
    expect(await desk.importAll(bodies, true, ADMIN)).toMatchObject({ dryRun: true, keyed: ["alm-01-t1"] });
    expect(acts).toHaveLength(1);
    await desk.importAll(bodies, false, ADMIN);
    const target = { applicationId: "a", deviceProfileId: "b" };
    expect(JSON.stringify(await desk.exportAll(target, ADMIN))).not.toContain("0123456789abcdef");
    expect(acts.map(({ action }) => action).slice(1)).toEqual(["lorawan-devices-imported", "lorawan-devices-exported"]);
  });
});

describe("from a shell", () => {
  const act = {
    atMs: NOON_MS - 5_000,
    actor: "root",
    action: "lorawan-nonces-flushed",
    object: "alm-01-t1",
    detail: "",
  };

  test("what is asked is done within seconds, put in the log, and answered", async () => {
    putRequest(folder.path, "one", { kind: "flush-nonces", devEui: EUI, act });
    putRequest(folder.path, "two", { kind: "note", act: { ...act, action: "lorawan-device-added" } });
    putRequest(folder.path, "zzz", { kind: "tell", atMs: NOON_MS });
    await clock.advance(2_000);
    await desk.stop();
    expect(done).toEqual([`flushed ${EUI}`]);
    expect(acts).toEqual([
      { ...act, result: "done", origin: "shell" },
      { ...act, action: "lorawan-device-added", result: "done", origin: "shell" },
    ]);
    expect(takeAnswer(folder.path, "one")).toEqual({ done: true });
    expect(takeAnswer(folder.path, "zzz")).toEqual({ devices: desk.devices(), stations: desk.stations() });
    expect(listRequests(folder.path)).toEqual([]);
  });

  test("what cannot be done now is done later", async () => {
    failures = 1;
    putRequest(folder.path, "one", { kind: "flush-nonces", devEui: EUI, act });
    await clock.advance(2_000);
    expect([done, listRequests(folder.path).length]).toEqual([[], 1]);
    await clock.advance(2_000);
    await desk.stop();
    expect([done.length, acts.length, listRequests(folder.path).length]).toEqual([1, 1, 0]);
  });
});

test("a network server is told of devices as the files say, also when a period ends", async () => {
  let nowMs = NOON_MS;
  const store = openStore(folder.path, () => nowMs);
  expect(store.lorawan.all()).toEqual([]);
  const issued = await desk.add(TANK, ADMIN);
  store.reload();
  expect(store.lorawan.byDevEui(EUI)).toMatchObject({
    deviceId: "alm-01-t1",
    isEnabled: true,
    appKey: issued.keys.appKey,
  });
  expect(store.lorawan.byDevEui(EUI)).toBe(store.lorawan.all()[0]);
  await desk.replace("alm-01-t1", { deviceId: "alm-01-t2" }, ADMIN);
  store.reload();
  expect(store.lorawan.all().map(({ deviceId, isEnabled }) => [deviceId, isEnabled])).toEqual([
    ["alm-01-t1", false],
    ["alm-01-t2", true],
  ]);
  nowMs -= 60_000;
  expect(store.lorawan.byDevEui(EUI)?.isEnabled).toBe(true);
  expect(readFileSync(join(folder.path, "lorawan-keys.json"), "utf8")).toContain(EUI);
});
