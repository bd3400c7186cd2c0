// Rules as timelines: what is seen at which minute, and what comes of it.
import { describe, expect, test } from "vitest";
import { POINT } from "../../tests/engine-fixtures.ts";
import { NOON_MS, report } from "../../tests/fixtures.ts";
import { alertText } from "./alert-text.ts";
import { quantitiesOf, rulesHeld } from "./alerts/rule-set.ts";
import { bitsOf, HELD_MS, type HeldSeries, heldSince, isWanted, withHeld } from "./held.ts";
import type { PointView } from "./point.ts";
import { emptyModel, withReport } from "./point-model.ts";
import { pointState } from "./point-state.ts";
import { CONCEPT_2026 } from "./profile.ts";
import { type Candidate, candidatesOf, type Finding, stepMatter } from "./rules.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

interface Seen {
  readonly enduranceH: number;
  readonly phase?: string;
  readonly generator?: "running" | "failed";
  readonly view?: PointView;
}

/** The state of a point that has so many hours left at the default rate of its set (1.4 l/h, 200 l). */
function stateAt({ enduranceH, phase = "open", generator = "running", view = POINT }: Seen, targetH = 60) {
  const fuelLevelPct = (enduranceH * 1.4) / 2;
  const power = { fuelLevelPct, generator, mains: "lost", loadKw: "absent", starterBatteryV: 13.8 } as const;
  const arrival = {
    deviceId: "alm-01-d1",
    sequence: 1,
    receivedMs: NOON_MS,
    timeMs: NOON_MS,
    quality: "synced",
  } as const;
  const model = withReport(emptyModel("alm-01"), view, { ...arrival, report: report({ phase, power }) });
  const devices = [{ deviceId: "alm-01-d1", pointId: "alm-01", link: "mqtt", reportIntervalS: 60 }] as const;
  const moment = { nowMs: NOON_MS, targetMs: NOON_MS + targetH * HOUR, contact: "present", priority: 0 } as const;
  return pointState(model, view, { ...moment, devices });
}

const RULES = CONCEPT_2026.rules;

/** What holds of one matter; `active` is the rule of its open alert. */
function candidates(matter: string, state: ReturnType<typeof stateAt>, active?: string): Candidate[] {
  const rule = RULES.find((one) => one.ruleId === active);
  const open = rule === undefined ? undefined : { ruleId: rule.ruleId, priority: rule.priority };
  const mine = RULES.filter((one) => one.matter === matter);
  return candidatesOf(
    rulesHeld(mine, quantitiesOf(state), () => open),
    state,
  );
}

function rulesOf(seen: Seen, active?: string, targetH = 60): string[] {
  return candidates("power", stateAt(seen, targetH), active).map((one) => one.ruleId);
}

/** Plays [minute, hours left] and gives what the alert on the point's power is after each. */
function play(steps: readonly (readonly [minute: number, enduranceH: number])[], held: HeldSeries = []) {
  let conditions: Readonly<Record<string, number>> = {};
  let active: Finding | undefined;
  return steps.map(([minute, enduranceH]) => {
    const found = candidates("power", stateAt({ enduranceH }, 15), active?.ruleId);
    const nowMs = NOON_MS + minute * MINUTE;
    const context = { conditions, held, nowMs, activePriority: active?.priority, offDelayS: 60 };
    const step = stepMatter("power", found, context);
    conditions = step.conditions;
    if (step.verdict.kind === "breach") active = step.verdict.finding;
    if (step.verdict.kind === "clear") active = undefined;
    return [minute, active?.ruleId ?? "none"];
  });
}

