// Virtual time in step with a server that answers in real time.
import { describe, expect, test } from "vitest";
import type { RealClock } from "../real-clock.ts";
import { createSchedule, type Schedule } from "../schedule.ts";
import { buildPushData } from "./forwarder-packets.ts";
import { createLockStep } from "./lock-step.ts";

const EUI = "0016c001f153a14c";
const OTHER = "0016c001f153a14d";
const HOUR_MS = 3_600_000;

/** Real time, which stands still while nobody waits. */
function realTime() {
  let nowMs = 1_000;
  let waiting: { atMs: number; run: () => void }[] = [];
  const clock: RealClock = {
    unixMs: () => nowMs,
    monotonicMs: () => nowMs,
    after: (delayMs, run) => {
      const one = { atMs: nowMs + delayMs, run };
      waiting.push(one);
      if (waiting.length === 1) setImmediate(pass);
      return () => {
        waiting = waiting.filter((other) => other !== one);
      };
    },
  };
  function pass(): void {
    const next = waiting.sort((a, b) => a.atMs - b.atMs)[0];
    if (next === undefined) return;
    nowMs = Math.max(nowMs, next.atMs);
    next.run();
    waiting = waiting.filter((other) => other !== next);
    if (waiting.length > 0) setImmediate(pass);
  }
  return clock;
}

function frame(counterUs: number, first: number): Uint8Array {
  const signal = { rssi: -80, snr: 9 };
  const phy = Uint8Array.of(0x40, first, 2, 3, 4, 0, 0, 0, 1, 2, 3, 4);
  return buildPushData(EUI, 77, { phy, frequencyHz: 868_100_000, dataRate: 5, signal, counterUs });
}

function ackOf(push: Uint8Array): Uint8Array {
  return Uint8Array.of(2, push[1] as number, push[2] as number, 1);
}

function orderAt(counterUs: number): Uint8Array {
  const txpk = { tmst: counterUs, freq: 868.1, powe: 14, datr: "SF7BW125", size: 1, data: "AA==", ipol: true };
  return new Uint8Array(Buffer.concat([Buffer.from([2, 0, 9, 3]), Buffer.from(JSON.stringify({ txpk }))]));
}

/** A world that is an hour behind, in which a frame is heard after ten seconds and the window of its device opens five seconds later. */
function world() {
  const clock = realTime();
  const schedule: Schedule = createSchedule();
  const step = createLockStep({ schedule, clock, behindMs: HOUR_MS });
  const at = { sentMs: Number.NaN, windowMs: Number.NaN };
  const hear = (copies: readonly (readonly [string, Uint8Array])[]) => {
    schedule.after(10_000, () => {
      at.sentMs = clock.monotonicMs();
      for (const [eui, bytes] of copies) step.sent(eui, bytes);
    });
    schedule.after(15_000, () => {
      at.windowMs = clock.monotonicMs();
    });
  };
  return { clock, schedule, step, at, hear };
}

describe("virtual time that is behind", () => {
  test("passes at once where nothing is on its way, and stands where real time is at the end", async () => {
    const { clock, schedule, step } = world();
    let ran = 0;
    for (let i = 1; i <= 60; i++) schedule.after(i * 60_000 - 1, () => ran++);
    expect(step.lagMs()).toBe(HOUR_MS);
    await step.catchUp(() => false);
    expect([ran, step.lagMs(), schedule.nowMs()]).toEqual([60, 0, HOUR_MS + clock.monotonicMs() - 1_000]);
  });

  test("waits before the window of a frame until the answer to it is there, whichever base station gets it", async () => {
    const { clock, schedule, step, at, hear } = world();
    const push = frame(4_294_000_000, 1);
    hear([
      [EUI, frame(5, 1)],
      [OTHER, push],
    ]);
    schedule.after(10_001, () => {
      step.received(OTHER, ackOf(push));
      clock.after(220, () => step.received(OTHER, orderAt((4_294_000_000 + 6_000_000) % 2 ** 32)));
    });
    await step.catchUp(() => false);
    expect(at.windowMs - at.sentMs).toBeGreaterThanOrEqual(220);
    expect(at.windowMs - at.sentMs).toBeLessThan(240);
  });

  test("goes on when none comes: soon after what was acknowledged, later when nobody is there", async () => {
    const waitedMs = async (isThere: boolean) => {
      const { schedule, step, at, hear } = world();
      const push = frame(5, 1);
      hear([[EUI, push]]);
      if (isThere) schedule.after(10_001, () => step.received(EUI, ackOf(push)));
      // The answer to another frame is none to this one.
      schedule.after(10_002, () => step.received(EUI, orderAt(7_000_000)));
      await step.catchUp(() => false);
      return at.windowMs - at.sentMs;
    };
    const [there, gone] = [await waitedMs(true), await waitedMs(false)];
    expect(there).toBeGreaterThan(400);
    expect(there).toBeLessThan(450);
    expect(gone).toBeGreaterThan(3_000);
  });

  test("gives a gateway longer that was seen to take longer", async () => {
    const { clock, schedule, step } = world();
    const waited: number[] = [];
    for (const i of [0, 1]) {
      const push = frame(50 + i, i);
      let sentMs = 0;
      schedule.after((1 + i) * 60_000, () => {
        sentMs = clock.monotonicMs();
        step.sent(EUI, push);
        step.received(EUI, ackOf(push));
        clock.after(700, () => step.received(EUI, orderAt(5_000_050 + i)));
      });
      schedule.after((1 + i) * 60_000 + 5_000, () => void waited.push(clock.monotonicMs() - sentMs));
      // So long that the late answer has come before the next frame.
      schedule.after((1 + i) * 60_000 + 20_000, () => void step.sent(EUI, frame(90 + i, 8 + i)));
    }
    await step.catchUp(() => false);
    expect(waited[0]).toBeLessThan(450);
    expect(waited[1]).toBeGreaterThanOrEqual(700);
    expect(waited[1]).toBeLessThan(750);
  });

  test("ends where it is told to stop", async () => {
    const { schedule, step } = world();
    let ran = 0;
    for (let i = 1; i <= 60; i++) schedule.after(i * 1_000, () => ran++);
    await step.catchUp(() => ran === 7);
    expect(ran).toBe(7);
  });
});
