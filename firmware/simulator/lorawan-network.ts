// A scripted LoRaWAN network: gateways and network server in one. It joins devices or does not, loses frames by its seed,
// knows repetitions by their counter, hands port-10 payloads on, and answers in the windows of an uplink.
import type { Random } from "./random.ts";

export interface RadioUplink {
  readonly devEui: string;
  readonly session: number;
  readonly counter: number;
  readonly port: number;
  readonly payload: Uint8Array;
  readonly isConfirmed: boolean;
  readonly dataRate: number;
}

export interface RadioDownlink {
  readonly window: 1 | 2;
  readonly port: number;
  readonly payload: Uint8Array;
  readonly isAck: boolean;
  /** More waits: FPENDING. */
  readonly more: boolean;
  readonly rssi: number;
  readonly snr: number;
}

export interface NetworkSettings {
  /** Keys by device: a join with another one is not answered. */
  readonly keys: ReadonlyMap<string, string>;
  /** Share of frames lost on their way up, and down. */
  lossUp: number;
  lossDown: number;
  /** Below this data rate nothing is lost but by chance, at or above it everything: a far point. 6: near. */
  reach: number;
  /** Share of answers that go in the second window. */
  secondShare: number;
  isUp: boolean;
}

export interface LorawanNetwork {
  readonly settings: NetworkSettings;
  /** A join request on the air; the session it gets, or undefined. */
  join(devEui: string, appKey: string, nonce: number, dataRate: number): number | undefined;
  /** An uplink on the air: whether it was heard. */
  uplink(frame: RadioUplink): boolean;
  /** What goes out in the windows of the uplink that has just ended, and arrives. */
  window(frame: RadioUplink): RadioDownlink | undefined;
  /** Queues a payload of port 10 for a device's next windows. */
  queue(devEui: string, payload: Uint8Array): void;
  /** Drops what waits for a device. */
  forget(devEui: string): void;
  joins(): number;
  repeats(): number;
}

export interface NetworkOptions {
  readonly random: Random;
  readonly keys: ReadonlyMap<string, string>;
  /** A payload of port 10, each counter once. */
  readonly deliver: (devEui: string, payload: Uint8Array, dataRate: number) => void;
}

interface Session {
  readonly number: number;
  counter: number;
  heard: RadioUplink | undefined;
}

const QUEUE_MAX = 16;
const PORT = 10;

export function createLorawanNetwork(options: NetworkOptions): LorawanNetwork {
  const { random } = options;
  const settings: NetworkSettings = {
    keys: options.keys,
    lossUp: 0,
    lossDown: 0,
    reach: 6,
    secondShare: 0.3,
    isUp: true,
  };
  const sessions = new Map<string, Session>();
  const nonces = new Set<string>();
  const queues = new Map<string, Uint8Array[]>();
  let number = 0;
  let joins = 0;
  let repeats = 0;

  function hears(dataRate: number): boolean {
    return settings.isUp && dataRate < settings.reach && random.next() >= settings.lossUp;
  }

  return {
    settings,
    join: (devEui, appKey, nonce, dataRate) => {
      const used = `${devEui} ${nonce}`;
      if (!hears(dataRate) || settings.keys.get(devEui) !== appKey || nonces.has(used)) return undefined;
      nonces.add(used);
      joins++;
      number++;
      sessions.set(devEui, { number, counter: -1, heard: undefined });
      return random.next() < settings.lossDown ? undefined : number;
    },
    uplink: (frame) => {
      const session = sessions.get(frame.devEui);
      if (!hears(frame.dataRate) || session === undefined || session.number !== frame.session) return false;
      session.heard = frame;
      if (frame.counter <= session.counter) {
        repeats++;
        return true;
      }
      session.counter = frame.counter;
      if (frame.port === PORT && frame.payload.length > 0) options.deliver(frame.devEui, frame.payload, frame.dataRate);
      return true;
    },
    window: (frame) => {
      const session = sessions.get(frame.devEui);
      if (session?.heard !== frame) return undefined;
      session.heard = undefined;
      const queue = queues.get(frame.devEui) ?? [];
      const payload = queue.shift();
      if (payload === undefined && !frame.isConfirmed) return undefined;
      if (!settings.isUp || random.next() < settings.lossDown) return undefined;
      return {
        window: random.next() < settings.secondShare ? 2 : 1,
        port: payload === undefined ? 0 : PORT,
        payload: payload ?? new Uint8Array(0),
        isAck: frame.isConfirmed,
        more: queue.length > 0,
        rssi: Math.round(random.between(-118, -60)),
        snr: Math.round(random.between(-12, 9)),
      };
    },
    queue: (devEui, payload) => {
      const queue = queues.get(devEui) ?? [];
      queue.push(payload);
      if (queue.length > QUEUE_MAX) queue.shift();
      queues.set(devEui, queue);
    },
    forget: (devEui) => void queues.delete(devEui),
    joins: () => joins,
    repeats: () => repeats,
  };
}