describe("the power of a point", () => {
  test("is one matter: a worse level takes the place of a better one, each after its own delay", () => {
    expect(
      play([
        [0, 11],
        [29, 11],
        [30, 11],
        [31, 3.5],
        [40, 3.5],
        [41, 3.5],
      ]),
    ).toEqual([
      [0, "none"],
      [29, "none"],
      [30, "endurance-low"],
      [31, "endurance-low"],
      [40, "endurance-low"],
      [41, "endurance-critical"],
    ]);
  });

  test("has a dead band: critical lasts to 6 hours, low to 16, and the end must last a minute", () => {
    const timeline = [
      [0, 3],
      [10, 3],
      [11, 5.9],
      [12, 6.1],
      [13, 15.9],
      [14, 40],
      [14.5, 40],
      [15, 40],
    ] as const;
    expect(play(timeline)).toEqual([
      [0, "none"],
      [10, "endurance-critical"],
      [11, "endurance-critical"],
      [12, "endurance-low"],
      [13, "endurance-low"],
      [14, "endurance-low"],
      [14.5, "endurance-low"],
      [15, "none"],
    ]);
  });

  test("a spell that is too brief starts the delay again", () => {
    expect(
      play([
        [0, 3],
        [9, 3],
        [9.5, 40],
        [10, 3],
        [19, 3],
        [20, 3],
      ]).map(([, rule]) => rule),
    ).toEqual(["none", "none", "none", "none", "none", "endurance-critical"]);
  });

  test("minutes that arrived late count as the minutes that they were", () => {
    const bits = bitsOf(["endurance-low", "endurance-critical"]);
    const late = Array.from({ length: 6 }, (_, i) => NOON_MS - (15 - 3 * i) * MINUTE);
    const held = late.reduce<HeldSeries>((series, atMs) => withHeld(series, atMs, bits), []);
    expect(play([[0, 3]], held)).toEqual([[0, "endurance-critical"]]);
  });

  test("not reaching 72 hours is told of when even the optimistic figure falls short", () => {
    expect(rulesOf({ enduranceH: 40 }, undefined, 100)).toEqual(["cannot-reach-72h"]);
    expect(rulesOf({ enduranceH: 40 }, undefined, 45)).toEqual([]);
    expect(rulesOf({ enduranceH: 40 }, "cannot-reach-72h", 45)).toEqual(["cannot-reach-72h"]);
    expect(rulesOf({ enduranceH: 40 }, "cannot-reach-72h", 15)).toEqual([]);
  });

  test("nothing falls short of 72 hours that are over", () => {
    expect(rulesOf({ enduranceH: 20 }, undefined, -5)).toEqual([]);
    expect(stateAt({ enduranceH: 20 }, -5).endurance).toMatchObject({ reaches72h: "yes" });
    expect(stateAt({ enduranceH: 20 }, -5).endurance).not.toHaveProperty("shortage");
  });

  test("no backup at an open point is prio 1 at once; at one that is closed it can wait", () => {
    const bare: PointView = { ...POINT, generator: undefined };
    const found = (phase: string) => {
      const seen = { enduranceH: 9, phase, view: bare };
      return candidates("power", stateAt(seen)).map((one) => [one.ruleId, one.priority]);
    };
    expect(found("open")).toEqual([["power-lost", 1]]);
    expect(found("closed")).toEqual([["power-lost", 3]]);
  });

  test("a failed generator is named as the reason", () => {
    const state = stateAt({ enduranceH: 40, generator: "failed" });
    const [found] = candidates("power", state);
    expect(alertText("power-lost", found?.values ?? {}).nl.consequence).toContain("aggregaat is gestoord");
  });
});

test("silence of a point that is closed is of less weight than that of an open one", () => {
  const of = (phase: string) => {
    const state = { ...stateAt({ enduranceH: 20, phase }), contact: "silent" } as const;
    return candidates("silence", state).map((one) => one.priority);
  };
  expect(of("open")).toEqual([2]);
  expect(of("unknown")).toEqual([2]);
  expect(of("standby")).toEqual([3]);
});

describe("what late samples say", () => {
  const low = bitsOf(["endurance-low"]);
  const series = (minutes: readonly number[], bits = low): HeldSeries =>
    minutes.reduce<HeldSeries>((held, minute) => withHeld(held, NOON_MS + minute * MINUTE, bits), []);

  test("reaches back without a break, in whatever order it came", () => {
    expect(heldSince(series([-60, -45, -15, -30]), "endurance-low", NOON_MS)).toBe(NOON_MS - 60 * MINUTE);
  });

  test("ends at a gap, at a sample at which all was well, and at what another rule says", () => {
    expect(heldSince(series([-60, -10]), "endurance-low", NOON_MS)).toBe(NOON_MS - 10 * MINUTE);
    const well = withHeld(series([-20, -10]), NOON_MS - 15 * MINUTE, 0);
    expect(heldSince(well, "endurance-low", NOON_MS)).toBe(NOON_MS - 10 * MINUTE);
    expect(heldSince(series([-20, -10]), "sensor-bad", NOON_MS)).toBe(NOON_MS);
  });

  test("is kept for two hours, one entry a slot", () => {
    const held = series(Array.from({ length: 300 }, (_, i) => i - 300));
    expect(held.length).toBeLessThanOrEqual(HELD_MS / (3 * MINUTE) + 1);
    expect(isWanted(held, NOON_MS - MINUTE, NOON_MS)).toBe(false);
    expect(isWanted([], NOON_MS - HELD_MS - 1, NOON_MS)).toBe(false);
    expect(isWanted([], NOON_MS - HELD_MS, NOON_MS)).toBe(true);
  });
});

test("texts count as the language does", () => {
  const values = { enduranceH: 3.5, emptyAt: "2026-11-24T15:30:00.000Z", shortageL: 1240 };
  const text = alertText("endurance-critical", values);
  expect(text.nl.consequence).toBe("nog 3:30 u · leeg di 16:30 · tekort 1.240 l");
  expect(text.en.consequence).toBe("3:30 h left · empty Tue 16:30 · 1,240 l short");
  const battery = { enduranceH: 3.5, emptyAt: values.emptyAt, shortageKwh: 3.5 };
  expect(alertText("endurance-low", battery).nl.consequence).toContain("tekort 3,5 kWh");
});
