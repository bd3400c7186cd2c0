// The whole gateway with three sinks: each gets every record, and a receiver that is away delays neither a device nor the others.
import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeReport, type GatewayState, sealFrame, uplinkTopic } from "../../protocol/index.ts";
import { report, sha256, temporaryFolder, waitFor } from "../fixtures.ts";
import { influxReceiver, startHttpTarget, webhookReceiver } from "../sinks/http-target.ts";
import { startMqttTarget } from "../sinks/mqtt-target.ts";
import type { SinkTarget } from "../sinks/target.ts";
import { startGateway, type TestGateway } from "./gateway.ts";

const DEVICE = "alm-01-d1";
const SOURCE = "urn:nld:oin:00000001823288444000:systeem:test";
const folder = temporaryFolder();
let gateway: TestGateway;
let device: MqttClient;
let targets: Readonly<Record<"influxdb" | "webhook" | "upstream", SinkTarget>>;

beforeAll(async () => {
  targets = {
    influxdb: await startHttpTarget(influxReceiver()),
    webhook: await startHttpTarget(webhookReceiver()),
    upstream: await startMqttTarget(),
  };
  gateway = await startGateway({
    dir: folder.path,
    influxUrl: targets.influxdb.url,
    sections: {
      webhook: { url: targets.webhook.url, source: SOURCE, tokenFile: "token", timeoutMs: 60_000 },
      upstream: { url: targets.upstream.url, source: SOURCE },
    },
  });
  device = await mqtt.connectAsync(`mqtt://127.0.0.1:${gateway.app.mqtt.port}`, {
    clientId: DEVICE,
    username: DEVICE,
    password: gateway.password(DEVICE),
    reconnectPeriod: 0,
  });
});
afterAll(async () => {
  await device.endAsync(true);
  await gateway.app.stop();
  for (const target of Object.values(targets)) await target.stop();
  folder.remove();
});

/** Ends with the PUBACK. */
async function send(sequence: number): Promise<void> {
  const frame = encodeReport(report({ sequence, time: Math.floor(performance.timeOrigin / 1000) + sequence }));
  const sealed = sealFrame(sha256, gateway.keys.get(DEVICE) as Uint8Array, frame);
  await device.publishAsync(uplinkTopic(DEVICE), Buffer.from(sealed), { qos: 1 });
}

const rowsOf = (target: SinkTarget) => new Set(target.taken.values()).size;

test("every sink gets what the device sends, and the gateway says that none is behind", async () => {
  for (let sequence = 1; sequence <= 5; sequence++) await send(sequence);
  for (const [name, target] of Object.entries(targets)) await waitFor(name, () => rowsOf(target) === 5);
  await waitFor("the state", async () => {
    const { sinks } = await gateway.get<GatewayState>("/v1/gateway");
    return sinks.every(({ state, behindRows, dead }) => state === "idle" && behindRows === 0 && dead === 0);
  });
  const { sinks } = await gateway.get<GatewayState>("/v1/gateway");
  expect(sinks.map(({ name }) => name)).toEqual(["influxdb", "webhook", "upstream"]);
});

test("one that hangs and one that refuses are told of with since when, while the device and the third sink carry on", async () => {
  targets.webhook.fault = () => "hang";
  targets.influxdb.fault = () => "wrong-key";
  for (let sequence = 6; sequence <= 30; sequence++) await send(sequence);
  await waitFor("the third", () => rowsOf(targets.upstream) === 30);
  await waitFor("the refusal", async () => {
    const { sinks } = await gateway.get<GatewayState>("/v1/gateway");
    const [influxdb, , upstream] = sinks;
    return influxdb?.state === "refused" && influxdb.waitingSince !== undefined && upstream?.behindRows === 0;
  });
  const { sinks, journal } = await gateway.get<GatewayState>("/v1/gateway");
  expect(journal.newestId).toBe(30);
  expect(sinks.map(({ behindRows }) => behindRows > 0)).toEqual([true, true, false]);
  expect(sinks[0]?.reason).toBe("HTTP 401 unauthorized access");
});

test("stops at once, with a delivery under way that nobody answers", async () => {
  const began = performance.now();
  await device.endAsync(true);
  await gateway.app.stop();
  expect(performance.now() - began).toBeLessThan(20_000);
});
