// The life of an alert as one table: every state against every input.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  HIDDEN_STATES,
  isHidden,
  LIFE_STATES,
  type Life,
  type LifeInput,
  type LifeState,
  NORMAL,
  stepLife,
} from "./life.ts";

const ACTIVE: readonly LifeState[] = ["unacknowledged", "acknowledged", ...HIDDEN_STATES];

function life(state: LifeState, more: Partial<Life> = {}): Life {
  return { state, priority: 2, isActive: ACTIVE.includes(state), owes: "nothing", isSeen: false, ...more };
}

const INPUTS = {
  "breach 2": { kind: "breach", priority: 2 },
  "breach 1": { kind: "breach", priority: 1 },
  "breach 3": { kind: "breach", priority: 3 },
  grow: { kind: "grow" },
  clear: { kind: "clear" },
  "clear, latching": { kind: "clear", latches: true },
  acknowledge: { kind: "acknowledge" },
  reset: { kind: "reset" },
  shelve: { kind: "shelve" },
  unshelve: { kind: "unshelve" },
  "shelf ends": { kind: "shelf-end" },
  suppress: { kind: "suppress" },
  "cause seen": { kind: "cause-seen" },
  release: { kind: "release" },
  "take out": { kind: "take-out" },
  "put back": { kind: "put-back" },
} as const satisfies Readonly<Record<string, LifeInput>>;

type InputName = keyof typeof INPUTS;
type Cell = readonly [state: LifeState, reason: string];

const NOTHING = "nothing-to-do";
/** Rows are states, and cells in the order of the inputs. */
const TABLE: Readonly<Record<LifeState, readonly Cell[]>> = {
  normal: [
    ["unacknowledged", "raised"],
    ["unacknowledged", "raised"],
    ["unacknowledged", "raised"],
    ["normal", NOTHING],
    ["normal", NOTHING],
    ["normal", NOTHING],
    ["normal", NOTHING],
    ["normal", NOTHING],
    ["normal", NOTHING],
    ["normal", NOTHING],
    ["normal", NOTHING],
    ["normal", NOTHING],
    ["normal", NOTHING],
    ["normal", NOTHING],
    ["out-of-service", "taken-out"],
    ["normal", NOTHING],
  ],
  unacknowledged: [
    ["unacknowledged", "holding"],
    ["unacknowledged", "escalated"],
    ["unacknowledged", "de-escalated"],
    ["unacknowledged", "holding"],
    ["returned-unacknowledged", "returned"],
    ["latched-unacknowledged", "latched"],
    ["acknowledged", "acknowledged"],
    ["unacknowledged", "still-holding"],
    ["shelved", "shelved"],
    ["unacknowledged", NOTHING],
    ["unacknowledged", NOTHING],
    ["suppressed", "suppressed"],
    ["unacknowledged", NOTHING],
    ["unacknowledged", NOTHING],
    ["out-of-service", "taken-out"],
    ["unacknowledged", NOTHING],
  ],
  acknowledged: [
    ["acknowledged", "holding"],
    ["unacknowledged", "escalated"],
    ["acknowledged", "de-escalated"],
    ["unacknowledged", "grown"],
    ["normal", "handled"],
    ["latched-acknowledged", "latched"],
    ["acknowledged", "acknowledged-already"],
    ["acknowledged", "still-holding"],
    ["shelved", "shelved"],
    ["acknowledged", NOTHING],
    ["acknowledged", NOTHING],
    ["suppressed", "suppressed"],
    ["acknowledged", NOTHING],
    ["acknowledged", NOTHING],
    ["out-of-service", "taken-out"],
    ["acknowledged", NOTHING],
  ],
  "returned-unacknowledged": [
    ["unacknowledged", "breached-again"],
    ["unacknowledged", "breached-again"],
    ["unacknowledged", "breached-again"],
    ["returned-unacknowledged", NOTHING],
    ["returned-unacknowledged", "waiting-for-acknowledgement"],
    ["returned-unacknowledged", "waiting-for-acknowledgement"],
    ["normal", "handled"],
    ["returned-unacknowledged", "waiting-for-acknowledgement"],
    ["shelved", "shelved"],
    ["returned-unacknowledged", NOTHING],
    ["returned-unacknowledged", NOTHING],
    ["suppressed", "suppressed"],
    ["returned-unacknowledged", NOTHING],
    ["returned-unacknowledged", NOTHING],
    ["out-of-service", "taken-out"],
    ["returned-unacknowledged", NOTHING],
  ],
  "latched-unacknowledged": [
    ["unacknowledged", "breached-again"],
    ["unacknowledged", "breached-again"],
    ["unacknowledged", "breached-again"],
    ["latched-unacknowledged", NOTHING],
    ["latched-unacknowledged", "waiting-for-reset"],
    ["latched-unacknowledged", "waiting-for-reset"],
    ["latched-acknowledged", "acknowledged"],
    ["latched-unacknowledged", "acknowledge-first"],
    ["shelved", "shelved"],
    ["latched-unacknowledged", NOTHING],
    ["latched-unacknowledged", NOTHING],
    ["suppressed", "suppressed"],
    ["latched-unacknowledged", NOTHING],
    ["latched-unacknowledged", NOTHING],
    ["out-of-service", "taken-out"],
    ["latched-unacknowledged", NOTHING],
  ],
  "latched-acknowledged": [
    ["unacknowledged", "breached-again"],
    ["unacknowledged", "breached-again"],
    ["unacknowledged", "breached-again"],
    ["latched-acknowledged", NOTHING],
    ["latched-acknowledged", "waiting-for-reset"],
    ["latched-acknowledged", "waiting-for-reset"],
    ["latched-acknowledged", "acknowledged-already"],
    ["normal", "reset"],
    ["shelved", "shelved"],
    ["latched-acknowledged", NOTHING],
    ["latched-acknowledged", NOTHING],
    ["suppressed", "suppressed"],
    ["latched-acknowledged", NOTHING],
    ["latched-acknowledged", NOTHING],
    ["out-of-service", "taken-out"],
    ["latched-acknowledged", NOTHING],
  ],
  shelved: [
    ["shelved", "hidden"],
    ["unacknowledged", "escalated"],
    ["shelved", "hidden"],
    ["shelved", "hidden"],
    ["shelved", "hidden"],
    ["shelved", "hidden"],
    ["shelved", "hidden"],
    ["shelved", "hidden"],
    ["shelved", "holding"],
    ["acknowledged", "unshelved"],
    ["unacknowledged", "shelf-over"],
    ["shelved", "hidden"],
    ["shelved", "hidden"],
    ["shelved", NOTHING],
    ["out-of-service", "taken-out"],
    ["shelved", NOTHING],
  ],
  suppressed: [
    ["suppressed", "hidden"],
    ["suppressed", "hidden"],
    ["suppressed", "hidden"],
    ["suppressed", "hidden"],
    ["suppressed", "hidden"],
    ["suppressed", "hidden"],
    ["suppressed", "hidden"],
    ["suppressed", "hidden"],
    ["shelved", "shelved"],
    ["suppressed", NOTHING],
    ["suppressed", NOTHING],
    ["suppressed", "holding"],
    ["suppressed", "seen-with-cause"],
    ["unacknowledged", "released"],
    ["out-of-service", "taken-out"],
    ["suppressed", NOTHING],
  ],
  "out-of-service": [
    ["out-of-service", "hidden"],
    ["out-of-service", "hidden"],
    ["out-of-service", "hidden"],
    ["out-of-service", "hidden"],
    ["out-of-service", "hidden"],
    ["out-of-service", "hidden"],
    ["out-of-service", "hidden"],
    ["out-of-service", "hidden"],
    ["out-of-service", "hidden"],
    ["out-of-service", NOTHING],
    ["out-of-service", NOTHING],
    ["out-of-service", "hidden"],
    ["out-of-service", "hidden"],
    ["out-of-service", NOTHING],
    ["out-of-service", "holding"],
    ["unacknowledged", "put-back"],
  ],
};

