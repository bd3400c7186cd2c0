// The rules and points of the bench: twenty rules, those of the profile and more beside them.
import type { RegistryView } from "../../gateway/domain/point.ts";
import { CONCEPT_2026, type Profile } from "../../gateway/domain/profile.ts";
import type { Rule } from "../../protocol/index.ts";
import { POINT, registryOf } from "../engine-fixtures.ts";

export const RULES = 20;

const TEXT = { what: "x", consequence: "{temperatureC}", action: "x" };

function more(i: number): Rule {
  return {
    ruleId: `bench-${i}`,
    matter: `bench${"abcdefghijklmnopqrst"[i]}`,
    priority: 3,
    when: [
      { quantity: "temperatureC", below: 10 - i },
      { quantity: "phase", isNot: ["closed"] },
    ],
    holds: [{ quantity: "temperatureC", below: 12 - i }],
    onDelayS: 60,
    offDelayS: 60,
    text: { nl: TEXT, en: TEXT },
  };
}

/** With `mains-lost` at once and for each point alone, so that what is measured is no delay of a rule. */
export function benchProfile(): Profile {
  const own = CONCEPT_2026.rules.map((rule): Rule => {
    if (rule.ruleId !== "mains-lost") return rule;
    const { group: _, ...alone } = rule;
    return { ...alone, onDelayS: 0 };
  });
  return { ...CONCEPT_2026, rules: [...own, ...Array.from({ length: RULES - own.length }, (_, i) => more(i))] };
}

export function benchRegistry(points: number): RegistryView {
  return registryOf(Array.from({ length: points }, (_, i) => ({ ...POINT, pointId: `bench-${i}` })));
}
