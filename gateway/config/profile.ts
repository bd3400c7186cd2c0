// The profile of norms in force: one by name, with the delays that the configuration sets in place of its own, and the rules of its
// file.
import type { GatewayConfig, Override, Rule } from "../../protocol/index.ts";
import { withRules } from "../domain/alerts/rule-set.ts";
import { PROFILES, type Profile } from "../domain/profile.ts";
import { invariant } from "../errors.ts";
import { readRulesFile } from "./rules-file.ts";

/** Without the rules of a file. */
export function baseProfileOf(config: Pick<GatewayConfig, "profile">): Profile {
  const { name, silenceGraceS, ...own } = config.profile;
  const base = PROFILES.find((profile) => profile.name === name);
  invariant(base !== undefined, "the configuration was read without its check");
  const delays: Readonly<Record<string, number | undefined>> = {
    "endurance-critical": own.enduranceCriticalDelayS,
    "endurance-low": own.enduranceLowDelayS,
    "cannot-reach-72h": own.cannotReach72hDelayS,
    "sensor-bad": own.sensorBadDelayS,
  };
  const { silence, rules } = base;
  return {
    ...base,
    rules: rules.map((rule) => ({ ...rule, onDelayS: delays[rule.ruleId] ?? rule.onDelayS })),
    silence: { ...silence, graceS: silenceGraceS ?? silence.graceS },
  };
}

/** With the rules of `file`, or without a file as it is. Throws FILE_UNREADABLE, CONFIG_INVALID. */
export function withRulesFile(base: Profile, file: string | undefined): Profile {
  if (file === undefined) return base;
  const { rules = [], overrides = [] } = readRulesFile(file, base.rules);
  return { ...base, rules: withRules(base.rules, rules), overrides: [...base.overrides, ...overrides] };
}

/** The profile in force. Throws FILE_UNREADABLE, CONFIG_INVALID for what its file of rules has wrong. */
export function profileOf(config: Pick<GatewayConfig, "profile">): Profile {
  return withRulesFile(baseProfileOf(config), config.profile.rulesFile);
}

/** `endurance-low: changed`, one line a rule or rule with overrides; empty when both judge alike. */
export function rulesDifference(before: Profile, after: Profile): string[] {
  const ids = [...before.rules, ...after.rules, ...before.overrides, ...after.overrides].map((one) => one.ruleId);
  return [...new Set(ids)].sort().flatMap((ruleId) => {
    const [old, next] = [partsOf(before, ruleId), partsOf(after, ruleId)];
    if (JSON.stringify(old) === JSON.stringify(next)) return [];
    const how = old.rule === undefined ? "added" : next.rule === undefined ? "removed" : "changed";
    return [`rule ${ruleId}: ${how} (at once)`];
  });
}

interface RuleParts {
  readonly rule: Rule | undefined;
  readonly overrides: readonly Override[];
}

function partsOf({ rules, overrides }: Profile, ruleId: string): RuleParts {
  const of = (one: { readonly ruleId: string }) => one.ruleId === ruleId;
  return { rule: rules.find(of), overrides: overrides.filter(of) };
}
