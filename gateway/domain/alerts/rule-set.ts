// Judges a point by rules that are data: which of them hold now, with their priorities, and how long each has to hold. Pure.
import type { Condition, Override, PointState, Priority, Rule, RuleNumber, RuleWord } from "../../../protocol/index.ts";

/** What is known of a point at one moment; what is not known is not there. */
export type Quantities = Partial<Record<RuleNumber, number> & Record<RuleWord, string>>;

/** A rule whose conditions hold, before its delay is over. */
export interface Held {
  readonly rule: Rule;
  readonly priority: Priority;
}

function isMet(condition: Condition, known: Quantities): boolean {
  const value = known[condition.quantity];
  if (value === undefined) return false;
  if ("below" in condition) return typeof value === "number" && value < condition.below;
  if ("atLeast" in condition) return typeof value === "number" && value >= condition.atLeast;
  if ("is" in condition) return condition.is.includes(String(value));
  return !condition.isNot.includes(String(value));
}

function areMet(conditions: readonly Condition[], known: Quantities): boolean {
  return conditions.every((one) => isMet(one, known));
}

function priorityOf({ priority, priorityWhen = [] }: Rule, known: Quantities): Priority {
  return priorityWhen.find(({ when }) => areMet(when, known))?.priority ?? priority;
}

/**
 * The rules that hold, the most pressing first. `active` is the rule of the open alert on each matter: it, and rules of its matter
 * that are no more pressing, are measured by their hysteresis.
 */
export function rulesHeld(
  rules: readonly Rule[],
  known: Quantities,
  active: (matter: string) => { readonly ruleId: string; readonly priority: Priority } | undefined,
): Held[] {
  const held: Held[] = [];
  for (const rule of rules) {
    const open = active(rule.matter);
    const priority = priorityOf(rule, known);
    const isOn = open !== undefined && (open.ruleId === rule.ruleId || open.priority < priority);
    const conditions = isOn ? (rule.holds ?? rule.when) : rule.when;
    if (areMet(conditions, known)) held.push({ rule, priority });
  }
  return held.sort((a, b) => a.priority - b.priority);
}

/** The rules of one point: those of the profile with what is put in their place there. */
export function rulesAt(
  rules: readonly Rule[],
  overrides: readonly Override[],
  point: { readonly pointId: string; readonly phase: string },
): readonly Rule[] {
  const here = overrides.filter(
    ({ points, phases }) =>
      (points === undefined || points.includes(point.pointId)) &&
      (phases === undefined || (phases as readonly string[]).includes(point.phase)),
  );
  if (here.length === 0) return rules;
  return rules.flatMap((rule) => {
    const mine = here.filter((one) => one.ruleId === rule.ruleId);
    if (mine.some((one) => one.disabled === true)) return [];
    return [mine.reduce(withOverride, rule)];
  });
}

/** A rule as it is where this override counts. */
export function withOverride(rule: Rule, { priority, onDelayS, when, holds }: Override): Rule {
  return {
    ...rule,
    // What is set for this very place counts whatever else holds.
    ...(priority === undefined ? {} : { priority, priorityWhen: [] }),
    ...(onDelayS === undefined ? {} : { onDelayS }),
    // Another threshold without its hysteresis has none: the old one would lie on the wrong side of it.
    ...(when === undefined ? {} : { when, holds: holds ?? when }),
    ...(holds === undefined ? {} : { holds }),
  };
}

/** The rules of a profile with a file's: one of the same id takes its place. */
export function withRules(rules: readonly Rule[], more: readonly Rule[]): readonly Rule[] {
  const ids = new Set(more.map((one) => one.ruleId));
  return [...rules.filter((one) => !ids.has(one.ruleId)), ...more];
}

const SUPPLIES = /^supplies\./;

/** What rules can look at, of a point as people see it. */
export function quantitiesOf(state: PointState): Quantities {
  const { endurance, occupancy, capacity, mains } = state;
  const number = (name: string): number | undefined => {
    const value = state.readings.find((one) => one.name === name)?.value;
    return typeof value === "number" ? value : undefined;
  };
  const isLost = mains === "lost";
  const estimate = isLost && endurance.kind === "estimate" ? endurance : undefined;
  const bad = state.readings.filter((one) => one.quality === "bad");
  const scores = state.readings.flatMap(({ name, value }) =>
    SUPPLIES.test(name) && typeof value === "number" ? [value] : [],
  );
  const isBlind = bad.some((one) => one.name === "power.fuelLevelPct") && state.battery === undefined;
  const full = occupancy === undefined || !capacity ? undefined : (100 * occupancy.people) / capacity;
  return defined({
    phase: state.phase,
    contact: state.contact,
    mains,
    source: state.source,
    generator: state.generator,
    reaches72h: estimate?.reaches72h,
    backup: isLost && endurance.kind === "none" && endurance.reason === "no-backup" ? "none" : undefined,
    fuelSight: isBlind && mains !== "present" ? "blind" : undefined,
    enduranceH: estimate?.p50H,
    occupancyPct: full,
    starterBatteryV: number("power.starterBatteryV"),
    stateOfChargePct: state.battery?.stateOfChargePct,
    fuelUsableL: state.fuel?.usableL,
    loadKw: number("power.loadKw"),
    temperatureC: number("environment.temperatureC"),
    badSensors: bad.length,
    supplyScoreMin: scores.length === 0 ? undefined : Math.min(...scores),
    sampleAgeS:
      state.lastSampleAt === undefined
        ? undefined
        : (Date.parse(state.updatedAt) - Date.parse(state.lastSampleAt)) / 1000,
  });
}

function defined(known: { readonly [K in keyof Quantities]: Quantities[K] | undefined }): Quantities {
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)) as Quantities;
}
