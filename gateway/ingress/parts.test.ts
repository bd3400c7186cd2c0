import { describe, expect, test } from "vitest";
import { coverWindows } from "./acks.ts";
import { createFlow } from "./flow.ts";
import { createHeaderWatch } from "./guard.ts";

describe("the size guard", () => {
  const packet = (size: number) =>
    Buffer.concat([
      Buffer.from([0x30, (size & 127) | (size > 127 ? 128 : 0), ...(size > 127 ? [size >> 7] : [])]),
      Buffer.alloc(size),
    ]);

  test("passes packets up to the limit however they are cut, and stops the one above", () => {
    const bytes = Buffer.concat([packet(300), packet(5), packet(0), packet(299)]);
    for (const step of [1, 2, 7, bytes.length]) {
      const { look } = createHeaderWatch(300);
      for (let at = 0; at < bytes.length; at += step) {
        expect(look(bytes.subarray(at, at + step))).not.toBe("oversize");
      }
      expect(look(packet(301))).toBe("oversize");
    }
  });

  test("a length that never ends is stopped at its fifth byte", () => {
    expect(createHeaderWatch(1 << 30).look(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x80]))).toBe("oversize");
  });

  test("tells a publish by its header, not by what a packet holds", () => {
    const { look } = createHeaderWatch(300);
    const ping = Buffer.from([0xc0, 0x00]);
    expect(look(ping)).toBe("other");
    expect(look(Buffer.concat([ping, packet(200).subarray(0, 9)]))).toBe("publish");
    expect(look(Buffer.alloc(packet(200).length - 9, 0x30))).toBe("other");
    expect(look(ping)).toBe("other");
  });
});

describe("ack windows", () => {
  test("one frame covers 32 records in a row, across the wrap", () => {
    const windows = Array.from({ length: 32 }, (_, i) => ({ baseSequence: (65_530 + i) & 0xffff, bitmap: i }));
    expect(coverWindows(windows)).toEqual([{ baseSequence: (65_530 + 31) & 0xffff, bitmap: 31 }]);
  });

  test("every record is covered by one of the chosen windows", () => {
    const ends = [100, 101, 140, 141, 171, 172, 500];
    const chosen = coverWindows(ends.map((end) => ({ baseSequence: end - 31, bitmap: 1 })));
    for (const end of ends) expect(chosen.some((w) => end >= w.baseSequence && end <= w.baseSequence + 31)).toBe(true);
    expect(chosen.length).toBeLessThan(ends.length);
  });
});

describe("the flow of a connection", () => {
  function flowAt() {
    let now = 0;
    const timers: { at: number; run: () => void }[] = [];
    const clock = {
      nowMs: () => now,
      monotonicMs: () => now,
      after(delayMs: number, run: () => void) {
        timers.push({ at: now + delayMs, run });
        return { stop: () => undefined };
      },
      every: () => ({ stop: () => undefined }),
    };
    let open = true;
    const gate = {
      set(next: boolean) {
        open = next;
      },
      hasUnreadPublish: () => false,
    };
    const left: string[] = [];
    const flow = createFlow<string>({
      gate,
      clock,
      limits: { inFlightMax: 3, framesPerS: 10, burst: 5 },
      leave: (run) => left.push(run.map(({ packet, error }) => packet + (error?.message ?? "")).join(" ")),
    });
    return {
      flow,
      left,
      isOpen: () => open,
      advance: (ms: number) => {
        now += ms;
        for (const timer of timers.splice(0))
          if (timer.at <= now) timer.run();
          else timers.push(timer);
      },
    };
  }

  const endOfTurn = () => new Promise<void>((resolve) => process.nextTick(resolve));

  test("closes the gate at the cap of packets under way and opens it below", async () => {
    const { flow, isOpen } = flowAt();
    const finish = ["a", "b"].map(flow.enter);
    expect(isOpen()).toBe(true);
    finish.push(flow.enter("c"));
    expect(isOpen()).toBe(false);
    finish[0]?.();
    await endOfTurn();
    expect(isOpen()).toBe(true);
  });

  test("what is settled in one turn leaves together, in order, and behind what is not settled yet", async () => {
    const { flow, left } = flowAt();
    const [a, b, c] = ["a", "b", "c"].map(flow.enter);
    c?.(new Error("!"));
    await endOfTurn();
    expect(left).toEqual([]);
    a?.();
    expect(left).toEqual([]);
    await endOfTurn();
    expect(left).toEqual(["a"]);
    b?.();
    await endOfTurn();
    expect(left).toEqual(["a", "b c!"]);
  });

  test("a burst passes, then so many a second; nothing is refused for it", async () => {
    const { flow, isOpen, advance } = flowAt();
    for (let i = 0; i < 5; i++) flow.enter("")();
    await endOfTurn();
    expect(isOpen()).toBe(false);
    advance(100);
    expect(isOpen()).toBe(true);
    flow.enter("")();
    await endOfTurn();
    expect(isOpen()).toBe(false);
  });

  test("a sender that takes no answers is not read", () => {
    const { flow, isOpen } = flowAt();
    flow.block(true);
    expect(isOpen()).toBe(false);
    flow.block(false);
    expect(isOpen()).toBe(true);
  });

  test("holds while the journal is behind", () => {
    const { flow, isOpen } = flowAt();
    flow.hold(true);
    expect(isOpen()).toBe(false);
    flow.hold(false);
    expect(isOpen()).toBe(true);
  });
});
