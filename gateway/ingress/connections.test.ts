// Connections as a careless or hostile client makes them: bytes on sockets, at moments of the test's choice.
import { readFileSync } from "node:fs";
import { connect as connectSocket, type Socket } from "node:net";
import mqttPacket from "mqtt-packet";
import { afterEach, describe, expect, test } from "vitest";
import { downlinkTopic, encodeReport, mqttPassword, sealFrame, uplinkTopic } from "../../protocol/index.ts";
import { report, sha256, temporaryFolder, waitFor } from "../../tests/fixtures.ts";
import { systemClock } from "../clock.ts";
import { GatewayError } from "../errors.ts";
import { createCertificates } from "../registry/certificates.ts";
import { createMqttIngress, type IngressJournal, type MqttIngress, type MqttIngressOptions } from "./mqtt.ts";

const DEVICE = "alm-01-d1";
const KEY = Uint8Array.from({ length: 32 }, (_, i) => i * 3);
const STOP_MS_MAX = 500;

type Settled = Parameters<IngressJournal["take"]>[1];

let ingress: MqttIngress;
const sockets: Socket[] = [];
afterEach(async () => {
  await ingress.close();
  for (const socket of sockets.splice(0)) socket.destroy();
});

const packet = (made: Parameters<typeof mqttPacket.generate>[0]) => mqttPacket.generate(made) as Buffer;

