import { describe, expect, test } from "vitest";
import { isPathDown, type Loss, lossAfter, type PathDevice, quietMsMax, worseLoss } from "./silence.ts";

const RULE = { intervals: { mqtt: 3, lorawan: 4 }, graceS: 120 };
const QUARTER_S = 900;

/** Mulberry32. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe("how long a device may be quiet", () => {
  test("is its intervals and some grace where nothing gets lost", () => {
    expect(quietMsMax(RULE, "mqtt", 60, undefined)).toBe(300_000);
    expect(quietMsMax(RULE, "lorawan", QUARTER_S, undefined)).toBe((4 * QUARTER_S + 120) * 1000);
  });

  test("is more where frames get lost, and never without end", () => {
    expect(quietMsMax(RULE, "lorawan", QUARTER_S, { lost: 10, reports: 100 })).toBe((6 * QUARTER_S + 120) * 1000);
    expect(quietMsMax(RULE, "lorawan", QUARTER_S, { lost: 90, reports: 100 })).toBe((12 * QUARTER_S + 120) * 1000);
  });

  test("200 devices that lose a tenth for ten days are hardly ever silent, where four intervals would have called some so every day", () => {
    const seed = 20_261_126;
    const next = random(seed);
    let falsely = 0;
    let byFour = 0;
    for (let device = 0; device < 200; device++) {
      let loss: Loss | undefined;
      let gap = 0;
      for (let report = 0; report < 960; report++) {
        gap++;
        const quietMs = gap * QUARTER_S * 1000;
        if (quietMs > quietMsMax(RULE, "lorawan", QUARTER_S, loss)) falsely++;
        if (quietMs > (4 * QUARTER_S + 120) * 1000) byFour++;
        if (next() < 0.1) continue;
        loss = lossAfter(loss, gap * QUARTER_S * 1000, QUARTER_S);
        gap = 0;
      }
    }
    expect({ seed, isRare: falsely <= 1 }).toEqual({ seed, isRare: true });
    expect(byFour).toBeGreaterThan(10);
  });

  /** A day of 60 devices that lose a tenth, from nothing known: so many were called silent. */
  function lossyDay(seed: number, knowsPath: boolean): number {
    const next = random(seed);
    const own = new Map<number, { loss: Loss | undefined; minute: number }>();
    let path: Loss | undefined;
    let falsely = 0;
    for (let minute = 0; minute < 1_440; minute++) {
      for (let device = minute % 15; device < 60; device += 15) {
        if (next() < 0.1) continue;
        const before = own.get(device);
        const gapMs = before === undefined ? undefined : (minute - before.minute) * 60_000;
        const loss = worseLoss(before?.loss, knowsPath ? path : undefined);
        if (gapMs !== undefined && gapMs > quietMsMax(RULE, "lorawan", QUARTER_S, loss)) falsely++;
        own.set(device, { loss: gapMs === undefined ? undefined : lossAfter(before?.loss, gapMs, QUARTER_S), minute });
        if (gapMs !== undefined) path = lossAfter(path, gapMs, QUARTER_S);
      }
    }
    return falsely;
  }

  test("60 devices that lose a tenth: in 40 days (seeds 1 to 40) at most one is called silent, by what the whole path loses", () => {
    const days = Array.from({ length: 40 }, (_, i) => i + 1);
    const sum = (knowsPath: boolean) => days.reduce((total, seed) => total + lossyDay(seed, knowsPath), 0);
    expect(sum(true)).toBeLessThanOrEqual(1);
    expect(sum(false)).toBeGreaterThan(2);
  });

  test("the loss is learned from gaps, and an outage is none", () => {
    const next = random(7);
    let loss: Loss | undefined;
    let gap = 1;
    for (let report = 0; report < 5_000; report++) {
      if (next() < 0.2) gap++;
      else {
        loss = lossAfter(loss, gap * 60_000, 60);
        gap = 1;
      }
    }
    const { lost = 0, reports = 1 } = loss ?? {};
    expect(lost / reports).toBeGreaterThan(0.13);
    expect(lost / reports).toBeLessThan(0.27);
    expect(lossAfter(loss, 40 * 60_000, 60)).toEqual(loss);
  });
});

describe("a path", () => {
  const device = (quietS: number | undefined, isSilent = false): PathDevice => ({
    intervalS: 60,
    quietMs: quietS === undefined ? undefined : quietS * 1000,
    isSilent,
  });

  test.each([
    ["is down when all went quiet", [device(301, true), device(250), device(200)], true],
    ["is up while one is heard", [device(900, true), device(900, true), device(30)], false],
    ["is up while nobody counts as silent", [device(200), device(190), device(180)], false],
    ["of two devices says nothing", [device(900, true), device(900, true)], false],
    [
      "is not judged by devices that were never heard",
      [device(900, true), device(900, true), device(undefined)],
      false,
    ],
  ])("%s", (_, devices, isDown) => {
    expect(isPathDown(devices)).toBe(isDown);
  });
});
