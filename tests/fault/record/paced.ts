// Devices that report at their own pace, as devices do, and how long each waited for its PUBACK.
import mqtt, { type MqttClient } from "mqtt";
import { encodeEvent, encodeReport, mqttPassword, sealFrame, uplinkTopic } from "../../../protocol/index.ts";
import { report, sha256 } from "../../fixtures.ts";
import type { LoadDevice } from "../kill9-load.ts";

export interface Waits {
  readonly reportsMs: number[];
  /** Of alarm records: a help call is an event frame. */
  readonly alarmsMs: number[];
}

export interface Pace {
  /** Frames a second of one device. */
  readonly perS: number;
  /** Part of its interval that it begins late, 0 to 1: devices do not all report at once. */
  readonly phase: number;
  /** One frame of so many is an alarm. */
  readonly alarmEvery: number;
  readonly waits: Waits;
}

/** Sends until stopped; `stop` waits until all that was sent is answered, and gives up after `patienceMs`. */
export async function pace(
  device: LoadDevice,
  port: number,
  { perS, phase, alarmEvery, waits }: Pace,
): Promise<{ stop(patienceMs: number): Promise<void> }> {
  const { deviceId, key } = device;
  const password = mqttPassword(sha256, key);
  const client: MqttClient = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
    clientId: deviceId,
    username: deviceId,
    password,
    reconnectPeriod: 0,
  });
  client.on("error", () => undefined);
  const startS = Math.floor(performance.timeOrigin / 1000);
  const send = () => {
    const sequence = device.next++;
    const isAlarm = sequence % alarmEvery === alarmEvery - 1;
    const header = {
      sequence: sequence & 0xffff,
      time: startS + Math.floor(sequence / perS),
      flags: { clockSynced: true },
    };
    const frame = isAlarm
      ? encodeEvent({ ...header, event: "help-requested", argument: 0 })
      : encodeReport(report(header));
    const began = performance.now();
    device.open.add(sequence);
    client.publish(uplinkTopic(deviceId), Buffer.from(sealFrame(sha256, key, frame)), { qos: 1 }, (error) => {
      if (error != null) return;
      device.acknowledged.add(sequence);
      device.open.delete(sequence);
      (isAlarm ? waits.alarmsMs : waits.reportsMs).push(performance.now() - began);
    });
  };
  const intervalMs = 1000 / perS;
  let timer = setTimeout(() => {
    timer = setInterval(send, intervalMs);
  }, intervalMs * phase);
  return {
    stop: async (patienceMs) => {
      clearInterval(timer);
      const until = performance.now() + patienceMs;
      while (device.open.size > 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
      client.end(true);
    },
  };
}

/** The wait that so much of all was under; 0 of none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}