/** A journal of which the test says how far behind it is, and what comes of the rows. */
function countingJournal() {
  const taken: Settled[] = [];
  const listeners = new Set<() => void>();
  const state = { pendingRows: 0 };
  const journal: IngressJournal = {
    take: (_frame, settled) => {
      state.pendingRows++;
      taken.push(settled);
    },
    health: () => state,
    onCommitted: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const end = (outcome: Parameters<Settled>[0]) => {
    state.pendingRows = 0;
    for (const settled of taken.splice(0)) settled(outcome);
  };
  const commit = () => {
    end({ outcome: "stored", id: 1, ack: undefined });
    for (const listener of listeners) listener();
  };
  const fail = () => end(new GatewayError("JOURNAL_BUSY", { pending: 0 }));
  return { journal, state, taken, commit, fail };
}

async function start(journal: IngressJournal, more: Partial<MqttIngressOptions> = {}): Promise<void> {
  ingress = await createMqttIngress({
    host: "127.0.0.1",
    port: 0,
    journal,
    clock: systemClock,
    isClockTrusted: () => true,
    identities: { key: (id) => (id.startsWith("alm-") ? KEY : undefined), isEnabled: () => true },
    people: { verify: async (name) => ({ name, role: "coordinator" }) },
    ...more,
  });
}

interface Peer {
  readonly socket: Socket;
  readonly isClosed: () => boolean;
  /** The packets that came, by their names. */
  readonly seen: string[];
  /** What was acknowledged, by the identifiers. */
  readonly acked: number[];
}

async function open(): Promise<Peer> {
  const socket = connectSocket(ingress.address.port, "127.0.0.1");
  sockets.push(socket);
  const seen: string[] = [];
  const acked: number[] = [];
  const parser = mqttPacket.parser();
  parser.on("packet", ({ cmd, messageId }) => {
    seen.push(cmd);
    if (cmd === "puback") acked.push(messageId ?? 0);
  });
  socket.on("data", (data) => parser.parse(data));
  socket.on("error", () => undefined);
  const before = ingress.connected();
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  await waitFor("the connection", () => ingress.connected() > before);
  return { socket, seen, acked, isClosed: () => socket.destroyed };
}

function login(clientId: string, { username = clientId, keepalive = 60, protocolVersion = 4 as 4 | 5 } = {}): Buffer {
  const head = { protocolId: "MQTT", protocolVersion, clean: true } as const;
  const password = Buffer.from(mqttPassword(sha256, KEY));
  return packet({ cmd: "connect", ...head, clientId, username, keepalive, password });
}

async function signIn(clientId: string, options: Parameters<typeof login>[1] = {}): Promise<Peer> {
  const peer = await open();
  peer.socket.write(login(clientId, options));
  await waitFor("the CONNACK", () => peer.seen.includes("connack"));
  return peer;
}

function uplink(clientId: string, sequence: number): Buffer {
  const payload = Buffer.from(sealFrame(sha256, KEY, encodeReport(report({ sequence }))));
  const message = { topic: uplinkTopic(clientId), payload, qos: 1, dup: false, retain: false } as const;
  return packet({ cmd: "publish", messageId: sequence, ...message });
}

async function ping(peer: Peer): Promise<void> {
  peer.socket.write(packet({ cmd: "pingreq" }));
  await waitFor("an answer to its PINGREQ", () => peer.seen.includes("pingresp"));
}

async function stopMs(): Promise<number> {
  const began = performance.now();
  await ingress.close();
  return performance.now() - began;
}

describe("a connection that is turned away is counted by its reason", () => {
  const counted = () => Object.fromEntries(ingress.refusals.counts);

  test("a keep-alive that is too long or none, and a version that is not spoken", async () => {
    await start(countingJournal().journal);
    for (const keepalive of [0, 301, 65_535]) expect((await signIn(DEVICE, { keepalive })).seen).toEqual(["connack"]);
    await signIn(DEVICE, { protocolVersion: 5 });
    await waitFor("the reasons", () => counted()["mqtt-version"] === 1);
    expect(counted()).toEqual({ "keep-alive": 3, "mqtt-version": 1 });
    await ping(await signIn(DEVICE, { keepalive: 300 }));
  });

  test("one without TLS where it is needed; who only looks whether the port is open is none", async () => {
    const folder = temporaryFolder();
    const { certificate, key } = await createCertificates(folder.path, ["gateway.lan"], systemClock.nowMs());
    await start(countingJournal().journal, { tls: { cert: readFileSync(certificate), key: readFileSync(key) } });
    folder.remove();
    const { port } = ingress.address;
    const looks = connectSocket(port, "127.0.0.1");
    await new Promise<void>((resolve) => looks.once("connect", () => looks.end(resolve)));
    const plain = connectSocket(port, "127.0.0.1").on("error", () => undefined);
    sockets.push(plain);
    plain.write(login(DEVICE));
    await waitFor("its reason", () => ingress.refusals.counts.size > 0);
    expect(counted()).toEqual({ tls: 1 });
  });

  test("one too many", async () => {
    await start(countingJournal().journal, { connectionsMax: 2 });
    await open();
    const device = await signIn(DEVICE);
    sockets.push(connectSocket(ingress.address.port, "127.0.0.1").on("error", () => undefined));
    await waitFor("its reason", () => ingress.refusals.counts.size > 0);
    expect(counted()).toEqual({ "too-many-connections": 1 });
    await ping(device);
  });
});

/** A person whose password nobody has judged yet. */
async function signInUnderWay() {
  let asked = false;
  const people = {
    verify: () => {
      asked = true;
      return new Promise<undefined>(() => undefined);
    },
  };
  await start(countingJournal().journal, { people });
  const person = await open();
  person.socket.write(login("reader", { username: "coordinator-1" }));
  await waitFor("the question for the password", () => asked);
  return person;
}

describe("a stop", () => {
  test("does not wait for a connection that says nothing", async () => {
    await start(countingJournal().journal);
    const idle = await open();
    expect(await stopMs()).toBeLessThan(STOP_MS_MAX);
    await waitFor("its end", idle.isClosed);
  });

  test("does not wait for a TLS handshake that never comes", async () => {
    await start(countingJournal().journal, { tls: {} });
    const socket = connectSocket(ingress.address.port, "127.0.0.1");
    sockets.push(socket.on("error", () => undefined));
    await new Promise<void>((resolve) => socket.once("connect", resolve));
    expect(await stopMs()).toBeLessThan(STOP_MS_MAX);
  });

  test("does not wait for a sign-in that is under way", async () => {
    const person = await signInUnderWay();
    expect(await stopMs()).toBeLessThan(STOP_MS_MAX);
    await waitFor("its end", person.isClosed);
  });
});

describe("the connections of one device", () => {
  test("of two that sign in at the same time one lives on, and it is closed with its device", async () => {
    const { journal, taken } = countingJournal();
    await start(journal);
    const first = await signIn(DEVICE);
    // Aedes looks at its subscriptions before it lets it go: only then the two meet.
    first.socket.write(
      packet({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: downlinkTopic(DEVICE), qos: 0 }] }),
    );
    await waitFor("the SUBACK", () => first.seen.includes("suback"));
    const twins = [await open(), await open()];
    for (const { socket } of twins) socket.write(login(DEVICE));
    await waitFor("the one that is left", () => ingress.connected() === 1);
    const left = () => [first, ...twins].filter((peer) => !peer.isClosed());
    await waitFor("the end of the others", () => left().length === 1);
    expect(left()).not.toContain(first);
    left()[0]?.socket.write(uplink(DEVICE, 1));
    await waitFor("its report", () => taken.length === 1);
    ingress.closeDevice(DEVICE);
    await waitFor("its end", () => ingress.connected() === 0);
    expect(await stopMs()).toBeLessThan(STOP_MS_MAX);
  });

  test("one whose sign-in is under way is closed with its device", async () => {
    const person = await signInUnderWay();
    ingress.closeDevice("reader");
    await waitFor("its end", person.isClosed);
  });
});

