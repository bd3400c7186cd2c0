import { expect, test } from "vitest";
import {
  addCommand,
  COMMANDS_MAX,
  COUNTER_JUMP,
  type CommandQueue,
  dropExpired,
  EMPTY_QUEUE,
  RESEND_REACH,
  takeAnswer,
  takeSequence,
} from "./downlink-queue.ts";

const ASK = { command: "resend-from", argument: 7, expiresMs: 1_000 };

test("counters follow the clock when it is trusted, and never run backwards", () => {
  const first = addCommand(EMPTY_QUEUE, ASK, 1_790_000_000) as CommandQueue;
  expect(first.waiting[0]?.counter).toBe(1_790_000_000);
  const second = addCommand(first, ASK, 1_700_000_000) as CommandQueue;
  expect(second.counter).toBe(1_790_000_001);
  expect(addCommand(second, ASK, undefined)?.counter).toBe(1_790_000_002);
});

test("after a restore they jump over what the lost machine may have used", () => {
  expect(addCommand({ counter: 500, waiting: [] }, ASK, undefined, COUNTER_JUMP)?.counter).toBe(501 + COUNTER_JUMP);
});

test("takes no more than it may keep, and no counter that does not fit the frame", () => {
  let queue: CommandQueue = EMPTY_QUEUE;
  for (let i = 0; i < COMMANDS_MAX; i++) queue = addCommand(queue, ASK, undefined) as CommandQueue;
  expect(addCommand(queue, ASK, undefined)).toBeUndefined();
  expect(addCommand({ counter: 0xffff_ffff, waiting: [] }, ASK, undefined)).toBeUndefined();
});

test("an answer ends the command whose counter it names and no other; time ends the rest", () => {
  let queue = addCommand(EMPTY_QUEUE, ASK, 0x1_0005) as CommandQueue;
  queue = addCommand(queue, { ...ASK, expiresMs: 2_000 }, undefined) as CommandQueue;
  expect(takeAnswer(queue, 9)).toBe(queue);
  expect(takeAnswer(queue, 5).waiting.map(({ counter }) => counter)).toEqual([0x1_0006]);
  expect(dropExpired(queue, 999)).toBe(queue);
  expect(dropExpired(queue, 1_000).waiting.map(({ counter }) => counter)).toEqual([0x1_0006]);
  expect(dropExpired(queue, 2_000)).toEqual({ counter: queue.counter, waiting: [] });
});

test("what is asked of a device that nothing is known of waits for its first sequence, and wraps with it", () => {
  const queue = addCommand(EMPTY_QUEUE, { command: "resend-from", expiresMs: 1_000 }, undefined) as CommandQueue;
  expect(takeSequence(queue, 100).waiting[0]?.argument).toBe(0x1_0000 + 100 - RESEND_REACH);
  const known = takeSequence(queue, 40_000);
  expect(known.waiting[0]?.argument).toBe(20_000);
  expect(takeSequence(known, 50_000)).toBe(known);
});
