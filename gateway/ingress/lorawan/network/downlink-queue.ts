// What waits for the windows of one device. Pure: what is sent leaves it, what is too old is dropped and told.

/** For one device; the oldest is never dropped for a newer one. */
export const QUEUE_MAX = 16;
/** What the fastest rate carries. */
export const PAYLOAD_BYTES_MAX = 222;
export const PORT_MAX = 223;
/** What an answer that missed its windows waits. */
export const KEEP_MS = 86_400_000;
/** Answers that say the time now go first, but no more of them than this past one that waits. */
export const PASSED_MAX = 3;
/** Windows in which a base station did not send it. */
export const TRIES_MAX = 8;

export interface Queued {
  readonly id: string;
  readonly port: number;
  /** Hexadecimal. */
  readonly payload: string;
  readonly expiresMs: number;
  readonly passed: number;
  readonly tries: number;
}

export interface Queue {
  /** How many there were, ever. */
  readonly made: number;
  readonly items: readonly Queued[];
}

export const EMPTY_QUEUE: Queue = { made: 0, items: [] };

export type QueueRefusal = "queue-full" | "downlink-too-large";

export interface DownlinkAsk {
  /** 1 to 223. */
  readonly port: number;
  readonly payload: Uint8Array;
  readonly expiresMs: number;
}

/** The same bytes on the same port wait once. */
export function addDownlink(
  queue: Queue,
  { port, payload, expiresMs }: DownlinkAsk,
): { queue: Queue; id: string } | QueueRefusal {
  if (payload.length > PAYLOAD_BYTES_MAX) return "downlink-too-large";
  const hex = Buffer.from(payload).toString("hex");
  const same = queue.items.find((one) => one.port === port && one.payload === hex);
  if (same !== undefined) {
    const later = { ...same, expiresMs: Math.max(same.expiresMs, expiresMs) };
    return { queue: { ...queue, items: queue.items.map((one) => (one === same ? later : one)) }, id: same.id };
  }
  if (queue.items.length >= QUEUE_MAX) return "queue-full";
  const id = String(queue.made + 1);
  const item = { id, port, payload: hex, expiresMs, passed: 0, tries: 0 };
  return { queue: { made: queue.made + 1, items: [...queue.items, item] }, id };
}

export function withoutItem(queue: Queue, id: string): Queue {
  const items = queue.items.filter((one) => one.id !== id);
  return items.length === queue.items.length ? queue : { ...queue, items };
}

/** But for those on their way. */
export function dropExpired(
  queue: Queue,
  nowMs: number,
  sending: ReadonlySet<string>,
): { readonly queue: Queue; readonly expired: readonly string[] } {
  const expired = queue.items.filter(({ id, expiresMs }) => expiresMs <= nowMs && !sending.has(id)).map(({ id }) => id);
  if (expired.length === 0) return { queue, expired };
  return { queue: { ...queue, items: queue.items.filter(({ id }) => !expired.includes(id)) }, expired };
}

/** Another went first. */
export function passOver(queue: Queue): Queue {
  if (queue.items.length === 0) return queue;
  return { ...queue, items: queue.items.map((one) => ({ ...one, passed: one.passed + 1 })) };
}

/** No base station sent it; undefined when that was the last time. */
export function withTry(queue: Queue, id: string): Queue | undefined {
  const item = queue.items.find((one) => one.id === id);
  if (item === undefined) return queue;
  if (item.tries + 1 >= TRIES_MAX) return undefined;
  return { ...queue, items: queue.items.map((one) => (one === item ? { ...one, tries: one.tries + 1 } : one)) };
}

export interface Candidate {
  readonly port: number;
  readonly payload: Uint8Array;
  /** Of what waits in the queue. */
  readonly id?: string | undefined;
  readonly isTimely: boolean;
}

/** In the order in which they are to go: what was passed over too often, answers that say the time, all else by age. */
export function inOrder(queue: Queue, timely: readonly Candidate[], skip: ReadonlySet<string>): readonly Candidate[] {
  const waiting = queue.items.filter(({ id }) => !skip.has(id));
  const candidate = ({ id, port, payload }: Queued) => {
    return { id, port, payload: new Uint8Array(Buffer.from(payload, "hex")), isTimely: false };
  };
  const first = waiting.filter(({ passed }) => passed >= PASSED_MAX).map(candidate);
  const rest = waiting.filter(({ passed }) => passed < PASSED_MAX).map(candidate);
  return [...first, ...timely, ...rest];
}
