// The file of rules beside the profile: rules added or put in place of the profile's, and other thresholds at some points. Checked
// whole, every problem with its place and the nearest name that is known.
import { readFileSync } from "node:fs";
import { parse as parseToml, TomlError } from "smol-toml";
import { RULES_MAX, type Rule, type RulesFile, RulesFileSchema } from "../../protocol/index.ts";
import { nearest } from "../../protocol/nearest.ts";
import { hasText } from "../domain/alert-text.ts";
import { withOverride, withRules } from "../domain/alerts/rule-set.ts";
import { GatewayError } from "../errors.ts";
import { conditionProblems, hysteresisProblems, matterProblems, withRightConditions } from "./conditions.ts";
import { keyPositions, type Positions, withLine } from "./positions.ts";
import { listProblems } from "./problems.ts";

const NO_POSITIONS: Positions = new Map();
/** Alerts that the gateway makes by itself have these names. */
const OWN_NAMES = /^(?:group-|path-)/;

/** The value of a TOML or JSON file, and where its keys stand. Throws FILE_UNREADABLE, CONFIG_INVALID. */
export function readData(path: string): { readonly value: unknown; readonly positions: Positions } {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new GatewayError("FILE_UNREADABLE", { path }, { cause });
  }
  try {
    if (path.endsWith(".json")) return { value: JSON.parse(text), positions: NO_POSITIONS };
    return { value: parseToml(text), positions: keyPositions(text) };
  } catch (cause) {
    const words = (cause instanceof Error ? cause.message : String(cause)).split("\n")[0] ?? "";
    const place = cause instanceof TomlError ? `line ${cause.line}, column ${cause.column}: ` : "";
    throw new GatewayError("CONFIG_INVALID", { path, problems: [`${place}${words}`] }, { cause });
  }
}

/** The rules of a file, judged beside those of the profile. Throws FILE_UNREADABLE, CONFIG_INVALID. */
export function readRulesFile(path: string, base: readonly Rule[]): RulesFile {
  const { value, positions } = readData(path);
  const problems = rulesFileProblems(value, base).map((problem) => withLine(problem, positions));
  if (problems.length > 0) throw new GatewayError("CONFIG_INVALID", { path, problems });
  return value as RulesFile;
}

/** All that is wrong, each with its place in the file; empty when these rules can be in force. */
export function rulesFileProblems(value: unknown, base: readonly Rule[]): string[] {
  const conditions = conditionProblems(value);
  const others = listProblems(RulesFileSchema, withRightConditions(value), (key, known) => nearest(key, known));
  const problems = [...conditions, ...others];
  // Names are looked up as well where conditions are wrong; nothing is where the shape of the file is.
  if (others.length > 0) return problems;
  return [...problems, ...acrossProblems(value as RulesFile, base, conditions.length === 0)];
}

function acrossProblems({ rules = [], overrides = [] }: RulesFile, base: readonly Rule[], areRight: boolean): string[] {
  const problems: string[] = [];
  const ids = new Map<string, number>();
  rules.forEach((rule, i) => {
    const at = `rules/${i}`;
    const first = ids.get(rule.ruleId);
    if (first !== undefined) problems.push(`${at}/ruleId ${rule.ruleId} is that of rules/${first} as well`);
    else ids.set(rule.ruleId, i);
    problems.push(...nameProblems(rule, base, at));
    if (areRight) problems.push(...hysteresisProblems(rule, at), ...matterProblems(rule, at));
  });
  const all = withRules(base, rules);
  if (all.length > RULES_MAX) problems.push(`rules: ${all.length} with those of the profile, at most ${RULES_MAX}`);
  overrides.forEach((override, i) => {
    const at = `overrides/${i}`;
    const rule = all.find((one) => one.ruleId === override.ruleId);
    if (rule === undefined) {
      const names = all.map((one) => one.ruleId);
      problems.push(`${at}/ruleId ${override.ruleId} is no rule${hint(override.ruleId, names)}`);
    } else if (areRight) {
      const there = withOverride(rule, override);
      problems.push(...hysteresisProblems(there, at), ...matterProblems(there, at));
    }
  });
  return problems;
}

function nameProblems({ ruleId, text }: Rule, base: readonly Rule[], at: string): string[] {
  if (base.some((one) => one.ruleId === ruleId)) return [];
  if (hasText(ruleId) || OWN_NAMES.test(ruleId))
    return [`${at}/ruleId ${ruleId} is a name of the gateway's own alerts: take another`];
  if (text !== undefined) return [];
  const names = base.map((one) => one.ruleId);
  return [`${at} misses text, which a rule that the profile does not have needs${hint(ruleId, names)}`];
}

/** Overrides that name points which the registry does not have: left alone, they would hold nowhere. */
export function unknownPoints({ overrides = [] }: Pick<RulesFile, "overrides">, known: readonly string[]): string[] {
  const points = new Set(known);
  return overrides.flatMap((override, i) =>
    (override.points ?? []).flatMap((pointId, k) =>
      points.has(pointId) ? [] : [`overrides/${i}/points/${k} ${pointId} is no point${hint(pointId, known)}`],
    ),
  );
}

function hint(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? "" : `: did you mean ${near}?`;
}
