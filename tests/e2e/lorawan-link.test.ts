// The connection to a network server's broker, a real Mosquitto: what fails, what comes again, and what is held back.
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../../gateway/clock.ts";
import type { NetworkDownlink, NetworkUplink } from "../../gateway/ingress/lorawan/interfaces.ts";
import { createChirpstack } from "../../gateway/ingress/lorawan/servers/chirpstack.ts";
import { type NetworkServer, type ServerOptions, startServer } from "../../gateway/ingress/lorawan/servers/server.ts";
import { decodeDownlink, encodeAck } from "../../protocol/index.ts";
import { temporaryFolder, waitFor } from "../fixtures.ts";
import { HAS_MOSQUITTO, type Mosquitto, startMosquitto } from "../mosquitto.ts";

const EUI = "24e124713d491234";
const APP = "17c82e96-be03-4f38-aef3-f83d48582d97";
/** Waits a fiftieth of what is asked: back-off and tries without their seconds. */
const clock: Clock = { ...systemClock, after: (delayMs, run) => systemClock.after(delayMs / 50, run) };

const skipped = HAS_MOSQUITTO ? "" : ": mosquitto is not installed";

describe.skipIf(!HAS_MOSQUITTO)(`the link to a network server (needs mosquitto${skipped})`, () => {
  const folder = temporaryFolder();
  let broker: Mosquitto;
  let chirpstack: MqttClient;
  let server: NetworkServer | undefined;
  let said: string[];
  let clients = 0;
  const commands: Buffer[] = [];

  beforeAll(async () => {
    broker = await startMosquitto({ dir: join(folder.path, "broker"), users: { a: "secret" } });
    const url = `mqtt://127.0.0.1:${broker.port}`;
    chirpstack = await mqtt.connectAsync(url, { clientId: "chirpstack", username: "a", password: "secret" });
    await chirpstack.subscribeAsync("application/+/device/+/command/down", { qos: 1 });
    chirpstack.on("message", (_topic, payload) => commands.push(payload));
  });
  afterEach(async () => {
    await server?.close();
    server = undefined;
    commands.length = 0;
  });
  afterAll(async () => {
    await chirpstack.endAsync(true);
    await broker.stop();
    folder.remove();
  });

  async function start(
    take: (uplink: NetworkUplink) => Promise<readonly NetworkDownlink[]>,
    part: Partial<ServerOptions> & { password?: string } = {},
  ): Promise<NetworkServer> {
    const { password = "secret", ...rest } = part;
    said = [];
    const started = startServer({
      dialect: createChirpstack("+"),
      link: {
        ...{ url: `mqtt://127.0.0.1:${broker.port}`, clientId: `gateway-${clients++}`, username: "a", password },
        timeoutMs: 5_000,
        log: (event, { reason = "" }) => void said.push(`${event}: ${reason}`),
      },
      ...{ qos: 1, expires: true, taker: { take }, clock, ...rest },
    });
    server = started;
    return started;
  }

  /** Its subscription is not there at once: an event before it is nobody's. */
  async function listening(): Promise<void> {
    await waitFor("the subscription", async () => {
      await event("join", {});
      return (server?.state().counts["join"] ?? 0) > 0;
    });
  }

  async function event(name: string, more: object, qos: 0 | 1 = 1): Promise<void> {
    const json = JSON.stringify({ deviceInfo: { devEui: EUI }, ...more });
    await chirpstack.publishAsync(`application/${APP}/device/${EUI}/event/${name}`, json, { qos });
  }

  const up = (fCnt: number, qos: 0 | 1 = 1) => {
    const time = new Date(systemClock.nowMs()).toISOString();
    return event("up", { time, devAddr: "00000001", fCnt, fPort: 10, data: "AQ==" }, qos);
  };

  test("a wrong password is told once, and tried again", async () => {
    const one = await start(async () => [], { password: "wrong" });
    await waitFor("the refusal", () => one.state().reason?.match(/not auth/i));
    expect(one.state().isConnected).toBe(false);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/no connection to the network server: .*not auth/i);
  });

  test("what cannot be taken stays at the broker, and comes again in order", async () => {
    const taken: number[] = [];
    let fails = 12;
    await start(async ({ counter }) => {
      if (counter > 0 && fails-- > 0) throw new Error("the journal takes nothing");
      taken.push(counter);
      return [];
    });
    await listening();
    for (let counter = 1; counter <= 5; counter++) await up(counter);
    await waitFor("all of them", () => taken.includes(5));
    expect([...new Set(taken)]).toEqual([1, 2, 3, 4, 5]);
    expect(said.join()).toMatch(/a message cannot be taken: the journal takes nothing/);
  });

  test("an ack frame says the time when it can end in time; two wait at most, and one that has left makes room", async () => {
    const ack = encodeAck({ time: 1_764_000_000, baseSequence: 1, bitmap: 1 });
    await start(async () => [{ port: 10, payload: ack, isTimely: true }]);
    await listening();
    for (let counter = 1; counter <= 4; counter++) await up(counter);
    await waitFor("the uplinks", () => server?.state().counts["uplink"] === 4);
    expect(server?.state().counts).toMatchObject({ downlink: 2, "downlink-held-back": 2 });
    await event("txack", {});
    await up(5);
    await waitFor("the third", () => commands.length === 3);
    const first = JSON.parse(commands[0]?.toString() ?? "") as { data: string; expiresAt: string };
    expect(decodeDownlink(Buffer.from(first.data, "base64"))).toMatchObject({ value: { time: 1_764_000_000 } });
    expect(Date.parse(first.expiresAt)).toBeGreaterThan(systemClock.nowMs() - 5_000);
    expect(server?.device(EUI)).toMatchObject({ uplinks: 5, joins: expect.any(Number) });
  });

  test("and none where the server does not know when a downlink is late", async () => {
    const ack = encodeAck({ time: 1_764_000_000, baseSequence: 1, bitmap: 1 });
    await start(async () => [{ port: 10, payload: ack, isTimely: true }], { expires: false });
    await listening();
    await up(1);
    await waitFor("the downlink", () => commands.length === 1);
    const { data, ...rest } = JSON.parse(commands[0]?.toString() ?? "") as { data: string };
    expect(decodeDownlink(Buffer.from(data, "base64"))).toMatchObject({ value: { time: 0, bitmap: 1 } });
    expect(rest).not.toHaveProperty("expiresAt");
  });

  test("events that nothing keeps are told of once; trouble is counted, and told where a person has to look", async () => {
    const refused: string[] = [];
    await start(async () => [], { onRefusal: ({ reason, sender }) => void refused.push(`${sender} ${reason}`) });
    await listening();
    await up(1, 0);
    await up(2, 0);
    for (const code of ["UPLINK_MIC", "UPLINK_F_CNT_RETRANSMISSION"]) await event("log", { code });
    await event("status", { margin: 7, batteryLevel: 50 });
    await waitFor("all of it", () => server?.state().counts["status"] === 1);
    expect(said.filter((one) => one.includes("QoS 0"))).toHaveLength(1);
    expect(refused).toEqual([`${EUI} bad-mic`]);
    expect(server?.state().counts).toMatchObject({ "bad-mic": 1, "frame-again": 1, uplink: 2 });
    expect(server?.device(EUI)).toMatchObject({ marginDb: 7, batteryPct: 50 });
  });
});
