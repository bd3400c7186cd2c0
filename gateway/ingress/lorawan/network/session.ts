// One device in the network as pure steps: its sessions, what a frame is to them, and what they are after it. A join makes a session that
// waits until the device speaks in it; until then the old one lives, so that nobody ends a session by sending an old join-request.

import { pastCounters, wholeCounter } from "./counters.ts";
import { dataMic, isSameMic, type SessionKeys } from "./crypto.ts";
import type { DataUplink } from "./phy.ts";

/** Joined and not yet spoken in: a device that missed the answer joins again, and the one that it heard must be there. */
export const WAITING_MAX = 3;
/** 24 bits. */
const JOIN_NONCE_MAX = 0xff_ffff;
/**
 * After a restore: more downlinks than any device got since the copy, and far from the 16,384 at which a device of 1.0.2 takes none
 * any more (MAX_FCNT_GAP).
 */
export const DOWN_JUMP = 4_096;
const JOIN_JUMP = 1_024;
/** A confirmed frame is sent so often at most (LoRaWAN 1.0.2 §18.4). */
export const REPEATS_MAX = 8;

export interface Session {
  /** Never given twice to a device. */
  readonly id: string;
  readonly devAddr: string;
  /** Undefined: by personalisation. */
  readonly join?: { readonly joinNonce: number; readonly devNonce: number } | undefined;
  readonly keyTag: string;
  readonly rxDelayS: number;
  readonly rx2DataRate: number;
  /** One more than the highest counter up that was seen. */
  readonly nextUp: number;
  /** One more than the highest whose payload was handed on and taken: less than `nextUp` when that failed. */
  readonly nextTaken: number;
  readonly nextDown: number;
  /** Wall time of its last frame. */
  readonly heardMs?: number | undefined;
}

export interface DeviceState {
  /** Counts sessions, up only. */
  readonly sessions: number;
  readonly current?: Session | undefined;
  /** Newest last. */
  readonly waiting: readonly Session[];
}

export const NEW_DEVICE: DeviceState = { sessions: 0, waiting: [] };

export type UplinkRefusal = "bad-mic" | "counter-replayed" | "counter-reset";

export type UplinkVerdict =
  | { readonly kind: "refused"; readonly reason: UplinkRefusal }
  /** `isRepeat`: seen before; `isTaken`: its payload was handed on before. */
  | {
      readonly kind: "accepted";
      readonly counter: number;
      readonly isRepeat: boolean;
      readonly isTaken: boolean;
      readonly session: Session;
    };

function hasMic(keys: SessionKeys, frame: DataUplink, counter: number): boolean {
  const { devAddr, mic, message } = frame;
  return isSameMic(dataMic(keys.nwkSKey, message, { direction: "up", devAddr, counter }), mic);
}

/** What this frame is to this session. */
export function judgeUplink(session: Session, keys: SessionKeys, frame: DataUplink, heardMs: number): UplinkVerdict {
  const { counter, isRepeat } = wholeCounter(session.nextUp, frame.counterLow);
  if (hasMic(keys, frame, counter)) {
    if (isRepeat) return { kind: "accepted", counter, isRepeat, isTaken: session.nextTaken > counter, session };
    return {
      kind: "accepted",
      counter,
      isRepeat,
      isTaken: false,
      session: { ...session, nextUp: counter + 1, heardMs },
    };
  }
  const isPast = pastCounters(session.nextUp, frame.counterLow).some((one) => hasMic(keys, frame, one));
  // After a join counters begin anew in a session of their own: only what is personalised can begin anew in the same one.
  if (isPast) return { kind: "refused", reason: session.join === undefined ? "counter-reset" : "counter-replayed" };
  return { kind: "refused", reason: "bad-mic" };
}

/** The device spoke in this session: it is the one, and all others are over. */
export function withSession(state: DeviceState, session: Session): DeviceState {
  const isWaiting = state.waiting.some(({ id }) => id === session.id);
  return isWaiting || state.current?.id !== session.id
    ? { ...state, current: session, waiting: [] }
    : { ...state, current: session };
}

export interface NewSession {
  readonly devAddr: string;
  readonly devNonce?: number;
  readonly keyTag: string;
  readonly rxDelayS: number;
  readonly rx2DataRate: number;
}

/** Undefined when the numbers of sessions are used up. */
export function openSession(state: DeviceState, { devNonce, ...rest }: NewSession): Session | undefined {
  const joinNonce = state.sessions + 1;
  if (joinNonce > JOIN_NONCE_MAX) return undefined;
  const join = devNonce === undefined ? undefined : { joinNonce, devNonce };
  return { ...rest, id: String(joinNonce), join, nextUp: 0, nextTaken: 0, nextDown: 0 };
}

export function withWaiting(state: DeviceState, session: Session): DeviceState {
  return { ...state, sessions: Number(session.id), waiting: [...state.waiting, session].slice(-WAITING_MAX) };
}

/** Personalised: there is nothing to wait for. */
export function withPersonalised(session: Session): DeviceState {
  return { sessions: Number(session.id), current: session, waiting: [] };
}

export function sessionsOf(state: DeviceState): readonly Session[] {
  return state.current === undefined ? state.waiting : [state.current, ...state.waiting];
}

/** Out of a copy, where counters stand as they were: what was sent since then must not be sent again under the same counter. */
export function jumpCounters(state: DeviceState): DeviceState {
  const jumped = (session: Session) => ({ ...session, nextDown: session.nextDown + DOWN_JUMP });
  const { current, waiting, sessions } = state;
  return {
    sessions: Math.min(sessions + JOIN_JUMP, JOIN_NONCE_MAX),
    current: current === undefined ? undefined : jumped(current),
    waiting: waiting.map(jumped),
  };
}
