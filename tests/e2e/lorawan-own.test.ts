// A device over the gateway's own LoRaWAN: a class A modem on a simulated air, a base station that speaks Semtech UDP to the gateway's real
// socket, and the whole gateway behind it, on a clock that runs four times as fast. It joins, is stored and answered, and goes on in its
// session after a restart.
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ModemMemory } from "../../firmware/simulator/modem-radio.ts";
import { createAir } from "../../firmware/simulator/radio/air.ts";
import { createBaseStation } from "../../firmware/simulator/radio/base-station.ts";
import { createClassA } from "../../firmware/simulator/radio/class-a.ts";
import { createRandom } from "../../firmware/simulator/random.ts";
import { createSchedule, type Schedule } from "../../firmware/simulator/schedule.ts";
import { type Clock, systemClock, type Timer } from "../../gateway/clock.ts";
import { listProblems } from "../../gateway/config/problems.ts";
import { putLorawanKeys } from "../../gateway/registry/lorawan-keys.ts";
import { loadRegistry } from "../../gateway/registry/registry.ts";
import {
  type Alert,
  type Device,
  type DeviceState,
  decodeDownlink,
  encodeReport,
  type LorawanDeviceState,
  type LorawanStation,
} from "../../protocol/index.ts";
import { report, temporaryFolder, waitFor } from "../fixtures.ts";
import { startGateway, type TestGateway } from "./gateway.ts";

const SPEED = 4;
const PUMP_MS = 2;
const PUMPED_MS_MAX = 5;
const SEED = 7;
/** A device near by. */
const LOSS_DB = 110;
const STATION = "b827ebfffe010203";
const KEYS = { devEui: "70b3d57ed0051234", joinEui: "0000000000000000", appKey: "4f1c0ad37be25f8896a1730c5e2d9b46" };
const DEVICE: Device = {
  deviceId: "alm-01-lora",
  pointId: "alm-01",
  board: "xiaoble",
  link: "lorawan",
  lorawan: { devEui: KEYS.devEui },
};

/** The gateway and the field share it: it runs fast, and stands still while somebody computes. */
function createTime() {
  const schedule = createSchedule();
  const startMs = systemClock.nowMs();
  const every = (ms: number, run: () => void): Timer => {
    let forget = schedule.after(ms, again);
    function again(): void {
      forget = schedule.after(ms, again);
      run();
    }
    return { stop: () => forget() };
  };
  const clock: Clock = {
    nowMs: () => Math.round(startMs + schedule.nowMs()),
    monotonicMs: schedule.nowMs,
    after: (ms, run) => ({ stop: schedule.after(ms, run) }),
    every,
  };
  let lastMs = systemClock.monotonicMs();
  const pump = systemClock.every(PUMP_MS, () => {
    const nowMs = systemClock.monotonicMs();
    schedule.runUntil(schedule.nowMs() + Math.min(PUMPED_MS_MAX, nowMs - lastMs) * SPEED);
    lastMs = nowMs;
  });
  return { schedule, clock, stop: pump.stop };
}

/** A point in the field: the air, a base station with its two sockets, and a modem. */
function createField(schedule: Schedule) {
  const random = createRandom(SEED);
  const air = createAir({ schedule, random, lossDb: () => LOSS_DB });
  const said: string[] = [];
  const memory: ModemMemory = {
    ...{ devEui: KEYS.devEui, appEui: KEYS.joinEui, appKey: KEYS.appKey, mode: "LWOTAA", band: "EU868", channels: 3 },
    ...{ isAdr: false, port: 10, retry: 0, isDutyCycle: false, isLowPower: false, hasTimeout: false },
    ...{ dataRate: 5, nonce: 0 },
  };
  let isBusy = false;
  const modem = createClassA(air, {
    ...{ schedule, random, memory },
    say: (line) => void said.push(line),
    later: (ms, work) => void schedule.after(ms, work),
    isBusy: () => isBusy,
    busy: (now) => {
      isBusy = now;
    },
    power: () => 0,
  });
  const sockets: Record<"push" | "pull", UdpSocket> = { push: createSocket("udp4"), pull: createSocket("udp4") };
  let port = 0;
  const sent: [bytes: Uint8Array, socket: "push" | "pull"][] = [];
  const send = (bytes: Uint8Array, socket: "push" | "pull") => sockets[socket].send(bytes, port, "127.0.0.1");
  const station = createBaseStation({
    ...{ schedule, random, air, eui: STATION },
    send: (bytes, socket) => {
      sent.push([bytes, socket]);
      send(bytes, socket);
    },
  });
  for (const socket of Object.values(sockets)) socket.on("message", (bytes) => station.take(bytes));
  return {
    said,
    modem,
    /** Once more all that the base station has said so far. */
    sendAgain: () => {
      for (const [bytes, socket] of [...sent]) send(bytes, socket);
    },
    connect(to: number) {
      port = to;
      station.setPower(false);
      station.setPower(true);
    },
    /** Waits until the modem has said that what it was told is done; gives what it said. */
    async done(name: string): Promise<readonly string[]> {
      await waitFor(`+${name}: Done`, () => said.includes(`+${name}: Done`));
      return said.splice(0);
    },
    async close() {
      await Promise.all(Object.values(sockets).map((socket) => once(socket.close(), "close")));
    },
  };
}

