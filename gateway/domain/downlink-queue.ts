// Commands and settings for one device: one at a time, sent after each of its uplinks until its event 16 or 17 answers, or until they
// expire. Pure; the counter only moves forward (protocol 1.2), and after a restore it jumps over what the lost machine may have used.

/** 86,400 at one a second: more than any gateway sends in the time that a copy can be behind. */
export const COUNTER_JUMP = 86_400;
/** That wait for one device; the oldest is never dropped for a newer one. */
export const WAITING_MAX = 8;
/** That are over and still told of; the oldest goes first. */
export const DONE_MAX = 32;
/** So long after its expiry an answer still says what became of one that was sent: later the low half of a counter may be another's. */
export const LATE_MS = 86_400_000;
const COUNTER_MAX = 0xffff_ffff;
/**
 * Records back from a device's newest that it is asked for at most. It compares sequences in half the number space: what is newer
 * than the newest known when it is asked takes the rest, a week at one record a minute.
 */
export const RESEND_REACH = 20_000;
/** On a fast link an answer may be under way: not the same again at each packet. */
export const AGAIN_MS = 5_000;

/** A command, or settings by their name. */
export type DownlinkContent =
  | {
      readonly command: string;
      /** Undefined: all that the device has, of which nothing is known before it is heard. */
      readonly argument?: number | undefined;
      readonly settings?: undefined;
    }
  | {
      readonly settings: Readonly<Record<string, number>>;
      readonly command?: undefined;
      readonly argument?: undefined;
    };

interface Asked {
  readonly expiresMs: number;
  readonly askedMs: number;
  /** A person's name; undefined for the gateway itself. */
  readonly by?: string | undefined;
  /** Whoever asks twice under the same id asks once. */
  readonly downlinkId?: string | undefined;
}

export type Ask = DownlinkContent & Asked;

export type WaitingDownlink = Ask & {
  readonly counter: number;
  /** When it was first handed to the link; undefined before. */
  readonly sentMs?: number;
};

export type Outcome = "applied" | "refused";

export type DoneDownlink = WaitingDownlink & { readonly state: Outcome | "expired"; readonly endedMs: number };

export interface DownlinkQueue {
  /** The highest counter that was given out. */
  readonly counter: number;
  readonly waiting: readonly WaitingDownlink[];
  /** The newest first. */
  readonly done: readonly DoneDownlink[];
}

export const EMPTY_QUEUE: DownlinkQueue = { counter: 0, waiting: [], done: [] };

/** As it was kept, also by a version that kept neither who asked nor what is over. */
export function queueOf(kept: Pick<DownlinkQueue, "counter" | "waiting"> & Partial<DownlinkQueue>): DownlinkQueue {
  const waiting = kept.waiting.map((one) => ({ ...one, askedMs: one.askedMs ?? one.counter * 1000 }));
  return { counter: kept.counter, waiting, done: kept.done ?? [] };
}

/** counter = max(last + 1, Unix time if trusted). Undefined when too many wait, or the counter is used up. */
export function addDownlink(
  queue: DownlinkQueue,
  ask: Ask,
  unixS: number | undefined,
  jump = 0,
): DownlinkQueue | undefined {
  if (ask.downlinkId !== undefined && find(queue, ask.downlinkId) !== undefined) return queue;
  const counter = Math.max(queue.counter + 1 + jump, unixS ?? 0);
  if (queue.waiting.length >= WAITING_MAX || counter > COUNTER_MAX) return undefined;
  return { ...queue, counter, waiting: [...queue.waiting, { ...ask, counter }] };
}

/** What is known by this id: what waits or is over. */
export function find(queue: DownlinkQueue, downlinkId: string): WaitingDownlink | DoneDownlink | undefined {
  return [...queue.waiting, ...queue.done].find((one) => idOf(one) === downlinkId);
}

