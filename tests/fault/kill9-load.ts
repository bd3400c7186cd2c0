// Devices for the kill9 proof: each sends numbered reports at QoS 1, and notes what it was told is stored.
import mqtt, { type MqttClient } from "mqtt";
import {
  decodeDownlink,
  downlinkTopic,
  encodeReport,
  mqttPassword,
  openFrame,
  sealFrame,
  uplinkTopic,
} from "../../protocol/index.ts";
import { report, sha256 } from "../fixtures.ts";

export const DEVICES = 8;
const IN_FLIGHT = 6;

export function deviceName(index: number): string {
  return `proof-${index}`;
}

export function keyOf(deviceId: string): Uint8Array | undefined {
  const index = Number(deviceId.slice("proof-".length));
  return deviceId.startsWith("proof-") && index < DEVICES ? new Uint8Array(32).fill(index + 1) : undefined;
}

export interface LoadDevice {
  readonly deviceId: string;
  readonly key: Uint8Array;
  /** Sequences that a PUBACK or an ack frame named. */
  readonly acknowledged: Set<number>;
  /** Next sequence that was never sent. */
  next: number;
  /** Sent and not acknowledged: sent again after a restart. */
  readonly open: Set<number>;
  /** No sequence from here on is sent yet; any when left out. */
  end?: number;
}

export function loadDevice(deviceId: string, key: Uint8Array): LoadDevice {
  return { deviceId, key, acknowledged: new Set(), next: 0, open: new Set() };
}

export function createDevices(): LoadDevice[] {
  return Array.from({ length: DEVICES }, (_, i) => {
    const deviceId = deviceName(i);
    return loadDevice(deviceId, keyOf(deviceId) as Uint8Array);
  });
}

export interface Load {
  stop(): void;
}

/** Drives one device against a port until stopped or cut off. */
export function drive(device: LoadDevice, port: number, startS: number): Load {
  const { deviceId, key } = device;
  const password = mqttPassword(sha256, key);
  const client: MqttClient = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
    clientId: deviceId,
    username: deviceId,
    password,
    reconnectPeriod: 0,
    connectTimeout: 5_000,
  });
  let stopped = false;
  let flying = 0;
  const again = [...device.open];
  const done = (sequence: number) => {
    device.acknowledged.add(sequence);
    device.open.delete(sequence);
  };
  const send = () => {
    while (!stopped && flying < IN_FLIGHT) {
      if (again.length === 0 && device.next >= (device.end ?? Number.POSITIVE_INFINITY)) return;
      const sequence = again.shift() ?? device.next++;
      device.open.add(sequence);
      flying++;
      const frame = encodeReport(report({ sequence: sequence & 0xffff, time: startS + sequence }));
      client.publish(uplinkTopic(deviceId), Buffer.from(sealFrame(sha256, key, frame)), { qos: 1 }, (error) => {
        flying--;
        if (error == null) done(sequence);
        if (!stopped && client.connected) send();
      });
    }
  };
  client.on("error", () => undefined);
  client.on("connect", () => client.subscribe(downlinkTopic(deviceId), () => send()));
  client.on("message", (_, payload) => {
    const frame = openFrame(sha256, key, payload);
    const ack = frame === undefined ? undefined : decodeDownlink(frame);
    if (ack?.kind !== "ack") return;
    for (const sequence of [...device.open]) {
      const at = ((sequence & 0xffff) - ack.value.baseSequence) & 0xffff;
      if (at < 32 && ((ack.value.bitmap >>> (31 - at)) & 1) === 1) done(sequence);
    }
  });
  return {
    stop: () => {
      stopped = true;
      client.end(true);
    },
  };
}
