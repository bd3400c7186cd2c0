// Frames to devices over MQTT: ack frames after a commit, sealed, QoS 0, only to a device that listens.
import { encodeAck, sealWith, type Tagger } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import type { AckWindow } from "../domain/record.ts";
import { coverWindows } from "./acks.ts";

export interface Receiver {
  readonly deviceId: string;
  readonly tagger: Tagger;
}

export interface DownlinkDeps {
  readonly clock: Clock;
  isClockTrusted(): boolean;
}

export interface Downlinks {
  /** Gathers what one commit answered. */
  acknowledge(receiver: Receiver, window: AckWindow): void;
  /** A frame of another kind, behind those; sealed in `take`. */
  send(receiver: Receiver, frame: Uint8Array): void;
  /** What was gathered for this device since the last time, sealed; in the order in which it is to go out. */
  take(receiver: Receiver): readonly Uint8Array[];
}

interface Gathered {
  readonly windows: AckWindow[];
  readonly frames: Uint8Array[];
}

const NOTHING: readonly Uint8Array[] = [];

export function createDownlinks({ clock, isClockTrusted }: DownlinkDeps): Downlinks {
  const gathered = new Map<string, Gathered>();

  function of({ deviceId }: Receiver): Gathered {
    let row = gathered.get(deviceId);
    if (row === undefined) {
      row = { windows: [], frames: [] };
      gathered.set(deviceId, row);
    }
    return row;
  }

  return {
    acknowledge: (receiver, window) => void of(receiver).windows.push(window),
    send: (receiver, frame) => void of(receiver).frames.push(frame),
    take(receiver) {
      const row = gathered.get(receiver.deviceId);
      if (row === undefined) return NOTHING;
      gathered.delete(receiver.deviceId);
      const time = isClockTrusted() ? Math.floor(clock.nowMs() / 1000) : 0;
      const acks = coverWindows(row.windows).map((window) => encodeAck({ time, ...window }));
      return [...acks, ...row.frames].map((frame) => sealWith(receiver.tagger, frame));
    },
  };
}