describe("a device over the gateway's own LoRaWAN", () => {
  const folder = temporaryFolder();
  const { schedule, clock, stop } = createTime();
  const field = createField(schedule);
  let gateway: TestGateway;

  async function start(): Promise<void> {
    gateway = await startGateway({
      ...{ dir: folder.path, clock, devices: [DEVICE] },
      sections: { lorawan: { udpPort: 0, stations: [{ eui: STATION, name: "Roof", path: "roof" }] } },
    });
    field.connect(gateway.app.lorawan?.port ?? 0);
  }
  async function send(sequence: number): Promise<readonly string[]> {
    const time = Math.floor(clock.nowMs() / 1000);
    const frame = encodeReport(report({ sequence, time, flags: { clockSynced: true, ackRequested: true } }));
    field.modem.send("MSGHEX", Buffer.from(frame).toString("hex").toUpperCase(), false);
    return field.done("MSGHEX");
  }
  /** The sequences that the ack frame in the modem's answer names. */
  function acknowledged(lines: readonly string[]): number[] {
    const hex = lines.map((line) => /RX: "([0-9A-F]+)"/.exec(line)?.[1]).find((one) => one !== undefined) ?? "";
    const decoded = decodeDownlink(new Uint8Array(Buffer.from(hex, "hex")));
    if (decoded.kind !== "ack") throw new Error(`no ack frame in ${lines.join(" | ")}`);
    const { baseSequence, bitmap } = decoded.value;
    return Array.from({ length: 32 }, (_, i) => i).flatMap((i) =>
      ((bitmap >>> (31 - i)) & 1) === 1 ? [(baseSequence + i) & 0xffff] : [],
    );
  }
  const heard = async () =>
    (await gateway.get<readonly DeviceState[]>("/v1/devices")).find((one) => one.deviceId === DEVICE.deviceId);

  beforeAll(async () => {
    await start();
    // As `waakvlam lorawan rekey` writes them.
    putLorawanKeys(folder.path, { [KEYS.devEui]: { appKey: KEYS.appKey } }, loadRegistry(folder.path, listProblems));
    await gateway.app.reload();
  });
  afterAll(async () => {
    await gateway?.app.stop();
    await field.close();
    stop();
    folder.remove();
  });

  test("joins, is stored and told so in the window of its frame", async () => {
    field.modem.join(false);
    expect(await field.done("JOIN")).toContain("+JOIN: Network joined");
    expect(acknowledged(await send(1))).toEqual([1]);
    expect(await heard()).toMatchObject({ contact: "present" });
    const [device] = await gateway.get<readonly LorawanDeviceState[]>("/v1/lorawan/devices");
    expect(device).toMatchObject({ deviceId: DEVICE.deviceId, session: { state: "active", counterUp: 0 } });
    const [station] = await gateway.get<readonly LorawanStation[]>("/v1/lorawan/stations");
    expect(station).toMatchObject({ name: "Roof", connected: true, silent: false, transmissions: { sent: 2 } });
    expect(station?.airtime.some(({ usedMs }) => usedMs > 0)).toBe(true);
  }, 60_000);

  test("goes on in its session when the gateway comes back", async () => {
    await gateway.app.stop();
    await start();
    expect(acknowledged(await send(2))).toEqual([1, 2]);
    const [device] = await gateway.get<readonly LorawanDeviceState[]>("/v1/lorawan/devices");
    expect(device).toMatchObject({ session: { state: "active", counterUp: 1 } });
  }, 60_000);

  test("what was on the wire is sent again: nobody is told of it, nothing is stored, and the next frame is taken", async () => {
    const station = async () => (await gateway.get<readonly LorawanStation[]>("/v1/lorawan/stations"))[0];
    const told = async () => (await gateway.get<readonly Alert[]>("/v1/alerts")).map((one) => one.alertId);
    const rows = gateway.app.engine.gateway().journal.newestId;
    const [alerts, heardBefore] = [await told(), (await station())?.framesHeard ?? 0];
    field.sendAgain();
    await waitFor(
      "join and frames to be heard again",
      async () => ((await station())?.framesHeard ?? 0) >= heardBefore + 3,
    );
    // Each second the engine looks at what was refused.
    const untilMs = clock.monotonicMs() + 3_000;
    await waitFor("the engine to look", () => clock.monotonicMs() > untilMs);
    expect(await told()).toEqual(alerts);
    expect(gateway.app.engine.gateway().journal.newestId).toBe(rows);
    expect(acknowledged(await send(3))).toEqual([1, 2, 3]);
  }, 60_000);
});
