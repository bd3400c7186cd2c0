// A row that is refused alone: what is done with it, by how many came before it and what became of a later one.
import { describe, expect, test } from "vitest";
import { DEAD_IN_ROW_MAX, FRESH_PUMP, type Probe, stepDelivered, stepGrown, stepRefused } from "./pump-state.ts";

const AT = { ...FRESH_PUMP, cursor: 10, suspectRows: 4, dead: 30 };

describe("a row that is refused alone", () => {
  test.each<[string, number, Probe | undefined, object]>([
    ["the first is set aside", 0, undefined, { kind: "set-aside", state: { deadInRow: 1, suspectRows: 0 } }],
    [
      "behind another the next is tried alone",
      1,
      undefined,
      { kind: "set-aside", state: { deadInRow: 2, suspectRows: 1 } },
    ],
    [
      "the last that is set aside unasked",
      DEAD_IN_ROW_MAX - 1,
      undefined,
      { kind: "set-aside", state: { deadInRow: DEAD_IN_ROW_MAX } },
    ],
    ["at the limit a later one is sent", DEAD_IN_ROW_MAX, undefined, { kind: "probe" }],
    [
      "taken: these are to blame, so many more of them",
      DEAD_IN_ROW_MAX,
      "taken",
      { kind: "set-aside", state: { deadInRow: 1, suspectRows: 1 } },
    ],
    [
      "refused as well: nothing moves",
      DEAD_IN_ROW_MAX,
      "refused",
      { kind: "hold", state: { ...AT, suspectRows: 1, deadInRow: DEAD_IN_ROW_MAX } },
    ],
    [
      "none to send: nothing moves",
      DEAD_IN_ROW_MAX,
      "none",
      { kind: "hold", state: { ...AT, suspectRows: 1, deadInRow: DEAD_IN_ROW_MAX } },
    ],
  ])("%s", (_, deadInRow, probe, expected) => {
    const step = stepRefused({ ...AT, deadInRow }, 11, probe);
    expect(step).toMatchObject(expected);
    if (step.kind === "set-aside") expect(step.state).toMatchObject({ cursor: 11, dead: 31 });
  });
});

test("only rows that were really sent say that the receiver takes any", () => {
  const state = { ...AT, deadInRow: 7 };
  expect(stepDelivered(state, { id: 13, rows: 3, isAnySent: false })).toMatchObject({
    cursor: 13,
    sent: 3,
    suspectRows: 1,
    deadInRow: 7,
  });
  expect(stepDelivered(state, { id: 20, rows: 10, isAnySent: true })).toMatchObject({ suspectRows: 0, deadInRow: 0 });
});

test("a batch grows with success up to the most that its sink takes", () => {
  expect(stepGrown({ ...AT, batchRows: 100 }, 500).batchRows).toBe(111);
  expect(stepGrown({ ...AT, batchRows: 100 }, 105).batchRows).toBe(105);
});
