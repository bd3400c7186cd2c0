// A radio world that is behind real time and catches up with it, in step with a gateway that lives in real time. A frame that a base station
// has handed on may be answered in a window of the device; so virtual time goes no further than shortly before that window until the answer is
// there, or so long has passed by the clock that none will come. Everything else passes as fast as it can be computed.
import type { RealClock } from "../real-clock.ts";
import type { Schedule } from "../schedule.ts";
import { readServerPacket } from "./forwarder-packets.ts";

/** The first window of our devices opens 5 s after their frame; what is to be sent in it has to be there a little sooner. */
const WINDOW_MS = 4_500;
const WINDOWS_US = [5_000_000, 6_000_000];
const COUNTER = 2 ** 32;
/**
 * From the acknowledgement of a datagram, which comes at once, to the answer to its frame: copies are collected for 200 ms, then it is stored.
 * A gateway that was seen to take longer is given as much longer.
 */
const ANSWER_MS = 400;
const PATIENCE = 1.5;
const CALM = 0.9;
/** Frames that were not answered in time, for an answer that comes after all. */
const LATE_MAX = 64;
/** Nobody is there. */
const GONE_MS = 3_000;
const LOOK_MS = 5;
/** Others in this process want to go on as well. */
const SLICE_MS = 20;

/** A frame on its way to the gateway, as one or more base stations have heard it. */
interface Held {
  readonly data: string;
  readonly untilMs: number;
  readonly pushedMs: number;
  /** Base station and counter of each copy, and the tokens of its datagrams. */
  readonly copies: Set<string>;
  readonly tokens: Set<string>;
  acknowledgedMs: number | undefined;
  /** It is overdue; what the sockets have meanwhile is looked at once more. */
  isOverdue: boolean;
}

export interface LockStep {
  /** A base station sends this datagram. */
  sent(eui: string, bytes: Uint8Array): void;
  /** A base station is given this one, and has taken it. */
  received(eui: string, bytes: Uint8Array): void;
  /** How far virtual time is behind; 0 once it has caught up. */
  lagMs(): number;
  /** Runs all that is planned; resolves when virtual time has caught up, or when it is stopped. */
  catchUp(isStopped: () => boolean): Promise<void>;
}

export interface LockStepOptions {
  readonly schedule: Schedule;
  readonly clock: RealClock;
  /** How far it is behind at the start. */
  readonly behindMs: number;
}

interface Pushed {
  readonly rxpk?: readonly { readonly tmst: number; readonly data: string }[];
}

const PUSH_DATA = 0;
const HEADER_BYTES = 12;

function tokenOf(eui: string, bytes: Uint8Array): string {
  return `${eui} ${((bytes[1] as number) << 8) | (bytes[2] as number)}`;
}

export function createLockStep({ schedule, clock, behindMs }: LockStepOptions): LockStep {
  const offsetMs = clock.monotonicMs() - schedule.nowMs() - behindMs;
  const realNow = () => clock.monotonicMs() - offsetMs;
  let held: Held[] = [];
  let late: Held[] = [];
  let answerMs = ANSWER_MS;
  let isThere = false;

  function hold(eui: string, bytes: Uint8Array): void {
    const { rxpk = [] } = JSON.parse(Buffer.from(bytes.subarray(HEADER_BYTES)).toString()) as Pushed;
    for (const { tmst, data } of rxpk) {
      let one = held.find((other) => other.data === data);
      if (one === undefined) {
        const [untilMs, pushedMs] = [schedule.nowMs() + WINDOW_MS, clock.monotonicMs()];
        const nothing = { acknowledgedMs: undefined, isOverdue: false };
        one = { data, untilMs, pushedMs, copies: new Set(), tokens: new Set(), ...nothing };
        held.push(one);
      }
      one.copies.add(`${eui} ${tmst}`);
      one.tokens.add(tokenOf(eui, bytes));
    }
  }

  /** What stands in the way of the next event. */
  function blocking(): Held[] {
    const nextMs = schedule.nextMs();
    const nowMs = clock.monotonicMs();
    held = held.filter((one) => {
      const isOver =
        nowMs > (one.acknowledgedMs === undefined ? one.pushedMs + GONE_MS : one.acknowledgedMs + answerMs);
      if (isOver && one.isOverdue) {
        late = [...late, one].slice(-LATE_MAX);
        return false;
      }
      one.isOverdue = isOver;
      return true;
    });
    return held.filter((one) => nextMs > one.untilMs);
  }

  function answered(isIt: (one: Held) => boolean): void {
    const missed = late.find(isIt);
    if (missed !== undefined)
      answerMs = Math.min(
        GONE_MS,
        Math.max(answerMs, PATIENCE * (clock.monotonicMs() - (missed.acknowledgedMs ?? missed.pushedMs))),
      );
    else answerMs = Math.max(ANSWER_MS, CALM * answerMs);
    held = held.filter((one) => !isIt(one));
  }

  return {
    sent: (eui, bytes) => {
      if (!isThere && bytes[3] === PUSH_DATA) hold(eui, bytes);
    },
    received: (eui, bytes) => {
      const packet = isThere ? undefined : readServerPacket(bytes);
      if (packet?.kind === "push-ack") {
        const token = tokenOf(eui, bytes);
        for (const one of held) if (one.tokens.has(token)) one.acknowledgedMs ??= clock.monotonicMs();
      }
      if (packet?.kind !== "pull-resp") return;
      const names = WINDOWS_US.map((us) => `${eui} ${(packet.order.counterUs - us + COUNTER) % COUNTER}`);
      answered((one) => names.some((name) => one.copies.has(name)));
    },
    lagMs: () => (isThere ? 0 : Math.max(0, realNow() - schedule.nowMs())),
    catchUp: async (isStopped) => {
      const rest = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
      let sliceMs = clock.monotonicMs();
      while (!isStopped() && schedule.nextMs() <= realNow()) {
        const isHeld = blocking().length > 0;
        if (!isHeld) schedule.step(realNow());
        if (!isHeld && clock.monotonicMs() - sliceMs < SLICE_MS) continue;
        await rest(isHeld ? LOOK_MS : 1);
        sliceMs = clock.monotonicMs();
      }
      isThere = true;
      held = [];
      schedule.moveTo(realNow());
    },
  };
}
