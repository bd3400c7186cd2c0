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
  readonly broker: Pick<Broker, "isSubscribed" | "deliver">;
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

  function flush(): void {
    const time = deps.isClockTrusted() ? Math.floor(deps.clock.nowMs() / 1000) : 0;
    for (const [deviceId, { receiver, windows }] of gathered) {
      if (!deps.broker.isSubscribed(deviceId, downlinkTopic(deviceId))) continue;
      for (const window of coverWindows(windows)) {
        publish(receiver, encodeAck({ time, ...window }));
      }
    }
    gathered.clear();
  }

  function publish({ deviceId, tagger }: Receiver, frame: Uint8Array): void {
    deps.broker.deliver(deviceId, downlinkTopic(deviceId), Buffer.from(sealWith(tagger, frame)));
  }

  return {
    send(receiver, frame) {
      setImmediate(() => publish(receiver, frame));
    },
    acknowledge(receiver, window) {
      if (gathered.size === 0) setImmediate(flush);
      const row = gathered.get(receiver.deviceId);
      if (row === undefined) gathered.set(receiver.deviceId, { receiver, windows: [window] });
      else row.windows.push(window);
    },
  };
}