describe("what a device sends in one write", () => {
  const NUMBERS = [1, 2, 3, 4, 5];
  const STORED = { outcome: "stored", id: 1, ack: undefined } as const;

  async function sendAll() {
    const made = countingJournal();
    await start(made.journal);
    const device = await signIn(DEVICE);
    device.socket.write(Buffer.concat([...NUMBERS.map((n) => uplink(DEVICE, n)), packet({ cmd: "pingreq" })]));
    await waitFor("all of it", () => made.taken.length === NUMBERS.length);
    return { ...made, device };
  }

  test("is acknowledged in its order, whatever is stored first", async () => {
    const { taken, device } = await sendAll();
    await waitFor("the answer to what came behind", () => device.seen.includes("pingresp"));
    for (const at of [4, 2, 1]) taken[at]?.(STORED);
    await ping(await signIn("reader", { username: "coordinator-1" }));
    expect(device.acked).toEqual([]);
    taken[0]?.(STORED);
    await waitFor("three PUBACKs", () => device.acked.length === 3);
    taken[3]?.(STORED);
    await waitFor("the rest", () => device.acked.length === NUMBERS.length);
    expect(device.acked).toEqual(NUMBERS);
  });

  test("is not acknowledged behind one that could not be stored, and the connection ends", async () => {
    const { taken, device } = await sendAll();
    taken[0]?.(STORED);
    taken[1]?.(new GatewayError("JOURNAL_BUSY", { pending: 0 }));
    for (const at of [2, 3, 4]) taken[at]?.(STORED);
    await waitFor("its end", device.isClosed);
    expect(device.acked).toEqual([1]);
    expect(ingress.connected()).toBe(0);
  });

  test("and is not of the device ends with the ban, and nothing of it is stored", async () => {
    const { journal, taken } = countingJournal();
    await start(journal);
    const device = await signIn(DEVICE);
    const forged = Array.from({ length: 40 }, (_, n) => {
      const bytes = uplink(DEVICE, n + 1);
      bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1;
      return bytes;
    });
    device.socket.write(Buffer.concat(forged));
    await waitFor("its end", device.isClosed);
    expect(taken).toEqual([]);
    expect(device.acked.length).toBeLessThan(forged.length);
    expect(ingress.refusals.counts.get("banned")).toBeGreaterThan(0);
    expect(ingress.connected()).toBe(0);
  });
});

describe("while the journal is behind", () => {
  const HIGH = 20_000;

  /** The first device brings the journal up to the mark, and is held. */
  async function startHeld() {
    const made = countingJournal();
    await start(made.journal);
    const device = await signIn(DEVICE);
    made.state.pendingRows = HIGH + 1;
    device.socket.write(uplink(DEVICE, 1));
    await waitFor("the report that holds", () => made.taken.length === 1);
    return { ...made, device };
  }

  test("nothing is read of who publishes, on new connections either, and all of it afterwards", async () => {
    const { taken, device, commit, state } = await startHeld();
    device.socket.write(Buffer.concat([2, 3].map((n) => uplink(DEVICE, n))));
    const ids = Array.from({ length: 20 }, (_, i) => `alm-1${i}-d1`);
    const late = await Promise.all(ids.map(async (id) => ({ id, peer: await signIn(id) })));
    for (const { id, peer } of late) {
      peer.socket.write(Buffer.concat(Array.from({ length: 100 }, (_, n) => uplink(id, n + 1))));
    }
    // Whoever comes later is answered: what was written before has come by then.
    await ping(await signIn("reader", { username: "coordinator-1" }));
    expect(taken).toHaveLength(1);
    commit();
    await waitFor("what was held", () => taken.length === 2 + ids.length * 100);
    expect(state.pendingRows).toBe(taken.length);
  });

  test("who only reads is read, and so is a device that has nothing to send", async () => {
    const { journal, state, taken } = countingJournal();
    await start(journal);
    const reader = await signIn("reader", { username: "coordinator-1", keepalive: 1 });
    const quiet = await signIn("alm-02-d1", { keepalive: 1 });
    const device = await signIn(DEVICE);
    state.pendingRows = HIGH + 1;
    device.socket.write(uplink(DEVICE, 1));
    await waitFor("the report that holds", () => taken.length === 1);
    for (const peer of [reader, quiet]) await ping(peer);
  });

  test("nobody stays held when the rows that waited end in an error", async () => {
    const { taken, device, fail } = await startHeld();
    const other = await signIn("alm-02-d1");
    other.socket.write(uplink("alm-02-d1", 1));
    await ping(await signIn("reader", { username: "coordinator-1" }));
    expect(taken).toHaveLength(1);
    fail();
    await waitFor("the end of the one whose report was not stored", device.isClosed);
    await waitFor("what was held", () => taken.length === 1);
  });
});
