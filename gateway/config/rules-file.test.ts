import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../tests/fixtures.ts";
import { CONCEPT_2026 } from "../domain/profile.ts";
import type { GatewayError } from "../errors.ts";
import { parseConfig } from "./config.ts";
import { checkedFiles } from "./files.ts";
import { profileOf, rulesDifference } from "./profile.ts";
import { readRulesFile, rulesFileProblems, unknownPoints } from "./rules-file.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());
mkdirSync(join(folder.path, "data"));

const TEXT = { what: "a", consequence: "b", action: "c" };
const BASE = CONCEPT_2026.rules;
const MINE = {
  ...{ ruleId: "too-cold", matter: "warmth", priority: 3, onDelayS: 60, text: { nl: TEXT, en: TEXT } },
  when: [{ quantity: "temperatureC", below: 15 }],
};
const LOW = { ruleId: "endurance-low", reason: "long way for the truck" };

const problems = (part: object) => rulesFileProblems({ version: 1, ...part }, BASE);

describe("a file of rules", () => {
  test("that is right has no problems", () => {
    const holds = [{ quantity: "temperatureC", below: 16 }];
    const far = { ...LOW, points: ["nop-06"], when: [{ quantity: "enduranceH", below: 24 }] };
    expect(problems({ rules: [{ ...MINE, holds }], overrides: [far, { ...LOW, priority: 1 }] })).toEqual([]);
    expect(problems({ rules: [{ ...MINE, ruleId: "endurance-low", matter: "power", text: undefined }] })).toEqual([]);
  });

  test.each<[string, object, string]>([
    [
      "an unknown quantity",
      { rules: [{ ...MINE, when: [{ quantity: "temperatureF", below: 1 }] }] },
      "rules/0/when/0/quantity temperatureF is not known: did you mean temperatureC?",
    ],
    [
      "a word measured as a number",
      { rules: [{ ...MINE, when: [{ quantity: "mains", below: 1 }] }] },
      "rules/0/when/0: mains takes a list of words with is or isNot, and one of them",
    ],
    [
      "two tests at once",
      { rules: [{ ...MINE, when: [{ quantity: "enduranceH", below: 1, atLeast: 0 }] }] },
      "rules/0/when/0: enduranceH takes a number with below or atLeast, and one of them",
    ],
    [
      "a number in words",
      { rules: [{ ...MINE, when: [{ quantity: "enduranceH", below: "4" }] }] },
      "rules/0/when/0/below: enduranceH takes a number with below or atLeast",
    ],
    [
      "a key that nobody knows",
      { rules: [{ ...MINE, onDelay: 4 }] },
      "rules/0/onDelay is not a known key: did you mean onDelayS?",
    ],
    ["a rule of its own without words", { rules: [{ ...MINE, text: undefined }] }, "rules/0 misses text, which a rule"],
    [
      "a name nearly the profile's",
      { rules: [{ ...MINE, ruleId: "endurance-lo", text: undefined }] },
      "did you mean endurance-low?",
    ],
    ["a name of the gateway's own", { rules: [{ ...MINE, ruleId: "disk-low" }] }, "rules/0/ruleId disk-low is a name"],
    ["two of one name", { rules: [MINE, MINE] }, "rules/1/ruleId too-cold is that of rules/0 as well"],
    [
      "a minimum level outside the matter of processes",
      { rules: [{ ...MINE, when: [{ quantity: "minimum", is: ["below"] }] }] },
      "rules/0/matter ",
    ],
    [
      "hysteresis below its threshold",
      { rules: [{ ...MINE, holds: [{ quantity: "temperatureC", below: 14 }] }] },
      "rules/0/holds/0: temperatureC holds below 14, on the wrong side of 15",
    ],
    [
      "hysteresis above its threshold",
      { overrides: [{ ruleId: "occupancy-full", holds: [{ quantity: "occupancyPct", atLeast: 101 }], reason: "why" }] },
      "overrides/0/holds/0: occupancyPct holds from 101, on the wrong side of 100",
    ],
    [
      "words that begin it and do not hold it",
      { overrides: [{ ruleId: "mains-lost", holds: [{ quantity: "mains", is: ["present"] }], reason: "why" }] },
      "overrides/0/holds/0: mains begins at lost, which its holds leaves out",
    ],
    [
      "an override of no rule",
      { overrides: [{ ...LOW, ruleId: "endurance-lwo" }] },
      "overrides/0/ruleId endurance-lwo is no rule: did you mean endurance-low?",
    ],
    ["an override without its reason", { overrides: [{ ruleId: "endurance-low" }] }, "overrides/0 misses reason"],
    ["no version", { version: 2 }, "version must be 1"],
  ])("says of %s what and where", (_, part, text) => {
    expect(problems(part).join("\n")).toContain(text);
  });

  test("tells of all of them at once", () => {
    const two = [
      { ...MINE, when: [{ quantity: "x1", below: 1 }] },
      { ...MINE, priority: 9 },
    ];
    expect(problems({ rules: two })).toHaveLength(2);
    const override = { ...LOW, ruleId: "endurance-lwo" };
    expect(problems({ rules: [two[0], two[0]], overrides: [override] })).toHaveLength(4);
  });

  test("tells of its shape also beside more wrong conditions than it tells of", () => {
    const wrong = Array.from({ length: 8 }, () => ({ quantity: "phase", is: [] }));
    const rules = Array.from({ length: 30 }, (_, i) => ({ ...MINE, ruleId: `rule-${i}`, when: wrong, holds: [null] }));
    const found = problems({ rules, overrides: -1 });
    expect(found.filter((one) => one.startsWith("overrides"))).toHaveLength(1);
    expect(found.filter((one) => one.includes("/when/"))).toHaveLength(30 * 8);
    expect(rulesFileProblems([], BASE).join()).toMatch(/^the file must be/);
    const within = { ...MINE, priorityWhen: [{ when: wrong, priority: 1 }] };
    expect(problems({ rules: [within] })).toEqual(
      wrong.map((_, i) => `rules/0/priorityWhen/0/when/${i}/is: phase takes a list of words with is or isNot`),
    );
  });

  test("is never taken for one of the right shape, however much is wrong", () => {
    const many = Object.fromEntries(Array.from({ length: 1_200 }, (_, i) => [`key-${i}`, 1]));
    expect(problems({ ...many, rules: -1 })).toHaveLength(1);
    expect(problems({ rules: [{ ...MINE, ...many, when: 5 }] })).toHaveLength(1);
  });

  test("names points of the registry", () => {
    const overrides = [{ ruleId: "silence", points: ["alm-01", "alm-99"], priority: 1 as const, reason: "bridge" }];
    expect(unknownPoints({ overrides }, ["alm-01", "alm-02"])).toEqual([
      "overrides/0/points/1 alm-99 is no point: did you mean alm-01?",
    ]);
  });
});

