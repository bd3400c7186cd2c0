// The devices in memory, as they are on the disk: found by name and by address, their keys at hand, and one thing done at a time for each.
import type { Eui, Reception } from "../interfaces.ts";
import { fromHex, keyTag, type SessionKeys, sessionKeys } from "./crypto.ts";
import { EMPTY_QUEUE, type Queue } from "./downlink-queue.ts";
import type { Identities, Identity } from "./identities.ts";
import type { Nonces } from "./nonces.ts";
import { type DeviceState, NEW_DEVICE, openSession, type Session, sessionsOf } from "./session.ts";
import type { Kept } from "./store.ts";
import type { WindowSettings } from "./windows.ts";

/** For private networks (LoRaWAN backend interfaces 1.0 §"NetID"): addresses begin with seven zero bits. */
export const NET_ID = 0;
const ADDRESSES = 2 ** 25;
const DRAWS_MAX = 1_000;
/** Frames and acts of one device that wait for the one before; a device sends none before the windows of the last one. */
const IN_HAND_MAX = 8;
/** What a personalised device has when nobody says otherwise. */
const ABP_DELAY_S = 1;

export interface Held {
  readonly devEui: Eui;
  state: DeviceState;
  nonces: Nonces | undefined;
  queue: Queue;
  /** Downlinks that a base station has been given and has not answered for. */
  readonly sending: Set<string>;
  /** Of its last frame. */
  receptions: readonly Reception[];
  dataRate: number | undefined;
  /** How often the last counter came again. */
  repeats: number;
  readonly keys: Map<string, { readonly source: string; readonly keys: SessionKeys }>;
  inHand: number;
  tail: Promise<void>;
}

/** A session in which a frame can be, with what it takes to check it. */
export interface Candidate {
  readonly devEui: Eui;
  readonly identity: Identity;
  readonly session: Session;
  readonly keys: SessionKeys;
  /** Not among those of the device yet. */
  readonly isNew: boolean;
}

export type Found = readonly Candidate[] | "unknown-address" | "device-disabled" | "key-changed";

export interface Devices {
  heldOf(devEui: Eui): Held;
  set(held: Held, state: DeviceState): void;
  find(devAddr: string): Found;
  /** Undefined when none is free. */
  freeAddress(): string | undefined;
  /** False when too much waits for this device already. */
  inTurn(held: Held, act: () => Promise<void>): boolean;
  settled(): Promise<void>;
  known(): ReadonlyMap<Eui, Held>;
}

export function tagOf(identity: Identity): string {
  const { abp } = identity;
  return abp === undefined ? keyTag(identity.appKey) : keyTag(abp.nwkSKey, abp.appSKey, abp.devAddr);
}

export function settingsOf({ abp }: Identity, { rxDelayS, rx2DataRate }: Session): WindowSettings {
  if (abp === undefined) return { rxDelayS, rx2DataRate };
  return { rxDelayS: abp.rxDelayS ?? ABP_DELAY_S, rx2DataRate: abp.rx2DataRate ?? 0 };
}

function keysOf(held: Held, { appKey, abp }: Identity, session: Session): SessionKeys {
  const source = appKey ?? abp.nwkSKey + abp.appSKey;
  const known = held.keys.get(session.id);
  if (known?.source === source) return known.keys;
  const { join } = session;
  const keys =
    appKey === undefined || join === undefined
      ? { nwkSKey: fromHex(abp?.nwkSKey ?? ""), appSKey: fromHex(abp?.appSKey ?? "") }
      : sessionKeys(fromHex(appKey), { ...join, netId: NET_ID });
  held.keys.set(session.id, { source, keys });
  return keys;
}

