// What the tests of the network server put around it: an air in which frames are heard and downlinks are seen, devices that make frames,
// and a store that can die.

import type { Clock } from "../gateway/clock.ts";
import type {
  HeardFrame,
  NetworkDownlink,
  NetworkUplink,
  Radio,
  Transmission,
  TransmitOutcome,
  UplinkTaker,
} from "../gateway/ingress/lorawan/interfaces.ts";
import {
  cipherPayload,
  dataMic,
  fromHex,
  joinMic,
  type SessionKeys,
  sessionKeys,
} from "../gateway/ingress/lorawan/network/crypto.ts";
import type { Identities, Identity } from "../gateway/ingress/lorawan/network/identities.ts";
import type { NetworkStore } from "../gateway/ingress/lorawan/network/store.ts";

export interface TestAir extends Radio {
  readonly sent: Transmission[];
  /** What base stations say to what they are given; `sent` unless told otherwise. */
  outcome: (transmission: Transmission) => TransmitOutcome;
  hear(phy: Uint8Array, part?: HeardPart): void;
}

export interface HeardPart {
  readonly stationId?: string;
  readonly snr?: number;
  readonly frequencyHz?: number;
  readonly dataRate?: number;
  readonly counterUs?: number;
}

/** Base stations count microseconds by the clock, each from its own start. */
export function testAir(clock: Pick<Clock, "monotonicMs">): TestAir {
  const listeners: ((frame: HeardFrame) => void)[] = [];
  const air: TestAir = {
    sent: [],
    outcome: () => "sent",
    onHeard: (listener) => void listeners.push(listener),
    async transmit(transmission) {
      const outcome = air.outcome(transmission);
      if (outcome === "sent") air.sent.push(transmission);
      return outcome;
    },
    hear(phy, part = {}) {
      const { stationId = "aa555a0000000001", snr = 5, frequencyHz = 868_100_000, dataRate = 5 } = part;
      const counterUs = part.counterUs ?? counterOf(clock, stationId);
      const frame = { phy, frequencyHz, dataRate, counterUs, reception: { stationId, rssi: -80, snr } };
      for (const listener of listeners) listener(frame);
    },
  };
  return air;
}

/** What this base station counts now. */
export function counterOf(clock: Pick<Clock, "monotonicMs">, stationId: string): number {
  return (clock.monotonicMs() * 1000 + Number.parseInt(stationId.slice(-4), 16) * 65_432_100) % 2 ** 32;
}

export interface TestTaker extends UplinkTaker {
  readonly taken: NetworkUplink[];
  answer: (uplink: NetworkUplink) => Promise<readonly NetworkDownlink[]>;
}

export function testTaker(): TestTaker {
  const taker: TestTaker = {
    taken: [],
    answer: async () => [],
    async take(uplink) {
      const answers = await taker.answer(uplink);
      taker.taken.push(uplink);
      return answers;
    },
  };
  return taker;
}

export interface TestStore extends NetworkStore {
  epoch: string;
  readonly rows: Map<string, string>;
  /** Runs before each save; what it throws is what the save rejects with. */
  beforeSave: () => void;
  saves: number;
}

export function testStore(rows = new Map<string, string>()): TestStore {
  const store: TestStore = {
    epoch: "e1",
    rows,
    saves: 0,
    beforeSave: () => undefined,
    async documents(kind) {
      const mine = [...rows].filter(([name]) => name.startsWith(`${kind} `));
      return mine.map(([name, json]) => ({ key: name.slice(kind.length + 1), json }));
    },
    async save({ put = [], remove = [] }) {
      store.beforeSave();
      store.saves++;
      for (const { kind, key, json } of put) rows.set(`${kind} ${key}`, json);
      for (const { kind, key } of remove) rows.delete(`${kind} ${key}`);
    },
  };
  return store;
}

export function testIdentities(...list: readonly Identity[]): Identities & { list: Identity[] } {
  const identities = {
    list: [...list],
    byDevEui: (eui: string) => identities.list.find(({ devEui }) => devEui === eui),
    all: () => identities.list,
  };
  return identities;
}

export const APP_KEY = "b6b53f4a168a7a88bdf7ea135ce9cfca";
export const JOINER: Identity = {
  devEui: "00afee7cf5ed6f1e",
  deviceId: "alm-01-d1",
  version: "1.0.3",
  isEnabled: true,
  joinEui: "70b3d57ed00000dc",
  appKey: APP_KEY,
};

function reversed(hex: string): Buffer {
  return Buffer.from(hex, "hex").reverse();
}

