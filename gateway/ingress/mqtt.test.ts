import { connect as connectSocket } from "node:net";
import mqtt, { type MqttClient } from "mqtt";
import { afterEach, describe, expect, test } from "vitest";
import {
  decodeDownlink,
  downlinkTopic,
  encodeReport,
  mqttPassword,
  openFrame,
  sealFrame,
  uplinkTopic,
} from "../../protocol/index.ts";
import { checkedFrame, report, sha256, waitFor } from "../../tests/fixtures.ts";
import { systemClock } from "../clock.ts";
import type { CheckedFrame } from "../domain/record.ts";
import { createMqttIngress, type IngressJournal, type MqttIngress } from "./mqtt.ts";

const KEYS = new Map(
  ["alm-01-d1", "alm-02-d1"].map((id, n) => [id, Uint8Array.from({ length: 32 }, (_, i) => i * 3 + n)] as const),
);

/** A journal whose commits the test lets through one by one, or all at once. */
function heldJournal(automatic: boolean) {
  const frames: CheckedFrame[] = [];
  const waiting: (() => void)[] = [];
  const journal: IngressJournal = {
    take: (frame, settled) => {
      frames.push(frame);
      const sequence = frame.header?.sequence ?? 0;
      const ack = { baseSequence: (sequence - 31) & 0xffff, bitmap: 1, after: 0 };
      const commit = () => settled({ outcome: "stored", id: frames.length, ack });
      if (automatic) commit();
      else waiting.push(commit);
    },
    health: () => ({ pendingRows: waiting.length }),
    onCommitted: () => () => undefined,
  };
  return { journal, frames, waiting };
}

let ingress: MqttIngress;
const clients: MqttClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.end(true);
  await ingress.close();
});

async function start(journal: IngressJournal, observePuback = (_ms: number) => {}): Promise<void> {
  ingress = await createMqttIngress({
    observePuback,
    host: "127.0.0.1",
    port: 0,
    journal,
    clock: systemClock,
    isClockTrusted: () => true,
    identities: { key: (id) => KEYS.get(id), isEnabled: () => true },
    people: {
      verify: async (name, password) =>
        name === "coordinator-1" && password === "right" ? { name, role: "coordinator" } : undefined,
    },
  });
}

async function connect(options: { id?: string; user?: string; password?: string } = {}): Promise<MqttClient> {
  const id = options.id ?? "alm-01-d1";
  const user = options.user ?? id;
  const password = options.password ?? mqttPassword(sha256, KEYS.get(user) ?? new Uint8Array(32));
  const url = `mqtt://127.0.0.1:${ingress.address.port}`;
  const client = mqtt.connect(url, { clientId: id, username: user, password, reconnectPeriod: 0, keepalive: 60 });
  clients.push(client);
  await new Promise<void>((resolve, reject) => {
    client.once("connect", () => resolve());
    client.once("error", reject);
    client.once("close", () => reject(new Error("closed")));
  });
  return client;
}

function sealed(sequence: number, id = "alm-01-d1"): Buffer {
  return Buffer.from(sealFrame(sha256, KEYS.get(id) as Uint8Array, encodeReport(report({ sequence }))));
}

const up = uplinkTopic("alm-01-d1");

