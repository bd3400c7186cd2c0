// Which rules a point breaks now. Pure; delays are counted here, in the time for which a condition has held.
import type { PointState, Priority, Rule } from "../../protocol/index.ts";
import type { AlertText, AlertValues } from "./alert-text.ts";
import { chatterMatter } from "./alerts/chatter.ts";
import { type Held, type Quantities, quantitiesOf } from "./alerts/rule-set.ts";
import type { AssetModel } from "./endurance/asset-model.ts";
import { leakOf, lossOf, overuseOf } from "./endurance/fuel-watch.ts";
import { type HeldSeries, heldSince } from "./held.ts";
import type { PointView } from "./point.ts";
import type { PointModel } from "./point-model.ts";

export interface Finding {
  readonly ruleId: string;
  readonly priority: Priority;
  readonly values: AlertValues;
  /** Of a rule that brings its own words. */
  readonly template?: AlertText;
  /** By when somebody has to have done something. */
  readonly respondBy?: string;
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

/** The matter that a kept condition is about: `power:endurance-low`, `off-power`, `chatter-power`. */
export function matterOfCondition(key: string): string {
  const chatter = chatterMatter(key);
  if (chatter !== undefined) return chatter;
  return key.startsWith("off-") ? key.slice("off-".length) : (key.split(":")[0] as string);
}

/** The moment since when, or now: one that lies ahead was told by a clock that was wrong. */
function notAhead(sinceMs: number | undefined, nowMs: number): number {
  return Math.min(sinceMs ?? nowMs, nowMs);
}

function bare({ onDelayS: _, ...finding }: Candidate): Finding {
  return finding;
}

/** What a rule's alert says beside its name, from the state of its point. */
export function valuesOf(rule: Rule, state: PointState): AlertValues {
  const { endurance, occupancy, roomAt } = state;
  const values: Record<string, number | string> = { name: state.name };
  switch (rule.matter) {
    case "power":
      if (endurance.kind === "none") return { ...values, generator: state.generator };
      values["enduranceH"] = endurance.p50H;
      values["emptyAt"] = endurance.emptyAt;
      if (endurance.shortage?.litres !== undefined) values["shortageL"] = endurance.shortage.litres;
      if (endurance.shortage?.kWh !== undefined) values["shortageKwh"] = endurance.shortage.kWh;
      return values;
    case "silence":
      return state.lastReceivedAt === undefined ? values : { ...values, lastReceivedAt: state.lastReceivedAt };
    case "sensor":
      return { ...values, fields: badFields(state) };
    case "people": {
      const room = (roomAt ?? []).map(({ name, km, free }) => `${name} (${km} km, ${free})`).join(", ");
      return {
        ...values,
        people: occupancy?.people ?? 0,
        capacity: state.capacity ?? 0,
        ...(room === "" ? {} : { roomAt: room }),
      };
    }
    case "mains":
      return state.mainsLostAt === undefined ? values : { ...values, mainsLostAt: state.mainsLostAt };
  }
  const known = quantitiesOf(state);
  for (const { quantity } of rule.when) {
    const value = known[quantity];
    if (value !== undefined) values[quantity] = value;
  }
  return values;
}

function badFields(state: PointState): string {
  return state.readings
    .filter((one) => one.quality === "bad")
    .map((one) => `${one.name}=${one.value}`)
    .sort()
    .join(" ");
}

/** By when somebody has to have done something, where that is known: the earliest end of the energy. */
function respondByOf(rule: Rule, { endurance }: PointState): string | undefined {
  return rule.matter === "power" && endurance.kind === "estimate" ? endurance.emptyEarliestAt : undefined;
}

/** Rules that hold, as candidates for alerts. `more` is what the alerts of a matter say beside what the state has. */
export function candidatesOf(
  held: readonly Held[],
  state: PointState,
  more: Readonly<Record<string, AlertValues>> = {},
): Candidate[] {
  return held.map(({ rule, priority }) => {
    const respondBy = respondByOf(rule, state);
    return {
      ruleId: rule.ruleId,
      priority,
      onDelayS: rule.onDelayS,
      values: { ...valuesOf(rule, state), ...more[rule.matter] },
      ...(rule.text === undefined ? {} : { template: rule.text }),
      ...(respondBy === undefined ? {} : { respondBy }),
    };
  });
}

/** A tank with less than this is hardly worth unplugging its sensor for. */
const TAMPER_SHARE = 0.2;
const TAMPER_MS = 2 * 3_600_000;

export interface FuelWatched {
  readonly known: Quantities;
  readonly values: AlertValues;
}

/** Fuel that goes where it should not, by the levels up to `nowMs`: what rules can look at, and what their texts say. */
export function fuelWatched(
  { levels, fuel, readings }: PointModel,
  { generator }: PointView,
  { nowMs, asset }: { readonly nowMs: number; readonly asset?: AssetModel | undefined },
): FuelWatched {
  const newest = levels[levels.length - 1];
  if (generator === undefined || newest === undefined) return { known: {}, values: {} };
  const { capacityL } = generator.tank;
  const lastL = newest[1] as number;
  const litres = tenth(lastL);
  if (readings["power.fuelLevelPct"]?.value === "open-circuit") {
    const isFull = lastL > TAMPER_SHARE * capacityL && nowMs - newest[0] <= TAMPER_MS;
    return isFull ? { known: { fuelSensor: "unplugged" }, values: { litres } } : { known: {}, values: {} };
  }
  const lostL = lossOf(levels, capacityL, nowMs);
  if (lostL !== undefined) return { known: { fuelLossL: lostL }, values: { lostL: tenth(lostL), litres } };
  const leak = leakOf(fuel);
  if (leak !== undefined) return { known: { fuelLeakLPerH: leak }, values: { perH: tenth(leak) } };
  const over = overuseOf(generator, levels, fuel, { pieces: asset?.pieces ?? [], nowMs });
  if (over === undefined) return { known: {}, values: {} };
  const { measuredLPerH, expectedLPerH } = over;
  return {
    known: { fuelOveruse: measuredLPerH / expectedLPerH },
    values: { perH: tenth(measuredLPerH), expectedPerH: tenth(expectedLPerH) },
  };
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
