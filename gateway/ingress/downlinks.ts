// Frames to devices over MQTT: ack frames after a commit, sealed, QoS 0, only to a device that listens.
import { encodeAck, sealWith, type Tagger } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import type { AckWindow } from "../domain/record.ts";
import { coverWindows } from "./acks.ts";

/** One connection of a device: what is gathered for it goes with it. */
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
  /** What was gathered since the last time, sealed; in the order in which it is to go out. */
  take(receiver: Receiver): readonly Uint8Array[];
}

interface Gathered {
  readonly windows: AckWindow[];
  readonly frames: Uint8Array[];
}

const NOTHING: readonly Uint8Array[] = [];

export function createDownlinks({ clock, isClockTrusted }: DownlinkDeps): Downlinks {
  const gathered = new WeakMap<Receiver, Gathered>();

  function of(receiver: Receiver): Gathered {
    let row = gathered.get(receiver);
    if (row === undefined) {
      row = { windows: [], frames: [] };
      gathered.set(receiver, row);
    }
    return row;
  }

  return {
    acknowledge: (receiver, window) => void of(receiver).windows.push(window),
    send: (receiver, frame) => void of(receiver).frames.push(frame),
    take(receiver) {
      const row = gathered.get(receiver);
      if (row === undefined || row.windows.length + row.frames.length === 0) return NOTHING;
      const time = isClockTrusted() ? Math.floor(clock.nowMs() / 1000) : 0;
      const acks = coverWindows(row.windows).map((window) => encodeAck({ time, ...window }));
      const sealed = [...acks, ...row.frames].map((frame) => sealWith(receiver.tagger, frame));
      row.windows.length = 0;
      row.frames.length = 0;
      return sealed;
    },
  };
}
