// The whole gateway as a client of a real Mosquitto, with a scripted ChirpStack and a scripted Things Stack behind it.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createCertificates } from "../../gateway/registry/certificates.ts";
import {
  type Alert,
  type Device,
  decodeDownlink,
  encodeReport,
  type GatewayState,
  type PointState,
  sealFrame,
  uplinkTopic,
} from "../../protocol/index.ts";
import { report, sha256, temporaryFolder, waitFor } from "../fixtures.ts";
import { HAS_MOSQUITTO, type Mosquitto, startMosquitto } from "../mosquitto.ts";
import { APPLICATION, type Chirpstack, startChirpstack } from "./chirpstack.ts";
import { startGateway, type TestGateway } from "./gateway.ts";

const BOARD = "0080e115000a9c4e";
const TANK = "24e124713d491234";
const THINGS_TANK = "0004a30b001c0530";
const NOW_S = Math.floor((performance.timeOrigin + performance.now()) / 1000);

const DEVICES: Device[] = [
  { deviceId: "alm-01-l1", pointId: "alm-01", board: "esp32", link: "lorawan", lorawan: { devEui: BOARD } },
  ...(["alm-01", "alm-02"] as const).map((pointId): Device => {
    return {
      ...{
        deviceId: `${pointId}-t1`,
        pointId,
        board: "other",
        link: "lorawan",
        model: "EM500-UDL",
        reportIntervalS: 600,
      },
      lorawan: { devEui: pointId === "alm-01" ? TANK : THINGS_TANK },
      sensing: { fuelLevelPct: { empty: 1100, full: 100 } },
    };
  }),
];

function sample(sequence: number, ackRequested = false): Uint8Array {
  const { power: _power, ...rest } = report({
    sequence,
    time: NOW_S + sequence,
    flags: { clockSynced: true, ackRequested },
  });
  return encodeReport({ ...rest, occupancy: { occupancy: 12, entries: 40 } });
}

function distance(mm: number): Uint8Array {
  return Uint8Array.of(0x01, 0x75, 92, 0x03, 0x82, mm & 255, mm >> 8);
}

const skipped = HAS_MOSQUITTO ? "" : ": mosquitto is not installed";

