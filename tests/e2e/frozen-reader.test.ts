// A reader that stopped reading, while states change by the thousand: whoever reads the alerts has each within a second.
import { connect, type Socket } from "node:net";
import mqttPacket from "mqtt-packet";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../gateway/clock.ts";
import { createMqttIngress, type MqttIngress } from "../../gateway/ingress/mqtt.ts";
import { alertTopic, pointStateTopic } from "../../protocol/index.ts";
import { waitFor } from "../fixtures.ts";

const POINTS = 20_000;
/** So large that what the system takes for a reader that reads nothing is soon full. */
const STATE_BYTES = 4_000;
const ALERT_EVERY_MS = 100;
const ALERT_MS_MAX = 1_000;
const LASTS_MS = 6_000;

let ingress: MqttIngress;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await ingress.close();
});

async function start(): Promise<void> {
  ingress = await createMqttIngress({
    host: "127.0.0.1",
    port: 0,
    journal: { take: () => undefined, health: () => ({ pendingRows: 0 }), onCommitted: () => () => undefined },
    clock: systemClock,
    isClockTrusted: () => true,
    identities: { key: () => undefined, isEnabled: () => true },
    people: { verify: async (name) => ({ name, role: "coordinator" }) },
  });
}

/** A person that reads one filter; `saw` gets the topics. */
async function read(clientId: string, filter: string, saw: (topic: string) => void): Promise<Socket> {
  const socket = connect(ingress.address.port, "127.0.0.1");
  sockets.push(socket.on("error", () => undefined));
  const seen = new Set<string>();
  const parser = mqttPacket.parser();
  parser.on("packet", (packet) => {
    seen.add(packet.cmd);
    if (packet.cmd === "publish") saw(packet.topic);
  });
  socket.on("data", (data) => parser.parse(data));
  const head = { protocolId: "MQTT", protocolVersion: 4, clean: true, keepalive: 60, clientId } as const;
  socket.write(mqttPacket.generate({ cmd: "connect", ...head, username: clientId, password: Buffer.from("right") }));
  await waitFor("the CONNACK", () => seen.has("connack"));
  socket.write(mqttPacket.generate({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: filter, qos: 0 }] }));
  await waitFor("the SUBACK", () => seen.has("suback"));
  return socket;
}

test.each([1_500, 3_000])("%i states a second to a frozen reader delay no alert to another", async (statesPerS) => {
  await start();
  const sentMs = new Map<string, number>();
  const tookMs: number[] = [];
  await read("reader", "waakvlam/v1/alerts/#", (topic) => {
    tookMs.push(performance.now() - (sentMs.get(topic) ?? 0));
  });
  const frozen = await read("frozen", "waakvlam/v1/points/+/state", () => undefined);
  frozen.pause();
  const state = JSON.stringify("y".repeat(STATE_BYTES));
  const began = performance.now();
  let states = 0;
  await waitFor("the end of the storm", () => {
    const passedMs = performance.now() - began;
    for (; states < (passedMs / 1000) * statesPerS; states++) {
      ingress.publishRetained(pointStateTopic(`point-${states % POINTS}`), state);
    }
    if (sentMs.size < passedMs / ALERT_EVERY_MS) {
      const topic = alertTopic(`alert-${sentMs.size}`);
      sentMs.set(topic, performance.now());
      ingress.publishRetained(topic, "{}");
    }
    return passedMs > LASTS_MS;
  });
  await waitFor("all alerts", () => tookMs.length === sentMs.size);
  expect(Math.max(...tookMs), "ms from alert to reader").toBeLessThan(ALERT_MS_MAX);
  // Or what the system took for it was never full, and nothing was tried.
  expect(ingress.connected(), "connections that are left").toBe(1);
});

test("a reader that takes them is left alone, and one that goes away leaves what waited to nobody", async () => {
  await start();
  let taken = 0;
  const reader = await read("reader", "waakvlam/v1/points/+/state", () => taken++);
  const burst = () => {
    for (let i = 0; i < POINTS; i++) ingress.publishRetained(pointStateTopic(`point-${i}`), '{"level":"normal"}');
  };
  burst();
  await waitFor("all states", () => taken === POINTS, 60_000);
  expect(ingress.connected()).toBe(1);
  burst();
  await waitFor("some states", () => taken > POINTS);
  reader.destroy();
  await waitFor("its end", () => ingress.connected() === 0);
  // All that waited has come and gone when this has.
  let isTold = false;
  await read("late", "waakvlam/v1/alerts/#", () => {
    isTold = true;
  });
  ingress.publish(alertTopic("last"), "{}");
  await waitFor("an alert", () => isTold);
});
