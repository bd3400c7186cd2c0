// Which rules a point breaks now. Pure; delays are counted here, in the time for which a condition has held.
import type { PointState, Priority } from "../../protocol/index.ts";
import type { AlertValues, RuleId } from "./alert-text.ts";
import type { PointView } from "./point.ts";
import { isBad, type PointModel } from "./point-model.ts";
import type { Profile } from "./profile.ts";

/** One line per cause: a point's power is one matter, whatever its level. */
export type Matter = "power" | "silence" | "sensor";

export interface Finding {
  readonly ruleId: RuleId;
  readonly priority: Priority;
  readonly values: AlertValues;
}

export type Verdict =
  /** The condition holds long enough: raise, or keep, or change the alert. */
  | { readonly kind: "breach"; readonly finding: Finding }
  /** Not decided: a delay runs, or nothing was wrong. */
  | { readonly kind: "wait" }
  /** The condition has ceased for long enough. */
  | { readonly kind: "clear" };

export interface MatterStep {
  readonly verdict: Verdict;
  readonly conditions: Readonly<Record<string, number>>;
}

interface Candidate extends Finding {
  readonly onDelayS: number;
}

/**
 * Steps one matter: the most pressing candidate whose delay is over. While one is active (`active`), a candidate of
 * any delay keeps it; it ceases only after the off-delay.
 */
export function stepMatter(
  matter: Matter,
  candidates: readonly Candidate[],
  context: {
    readonly conditions: PointModel["conditions"];
    readonly nowMs: number;
    readonly active: boolean;
    readonly offDelayS: number;
  },
): MatterStep {
  const conditions: Record<string, number> = { ...context.conditions };
  const rules = new Set(candidates.map((candidate) => `${matter}:${candidate.ruleId}`));
  for (const key of Object.keys(conditions)) {
    if (key.startsWith(`${matter}:`) && !rules.has(key)) delete conditions[key];
  }
  for (const key of rules) conditions[key] ??= context.nowMs;
  const offKey = `off-${matter}`;
  const due = candidates
    .filter((one) => context.nowMs - (conditions[`${matter}:${one.ruleId}`] as number) >= one.onDelayS * 1000)
    .sort((a, b) => a.priority - b.priority);
  const held = context.active ? [...candidates].sort((a, b) => b.priority - a.priority)[0] : undefined;
  const finding = due[0] ?? held;
  if (finding !== undefined || !context.active) {
    delete conditions[offKey];
    return {
      verdict: finding === undefined ? { kind: "wait" } : { kind: "breach", finding: bare(finding) },
      conditions,
    };
  }
  conditions[offKey] ??= context.nowMs;
  if (context.nowMs - (conditions[offKey] as number) < context.offDelayS * 1000)
    return { verdict: { kind: "wait" }, conditions };
  delete conditions[offKey];
  return { verdict: { kind: "clear" }, conditions };
}

function bare({ ruleId, priority, values }: Candidate): Finding {
  return { ruleId, priority, values };
}

/** What is wrong with a point's power. `activeRule` is the rule of the open alert: hysteresis is measured from there. */
export function powerCandidates(
  state: PointState,
  view: PointView,
  profile: Profile,
  activeRule: RuleId | undefined,
): Candidate[] {
  if (state.mains === "present" || state.mains === "unknown") return [];
  const { endurance } = state;
  if (endurance.kind === "none") {
    if (endurance.reason !== "no-backup") return [];
    return [{ ...profile.powerLost, ruleId: "power-lost", values: { name: view.name } }];
  }
  const values: Record<string, number | string> = { enduranceH: endurance.p50H, emptyAt: endurance.emptyAt };
  if (endurance.shortage?.litres !== undefined) values["shortageL"] = endurance.shortage.litres;
  if (endurance.shortage?.kWh !== undefined) values["shortageKwh"] = endurance.shortage.kWh;
  const found: Candidate[] = [];
  const below = (ruleId: RuleId, rule: Profile["enduranceLow"], held: boolean) => {
    const { priority, onDelayS } = rule;
    if (endurance.p50H < (held ? rule.offH : rule.onH)) found.push({ ruleId, priority, onDelayS, values });
  };
  const isCritical = activeRule === "endurance-critical";
  below("endurance-critical", profile.enduranceCritical, isCritical);
  below("endurance-low", profile.enduranceLow, isCritical || activeRule === "endurance-low");
  const holds = activeRule === "cannot-reach-72h" && endurance.reaches72h === "uncertain";
  if (endurance.reaches72h === "no" || holds)
    found.push({ ruleId: "cannot-reach-72h", ...profile.cannotReach72h, values });
  return found;
}

export function silenceCandidates(state: PointState, profile: Profile): Candidate[] {
  if (state.contact !== "silent") return [];
  const calm = state.phase === "standby" || state.phase === "closed" || state.phase === "out-of-service";
  const values: AlertValues = state.lastReceivedAt === undefined ? {} : { lastReceivedAt: state.lastReceivedAt };
  return [{ ruleId: "silence", priority: calm ? 3 : profile.silence.priority, onDelayS: 0, values }];
}

export function sensorCandidates(model: PointModel, state: PointState, view: PointView, profile: Profile): Candidate[] {
  const bad = Object.keys(model.readings)
    .filter((name) => isBad(model, name))
    .sort();
  if (bad.length === 0) return [];
  const fields = bad.map((name) => `${name}=${model.readings[name]?.value}`).join(" ");
  // A point that lives on a fuel nobody can see is in worse trouble than one with a broken thermometer.
  const blind = bad.includes("power.fuelLevelPct") && view.generator !== undefined && view.battery === undefined;
  const priority = blind && state.mains !== "present" ? 2 : profile.sensorBad.priority;
  return [{ ruleId: "sensor-bad", priority, onDelayS: profile.sensorBad.onDelayS, values: { fields } }];
}