/** Its own, or one made of its counter. */
export function idOf({ downlinkId, counter }: Pick<WaitingDownlink, "downlinkId" | "counter">): string {
  return downlinkId ?? `counter-${counter}`;
}

/** What has expired is over. */
export function dropExpired(queue: DownlinkQueue, nowMs: number): DownlinkQueue {
  const late = queue.waiting.filter(({ expiresMs }) => expiresMs <= nowMs);
  const over = late.map((one) => ({ ...one, state: "expired" as const, endedMs: one.expiresMs }));
  return over.length === 0 ? queue : end(queue, over);
}

/** Taken back: its time is over now, and where it was sent an answer still counts. Undefined when it does not wait. */
export function withdraw(queue: DownlinkQueue, downlinkId: string, nowMs: number): DownlinkQueue | undefined {
  const taken = queue.waiting.filter((one) => idOf(one) === downlinkId);
  if (taken.length === 0) return undefined;
  return end(
    queue,
    taken.map((one) => ({ ...one, expiresMs: nowMs, state: "expired", endedMs: nowMs })),
  );
}

/** Handed to the link for the first time; later times change nothing. */
export function markSent(queue: DownlinkQueue, counter: number, nowMs: number): DownlinkQueue {
  const isNew = (one: WaitingDownlink) => one.counter === counter && one.sentMs === undefined;
  if (!queue.waiting.some(isNew)) return queue;
  return { ...queue, waiting: queue.waiting.map((one) => (isNew(one) ? { ...one, sentMs: nowMs } : one)) };
}

/** A frame with this sequence has come: what was asked of the device without knowing any is now known. */
export function takeSequence(queue: DownlinkQueue, sequence: number): DownlinkQueue {
  if (!queue.waiting.some(isOpen)) return queue;
  const argument = (sequence - RESEND_REACH) & 0xffff;
  return { ...queue, waiting: queue.waiting.map((one) => (isOpen(one) ? { ...one, argument } : one)) };
}

/** True for a command whose argument waits for the device to be heard. */
function isOpen(
  one: WaitingDownlink,
): one is WaitingDownlink & { readonly command: string; readonly argument?: undefined } {
  return one.command !== undefined && one.argument === undefined;
}

/**
 * An event 16 or 17: its argument is the low half of a counter. Whoever answers has taken or refused it: it is over. An answer to one
 * that was sent and has expired since says what became of it after all.
 */
export function takeAnswer(queue: DownlinkQueue, argument: number, outcome: Outcome, nowMs: number): DownlinkQueue {
  const isNamed = ({ counter }: WaitingDownlink) => (counter & 0xffff) === argument;
  const answered = queue.waiting.filter(isNamed);
  if (answered.length > 0)
    return end(
      queue,
      answered.map((one) => ({ ...one, state: outcome, endedMs: nowMs })),
    );
  const late = queue.done.findIndex((one) => isNamed(one) && mayStillAnswer(one, nowMs));
  if (late < 0) return queue;
  return {
    ...queue,
    done: queue.done.map((one, i) => (i === late ? { ...one, state: outcome, endedMs: nowMs } : one)),
  };
}

/** Whether an answer of the device would change anything. */
export function isAwaited({ waiting, done }: DownlinkQueue, nowMs: number): boolean {
  return waiting.length > 0 || done.some((one) => mayStillAnswer(one, nowMs));
}

function mayStillAnswer({ state, sentMs, endedMs }: DoneDownlink, nowMs: number): boolean {
  return state === "expired" && sentMs !== undefined && nowMs < endedMs + LATE_MS;
}

function end(queue: DownlinkQueue, over: readonly DoneDownlink[]): DownlinkQueue {
  const counters = new Set(over.map(({ counter }) => counter));
  const waiting = queue.waiting.filter(({ counter }) => !counters.has(counter));
  return { ...queue, waiting, done: [...[...over].reverse(), ...queue.done].slice(0, DONE_MAX) };
}
