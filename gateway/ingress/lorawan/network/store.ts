// What the network server keeps in the journal's file: sessions with their counters, used nonces, downlinks that wait, and what the base
// stations had on the air. No keys: they come from the identities.
import type { Eui } from "../interfaces.ts";
import { EMPTY_QUEUE, type Queue } from "./downlink-queue.ts";
import { type Nonces, nonceText, readNonces } from "./nonces.ts";
import { type DeviceState, NEW_DEVICE } from "./session.ts";

const SESSIONS = "lorawan-session";
const NONCES = "lorawan-nonces";
const DOWNLINKS = "lorawan-downlinks";
const AIRTIME = "lorawan-airtime";
const NETWORK = "lorawan-network";
const EPOCH = "epoch";

export interface NetworkStore {
  /** The name of this journal and no other: one out of a copy has a new one. */
  readonly epoch: string;
  documents(kind: string): Promise<readonly { readonly key: string; readonly json: string }[]>;
  /** All or nothing; resolves when it is on disk. */
  save(change: {
    readonly put?: readonly { readonly kind: string; readonly key: string; readonly json: string }[];
    readonly remove?: readonly { readonly kind: string; readonly key: string }[];
  }): Promise<void>;
}

/** Of one device; what is left out stays as it was. */
export interface DeviceChange {
  readonly devEui: Eui;
  readonly state?: DeviceState | undefined;
  /** Null: none any more. */
  readonly nonces?: Nonces | null | undefined;
  readonly queue?: Queue | undefined;
}

export interface Airtime {
  readonly stationId: Eui;
  readonly text: string;
}

export interface KeptDevice {
  readonly state: DeviceState;
  readonly nonces: Nonces | undefined;
  readonly queue: Queue;
}

export interface Kept {
  readonly devices: ReadonlyMap<Eui, KeptDevice>;
  readonly airtime: readonly Airtime[];
  /** It was written by another journal than this one: what came after the copy is unknown. */
  readonly isCopy: boolean;
}

export async function readKept(store: NetworkStore): Promise<Kept> {
  const [sessions, nonces, queues, airtime, network] = await Promise.all(
    [SESSIONS, NONCES, DOWNLINKS, AIRTIME, NETWORK].map((kind) => store.documents(kind)),
  );
  const read = <T>(rows: typeof sessions, parse: (json: string) => T) => {
    return new Map((rows ?? []).map(({ key, json }) => [key, parse(json)]));
  };
  const states = read(sessions, (json) => JSON.parse(json) as DeviceState);
  const used = read(nonces, readNonces);
  const waiting = read(queues, (json) => JSON.parse(json) as Queue);
  const names = new Set([...states.keys(), ...used.keys(), ...waiting.keys()]);
  const devices = [...names].map((eui): [Eui, KeptDevice] => {
    return [
      eui,
      { state: states.get(eui) ?? NEW_DEVICE, nonces: used.get(eui), queue: waiting.get(eui) ?? EMPTY_QUEUE },
    ];
  });
  const epoch = network?.find(({ key }) => key === EPOCH)?.json;
  return {
    devices: new Map(devices),
    airtime: (airtime ?? []).map(({ key, json }) => ({ stationId: key, text: json })),
    isCopy: epoch !== undefined && JSON.parse(epoch) !== store.epoch,
  };
}

/** In one: the journal's name, and the devices that are others than in the copy that they come from. */
export function keepStart(
  store: NetworkStore,
  devices: ReadonlyMap<Eui, { readonly state: DeviceState }>,
): Promise<void> {
  const put = [...devices].map(([key, { state }]) => ({ kind: SESSIONS, key, json: JSON.stringify(state) }));
  return store.save({ put: [...put, { kind: NETWORK, key: EPOCH, json: JSON.stringify(store.epoch) }] });
}

export function keep(store: NetworkStore, change: DeviceChange, airtime?: Airtime): Promise<void> {
  const { devEui, state, nonces, queue } = change;
  const put = [];
  if (state !== undefined) put.push({ kind: SESSIONS, key: devEui, json: JSON.stringify(state) });
  if (nonces) put.push({ kind: NONCES, key: devEui, json: nonceText(nonces) });
  if (queue !== undefined) put.push({ kind: DOWNLINKS, key: devEui, json: JSON.stringify(queue) });
  if (airtime !== undefined) put.push({ kind: AIRTIME, key: airtime.stationId, json: airtime.text });
  const remove = nonces === null ? [{ kind: NONCES, key: devEui }] : [];
  return store.save({ put, remove });
}