const NAMES = Object.keys(INPUTS) as InputName[];
const CELLS = LIFE_STATES.flatMap((state) =>
  NAMES.map((name, at) => [state, name, ...((TABLE[state][at] ?? ["missing", ""]) as Cell)] as const),
);

test.each(CELLS)("%s takes %s: %s, %s", (state, name, after, reason) => {
  const step = stepLife(life(state), INPUTS[name]);
  expect([step.life.state, step.reason]).toEqual([after, reason]);
});

function play(start: Life, ...names: InputName[]): Life {
  return names.reduce((before, name) => stepLife(before, INPUTS[name]).life, start);
}

describe("hidden and back", () => {
  test.each([
    ["what ended under the shelf is over", "acknowledged", ["shelve", "clear", "shelf ends"], "normal"],
    ["what comes off the shelf by itself is unseen", "acknowledged", ["shelve", "shelf ends"], "unacknowledged"],
    ["what a person takes off the shelf is seen", "unacknowledged", ["shelve", "unshelve"], "acknowledged"],
    ["what a person had seen is released as seen", "acknowledged", ["suppress", "release"], "acknowledged"],
    ["… unless it became more pressing", "acknowledged", ["suppress", "breach 1", "release"], "unacknowledged"],
    [
      "a returned one is still to be seen",
      "returned-unacknowledged",
      ["suppress", "release"],
      "returned-unacknowledged",
    ],
    ["a latched one is still latched", "latched-acknowledged", ["suppress", "release"], "latched-acknowledged"],
    [
      "what latches while hidden is latched",
      "unacknowledged",
      ["suppress", "clear, latching", "release"],
      "latched-unacknowledged",
    ],
    ["work on it goes before its shelf", "unacknowledged", ["shelve", "take out", "shelf ends"], "out-of-service"],
    ["a shelf goes before suppression", "unacknowledged", ["suppress", "shelve", "release"], "shelved"],
    ["what began while it was out of service shows", "normal", ["take out", "breach 2", "put back"], "unacknowledged"],
    ["nothing began while it was out of service", "normal", ["take out", "put back"], "normal"],
  ] as const)("%s", (_, state, names, after) => {
    const last = play(life(state), ...names);
    expect(last.state).toBe(after);
  });
});

describe("whatever comes, in any order", () => {
  const steps = fc.array(fc.constantFrom(...NAMES), { maxLength: 40 });

  test("nothing is acknowledged but by a person", () => {
    fc.assert(
      fc.property(steps, (names) => {
        const after = names
          .filter((name) => !["acknowledge", "unshelve", "cause seen"].includes(name))
          .reduce((one, name) => play(one, name), NORMAL);
        expect(after.state).not.toMatch(/^(acknowledged|latched-acknowledged)$/);
      }),
    );
  });

  test("a condition that holds is shown once nothing hides it", () => {
    fc.assert(
      fc.property(steps, (names) => {
        const bare = play(NORMAL, ...names, "breach 2", "put back", "unshelve", "release");
        expect(isHidden(bare.state)).toBe(false);
        expect(bare.isActive).toBe(true);
        expect(["unacknowledged", "acknowledged"]).toContain(bare.state);
      }),
    );
  });

  test("it ends: cleared, seen and reset, everything is normal", () => {
    fc.assert(
      fc.property(steps, (names) => {
        const bare = play(NORMAL, ...names, "put back", "unshelve", "release", "clear", "acknowledge", "reset");
        expect(bare.state).toBe("normal");
      }),
    );
  });
});
