// The profile of norms in force: one by name, with the delays that the configuration sets in place of its own.
import type { GatewayConfig } from "../../protocol/index.ts";
import { PROFILES, type Profile } from "../domain/profile.ts";
import { invariant } from "../errors.ts";

export function profileOf(config: GatewayConfig): Profile {
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
