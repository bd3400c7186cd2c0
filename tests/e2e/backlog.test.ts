// An outage as a device ends it: first the live sample, then the history in backlog frames, over real MQTT to a whole
// gateway. Each frame's own bit acknowledges all of it, and everybody behind the journal sees ordinary samples.
import mqtt from "mqtt";
import { afterAll, expect, test } from "vitest";
import { systemClock } from "../../gateway/clock.ts";
import {
  type DeviceState,
  decodeDownlink,
  downlinkTopic,
  type Overview,
  openFrame,
  type PointState,
  sealFrame,
  uplinkTopic,
} from "../../protocol/index.ts";
import { backlogFrame, sampleFrame } from "../backlog-frames.ts";
import { sha256, temporaryFolder, waitFor } from "../fixtures.ts";
import { startGateway } from "./gateway.ts";

const HOURS = 12;
const SAMPLES = HOURS * 60;
const DEVICE = "alm-01-d1";
const folder = temporaryFolder();
afterAll(() => folder.remove());

test("twelve hours of an outage come over MQTT, each sample once, and none of it is an alarm", async () => {
  const gateway = await startGateway({ dir: folder.path });
  const key = gateway.keys.get(DEVICE) as Uint8Array;
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${gateway.app.mqtt.port}`, {
    clientId: DEVICE,
    username: DEVICE,
    password: gateway.password(DEVICE),
  });
  const acknowledged = new Set<number>();
  client.on("message", (_, payload) => {
    const frame = openFrame(sha256, key, payload);
    const ack = frame === undefined ? undefined : decodeDownlink(frame);
    if (ack?.kind !== "ack") return;
    for (let i = 0; i < 32; i++) {
      if (((ack.value.bitmap >>> (31 - i)) & 1) === 1) acknowledged.add((ack.value.baseSequence + i) & 0xffff);
    }
  });
  await client.subscribeAsync(downlinkTopic(DEVICE));
  const publish = (frame: Uint8Array) =>
    client.publishAsync(uplinkTopic(DEVICE), Buffer.from(sealFrame(sha256, key, frame)), { qos: 1 });

  const nowS = Math.floor(systemClock.nowMs() / 1000);
  const mains = { generator: "running", mains: "lost", loadKw: "absent", starterBatteryV: 13.8 } as const;
  const sampleAt = (i: number) => {
    const power = { ...mains, fuelLevelPct: i === SAMPLES ? 90 : 1 };
    return sampleFrame(60_000 + i, nowS - (SAMPLES - i) * 60, true, { power });
  };
  await publish(sampleAt(SAMPLES));
  const frames: number[] = [];
  for (let from = 0, sequence = 60_000 + SAMPLES + 1; from < SAMPLES; sequence++) {
    const reports = Array.from({ length: Math.min(100, SAMPLES - from) }, (_, i) => sampleAt(from + i));
    const { frame, count } = backlogFrame({ sequence, timeS: nowS, clockSynced: true }, reports);
    frames.push(sequence & 0xffff);
    await publish(frame);
    // The same again: its PUBACK may have been lost.
    if (from === 0) await publish(frame);
    from += count;
  }
  await waitFor("all acknowledged", () => frames.every((sequence) => acknowledged.has(sequence)));
  await client.endAsync();
  await gateway.app.engine.caughtUp();

  const device = await gateway.get<DeviceState>(`/v1/devices/${DEVICE}`);
  expect(device).toMatchObject({ records: SAMPLES + 1 + frames.length, missing: 0, leftOut: 0, undecoded: 0 });
  const point = await gateway.get<PointState>("/v1/points/alm-01");
  expect(point).toMatchObject({ contact: "present", fuel: { levelPct: 90 } });
  expect(Date.parse(point.mainsLostAt ?? "")).toBe((nowS - SAMPLES * 60) * 1000);
  const { alerts } = await gateway.get<Overview>("/v1/overview");
  // The gateway of this test has no delays: what was low twelve hours ago would stand here at once.
  expect(alerts.filter((alert) => alert.ruleId === "endurance-critical" || alert.ruleId === "endurance-low")).toEqual(
    [],
  );
  await gateway.app.stop();
});
