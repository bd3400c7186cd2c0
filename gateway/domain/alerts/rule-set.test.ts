import { Value } from "typebox/value";
import { describe, expect, test } from "vitest";
import { type Override, type Rule, RuleSchema } from "../../../protocol/index.ts";
import { RULES_2026 } from "./concept-2026.ts";
import { type Quantities, rulesAt, rulesHeld, withRules } from "./rule-set.ts";

const none = () => undefined;

function held(known: Quantities, active: readonly [matter: string, ruleId: string][] = []): string[] {
  const open = (matter: string) => {
    const ruleId = active.find(([one]) => one === matter)?.[1];
    const rule = RULES_2026.find((one) => one.ruleId === ruleId);
    return rule === undefined ? undefined : { ruleId: rule.ruleId, priority: rule.priority };
  };
  return rulesHeld(RULES_2026, known, open).map(({ rule, priority }) => `${rule.ruleId} ${priority}`);
}

describe("the rules of concept-2026", () => {
  test("are rules by their schema, each with a name of its own", () => {
    for (const rule of RULES_2026) expect(Value.Errors(RuleSchema, rule)).toEqual([]);
    expect(new Set(RULES_2026.map((one) => one.ruleId)).size).toBe(RULES_2026.length);
  });

  const open = { phase: "open", mains: "lost" };
  test.each<[string, Quantities, readonly [string, string][], string[]]>([
    ["nothing known, nothing held", {}, [], []],
    ["mains there", { phase: "standby", mains: "present" }, [], []],
    ["mains lost", open, [], ["mains-lost 3"]],
    ["3.9 h left", { ...open, enduranceH: 3.9 }, [], ["endurance-critical 1", "endurance-low 2", "mains-lost 3"]],
    ["4 h left", { ...open, enduranceH: 4 }, [], ["endurance-low 2", "mains-lost 3"]],
    [
      "5.9 h left after less",
      { ...open, enduranceH: 5.9 },
      [["power", "endurance-critical"]],
      ["endurance-critical 1", "endurance-low 2", "mains-lost 3"],
    ],
    [
      "6 h left after less",
      { ...open, enduranceH: 6 },
      [["power", "endurance-critical"]],
      ["endurance-low 2", "mains-lost 3"],
    ],
    [
      "15.9 h left after critical",
      { ...open, enduranceH: 15.9 },
      [["power", "endurance-critical"]],
      ["endurance-low 2", "mains-lost 3"],
    ],
    ["15.9 h left", { ...open, enduranceH: 15.9 }, [], ["mains-lost 3"]],
    ["uncertain", { ...open, reaches72h: "uncertain" }, [], ["mains-lost 3"]],
    [
      "uncertain after no",
      { ...open, reaches72h: "uncertain" },
      [["power", "cannot-reach-72h"]],
      ["cannot-reach-72h 3", "mains-lost 3"],
    ],
    ["no power, open", { ...open, backup: "none" }, [], ["power-lost 1", "mains-lost 3"]],
    ["no power, nobody there", { ...open, phase: "standby", backup: "none" }, [], ["power-lost 3", "mains-lost 3"]],
    ["silent, nobody there", { phase: "closed", contact: "silent" }, [], ["silence 3"]],
    ["100 %", { phase: "open", occupancyPct: 100 }, [], ["occupancy-full 2", "occupancy-high 3"]],
    [
      "95 % after full",
      { phase: "open", occupancyPct: 95 },
      [["people", "occupancy-full"]],
      ["occupancy-full 2", "occupancy-high 3"],
    ],
    ["94 % after full", { phase: "open", occupancyPct: 94 }, [["people", "occupancy-full"]], ["occupancy-high 3"]],
    ["starter battery while it runs", { ...open, generator: "running", starterBatteryV: 11.5 }, [], ["mains-lost 3"]],
    [
      "starter battery at rest",
      { phase: "standby", generator: "stopped", starterBatteryV: 11.5 },
      [],
      ["starter-battery 2"],
    ],
    ["a set that failed", { ...open, generator: "failed" }, [], ["generator-failed 1", "mains-lost 3"]],
    ["… with mains there", { phase: "open", mains: "present", generator: "failed" }, [], ["generator-not-ready 3"]],
    ["a blind point", { ...open, badSensors: 1, fuelSight: "blind" }, [], ["sensor-bad 2", "mains-lost 3"]],
  ])("%s", (_, known, active, rules) => {
    expect(held(known, active)).toEqual(rules);
  });
});

describe("other rules at some points", () => {
  const LOW = RULES_2026.find((one) => one.ruleId === "endurance-low") as Rule;
  const reason = "long way for the truck";
  const far: Override = {
    ruleId: "endurance-low",
    points: ["nop-06"],
    when: [{ quantity: "enduranceH", below: 24 }],
    reason,
  };

  test("count there and nowhere else, and bring their own hysteresis", () => {
    const [there] = rulesAt([LOW], [far], { pointId: "nop-06", phase: "open" });
    expect(there).toMatchObject({ when: far.when, holds: far.when, onDelayS: 1_800 });
    expect(rulesAt([LOW], [far], { pointId: "nop-01", phase: "open" })).toEqual([LOW]);
  });

  test("can take a rule out, for a phase as well", () => {
    const out: Override = { ruleId: "endurance-low", phases: ["closed"], disabled: true, reason };
    expect(rulesAt([LOW], [out], { pointId: "nop-01", phase: "closed" })).toEqual([]);
    expect(rulesAt([LOW], [out], { pointId: "nop-01", phase: "open" })).toEqual([LOW]);
  });

  test("a priority that is set for a place counts there also when nobody is there", () => {
    const silence = RULES_2026.find((one) => one.ruleId === "silence") as Rule;
    const rules = rulesAt([silence], [{ ruleId: "silence", priority: 1, reason }], {
      pointId: "alm-w1",
      phase: "standby",
    });
    expect(rulesHeld(rules, { phase: "standby", contact: "silent" }, none)[0]?.priority).toBe(1);
  });

  test("a rule of the same name takes the place of the profile's", () => {
    const mine = { ...LOW, onDelayS: 5 };
    expect(withRules(RULES_2026, [mine])).toHaveLength(RULES_2026.length);
    expect(withRules(RULES_2026, [mine])).toContain(mine);
  });
});
