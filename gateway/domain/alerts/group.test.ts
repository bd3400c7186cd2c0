import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type GroupFigures, type GroupMember, stepGroup } from "./group.ts";

const RULE = { at: 4 };

function members(count: number, more: Partial<GroupMember> = {}): GroupMember[] {
  return Array.from({ length: count }, (_, at) => ({
    pointId: `p-${at}`,
    name: `Punt ${at}`,
    region: at % 3 === 0 ? "Gooi" : "Flevoland",
    priority: 3,
    sinceMs: 1000 + at,
    isPending: false,
    ...more,
  }));
}

function figures(more: Partial<GroupFigures> = {}): GroupFigures {
  return { count: 4, most: 4, seen: 0, firstOutMs: 1000, firstOut: "Punt 0", regions: "", ...more };
}

describe("a group", () => {
  test("is made by enough points, and says how many, where and which was first", () => {
    expect(stepGroup(RULE, members(3), undefined)).toEqual({ kind: "none" });
    const step = stepGroup(RULE, members(7), undefined);
    expect(step).toMatchObject({ kind: "breach", priority: 3, isGrown: false });
    expect(step.kind === "breach" && step.figures).toEqual({
      count: 7,
      most: 7,
      seen: 0,
      firstOutMs: 1000,
      firstOut: "Punt 0",
      regions: "Flevoland 4, Gooi 3",
    });
  });

  test("waits until the delay of one is over, and then counts those that wait", () => {
    const waiting = members(180, { isPending: true });
    expect(stepGroup(RULE, waiting, undefined).kind).toBe("none");
    const due = waiting.map((one, at) => (at === 9 ? { ...one, isPending: false } : one));
    expect(stepGroup(RULE, due, undefined)).toMatchObject({ kind: "breach", figures: { count: 180 } });
  });

  test("is as pressing as its most pressing member", () => {
    const mixed = [...members(5), ...members(1, { priority: 1 })];
    expect(stepGroup(RULE, mixed, undefined)).toMatchObject({ priority: 1 });
  });

  test("falls apart below half, and keeps what it was", () => {
    const open = { figures: figures({ most: 180, count: 180 }), isActive: true };
    expect(stepGroup(RULE, members(2), open)).toMatchObject({ kind: "breach" });
    expect(stepGroup(RULE, members(1), open)).toMatchObject({ kind: "clear", figures: { count: 1, most: 180 } });
    expect(stepGroup(RULE, [], open)).toMatchObject({ kind: "clear", figures: { firstOut: "Punt 0" } });
  });

  test("that has returned begins anew", () => {
    const open = { figures: figures({ most: 180, seen: 180 }), isActive: false };
    expect(stepGroup(RULE, members(3), open)).toEqual({ kind: "none" });
    expect(stepGroup(RULE, members(5), open)).toMatchObject({ kind: "breach", figures: { most: 5, seen: 0 } });
  });

  test.each([
    [100, 104, false],
    [100, 125, true],
    [4, 8, false],
    [4, 9, true],
    [0, 50, false],
  ])("of which %i were seen and that has %i has grown: %s", (seen, count, isGrown) => {
    const open = { figures: figures({ seen, count: seen }), isActive: true };
    expect(stepGroup(RULE, members(count), open)).toMatchObject({ kind: "breach", isGrown });
  });

  test("first-out is the earliest, in whatever order they are told of", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(members(12), { minLength: 6, maxLength: 12 }), (some) => {
        const step = stepGroup(RULE, some, undefined);
        const first = [...some].sort((a, b) => a.sinceMs - b.sinceMs)[0];
        expect(step.kind === "breach" && step.figures.firstOut).toBe(first?.name);
      }),
    );
  });
});
