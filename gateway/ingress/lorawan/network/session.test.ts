import { describe, expect, test } from "vitest";
import { pastCounters, wholeCounter } from "./counters.ts";
import { createLimit } from "./limits.ts";
import { NONCES_MAX, nonceText, readNonces, takeNonce } from "./nonces.ts";
import {
  jumpCounters,
  NEW_DEVICE,
  openSession,
  type Session,
  WAITING_MAX,
  withSession,
  withWaiting,
} from "./session.ts";

describe("a counter of 16 bits made whole", () => {
  test.each([
    // next, low: counter, repeat
    [0, 0, 0, false],
    [0, 5, 5, false],
    [1, 0, 0, true],
    [1, 1, 1, false],
    [65_535, 65_535, 65_535, false],
    [65_536, 65_535, 65_535, true],
    [65_536, 0, 65_536, false],
    [65_536, 10, 65_546, false],
    [65_540, 3, 65_539, true],
    [65_540, 2, 131_074, false],
    [131_072, 131_071 & 0xffff, 131_071, true],
    [131_072, 0, 131_072, false],
  ])("next %i, low %i", (next, low, counter, isRepeat) => {
    expect(wholeCounter(next, low)).toEqual({ counter, isRepeat });
  });

  test("what it can have been before", () => {
    expect(pastCounters(0, 7)).toEqual([]);
    expect(pastCounters(10, 3)).toEqual([3]);
    expect(pastCounters(10, 9)).toEqual([]);
    expect(pastCounters(70_000, 3)).toEqual([65_539, 3]);
    expect(pastCounters(200_000, 60_000)).toEqual([191_072, 60_000]);
  });
});

describe("nonces", () => {
  const ask = (devNonce: number, version: "1.0.3" | "1.0.4" = "1.0.3", keyTag = "a") => ({ devNonce, version, keyTag });

  test("are kept all, to a limit that an operator lifts", () => {
    let nonces = takeNonce(undefined, ask(0));
    for (let i = 1; i < NONCES_MAX; i++) nonces = takeNonce(nonces as Exclude<typeof nonces, string>, ask(i * 16));
    if (typeof nonces === "string") throw new Error(nonces);
    expect(takeNonce(nonces, ask(16))).toBe("nonce-used");
    expect(takeNonce(nonces, ask(1))).toBe("nonces-full");
    expect(takeNonce(nonces, ask(1, "1.0.3", "b"))).toEqual({ keyTag: "b", used: [1] });
    expect(readNonces(nonceText(nonces))).toEqual(nonces);
    expect(nonceText(nonces).length).toBeLessThan(12_000);
  });

  test("of 1.0.4 count up", () => {
    const nonces = takeNonce(undefined, ask(5, "1.0.4")) as { keyTag: string; used: number[] };
    expect(takeNonce(nonces, ask(5, "1.0.4"))).toBe("nonce-used");
    expect(takeNonce(nonces, ask(4, "1.0.4"))).toBe("nonce-too-small");
    expect(takeNonce(nonces, ask(60_000, "1.0.4"))).toEqual({ keyTag: "a", used: [60_000] });
  });
});

describe("sessions", () => {
  const open = (state = NEW_DEVICE, devNonce = 1) =>
    openSession(state, { devAddr: "00000001", devNonce, keyTag: "a", rxDelayS: 5, rx2DataRate: 3 }) as Session;

  test("some wait beside the one that lives, and the one that speaks is left", () => {
    const living = { ...withSession(withWaiting(NEW_DEVICE, open()), open()) };
    expect(living).toMatchObject({ sessions: 1, current: { id: "1" }, waiting: [] });
    let state = living;
    for (let i = 0; i < WAITING_MAX + 2; i++) state = withWaiting(state, open(state));
    expect(state.waiting.map(({ id }) => id)).toEqual(["4", "5", "6"]);
    expect(state.current?.id).toBe("1");
    const spoke = withSession(state, { ...(state.waiting[1] as Session), nextUp: 1 });
    expect(spoke).toMatchObject({ sessions: 6, current: { id: "5", nextUp: 1 }, waiting: [] });
  });

  test("their numbers end, and are never given twice", () => {
    expect(openSession({ ...NEW_DEVICE, sessions: 0xff_ffff }, { ...open(), devNonce: 1 })).toBeUndefined();
    const jumped = jumpCounters(withWaiting(withSession(NEW_DEVICE, open()), open(NEW_DEVICE, 2)));
    expect(jumped.sessions).toBeGreaterThan(1_000);
    expect([jumped.current?.nextDown, jumped.waiting[0]?.nextDown]).toEqual([4_096, 4_096]);
  });
});

test("a limit comes back with time, and forgets who was idle longest", () => {
  const clock = { ms: 0, monotonicMs: () => clock.ms } as never as { ms: number };
  const limit = createLimit(clock as never, { burst: 2, perS: 0.5 });
  expect([limit.take("a"), limit.take("a"), limit.take("a"), limit.has("a")]).toEqual([true, true, false, false]);
  clock.ms = 1_999;
  expect(limit.take("a")).toBe(false);
  clock.ms = 2_000;
  expect([limit.take("a"), limit.has("b")]).toEqual([true, true]);
  for (let i = 0; i < 5_000; i++) limit.take(`n${i}`);
  expect(limit.take("a")).toBe(true);
});
