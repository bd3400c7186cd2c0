// What is wrong with the conditions of rules, in words that say what to write.
import { type Condition, NUMBERS, type Rule, WORDS } from "../../protocol/index.ts";
import { nearest } from "../../protocol/nearest.ts";
import { PROCESS_MATTER } from "../domain/minimum.ts";

const QUANTITIES: readonly string[] = [...NUMBERS, ...WORDS];
const LISTS = ["when", "holds"] as const;
const RIGHT: Condition = { quantity: NUMBERS[0], below: 0 };

/** Of every list of conditions in the file; what is no list is the schema's to tell of. */
export function conditionProblems(file: unknown): string[] {
  return ["rules", "overrides"].flatMap((part) =>
    listIn(file, part).flatMap((one, i) => [
      ...conditionsIn(one, `${part}/${i}`),
      ...listIn(one, "priorityWhen").flatMap((inner, k) => conditionsIn(inner, `${part}/${i}/priorityWhen/${k}`)),
    ]),
  );
}

function listIn(value: unknown, key: string): readonly unknown[] {
  const inner = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
  return Array.isArray(inner) ? inner : [];
}

function conditionsIn(value: unknown, at: string): string[] {
  return LISTS.flatMap((list) => listIn(value, list).flatMap((one, i) => problemsOf(one, `${at}/${list}/${i}`)));
}

/**
 * The file with a condition that is right in the place of each that is not: what else is wrong can then be told of, and what a
 * union says of a condition helps nobody.
 */
export function withRightConditions(file: unknown): unknown {
  const right = (one: unknown) => mapped(one, LISTS, (each) => (problemsOf(each, "").length > 0 ? RIGHT : each));
  return mapped(file, ["rules", "overrides"], (one) => mapped(right(one), ["priorityWhen"], right));
}

function mapped(value: unknown, keys: readonly string[], change: (one: unknown) => unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const lists = keys.filter((key) => Array.isArray((value as Record<string, unknown>)[key]));
  return { ...value, ...Object.fromEntries(lists.map((key) => [key, listIn(value, key).map(change)])) };
}

function problemsOf(condition: unknown, at: string): string[] {
  if (typeof condition !== "object" || condition === null) return [`${at} must be a condition: a quantity and a test`];
  const { quantity, ...tests } = condition as Record<string, unknown>;
  if (typeof quantity !== "string") return [`${at} misses quantity: one of ${QUANTITIES.join(", ")}`];
  if (!QUANTITIES.includes(quantity)) {
    const near = nearest(quantity, QUANTITIES);
    return [`${at}/quantity ${quantity} is not known${near === undefined ? "" : `: did you mean ${near}?`}`];
  }
  const isNumber = (NUMBERS as readonly string[]).includes(quantity);
  const [name, value, ...more] = Object.entries(tests).flat();
  const allowed = isNumber ? ["below", "atLeast"] : ["is", "isNot"];
  const form = isNumber ? "a number with below or atLeast" : "a list of words with is or isNot";
  if (!allowed.includes(String(name)) || more.length > 0) return [`${at}: ${quantity} takes ${form}, and one of them`];
  const fits = isNumber
    ? typeof value === "number" && Number.isFinite(value)
    : Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string" && one !== "");
  return fits ? [] : [`${at}/${name}: ${quantity} takes ${form}`];
}

/** Conditions under which a rule goes on that are narrower than those under which it begins: it would end as it begins. */
export function hysteresisProblems({ when, holds }: Pick<Rule, "when" | "holds">, at: string): string[] {
  return (holds ?? []).flatMap((hold, i) => {
    const start = when.find((one) => one.quantity === hold.quantity && testOf(one) === testOf(hold));
    const wrong = start === undefined ? undefined : narrower(start, hold);
    return wrong === undefined ? [] : [`${at}/holds/${i}: ${hold.quantity} ${wrong}`];
  });
}

function testOf(condition: Condition): string {
  return Object.keys(condition).find((key) => key !== "quantity") ?? "";
}

function narrower(start: Condition, hold: Condition): string | undefined {
  if ("below" in start && "below" in hold && hold.below < start.below)
    return `holds below ${hold.below}, on the wrong side of ${start.below} at which it begins: give ${start.below} or more`;
  if ("atLeast" in start && "atLeast" in hold && hold.atLeast > start.atLeast)
    return `holds from ${hold.atLeast}, on the wrong side of ${start.atLeast} at which it begins: give ${start.atLeast} or less`;
  if ("is" in start && "is" in hold) {
    const left = start.is.filter((one) => !hold.is.includes(one));
    if (left.length > 0) return `begins at ${left.join(", ")}, which its holds leaves out`;
  }
  if ("isNot" in start && "isNot" in hold) {
    const more = hold.isNot.filter((one) => !start.isNot.includes(one));
    if (more.length > 0) return `ends at ${more.join(", ")}, at which it can begin`;
  }
  return undefined;
}

/** A minimum level is that of one process: under another matter nothing is known of it, and the rule would hold nowhere. */
export function matterProblems({ matter, when, holds = [], priorityWhen = [] }: Rule, at: string): string[] {
  const all = [...when, ...holds, ...priorityWhen.flatMap((one) => one.when)];
  if (matter === PROCESS_MATTER || !all.some((one) => one.quantity === "minimum")) return [];
  return [`${at}/matter ${matter}: the quantity minimum is known of the matter ${PROCESS_MATTER} alone`];
}
