// A device for the clock proof: sends a report, and waits for its PUBACK and for the ack frame that names it.
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
import { report, sha256, waitFor } from "../fixtures.ts";
import type { LoadDevice } from "./kill9-load.ts";
import { PATIENCE_MS } from "./record/processes.ts";

export interface ClockDevice {
  readonly device: LoadDevice;
  readonly isSynced: boolean;
  connect(port: number): Promise<void>;
  /** Gives the ack's time: Unix seconds, or 0 of a gateway that does not know it. */
  send(timeS: number): Promise<{ readonly sequence: number; readonly ackTimeS: number }>;
  close(): void;
}

export function clockDevice(device: LoadDevice, isSynced: boolean): ClockDevice {
  const { deviceId, key } = device;
  const acks = new Map<number, number>();
  let client: MqttClient | undefined;

  function taken(payload: Buffer): void {
    const frame = openFrame(sha256, key, payload);
    const downlink = frame === undefined ? undefined : decodeDownlink(frame);
    if (downlink?.kind !== "ack") return;
    const { baseSequence, bitmap, time } = downlink.value;
    for (let i = 0; i < 32; i++) {
      const sequence = (baseSequence + i) & 0xffff;
      // The first ack that names a record is the one of its own commit.
      if (((bitmap >>> (31 - i)) & 1) === 1 && !acks.has(sequence)) acks.set(sequence, time);
    }
  }

  return {
    device,
    isSynced,
    async connect(port) {
      const password = mqttPassword(sha256, key);
      const options = { clientId: deviceId, username: deviceId, password, reconnectPeriod: 0 };
      client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, options);
      client.on("error", () => undefined);
      client.on("message", (_, payload) => taken(payload));
      await client.subscribeAsync(downlinkTopic(deviceId));
    },
    async send(time) {
      const sequence = device.next++;
      const frame = encodeReport(report({ sequence, time, flags: { clockSynced: isSynced, ackRequested: true } }));
      await client?.publishAsync(uplinkTopic(deviceId), Buffer.from(sealFrame(sha256, key, frame)), { qos: 1 });
      device.acknowledged.add(sequence);
      await waitFor(`the ack of ${deviceId}'s record ${sequence}`, () => acks.has(sequence), PATIENCE_MS);
      return { sequence, ackTimeS: acks.get(sequence) as number };
    },
    close: () => void client?.end(true),
  };
}
