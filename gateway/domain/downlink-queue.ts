// Commands to one device: one at a time, sent after each of its uplinks until its event 16 or 17 answers, or until they expire.
// Pure; the counter only moves forward (protocol 1.2), and after a restore it jumps over what the lost machine may have used.

/** 86,400 at one a second: more than any gateway sends in the time that a copy can be behind. */
export const COUNTER_JUMP = 86_400;
/** Commands that wait for one device; the oldest is never dropped for a newer one. */
export const COMMANDS_MAX = 8;
const COUNTER_MAX = 0xffff_ffff;
/**
 * Records back from a device's newest that it is asked for at most. It compares sequences in half the number space: what is newer
 * than the newest known when it is asked takes the rest, a week at one record a minute.
 */
export const RESEND_REACH = 20_000;
/** On a fast link an answer may be under way: not the same again at each packet. */
export const AGAIN_MS = 5_000;

export interface WaitingCommand {
  readonly command: string;
  /** Undefined: all that the device has, of which nothing is known before it is heard. */
  readonly argument?: number | undefined;
  readonly counter: number;
  readonly expiresMs: number;
}

export interface CommandQueue {
  /** The highest counter that was given out. */
  readonly counter: number;
  readonly waiting: readonly WaitingCommand[];
}

export const EMPTY_QUEUE: CommandQueue = { counter: 0, waiting: [] };

export interface Ask {
  readonly command: string;
  readonly argument?: number | undefined;
  readonly expiresMs: number;
}

/** counter = max(last + 1, Unix time if trusted). Undefined when too many wait, or the counter is used up. */
export function addCommand(
  queue: CommandQueue,
  ask: Ask,
  unixS: number | undefined,
  jump = 0,
): CommandQueue | undefined {
  const counter = Math.max(queue.counter + 1 + jump, unixS ?? 0);
  if (queue.waiting.length >= COMMANDS_MAX || counter > COUNTER_MAX) return undefined;
  return { counter, waiting: [...queue.waiting, { ...ask, counter }] };
}

/** What of it has not expired. */
export function dropExpired(queue: CommandQueue, nowMs: number): CommandQueue {
  const waiting = queue.waiting.filter(({ expiresMs }) => expiresMs > nowMs);
  return waiting.length === queue.waiting.length ? queue : { ...queue, waiting };
}

/** A frame with this sequence has come: what was asked of the device without knowing any is now known. */
export function takeSequence(queue: CommandQueue, sequence: number): CommandQueue {
  if (queue.waiting.every(({ argument }) => argument !== undefined)) return queue;
  const argument = (sequence - RESEND_REACH) & 0xffff;
  return { ...queue, waiting: queue.waiting.map((one) => (one.argument === undefined ? { ...one, argument } : one)) };
}

/** An event 16 or 17: its argument is the low half of a counter. Whoever answers has taken or refused it: it is over. */
export function takeAnswer(queue: CommandQueue, argument: number): CommandQueue {
  const waiting = queue.waiting.filter(({ counter }) => (counter & 0xffff) !== argument);
  return waiting.length === queue.waiting.length ? queue : { ...queue, waiting };
}
