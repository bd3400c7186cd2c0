// Frames to devices over MQTT: ack frames after a commit, sealed, QoS 0, only to a device that listens.
import { downlinkTopic, encodeAck, sealWith, type Tagger } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import type { AckWindow } from "../domain/record.ts";
import { coverWindows } from "./acks.ts";
import type { Broker } from "./broker.ts";

export interface Receiver {
  readonly deviceId: string;
  readonly tagger: Tagger;
}

export interface DownlinkDeps {
  readonly broker: Pick<Broker, "aedes" | "clientOf">;
  readonly clock: Clock;
  isClockTrusted(): boolean;
}

export interface Downlinks {
  /** Gathers what one commit answered; the frames go out together at the end of the turn. */
  acknowledge(receiver: Receiver, window: AckWindow): void;
  /** A frame of another kind, behind the answers of this turn; sealed here. */
  send(receiver: Receiver, frame: Uint8Array): void;
}

export function createDownlinks(deps: DownlinkDeps): Downlinks {
  const gathered = new Map<string, { readonly receiver: Receiver; readonly windows: AckWindow[] }>();

  function isListening(deviceId: string): boolean {
    const found: unknown = deps.broker.clientOf(deviceId);
    const client = found as { subscriptions: Record<string, unknown> } | undefined;
    return client?.subscriptions[downlinkTopic(deviceId)] !== undefined;
  }

  function flush(): void {
    const time = deps.isClockTrusted() ? Math.floor(deps.clock.nowMs() / 1000) : 0;
    for (const [deviceId, { receiver, windows }] of gathered) {
      if (!isListening(deviceId)) continue;
      for (const window of coverWindows(windows)) {
        publish(receiver, encodeAck({ time, ...window }));
      }
    }
    gathered.clear();
  }

  function publish({ deviceId, tagger }: Receiver, frame: Uint8Array): void {
    const topic = downlinkTopic(deviceId);
    const payload = Buffer.from(sealWith(tagger, frame));
    deps.broker.aedes.publish({ cmd: "publish", topic, payload, qos: 0, retain: false, dup: false }, () => undefined);
  }

  return {
    send(receiver, frame) {
      setImmediate(() => {
        if (isListening(receiver.deviceId)) publish(receiver, frame);
      });
    },
    acknowledge(receiver, window) {
      if (gathered.size === 0) setImmediate(flush);
      const row = gathered.get(receiver.deviceId);
      if (row === undefined) gathered.set(receiver.deviceId, { receiver, windows: [window] });
      else row.windows.push(window);
    },
  };
}
