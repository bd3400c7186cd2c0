// Which day goes, and which never: by run time, cursors and room.
import { describe, expect, test } from "vitest";
import { createRandom } from "../../firmware/simulator/random.ts";
import { isTurnDue, nextDrop, RANGE_MS, RANGE_ROWS_MAX, RANGES_MAX, RAW_MS, type RetentionState } from "./retention.ts";
import type { Range } from "./store.ts";

const HOUR_MS = 3_600_000;
const RULES = { keepMs: 7 * 24 * HOUR_MS, lowBytes: 1_000 };
const SEED = Number(process.env["RETENTION_SEED"] ?? Math.floor(performance.timeOrigin) % 1_000_000);
console.info(`retention: RETENTION_SEED=${SEED}`);

/** Ten rows a day; the last is open. */
function days(count: number): Range[] {
  return Array.from({ length: count }, (_, i) => ({
    firstId: i * 10 + 1,
    lastId: i * 10 + 10,
    openedRunMs: i * RANGE_MS,
    closedRunMs: i === count - 1 ? undefined : (i + 1) * RANGE_MS,
  }));
}

function state(part: Partial<RetentionState> & { read?: Record<string, number> } = {}): RetentionState {
  const { read = { engine: 1_000, history: 1_000 }, ...rest } = part;
  const cursors = new Map(Object.entries(read));
  return { ranges: days(5), cursors, runMs: 5 * RANGE_MS, freeBytes: 5_000, isFull: false, ...rest };
}

describe("a range is closed", () => {
  test("after a day of running or four million rows, and never an empty one", () => {
    const open: Range = { firstId: 1, lastId: 5, openedRunMs: 1_000, closedRunMs: undefined };
    expect(isTurnDue([open], 1_000 + RANGE_MS - 1)).toBe(false);
    expect(isTurnDue([open], 1_000 + RANGE_MS)).toBe(true);
    expect(isTurnDue([{ ...open, lastId: 0 }], 9 * RANGE_MS)).toBe(false);
    expect(isTurnDue([{ ...open, lastId: RANGE_ROWS_MAX - 1 }], 1_000)).toBe(false);
    expect(isTurnDue([{ ...open, lastId: RANGE_ROWS_MAX }], 1_000)).toBe(true);
  });

  test("until there are as many as are kept apart", () => {
    expect(isTurnDue(days(RANGES_MAX - 1), 9_999 * RANGE_MS)).toBe(true);
    expect(isTurnDue(days(RANGES_MAX), 9_999 * RANGE_MS)).toBe(false);
  });
});

describe("the oldest range goes", () => {
  test("when it is older than is kept and all have read it, without a loss", () => {
    const runMs = RANGE_MS + RULES.keepMs;
    expect(nextDrop(state({ ranges: days(9), runMs: runMs - 1 }), RULES)).toBeUndefined();
    expect(nextDrop(state({ ranges: days(9), runMs }), RULES)).toEqual({
      throughId: 10,
      lossFromId: undefined,
      why: "age",
    });
    expect(nextDrop(state({ ranges: days(9), runMs, read: { engine: 99, "sink:a": 9 } }), RULES)).toBeUndefined();
    expect(nextDrop(state({ ranges: days(9), runMs, read: {} }), RULES)).toBeUndefined();
  });

  test("never before 72 hours, however few days are asked for", () => {
    const rules = { ...RULES, keepMs: 0 };
    expect(nextDrop(state({ runMs: RANGE_MS + RAW_MS - 1 }), rules)).toBeUndefined();
    expect(nextDrop(state({ runMs: RANGE_MS + RAW_MS }), rules)).toMatchObject({ why: "age" });
  });

  test("when the disk is low and it is older than 72 hours: read by all without a loss, else with what is not read", () => {
    expect(nextDrop(state({ freeBytes: 1_000 }), RULES)).toBeUndefined();
    expect(nextDrop(state({ freeBytes: 999 }), RULES)).toMatchObject({ throughId: 10, lossFromId: undefined });
    const behind = { engine: 1_000, history: 6, "sink:a": 4 };
    expect(nextDrop(state({ freeBytes: 999, read: behind }), RULES)).toEqual({
      throughId: 10,
      lossFromId: 5,
      why: "disk low, not read by history, sink:a",
    });
    expect(nextDrop(state({ freeBytes: 999, read: {} }), RULES)).toMatchObject({ lossFromId: 1 });
  });

  test("when the disk is full and it is younger: only when read by all and kept by another than the engine, as a loss", () => {
    const young = { ranges: days(3), runMs: 3 * RANGE_MS };
    expect(nextDrop(state({ ...young, freeBytes: 0 }), RULES)).toBeUndefined();
    const full = { ...young, freeBytes: 0, isFull: true };
    expect(nextDrop(state(full), RULES)).toEqual({ throughId: 10, lossFromId: 1, why: "disk full, read by all" });
    expect(nextDrop(state({ ...full, read: { engine: 1_000 } }), RULES)).toBeUndefined();
    expect(nextDrop(state({ ...full, read: { engine: 1_000, history: 9 } }), RULES)).toBeUndefined();
    expect(nextDrop(state({ ...full, ranges: days(1) }), RULES)).toBeUndefined();
  });
});

test.each(Array.from({ length: 40 }, (_, i) => SEED + i))(
  "no state makes it drop what is promised: seed %i",
  (seed) => {
    const random = createRandom(seed);
    const whole = (below: number) => Math.floor(random.next() * below);
    for (let i = 0; i < 200; i++) {
      const ranges = days(1 + whole(12)).slice(whole(3));
      const names = ["engine", "history", "sink:a"].filter(() => random.next() < 0.7);
      const cursors = new Map(names.map((name) => [name, whole(130)]));
      const isFull = random.next() < 0.3;
      const freeBytes = whole(2_000);
      const runMs = 12 * RANGE_MS + whole(10) * RANGE_MS - whole(5) * RANGE_MS;
      const drop = nextDrop({ ranges, cursors, runMs, freeBytes, isFull }, RULES);
      if (drop === undefined) continue;
      const oldest = ranges[0] as Range;
      expect(drop.throughId).toBe(oldest.lastId);
      expect(oldest.closedRunMs).toBeDefined();
      const unread = [...cursors.values()].some((id) => id < drop.throughId);
      const isYoung = runMs - (oldest.closedRunMs as number) < RAW_MS;
      expect(unread && isYoung).toBe(false);
      if (unread || isYoung) expect(drop.lossFromId).toBeDefined();
      if (unread) expect(drop.lossFromId).toBe(Math.max(oldest.firstId, Math.min(...cursors.values()) + 1));
    }
  },
);
