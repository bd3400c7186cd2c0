import { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import { describe, expect, test } from "vitest";
import { createLaggards, LOOK_MS, UNDER_WAY_MAX } from "./laggards.ts";

function broker() {
  let look: (() => void) | undefined;
  const laggards = createLaggards({
    nowMs: () => 0,
    monotonicMs: () => 0,
    after: (delayMs, run) => {
      expect(delayMs).toBe(LOOK_MS);
      look = run;
      return { stop: () => void 0 };
    },
    every: () => ({ stop: () => undefined }),
  });
  const closed: string[] = [];
  const reader = (name: string, isFull = true) => {
    const conn = Object.assign(new EventEmitter(), { writableNeedDrain: isFull });
    const made = { conn: conn as unknown as Duplex, close: () => void closed.push(name) };
    return { reads: () => laggards.reads(made), conn };
  };
  const later = async () => {
    const run = look;
    look = undefined;
    run?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const publish = (count: number) => Array.from({ length: count }, () => laggards.began());
  return { reader, publish, closed, later, isLooking: () => look !== undefined };
}

describe("a reader that takes nothing", () => {
  test("is closed at the second look when more than half of the places are kept, and nobody else is", async () => {
    const { reader, publish, closed, later } = broker();
    for (const one of [reader("frozen"), reader("quick", false)]) one.reads();
    reader("a device with unread answers");
    publish(UNDER_WAY_MAX + 1);
    await later();
    expect(closed).toEqual([]);
    await later();
    expect(closed).toEqual(["frozen"]);
  });

  test("is left alone as long as it keeps no more than that", () => {
    const { reader, publish, isLooking } = broker();
    reader("slow").reads();
    publish(UNDER_WAY_MAX);
    expect(isLooking()).toBe(false);
  });

  test("is left alone when it has drained between the looks, or the messages are through", async () => {
    const { reader, publish, closed, later, isLooking } = broker();
    const [slow, slower] = [reader("slow"), reader("slower")];
    for (const one of [slow, slower]) one.reads();
    const ends = publish(UNDER_WAY_MAX + 1);
    await later();
    for (const { conn } of [slow, slower]) conn.emit("drain");
    await later();
    for (const end of ends) end();
    await later();
    expect([closed, isLooking()]).toEqual([[], false]);
    publish(UNDER_WAY_MAX + 1);
    await later();
    expect(closed).toEqual([]);
  });
});