describe("the MQTT ingress", () => {
  test("PUBACK waits for the commit, and leaves in the order of the packets", async () => {
    const held = heldJournal(false);
    await start(held.journal);
    const client = await connect();
    const acked: number[] = [];
    for (const n of [1, 2, 3]) client.publish(up, sealed(n), { qos: 1 }, () => acked.push(n));
    await waitFor("three appends", () => held.frames.length === 3);
    expect(acked).toEqual([]);
    held.waiting[2]?.();
    held.waiting[1]?.();
    await new Promise((resolve) => setImmediate(resolve));
    expect(acked).toEqual([]);
    held.waiting[0]?.();
    await waitFor("three PUBACKs", () => acked.length === 3);
    expect(acked).toEqual([1, 2, 3]);
  });

  test("tells how long each uplink waited for its PUBACK, and which connections are devices", async () => {
    const held = heldJournal(false);
    const waits: number[] = [];
    await start(held.journal, (ms) => waits.push(ms));
    const client = await connect();
    await connect({ id: "reader", user: "coordinator-1", password: "right" });
    expect([ingress.connected(), ingress.connectedDevices(), ingress.isListening()]).toEqual([2, 1, true]);
    const began = performance.now();
    const done = client.publishAsync(up, sealed(1), { qos: 1 });
    await waitFor("the append", () => held.frames.length === 1);
    const askedMs = performance.now() - began;
    await waitFor("a while", () => performance.now() - began >= askedMs + 40);
    expect(waits).toEqual([]);
    held.waiting[0]?.();
    await done;
    expect(waits).toHaveLength(1);
    expect(waits[0]).toBeGreaterThanOrEqual(40);
  });

  test("after the commit an ack frame goes out that the device can check", async () => {
    await start(heldJournal(true).journal);
    const client = await connect();
    const frames: Buffer[] = [];
    client.on("message", (_, payload) => frames.push(payload));
    await client.subscribeAsync(downlinkTopic("alm-01-d1"));
    await client.publishAsync(up, sealed(40), { qos: 1 });
    await waitFor("an ack frame", () => frames.length > 0);
    const opened = openFrame(sha256, KEYS.get("alm-01-d1") as Uint8Array, frames[0] as Buffer);
    expect(decodeDownlink(opened as Uint8Array)).toMatchObject({ kind: "ack", value: { baseSequence: 9, bitmap: 1 } });
  });

  test("what cannot be right is acknowledged, counted by reason and not stored; the connection stays", async () => {
    const held = heldJournal(true);
    await start(held.journal);
    const client = await connect();
    const flipped = sealed(1);
    flipped[9] = (flipped[9] as number) ^ 1;
    await client.publishAsync(up, flipped, { qos: 1 });
    await client.publishAsync(up, Buffer.from(encodeReport(report())), { qos: 1 });
    await client.publishAsync(uplinkTopic("alm-02-d1"), sealed(1, "alm-02-d1"), { qos: 1 });
    await client.publishAsync("waakvlam/v1/gateway/state", "{}", { qos: 1, retain: true });
    await client.publishAsync(up, Buffer.alloc(251), { qos: 1 });
    expect(held.frames).toHaveLength(0);
    expect(Object.fromEntries(ingress.refusals.counts)).toEqual({
      "bad-tag": 2,
      "wrong-topic": 1,
      "gateway-topic": 1,
      "too-long": 1,
    });
    await client.publishAsync(up, sealed(1), { qos: 1 });
    expect(held.frames).toHaveLength(1);
  });

  test("a device too many is told of nothing that it sent, so that it keeps it, and stays connected", async () => {
    const { journal } = heldJournal(true);
    await start({ ...journal, take: (_, settled) => settled({ outcome: "too-many-devices" }) });
    const client = await connect();
    const frames: Buffer[] = [];
    client.on("message", (_, payload) => frames.push(payload));
    await client.subscribeAsync(downlinkTopic("alm-01-d1"));
    await client.publishAsync(up, sealed(40), { qos: 1 });
    await client.publishAsync(up, sealed(41), { qos: 1 });
    expect(frames).toEqual([]);
    expect(Object.fromEntries(ingress.refusals.counts)).toEqual({ "too-many-devices": 2 });
    expect(client.connected).toBe(true);
  });

  test("a flood of bad frames is banned while another device carries on", async () => {
    const held = heldJournal(true);
    await start(held.journal);
    const [bad, good] = [await connect(), await connect({ id: "alm-02-d1" })];
    let closed = false;
    bad.on("close", () => {
      closed = true;
    });
    for (let i = 0; i < 21; i++) bad.publish(up, Buffer.from([i]), { qos: 1 });
    await waitFor("the ban", () => closed);
    await expect(connect()).rejects.toMatchObject({ code: 3 });
    await good.publishAsync(uplinkTopic("alm-02-d1"), sealed(5, "alm-02-d1"), { qos: 1 });
    expect(held.frames.map((f) => f.deviceId)).toEqual(["alm-02-d1"]);
  });

  test("nobody signs in with another's name or a wrong password, and that bans no device", async () => {
    await start(heldJournal(true).journal);
    for (let i = 0; i < 30; i++) await expect(connect({ password: "0".repeat(32) })).rejects.toMatchObject({ code: 4 });
    await expect(connect({ id: "alm-01-d1", user: "alm-02-d1" })).rejects.toMatchObject({ code: 2 });
    await expect(connect({ id: "zzz-99-d1" })).rejects.toMatchObject({ code: 4 });
    await expect(connect({ id: "alm-01-d1", user: "coordinator-1", password: "right" })).rejects.toMatchObject({
      code: 2,
    });
    expect(Object.fromEntries(ingress.refusals.counts)).toMatchObject({ "bad-password": 30, "name-mismatch": 2 });
    expect((await connect()).connected).toBe(true);
  });

  test("a reader sees state topics and no frames, and may not publish", async () => {
    const held = heldJournal(true);
    await start(held.journal);
    const reader = await connect({ id: "screen-1", user: "coordinator-1", password: "right" });
    const granted = await reader.subscribeAsync("waakvlam/v1/points/+/state");
    expect(granted[0]?.qos).toBe(0);
    for (const topic of ["#", "$SYS/#", "$share/g/waakvlam/v1/points/+/state", "waakvlam/v1/devices/+/up"]) {
      await expect(reader.subscribeAsync(topic), topic).rejects.toThrow();
    }
    ingress.publishRetained("waakvlam/v1/points/alm-01/state", '{"pointId":"alm-01"}');
    const seen: string[] = [];
    reader.on("message", (topic) => seen.push(topic));
    await waitFor("the state", () => seen.length > 0);
    await reader.publishAsync("waakvlam/v1/points/alm-01/state", "forged", { qos: 1 });
    expect(ingress.refusals.counts.get("not-a-device")).toBe(1);
    const later = await connect({ id: "screen-2", user: "coordinator-1", password: "right" });
    const retained: string[] = [];
    later.on("message", (_, payload) => retained.push(payload.toString()));
    await later.subscribeAsync("waakvlam/v1/points/alm-01/state");
    await waitFor("the retained state", () => retained.length > 0);
    expect(retained).toEqual(['{"pointId":"alm-01"}']);
  });

  test("a frame of a newer version with a right tag is stored raw, a torn one is refused", async () => {
    const held = heldJournal(true);
    await start(held.journal);
    const client = await connect();
    const key = KEYS.get("alm-01-d1") as Uint8Array;
    const newer = checkedFrame().frame.slice();
    newer[0] = 0x21;
    await client.publishAsync(up, Buffer.from(sealFrame(sha256, key, newer)), { qos: 1 });
    expect(held.frames[0]?.header).toBeUndefined();
    await client.publishAsync(up, Buffer.from(sealFrame(sha256, key, newer.slice(0, 4).fill(0x11, 0, 1))), { qos: 1 });
    expect(held.frames).toHaveLength(1);
    expect(ingress.refusals.counts.get("truncated")).toBe(1);
  });

  test("a packet that announces more than any may hold ends its connection before it is read", async () => {
    await start(heldJournal(true).journal);
    const socket = connectSocket(ingress.address.port, "127.0.0.1");
    let closed = false;
    socket.on("close", () => {
      closed = true;
    });
    socket.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
    await waitFor("the close", () => closed);
    expect(ingress.refusals.counts.get("too-long")).toBe(1);
  });
});
