import { describe, expect, test } from "vitest";
import {
  type Ask,
  addDownlink,
  COUNTER_JUMP,
  DONE_MAX,
  type DownlinkQueue,
  dropExpired,
  EMPTY_QUEUE,
  find,
  idOf,
  isAwaited,
  LATE_MS,
  markSent,
  queueOf,
  RESEND_REACH,
  takeAnswer,
  takeSequence,
  WAITING_MAX,
  withdraw,
} from "./downlink-queue.ts";

const ASK: Ask = { command: "resend-from", argument: 7, askedMs: 0, expiresMs: 1_000 };

function queueWith(...asks: readonly Ask[]): DownlinkQueue {
  return asks.reduce((queue, ask) => addDownlink(queue, ask, undefined) as DownlinkQueue, EMPTY_QUEUE);
}
const counters = (rows: readonly { readonly counter: number }[]) => rows.map(({ counter }) => counter);
const states = (queue: DownlinkQueue) => queue.done.map(({ counter, state, endedMs }) => [counter, state, endedMs]);

test("counters follow the clock when it is trusted, and never run backwards", () => {
  const first = addDownlink(EMPTY_QUEUE, ASK, 1_790_000_000) as DownlinkQueue;
  expect(first.waiting[0]?.counter).toBe(1_790_000_000);
  const second = addDownlink(first, ASK, 1_700_000_000) as DownlinkQueue;
  expect(second.counter).toBe(1_790_000_001);
  expect(addDownlink(second, ASK, undefined)?.counter).toBe(1_790_000_002);
});

test("after a restore they jump over what the lost machine may have used", () => {
  expect(addDownlink({ ...EMPTY_QUEUE, counter: 500 }, ASK, undefined, COUNTER_JUMP)?.counter).toBe(501 + COUNTER_JUMP);
});

test("takes no more than it may keep, and no counter that does not fit the frame", () => {
  const queue = queueWith(...Array.from({ length: WAITING_MAX }, () => ASK));
  expect(queue.waiting).toHaveLength(WAITING_MAX);
  expect(addDownlink(queue, ASK, undefined)).toBeUndefined();
  expect(addDownlink({ ...EMPTY_QUEUE, counter: 0xffff_ffff }, ASK, undefined)).toBeUndefined();
});

test("asked again under the same id it stays one, also when it is over", () => {
  const ask = { ...ASK, downlinkId: "form-1234" };
  const queue = queueWith(ask);
  expect(addDownlink(queue, ask, undefined)).toBe(queue);
  const over = takeAnswer(queue, 1, "applied", 10);
  expect(addDownlink(over, ask, undefined)).toBe(over);
  expect(find(over, "form-1234")).toMatchObject({ counter: 1, state: "applied" });
  expect(idOf({ counter: 9 })).toBe("counter-9");
});

test("an answer ends the one whose counter it names and no other; time ends the rest", () => {
  let queue = addDownlink(EMPTY_QUEUE, ASK, 0x1_0005) as DownlinkQueue;
  queue = addDownlink(queue, { ...ASK, expiresMs: 2_000 }, undefined) as DownlinkQueue;
  expect(takeAnswer(queue, 9, "applied", 5)).toBe(queue);
  const answered = takeAnswer(queue, 5, "refused", 5);
  expect(counters(answered.waiting)).toEqual([0x1_0006]);
  expect(states(answered)).toEqual([[0x1_0005, "refused", 5]]);
  expect(dropExpired(queue, 999)).toBe(queue);
  expect(counters(dropExpired(queue, 1_000).waiting)).toEqual([0x1_0006]);
  expect(states(dropExpired(queue, 3_000))).toEqual([
    [0x1_0006, "expired", 2_000],
    [0x1_0005, "expired", 1_000],
  ]);
});

test("what was sent is marked once, with the time of the first", () => {
  const queue = queueWith(ASK, ASK);
  const sent = markSent(queue, 1, 10);
  expect(sent.waiting.map(({ sentMs }) => sentMs)).toEqual([10, undefined]);
  expect(markSent(sent, 1, 20)).toBe(sent);
});

describe("an answer that comes when its time is over", () => {
  const sent = dropExpired(markSent(queueWith(ASK), 1, 10), 1_000);

  test("still says what became of it", () => {
    expect(isAwaited(sent, 1_500)).toBe(true);
    const told = takeAnswer(sent, 1, "applied", 1_500);
    expect(states(told)).toEqual([[1, "applied", 1_500]]);
    expect(isAwaited(told, 1_500)).toBe(false);
    expect(takeAnswer(told, 1, "refused", 1_600)).toBe(told);
  });

  test("is none for one that was never sent, nor days later", () => {
    const unsent = dropExpired(queueWith(ASK), 1_000);
    expect(takeAnswer(unsent, 1, "applied", 1_500)).toBe(unsent);
    expect(takeAnswer(sent, 1, "applied", 1_000 + LATE_MS)).toBe(sent);
    expect(isAwaited(sent, 1_000 + LATE_MS)).toBe(false);
  });
});

test("what is taken back expires at once; sent or not, its neighbours stay", () => {
  const queue = markSent(queueWith({ ...ASK, downlinkId: "form-1234" }, ASK), 1, 10);
  const next = withdraw(queue, "form-1234", 20) as DownlinkQueue;
  expect(counters(next.waiting)).toEqual([2]);
  expect(next.done).toMatchObject([{ counter: 1, state: "expired", expiresMs: 20, endedMs: 20 }]);
  expect(withdraw(next, "form-1234", 30)).toBeUndefined();
  expect(states(takeAnswer(next, 1, "applied", 40))).toEqual([[1, "applied", 40]]);
  expect(counters((withdraw(next, "counter-2", 30) as DownlinkQueue).waiting)).toEqual([]);
});

test("of what is over the last are kept", () => {
  let queue = EMPTY_QUEUE;
  for (let i = 1; i <= DONE_MAX + 2; i++)
    queue = takeAnswer(addDownlink(queue, ASK, undefined) as DownlinkQueue, i, "applied", i);
  expect(queue.done).toHaveLength(DONE_MAX);
  expect(queue.done[0]?.counter).toBe(DONE_MAX + 2);
  expect(queue.done.at(-1)?.counter).toBe(3);
});

test("what is asked of a device that nothing is known of waits for its first sequence, and wraps with it", () => {
  const settings: Ask = { settings: { capacity: 3 }, askedMs: 0, expiresMs: 1_000 };
  const queue = queueWith({ command: "resend-from", askedMs: 0, expiresMs: 1_000 }, settings);
  expect(takeSequence(queue, 100).waiting[0]?.argument).toBe(0x1_0000 + 100 - RESEND_REACH);
  const known = takeSequence(queue, 40_000);
  expect(known.waiting.map(({ argument }) => argument)).toEqual([20_000, undefined]);
  expect(takeSequence(known, 50_000)).toBe(known);
});

test("a queue of a version that kept only what waits is read", () => {
  const kept = JSON.parse('{"counter":5,"waiting":[{"command":"reboot","argument":0,"counter":5,"expiresMs":9000}]}');
  expect(queueOf(kept)).toEqual({
    counter: 5,
    waiting: [{ command: "reboot", argument: 0, counter: 5, expiresMs: 9_000, askedMs: 5_000 }],
    done: [],
  });
});
