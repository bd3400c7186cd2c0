// The application behind every network: payloads of registered devices go to the journal, and what goes back is an ack frame, or a
// command that waits. A window carries one downlink.
import { decodeDownlink, encodeAck, KIND_ACK, sealWith, type Tagger } from "../../../../protocol/index.ts";
import type { Clock } from "../../../clock.ts";
import { GatewayError } from "../../../errors.ts";
import type { Commands } from "../../commands.ts";
import { createLorawanIngress } from "../../lorawan.ts";
import { LORAWAN_PORT, type RefusalReason } from "../../uplink.ts";
import type { Eui, NetworkDownlink, NetworkUplink, UplinkTaker } from "../interfaces.ts";
import { type BookJournal, createForeignUplinks, type ForeignDevice } from "./foreign.ts";

/** Uplinks that wait for the journal at once: half a second of all that eight channels can carry. */
export const TAKING_MAX = 1_000;
/** Ack frames in a row after which a command gets the window: a backlog asks with every frame. */
const ACKS_BEFORE_COMMAND = 4;

/** A device of the registry, in force now. */
export interface LorawanDevice {
  readonly deviceId: string;
  readonly reportIntervalS: number;
  /** Undefined: a board of ours. */
  readonly model?: ForeignDevice["model"];
  readonly sensing?: ForeignDevice["sensing"];
  readonly disabled?: boolean;
}

export interface Refusal {
  readonly reason: RefusalReason;
  /** The device's id, or the DevEUI of one that is not registered. */
  readonly sender: string;
  readonly topic: string;
  readonly bytes: Uint8Array;
}

export interface ApplicationDeps {
  readonly journal: BookJournal;
  readonly clock: Clock;
  isClockTrusted(): boolean;
  /** Undefined for who is not registered, or not in force now. */
  deviceOf(devEui: Eui): LorawanDevice | undefined;
  /** Of the device's key; undefined when it has none. */
  taggerOf(deviceId: string): Tagger | undefined;
  readonly commands?: Pick<Commands, "saw" | "due">;
  onRefusal?(refusal: Refusal): void;
}

export function createApplication(deps: ApplicationDeps): UplinkTaker {
  const { journal, clock, commands, isClockTrusted } = deps;
  const refuse = (refusal: Omit<Refusal, "topic">) => deps.onRefusal?.({ topic: "lorawan", ...refusal });
  const ingress = createLorawanIngress({ journal, clock, isClockTrusted, isWelcome: () => true, onRefusal: refuse });
  const foreign = createForeignUplinks({ journal, clock, isClockTrusted, onRefusal: refuse });
  const inLine = createLine();
  const acksInRow = new Map<string, number>();

  async function takeOurs({ deviceId }: LorawanDevice, uplink: NetworkUplink): Promise<readonly NetworkDownlink[]> {
    const ack = await ingress.takeUplink(deviceId, uplink.payload, uplink.port);
    if (uplink.port === LORAWAN_PORT) commands?.saw(deviceId, uplink.payload);
    const inRow = acksInRow.get(deviceId) ?? 0;
    const command = ack === undefined || inRow >= ACKS_BEFORE_COMMAND ? commandFor(deviceId) : undefined;
    acksInRow.set(deviceId, command === undefined && ack !== undefined ? inRow + 1 : 0);
    if (command !== undefined) return [{ port: LORAWAN_PORT, payload: command, isTimely: false }];
    return ack === undefined ? [] : [{ port: LORAWAN_PORT, payload: ack, isTimely: isClockTrusted() }];
  }

  /** Who gives commands is proven by the device's key, whatever network carries them. */
  function commandFor(deviceId: string): Uint8Array | undefined {
    const tagger = deps.taggerOf(deviceId);
    const due = tagger === undefined ? undefined : commands?.due(deviceId);
    return tagger === undefined || due === undefined ? undefined : sealWith(tagger, due);
  }

  return {
    async take(uplink) {
      const device = deps.deviceOf(uplink.devEui);
      if (device === undefined) {
        refuse({ reason: "unknown-device", sender: uplink.devEui, bytes: uplink.payload });
        return [];
      }
      if (device.disabled === true) {
        refuse({ reason: "disabled-device", sender: device.deviceId, bytes: uplink.payload });
        return [];
      }
      return inLine(device.deviceId, async () => {
        if (!isForeign(device)) return takeOurs(device, uplink);
        await foreign.take(device, uplink);
        return [];
      });
    },
  };
}

function isForeign(device: LorawanDevice): device is ForeignDevice {
  return device.model !== undefined;
}

/** One at a time for a device, in the order in which they came; so many wait, and no more. */
function createLine() {
  const last = new Map<string, Promise<unknown>>();
  let waiting = 0;
  return async <T>(key: string, work: () => Promise<T>): Promise<T> => {
    if (waiting >= TAKING_MAX) throw new GatewayError("JOURNAL_BUSY", { waiting });
    waiting++;
    const mine = (last.get(key) ?? Promise.resolve()).then(work, work);
    last.set(key, mine);
    try {
      return await mine;
    } finally {
      waiting--;
      if (last.get(key) === mine) last.delete(key);
    }
  };
}

/** The same ack frame for a network that cannot say when it goes out: a time that is late would set a clock wrong. */
export function withoutTime({ payload, ...rest }: NetworkDownlink): NetworkDownlink {
  const decoded = payload[0] !== undefined && payload[0] % 16 === KIND_ACK ? decodeDownlink(payload) : undefined;
  if (decoded?.kind !== "ack") return { ...rest, payload };
  return { ...rest, payload: encodeAck({ ...decoded.value, time: 0 }), isTimely: false };
}
