// The profile of norms in force: one by name, with the delays that the configuration sets in place of its own.
import type { GatewayConfig } from "../../protocol/index.ts";
import { PROFILES, type Profile } from "../domain/profile.ts";
import { invariant } from "../errors.ts";

export function profileOf(config: GatewayConfig): Profile {
  const { name, ...own } = config.profile;
  const base = PROFILES.find((profile) => profile.name === name);
  invariant(base !== undefined, "the configuration was read without its check");
  const { enduranceCritical, enduranceLow, cannotReach72h, sensorBad, silence } = base;
  return {
    ...base,
    enduranceCritical: { ...enduranceCritical, onDelayS: own.enduranceCriticalDelayS ?? enduranceCritical.onDelayS },
    enduranceLow: { ...enduranceLow, onDelayS: own.enduranceLowDelayS ?? enduranceLow.onDelayS },
    cannotReach72h: { ...cannotReach72h, onDelayS: own.cannotReach72hDelayS ?? cannotReach72h.onDelayS },
    sensorBad: { ...sensorBad, onDelayS: own.sensorBadDelayS ?? sensorBad.onDelayS },
    silence: { ...silence, graceS: own.silenceGraceS ?? silence.graceS },
  };
}