export function joinRequest(identity: Identity, devNonce: number, appKey = identity.appKey ?? APP_KEY): Uint8Array {
  const { devEui, joinEui = "0000000000000000" } = identity as { devEui: string; joinEui?: string };
  const nonce = Buffer.alloc(2);
  nonce.writeUInt16LE(devNonce);
  const message = Buffer.concat([Uint8Array.of(0), reversed(joinEui), reversed(devEui), nonce]);
  return new Uint8Array(Buffer.concat([message, joinMic(fromHex(appKey), message)]));
}

export interface UplinkPart {
  readonly counter: number;
  readonly port?: number | undefined;
  readonly payload?: Uint8Array;
  readonly isConfirmed?: boolean;
  /** Bits of FCtrl beside the length of the options. */
  readonly control?: number;
  readonly options?: Uint8Array;
}

export function dataUplink(devAddr: string, keys: SessionKeys, part: UplinkPart): Uint8Array {
  const {
    counter,
    payload = Uint8Array.of(1, 2, 3),
    isConfirmed = false,
    control = 0,
    options = new Uint8Array(),
  } = part;
  const port = "port" in part ? part.port : 10;
  const low = Buffer.alloc(2);
  low.writeUInt16LE(counter & 0xffff);
  const context = { direction: "up", devAddr, counter } as const;
  const head = [Uint8Array.of(isConfirmed ? 0x80 : 0x40), reversed(devAddr), Uint8Array.of(control | options.length)];
  const key = port === 0 ? keys.nwkSKey : keys.appSKey;
  const tail = port === undefined ? [] : [Uint8Array.of(port), cipherPayload(key, payload, context)];
  const message = Buffer.concat([...head, low, options, ...tail]);
  return new Uint8Array(Buffer.concat([message, dataMic(keys.nwkSKey, message, context)]));
}

/** What a device that joined knows of its session. */
export interface Joined {
  readonly devAddr: string;
  readonly keys: SessionKeys;
  readonly joinNonce: number;
  readonly settings: number;
  readonly rxDelayS: number;
  uplink(part: UplinkPart): Uint8Array;
}

/** Opens a join-accept as a device does: it enciphers what the server deciphered. */
export function openAccept(
  phy: Uint8Array,
  devNonce: number,
  encrypt: (blocks: Uint8Array) => Uint8Array,
  appKey = APP_KEY,
): Joined {
  const plain = Buffer.from(encrypt(phy.subarray(1)));
  const mic = joinMic(fromHex(appKey), Buffer.concat([phy.subarray(0, 1), plain.subarray(0, -4)]));
  if (!plain.subarray(-4).equals(mic)) throw new Error("a join-accept with a wrong MIC");
  const joinNonce = plain.readUIntLE(0, 3);
  const devAddr = plain.readUInt32LE(6).toString(16).padStart(8, "0");
  const keys = sessionKeys(fromHex(appKey), { joinNonce, netId: plain.readUIntLE(3, 3), devNonce });
  const settings = plain[10] as number;
  return {
    devAddr,
    keys,
    joinNonce,
    settings,
    rxDelayS: plain[11] as number,
    uplink: (part) => dataUplink(devAddr, keys, part),
  };
}

export interface Downlink {
  readonly isAck: boolean;
  readonly isPending: boolean;
  readonly counter: number;
  readonly options: string;
  readonly port: number | undefined;
  readonly payload: string;
}

/** As a device that expects this counter or a later one reads it. */
export function readDownlink(phy: Uint8Array, { devAddr, keys }: Pick<Joined, "devAddr" | "keys">, high = 0): Downlink {
  const bytes = Buffer.from(phy);
  const control = bytes[5] as number;
  const counter = high * 0x1_0000 + bytes.readUInt16LE(6);
  const context = { direction: "down", devAddr, counter } as const;
  if (!bytes.subarray(-4).equals(dataMic(keys.nwkSKey, bytes.subarray(0, -4), context))) throw new Error("a wrong MIC");
  const end = 8 + (control & 15);
  const port = end < bytes.length - 4 ? bytes[end] : undefined;
  const payload = cipherPayload(port === 0 ? keys.nwkSKey : keys.appSKey, bytes.subarray(end + 1, -4), context);
  const options = bytes.subarray(8, end).toString("hex");
  return {
    ...{ isAck: (control & 0x20) !== 0, isPending: (control & 0x10) !== 0, counter, options, port },
    payload: port === undefined ? "" : Buffer.from(payload).toString("hex"),
  };
}
