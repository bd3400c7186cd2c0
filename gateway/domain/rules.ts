// Which rules a point breaks now. Pure; delays are counted here, in the time for which a condition has held.
import type { PointState, Priority } from "../../protocol/index.ts";
import type { AlertValues, RuleId } from "./alert-text.ts";
import type { AssetModel } from "./endurance/asset-model.ts";
import { leakOf, lossOf, overuseOf } from "./endurance/fuel-watch.ts";
import { type HeldSeries, heldSince } from "./held.ts";
import type { PointView } from "./point.ts";
import { isBad, type PointModel } from "./point-model.ts";
import type { Profile } from "./profile.ts";

/** One line per cause: a point's power is one matter, whatever its level. */
export type Matter = "power" | "silence" | "sensor" | "fuel";

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

export interface Candidate extends Finding {
  readonly onDelayS: number;
}

/**
 * Steps one matter to the most pressing candidate that counts: one whose delay is over, or, while an alert is open, one
 * that is no more pressing than it (a delay is for what gets worse). It ceases only after the off-delay.
 */
export function stepMatter(
  matter: string,
  candidates: readonly Candidate[],
  context: {
    readonly conditions: PointModel["conditions"];
    /** What samples say of the time before. */
    readonly held: HeldSeries;
    readonly nowMs: number;
    /** Of the open alert on this matter. */
    readonly activePriority: Priority | undefined;
    readonly offDelayS: number;
  },
): MatterStep {
  const conditions: Record<string, number> = { ...context.conditions };
  const rules = new Set(candidates.map((candidate) => `${matter}:${candidate.ruleId}`));
  for (const key of Object.keys(conditions)) {
    if (key.startsWith(`${matter}:`) && !rules.has(key)) delete conditions[key];
  }
  for (const { ruleId } of candidates) {
    const key = `${matter}:${ruleId}`;
    const sinceMs = notAhead(conditions[key], context.nowMs);
    conditions[key] = heldSince(context.held, ruleId, sinceMs);
  }
  const offKey = `off-${matter}`;
  const { activePriority } = context;
  const isActive = activePriority !== undefined;
  const counts = ({ ruleId, priority, onDelayS }: Candidate) =>
    (isActive && priority >= activePriority) ||
    context.nowMs - (conditions[`${matter}:${ruleId}`] as number) >= onDelayS * 1000;
  const finding = candidates.filter(counts).sort((a, b) => a.priority - b.priority)[0];
  if (finding !== undefined || !isActive) {
    delete conditions[offKey];
    return {
      verdict: finding === undefined ? { kind: "wait" } : { kind: "breach", finding: bare(finding) },
      conditions,
    };
  }
  conditions[offKey] = notAhead(conditions[offKey], context.nowMs);
  if (context.nowMs - (conditions[offKey] as number) < context.offDelayS * 1000)
    return { verdict: { kind: "wait" }, conditions };
  delete conditions[offKey];
  return { verdict: { kind: "clear" }, conditions };
}

/** The moment since when, or now: one that lies ahead was told by a clock that was wrong. */
function notAhead(sinceMs: number | undefined, nowMs: number): number {
  return Math.min(sinceMs ?? nowMs, nowMs);
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
    // A point that nobody is in can wait.
    const priority = isCalm(state) ? 3 : profile.powerLost.priority;
    const values = { name: view.name, generator: state.generator };
    return [{ ...profile.powerLost, priority, ruleId: "power-lost", values }];
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

/** Nobody is there, or is meant to be. */
function isCalm({ phase }: PointState): boolean {
  return phase === "standby" || phase === "closed" || phase === "out-of-service";
}

export function silenceCandidates(state: PointState, profile: Profile): Candidate[] {
  if (state.contact !== "silent") return [];
  const values: AlertValues = state.lastReceivedAt === undefined ? {} : { lastReceivedAt: state.lastReceivedAt };
  return [{ ruleId: "silence", priority: isCalm(state) ? 3 : profile.silence.priority, onDelayS: 0, values }];
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

/** A tank with less than this is hardly worth unplugging its sensor for. */
const TAMPER_SHARE = 0.2;
const TAMPER_MS = 2 * 3_600_000;

/** Fuel that goes where it should not, by the levels up to `nowMs`. */
export function fuelCandidates(
  model: PointModel,
  view: PointView,
  profile: Profile,
  { nowMs, asset }: { readonly nowMs: number; readonly asset?: AssetModel | undefined },
): Candidate[] {
  const { generator } = view;
  const { levels, fuel } = model;
  const newest = levels[levels.length - 1];
  if (generator === undefined || newest === undefined) return [];
  const { capacityL } = generator.tank;
  const lastL = newest[1] as number;
  const isGone = model.readings["power.fuelLevelPct"]?.value === "open-circuit";
  if (isGone) {
    const isFull = lastL > TAMPER_SHARE * capacityL && nowMs - newest[0] <= TAMPER_MS;
    return isFull ? [{ ruleId: "fuel-tamper", ...profile.fuelTamper, values: { litres: tenth(lastL) } }] : [];
  }
  const lost = lossOf(levels, capacityL, nowMs);
  if (lost !== undefined) {
    const values = { lostL: tenth(lost), litres: tenth(lastL) };
    return [{ ruleId: "fuel-loss", ...profile.fuelLoss, values }];
  }
  const leak = leakOf(fuel);
  if (leak !== undefined) return [{ ruleId: "fuel-leak", ...profile.fuelLeak, values: { perH: tenth(leak) } }];
  const over = overuseOf(generator, levels, fuel, { pieces: asset?.pieces ?? [], nowMs });
  if (over === undefined) return [];
  const values = { perH: tenth(over.measuredLPerH), expectedPerH: tenth(over.expectedLPerH) };
  return [{ ruleId: "fuel-overuse", ...profile.fuelOveruse, values }];
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