export function createDevices(kept: Kept, identities: Identities, random: () => number): Devices {
  const held = new Map<Eui, Held>();
  const byAddress = new Map<string, Set<Eui>>();

  function index({ devEui, state }: Held): void {
    for (const { devAddr } of sessionsOf(state)) {
      const there = byAddress.get(devAddr) ?? new Set();
      byAddress.set(devAddr, there.add(devEui));
    }
  }

  function unindex({ devEui, state }: Held): void {
    for (const { devAddr } of sessionsOf(state)) {
      const there = byAddress.get(devAddr);
      there?.delete(devEui);
      if (there?.size === 0) byAddress.delete(devAddr);
    }
  }

  function heldOf(devEui: Eui): Held {
    const known = held.get(devEui);
    if (known !== undefined) return known;
    const { state, nonces, queue } = kept.devices.get(devEui) ?? {
      state: NEW_DEVICE,
      nonces: undefined,
      queue: EMPTY_QUEUE,
    };
    const made: Held = {
      ...{ devEui, state, nonces, queue, sending: new Set<string>(), receptions: [], dataRate: undefined },
      ...{ repeats: 0, keys: new Map(), inHand: 0, tail: Promise.resolve() },
    };
    held.set(devEui, made);
    index(made);
    return made;
  }
  for (const devEui of kept.devices.keys()) heldOf(devEui);

  /** Of a device by personalisation whose keys, as they are now, have no session yet. */
  function personalised(identity: Identity): Candidate | undefined {
    const { abp, devEui } = identity;
    if (abp === undefined) return undefined;
    const { state } = heldOf(devEui);
    const tag = tagOf(identity);
    if (state.current?.keyTag === tag) return undefined;
    const made = openSession(state, { devAddr: abp.devAddr, keyTag: tag, rxDelayS: ABP_DELAY_S, rx2DataRate: 0 });
    if (made === undefined) return undefined;
    return { devEui, identity, session: made, keys: keysOf(heldOf(devEui), identity, made), isNew: true };
  }

  return {
    heldOf,
    set(one, state) {
      unindex(one);
      one.state = state;
      index(one);
      const ids = new Set(sessionsOf(state).map(({ id }) => id));
      for (const id of one.keys.keys()) if (!ids.has(id)) one.keys.delete(id);
    },
    find(devAddr) {
      const found: Candidate[] = [];
      let why: Exclude<Found, readonly Candidate[]> = "unknown-address";
      for (const devEui of byAddress.get(devAddr) ?? []) {
        const identity = identities.byDevEui(devEui);
        if (identity === undefined) continue;
        const one = heldOf(devEui);
        const tag = tagOf(identity);
        const sessions = sessionsOf(one.state).filter((session) => session.devAddr === devAddr);
        if (!identity.isEnabled) why = "device-disabled";
        else if (sessions.every((session) => session.keyTag !== tag)) why = "key-changed";
        else
          for (const session of sessions)
            if (session.keyTag === tag)
              found.push({ devEui, identity, session, keys: keysOf(one, identity, session), isNew: false });
      }
      for (const identity of identities.all()) {
        if (identity.abp?.devAddr !== devAddr) continue;
        if (!identity.isEnabled) why = "device-disabled";
        const made = identity.isEnabled ? personalised(identity) : undefined;
        if (made !== undefined) found.push(made);
      }
      return found.length > 0 ? found : why;
    },
    freeAddress() {
      const taken = new Set(identities.all().map(({ abp }) => abp?.devAddr));
      for (let i = 0; i < DRAWS_MAX; i++) {
        const drawn = Math.floor(random() * ADDRESSES)
          .toString(16)
          .padStart(8, "0");
        if (!byAddress.has(drawn) && !taken.has(drawn)) return drawn;
      }
      return undefined;
    },
    inTurn(one, act) {
      if (one.inHand >= IN_HAND_MAX) return false;
      one.inHand++;
      one.tail = one.tail.then(act).finally(() => {
        one.inHand--;
      });
      return true;
    },
    async settled() {
      await Promise.allSettled([...held.values()].map(({ tail }) => tail));
    },
    known: () => held,
  };
}