describe("the configuration with a file of rules", () => {
  const config = (text: string, name = "rules.toml") => {
    writeFileSync(join(folder.path, name), text);
    return parseConfig({ profile: { rulesFile: name } }, { path: "x", baseDir: folder.path });
  };
  const GOOD = `version = 1
[[overrides]]
ruleId = "endurance-low"
points = ["alm-01"]
reason = "an hour by road"
when = [{ quantity = "enduranceH", below = 20 }]
`;

  test("has those of the profile with it", () => {
    const profile = profileOf(config(GOOD));
    expect([profile.rules.length, profile.overrides.length]).toEqual([BASE.length, 1]);
    expect(rulesDifference(CONCEPT_2026, profile)).toEqual(["rule endurance-low: changed (at once)"]);
    const json = JSON.stringify({ version: 1, rules: [MINE] });
    expect(profileOf(config(json, "rules.json")).rules.at(-1)).toEqual(MINE);
  });

  test("is refused with the file, the line and the name", () => {
    const refused = (text: string, points?: string[]) => {
      try {
        checkedFiles(config(text), undefined, points);
      } catch (error) {
        return ((error as GatewayError).detail["problems"] as string[]).join("\n");
      }
      return "";
    };
    expect(refused(GOOD)).toBe("");
    expect(refused(GOOD, ["alm-02"])).toContain("overrides/0/points/0 alm-01 is no point: did you mean alm-02?");
    expect(refused(GOOD.replace("enduranceH", "enduranceHours"))).toMatch(
      /profile\/rulesFile: .*rules\.toml: line 6: overrides\/0\/when\/0\/quantity enduranceHours is not known/,
    );
    expect(refused(`${GOOD}x =`)).toMatch(/rules\.toml: line 7, column/);
    expect(() => readRulesFile(join(folder.path, "none.toml"), BASE)).toThrowError("a file cannot be read");
  });
});
