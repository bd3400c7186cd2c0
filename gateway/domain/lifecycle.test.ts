import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PHASES, type Phase } from "../../protocol/index.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import {
  CHANGES_MAX,
  type Lifecycle,
  NO_LIFECYCLE,
  phaseNow,
  stepDevicePhase,
  stepToldPhase,
  transitionOf,
} from "./lifecycle.ts";
import { CONCEPT_2026 } from "./profile.ts";

const MINUTE_MS = 60_000;
const BY = { by: "coordinator-1", via: "voice" } as const;
const at = (minute: number) => NOON_MS + minute * MINUTE_MS;
const tell = (life: Lifecycle, phase: Phase, minute: number) =>
  stepToldPhase(life, { phase, atMs: at(minute), told: BY });
const report = (life: Lifecycle, phase: string, minute: number, deviceId = "alm-01-d1") =>
  stepDevicePhase(life, { deviceId, phase, atMs: at(minute), untilMs: at(10_000) });

describe("a transition", () => {
  test.each([
    ["standby", "opening", "forward"],
    ["standby", "open", "skipped"],
    ["opening", "open", "forward"],
    ["open", "limited", "forward"],
    ["full", "open", "forward"],
    ["open", "opening", "back"],
    ["closing", "open", "back"],
    ["closed", "standby", "ready-again"],
    ["closed", "open", "back"],
    ["open", "out-of-service", "taken-out"],
    ["standby", "out-of-service", "taken-out"],
    ["out-of-service", "open", "returned"],
    ["open", "open", "same"],
  ] as const)("from %s to %s is called %s", (from, to, reason) => {
    expect(transitionOf(from, to)).toBe(reason);
  });

  test("has a name for every pair: nothing that is said is refused", () => {
    for (const from of PHASES) for (const to of PHASES) expect(transitionOf(from, to)).toMatch(/^[a-z-]+$/);
  });
});

describe("device and person", () => {
  test("the button moves it, and what the device repeats does not undo what a person says", () => {
    let step = report(NO_LIFECYCLE, "opening", 0);
    expect(step.reason).toBe("first");
    step = report(step.lifecycle, "open", 10);
    expect([step.reason, step.lifecycle.current]).toEqual([
      "forward",
      { phase: "open", atMs: at(10), deviceId: "alm-01-d1" },
    ]);
    step = tell(step.lifecycle, "full", 30);
    expect(step.reason).toBe("forward");
    step = report(step.lifecycle, "open", 31);
    expect([step.reason, step.lifecycle.current?.phase]).toEqual(["same", "full"]);
    step = report(step.lifecycle, "closing", 90);
    expect([step.reason, step.lifecycle.current?.phase]).toEqual(["forward", "closing"]);
    expect(step.lifecycle.changes.map(({ phase }) => phase)).toEqual(["opening", "open", "full", "closing"]);
  });

  test("a report older than what a person said stands in the list and moves nothing", () => {
    const said = tell(report(NO_LIFECYCLE, "open", 0).lifecycle, "closed", 60).lifecycle;
    const { lifecycle, reason } = report(said, "limited", 30);
    expect([reason, lifecycle.current?.phase]).toEqual(["late", "closed"]);
    expect(lifecycle.changes.map(({ phase }) => phase)).toEqual(["open", "limited", "closed"]);
  });

  test("so does what a person tells of an earlier moment", () => {
    const { lifecycle, reason } = tell(report(NO_LIFECYCLE, "open", 60).lifecycle, "opening", 50);
    expect([reason, lifecycle.current?.phase, lifecycle.current?.atMs]).toEqual(["late", "open", at(60)]);
    expect(lifecycle.changes.map(({ phase }) => phase)).toEqual(["opening", "open"]);
  });

  test("what a new device starts with does not overrule a person", () => {
    const { lifecycle, reason } = report(tell(NO_LIFECYCLE, "open", 0).lifecycle, "standby", 5);
    expect([reason, lifecycle.current?.phase]).toEqual(["first-word", "open"]);
    expect(report(lifecycle, "closing", 9).lifecycle.current?.phase).toBe("closing");
  });

  test("no word moves nothing", () => {
    for (const phase of ["absent", "unknown", "reserved-9"])
      expect(report(NO_LIFECYCLE, phase, 0).reason).toBe("no-word");
  });

  test("what a clock ahead of now has said is forgotten", () => {
    const wrong = stepDevicePhase(NO_LIFECYCLE, {
      deviceId: "d",
      phase: "closed",
      atMs: at(5_000),
      untilMs: at(9_000),
    });
    const right = stepDevicePhase(wrong.lifecycle, { deviceId: "d", phase: "open", atMs: at(1), untilMs: at(11) });
    expect(right.lifecycle.current).toMatchObject({ phase: "open", atMs: at(1) });
  });

  test("the same reports in whatever order give the same phase", () => {
    const one = fc.record({ minute: fc.integer({ min: 0, max: 300 }), phase: fc.constantFrom(...PHASES) });
    fc.assert(
      fc.property(fc.uniqueArray(one, { selector: ({ minute }) => minute, maxLength: 20 }), (reports) => {
        const play = (list: typeof reports) =>
          list.reduce((life, { minute, phase }) => report(life, phase, minute).lifecycle, NO_LIFECYCLE);
        const ordered = [...reports].sort((a, b) => a.minute - b.minute);
        expect(play(reports).current?.phase).toBe(play(ordered).current?.phase);
        expect(play(ordered).current?.phase).toBe(ordered.at(-1)?.phase);
      }),
      { seed: 5 },
    );
  });

  test("the list has an end", () => {
    let life: Lifecycle = NO_LIFECYCLE;
    for (let i = 0; i < 200; i++) life = tell(life, i % 2 === 0 ? "open" : "full", i).lifecycle;
    expect([life.changes.length, life.told.length, life.current?.phase]).toEqual([CHANGES_MAX, CHANGES_MAX, "full"]);
  });
});

describe("the phase now", () => {
  const norms = CONCEPT_2026.lifecycle;
  const open = report(NO_LIFECYCLE, "open", 0).lifecycle;
  const now = (life: Lifecycle, minute: number, hasDevice = true) =>
    phaseNow(life, { nowMs: at(minute), hasDevice, heardMs: at(0), norms });

  test("is unknown for a running point that nobody has heard of for an hour, or a day by word alone", () => {
    expect(now(open, 60).phase).toBe("open");
    expect(now(open, 61)).toEqual({ phase: "unknown", sinceMs: at(60) });
    expect(now(open, 24 * 60, false).phase).toBe("open");
    expect(now(open, 24 * 60 + 1, false).phase).toBe("unknown");
  });

  test("stays for one that is closed, stands by or is out of service", () => {
    for (const phase of ["standby", "closed", "out-of-service"] as const) {
      expect(now(tell(NO_LIFECYCLE, phase, 0).lifecycle, 10_000).phase).toBe(phase);
    }
  });

  test("is unknown of a point of which nobody ever said anything", () => {
    expect(now(NO_LIFECYCLE, 0)).toEqual({ phase: "unknown", sinceMs: undefined });
  });
});