describe.skipIf(!HAS_MOSQUITTO)(`behind a real broker (needs mosquitto${skipped})`, () => {
  const folder = temporaryFolder();
  let broker: Mosquitto;
  let gateway: TestGateway;
  let chirpstack: Chirpstack;
  let things: MqttClient;
  let ca: string;
  let authority: string;
  let tls: { certificate: string; key: string };
  const users = { chirpstack: "of the server", waakvlam: "of the gateway", "app1@t1": "an API key" };

  const start = () =>
    startGateway({
      dir: folder.path,
      devices: DEVICES,
      sections: {
        chirpstack: {
          ...{ url: `mqtts://localhost:${broker.port}`, username: "waakvlam", passwordFile: "cs-password" },
          ...{ caFile: authority, applicationId: APPLICATION, expiresAt: true },
        },
        thingsStack: {
          ...{ url: `mqtts://localhost:${broker.port}`, username: "app1@t1", passwordFile: "ts-password" },
          ...{ caFile: authority, clientId: "waakvlam-things" },
        },
      },
    });

  beforeAll(async () => {
    const made = await createCertificates(folder.path, ["localhost"], 1000 * NOW_S);
    tls = { certificate: made.certificate, key: made.key };
    authority = made.authority;
    ca = readFileSync(authority, "utf8");
    broker = await startMosquitto({ dir: join(folder.path, "broker"), users, tls });
    writeFileSync(join(folder.path, "cs-password"), `${users.waakvlam}\n`);
    writeFileSync(join(folder.path, "ts-password"), `${users["app1@t1"]}\n`);
    const url = `mqtts://localhost:${broker.port}`;
    chirpstack = await startChirpstack({ url, password: users.chirpstack, ca, expires: true });
    const login = { clientId: "things", username: "app1@t1", password: users["app1@t1"], ca };
    things = await mqtt.connectAsync(url, login);
    gateway = await start();
  });
  afterAll(async () => {
    await gateway.app.stop();
    await chirpstack.stop();
    await things.endAsync(true);
    await broker.stop();
    folder.remove();
  });

  const rows = async () => (await gateway.get<GatewayState>("/v1/gateway")).journal.newestId;
  const fuel = async (pointId: string) => (await gateway.get<PointState>(`/v1/points/${pointId}`)).fuel?.levelPct;

  test("a board of ours is stored, and its ack frame comes in the same windows and says the time", async () => {
    // Until the subscription is there nothing is kept for the gateway.
    await waitFor("the first uplink", async () => {
      await chirpstack.uplink(BOARD, sample(1));
      return (await rows()) === 1;
    });
    const answer = await chirpstack.uplink(BOARD, sample(2, true));
    const decoded = decodeDownlink(answer as Uint8Array);
    expect(decoded).toMatchObject({ kind: "ack", value: { bitmap: 3 } });
    const { time } = (decoded as { value: { time: number } }).value;
    expect(Math.abs(time - NOW_S)).toBeLessThan(600);
    expect(chirpstack.queued(BOARD)).toBe(0);
    expect(chirpstack.faults).toEqual([]);
  });

  test("a tank's sensor becomes a level; again after a new join, and not twice for what the broker repeats", async () => {
    const before = await rows();
    expect(await chirpstack.uplink(TANK, distance(600), { fPort: 85 })).toBeUndefined();
    await chirpstack.again();
    await waitFor("the level", async () => (await fuel("alm-01")) === 50);
    chirpstack.join(TANK);
    await chirpstack.uplink(TANK, distance(300), { fPort: 85 });
    await waitFor("the level after the join", async () => (await fuel("alm-01")) === 80);
    expect(await rows()).toBe(before + 2);
  });

  test("what is sent while the gateway is down waits at the broker, in order", async () => {
    await gateway.app.stop();
    for (let sequence = 3; sequence <= 8; sequence++) await chirpstack.uplink(BOARD, sample(sequence));
    await chirpstack.uplink(TANK, distance(200), { fPort: 85 });
    gateway = await start();
    const before = 4;
    await waitFor("all that waited", async () => (await rows()) === before + 7);
    await waitFor("the level", async () => (await fuel("alm-01")) === 90);
    expect(decodeDownlink((await chirpstack.uplink(BOARD, sample(9, true))) as Uint8Array)).toMatchObject({
      value: { bitmap: 0x1ff },
    });
  });

  test("an event that has waited is answered without a time: nobody could tell how late that is", async () => {
    const answer = await chirpstack.uplink(BOARD, sample(10, true), { time: new Date(1000 * NOW_S - 3_600_000) });
    expect(decodeDownlink(answer as Uint8Array)).toMatchObject({ kind: "ack", value: { time: 0 } });
  });

  test("a device that also has MQTT is stored once, whichever way a sample comes first", async () => {
    const device = "alm-01-l1";
    const login = { clientId: device, username: device, password: gateway.password(device), reconnectPeriod: 0 };
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${gateway.app.mqtt.port}`, login);
    const key = gateway.keys.get(device) as Uint8Array;
    const over = (frame: Uint8Array) =>
      client.publishAsync(uplinkTopic(device), Buffer.from(sealFrame(sha256, key, frame)), { qos: 1 });
    const before = await rows();
    await over(sample(10));
    await over(sample(12));
    await chirpstack.uplink(BOARD, sample(12));
    await chirpstack.uplink(BOARD, sample(13));
    await waitFor("both", async () => (await rows()) === before + 2);
    await client.endAsync(true);
  });

  test("trouble that the server tells of is an alert of its device; a forged name is refused", async () => {
    await chirpstack.event(TANK, "log", {
      level: "ERROR",
      code: "UPLINK_F_CNT_RESET",
      description: "Frame-counter reset",
    });
    await waitFor("the alert", async () => {
      const alerts = await gateway.get<Alert[] | { alerts: Alert[] }>("/v1/alerts");
      const list = Array.isArray(alerts) ? alerts : alerts.alerts;
      return list.some((one) => one.ruleId === "frames-refused" && one.subject.id === "alm-01-t1");
    });
    const before = await rows();
    const forged = { deviceInfo: { devEui: TANK }, devAddr: "00000001", fCnt: 9, fPort: 85, data: "A4LoAw==" };
    await chirpstack.event(BOARD, "up", forged);
    await chirpstack.uplink(BOARD, sample(14));
    await waitFor("the next one", async () => (await rows()) > before);
    expect(await rows()).toBe(before + 1);
  });

  test("a broker that goes and comes back is found again", async () => {
    const { port } = broker;
    await broker.stop();
    broker = await startMosquitto({ dir: join(folder.path, "broker"), users, tls, port });
    const before = await rows();
    let sequence = 20;
    await waitFor(
      "an uplink over the new connection",
      async () => {
        await chirpstack.uplink(BOARD, sample(sequence++)).catch(() => undefined);
        return (await rows()) > before;
      },
      30_000,
    );
  });

  test("The Things Stack: an uplink is stored, a simulated one is not", async () => {
    const pushed: unknown[] = [];
    things.on("message", (_topic, payload) => pushed.push(JSON.parse(payload.toString())));
    await things.subscribeAsync("v3/app1@t1/devices/+/down/push");
    const up = (mm: number, f_cnt: number, more: object = {}) => ({
      end_device_ids: {
        device_id: "tank",
        application_ids: { application_id: "app1" },
        dev_eui: THINGS_TANK.toUpperCase(),
      },
      received_at: new Date(1000 * NOW_S).toISOString(),
      uplink_message: {
        session_key_id: "AXBSH1Pk6Z0G166JNa1XWA==",
        f_port: 85,
        frm_payload: Buffer.from(distance(mm)).toString("base64"),
        settings: { data_rate: { lora: { bandwidth: 125000, spreading_factor: 9 } }, frequency: "868300000" },
        ...(f_cnt === 0 ? {} : { f_cnt }),
      },
      ...more,
    });
    let counter = 0;
    await waitFor("the level", async () => {
      await things.publishAsync("v3/app1@t1/devices/tank/up", JSON.stringify(up(600, counter++)));
      return (await fuel("alm-02")) === 50;
    });
    await things.publishAsync("v3/app1@t1/devices/tank/up", JSON.stringify(up(200, 900, { simulated: true })));
    await things.publishAsync("v3/app1@t1/devices/tank/up", JSON.stringify(up(300, 901)));
    await waitFor("the level after it", async () => (await fuel("alm-02")) === 80);
    expect(pushed).toEqual([]);
  });
});
