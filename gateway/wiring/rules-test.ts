// `waakvlam rules test`: timelines through the real engine, and which alerts stand at which minute.
import { dirname, resolve } from "node:path";
import { type RulesTest, type RulesTests, RulesTestsSchema } from "../../protocol/index.ts";
import { nearest } from "../../protocol/nearest.ts";
import type { CommandIo, ExitCode } from "../cli/commands.ts";
import { withLine } from "../config/positions.ts";
import { listProblems } from "../config/problems.ts";
import { baseProfileOf, withRulesFile } from "../config/profile.ts";
import { readData } from "../config/rules-file.ts";
import { CONCEPT_2026, PROFILES, type Profile } from "../domain/profile.ts";
import { GatewayError } from "../errors.ts";
import { runTest } from "./rules-timeline.ts";
import { viewsOf } from "./rules-timeline-points.ts";

export interface TestResult {
  readonly name: string;
  readonly passed: boolean;
  /** One line an alert that is missing, too many or other than expected. */
  readonly differences: readonly string[];
}

/** Throws FILE_UNREADABLE, CONFIG_INVALID. */
export function readRulesTests(path: string): { readonly tests: readonly RulesTest[]; readonly profile: Profile } {
  const { value, positions } = readData(path);
  const problems = listProblems(RulesTestsSchema, value, (key, known) => nearest(key, known));
  if (problems.length === 0) problems.push(...acrossProblems(value as RulesTests));
  if (problems.length > 0) {
    const lined = problems.map((one) => withLine(one, positions));
    throw new GatewayError("CONFIG_INVALID", { path, problems: lined });
  }
  const { profile: name = CONCEPT_2026.name, rulesFile, tests } = value as RulesTests;
  const file = rulesFile === undefined ? undefined : resolve(dirname(resolve(path)), rulesFile);
  return { tests, profile: withRulesFile(baseProfileOf({ profile: { name } }), file) };
}

function acrossProblems({ profile, tests }: RulesTests): string[] {
  const problems: string[] = [];
  if (profile !== undefined && !PROFILES.some((one) => one.name === profile)) {
    problems.push(`profile ${profile} is not known: ${PROFILES.map((one) => one.name).join(", ")}`);
  }
  tests.forEach((test, i) => {
    const known = viewsOf(test.points).map((one) => one.pointId);
    for (const part of ["reports", "events", "told"] as const) {
      (test[part] ?? []).forEach(({ points = [] }, k) => {
        for (const pointId of points.filter((one) => !known.includes(one))) {
          const near = nearest(pointId, known);
          const hint = near === undefined ? "" : `: did you mean ${near}?`;
          problems.push(`tests/${i}/${part}/${k}/points: ${pointId} is no point of this test${hint}`);
        }
      });
    }
    (test.acts ?? []).forEach(({ act, until, reason }, k) => {
      const at = `tests/${i}/acts/${k}`;
      if (act === "shelve" && until === undefined) problems.push(`${at} misses until: a shelf ends`);
      if ((act === "shelve" || act === "take-out") && reason === undefined) problems.push(`${at} misses reason`);
    });
  });
  return problems;
}

/** Exit code 1 when an alert is other than expected. */
export async function testRules(path: string, json: boolean, io: CommandIo): Promise<ExitCode> {
  const { tests, profile } = readRulesTests(path);
  const results: TestResult[] = [];
  for (const test of tests) {
    const differences = await runTest(test, profile);
    results.push({ name: test.name, passed: differences.length === 0, differences });
    if (json) continue;
    io.out(`${differences.length === 0 ? "ok    " : "FAILED"} ${test.name}`);
    for (const line of differences) io.out(`         ${line}`);
  }
  const failed = results.filter((one) => !one.passed).length;
  if (json) io.out(JSON.stringify({ file: path, passed: results.length - failed, failed, tests: results }));
  else io.out(`${results.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}
