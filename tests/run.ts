// `npm test` and `npm run check`: everything in its order or in two lanes, what could not run with its reason, and one closing line.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { useCompileCache } from "./compile-cache.ts";
import { boardsFound, HOW_TO } from "./engine/find.ts";
import { EXIT_SKIPPED } from "./fault/proof.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUT = join(ROOT, "tests", "out");
const STEP_MS = 900_000;
/** More test files than that do not break off by chance. */
const AGAIN_MAX = 2;

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  readonly reasons: string[];
}

const tally: Tally = { passed: 0, failed: 0, skipped: 0, reasons: [] };

type Words = readonly string[];

/** Short forms that keep a core and measure no time: one after the other, beside the rest. */
const BESIDE: readonly Words[] = [
  ["device-powercut", "--form", "short"],
  ["blackout", "--form", "short"],
  ["spare", "--form", "short"],
  ["incident"],
  ["lorawan", "--form", "short"],
  ["kill9", "--cycles", "4"],
  ["kill9", "--subject", "gateway", "--cycles", "2"],
  ["kill9", "--subject", "writer", "--cycles", "6"],
  ["powercut", "--layer", "replay", "--form", "short"],
  ["powercut", "--layer", "eio", "--form", "short"],
  ["compaction", "--cycles", "4"],
  ["sinks", "--form", "short"],
];

/** The other short forms, behind the tests with real clients, which take as long as those. */
const PROOFS: readonly Words[] = [
  ["powercut", "--layer", "filesystem", "--form", "short"],
  ["diskfull", "--form", "short"],
  ["clock", "--form", "short"],
  ["poison"],
];

/** Of 20,000: who waits for a check gets a quarter, with a seed of its own each time. */
const FUZZ_RUNS_OF_CHECK = 5_000;
const BEYOND_CHECK =
  "tests of over ten seconds (*.long.test.ts), three quarters of the fuzzing, engine, e2e, proofs and benchmarks; npm test runs them";

/** What measures time has the machine to itself. */
const ALONE: readonly Words[] = [["slowdisk", "--form", "short"]];

/** The exit code, -1 of one that was ended, and what it said, which is shown whole once it has ended. */
async function run(name: string, args: Words): Promise<{ readonly code: number; readonly text: string }> {
  const began = performance.now();
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], timeout: STEP_MS });
  const said: Buffer[] = [];
  const all: Buffer[] = [];
  child.stdout.on("data", (some: Buffer) => said.push(some) && all.push(some));
  child.stderr.on("data", (some: Buffer) => all.push(some));
  const code = await new Promise<number>((resolve) => child.once("close", (one) => resolve(one ?? -1)));
  const how = code === 0 ? "ok" : code === EXIT_SKIPPED ? "skipped" : "failed";
  const took = ((performance.now() - began) / 1000).toFixed(1);
  process.stdout.write(`\n── ${name}\n${Buffer.concat(all).toString()}   ${how}, ${took} s\n`);
  return { code, text: Buffer.concat(said).toString() };
}

async function step(name: string, args: Words): Promise<void> {
  count(name, (await run(name, args)).code === 0);
}

async function bench(...words: Words): Promise<void> {
  await step(`bench ${words[0]}, short`, ["tests/bench/main.ts", ...words]);
}

async function proofs(list: readonly Words[]): Promise<void> {
  for (const words of list) {
    const name = `proof ${words.join(" ")}`;
    const { code, text } = await run(name, ["tests/fault/main.ts", ...words]);
    if (code === EXIT_SKIPPED) {
      tally.skipped++;
      tally.reasons.push(`skipped ${name}: ${text.trim().replace(/^skipped: /, "")}`);
    } else count(name, code === 0);
  }
}

function count(name: string, ok: boolean): void {
  if (ok) tally.passed++;
  else {
    tally.failed++;
    tally.reasons.push(`FAILED  ${name}`);
  }
}

interface TestFile {
  readonly name: string;
  readonly status: string;
  readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
}

/** What became of the test files of these projects, or of those that are named. */
async function testFiles(
  name: string,
  projects: Words,
  only: Words,
): Promise<{ readonly isGreen: boolean; readonly files: readonly TestFile[] }> {
  const report = join(OUT, `${name}.json`);
  rmSync(report, { force: true });
  const flags = projects.flatMap((project) => ["--project", project]);
  const reporters = ["--reporter=dot", "--reporter=json", `--outputFile=${report}`];
  const { code } = await run(name, ["node_modules/vitest/vitest.mjs", "run", ...only, ...flags, ...reporters]);
  const found = existsSync(report)
    ? (JSON.parse(readFileSync(report, "utf8")) as { testResults: TestFile[] })
    : undefined;
  return { isGreen: code === 0, files: found?.testResults ?? [] };
}

/** Not one of its tests failed, and yet it did not end: it did not load, or its process died under it. */
function isBrokenOff({ status, assertionResults }: TestFile): boolean {
  return status === "failed" && !assertionResults.some((one) => one.status === "failed");
}

async function vitest(name: string, projects: Words): Promise<void> {
  let { isGreen, files } = await testFiles(name, projects, []);
  const broken = files.filter(isBrokenOff).map((file) => file.name);
  if (broken.length > 0 && broken.length <= AGAIN_MAX) {
    // A fault in what runs the tests tells nothing of what they test: once more, and said.
    for (const file of broken) tally.reasons.push(`broken off, and run again: ${file}`);
    const again = await testFiles(`${name}-again`, projects, broken);
    const isFailed = files.some((file) => file.assertionResults.some((one) => one.status === "failed"));
    isGreen = again.isGreen && !isFailed;
    files = [...files.filter((file) => !isBrokenOff(file)), ...again.files];
  }
  const results = files.flatMap((file) => file.assertionResults);
  for (const one of results) {
    if (one.status === "passed") tally.passed++;
    else if (one.status === "failed") {
      tally.failed++;
      tally.reasons.push(`FAILED  ${one.fullName}`);
    } else {
      tally.skipped++;
      tally.reasons.push(`skipped ${one.fullName}`);
    }
  }
  // What ended badly without a test that failed has nothing else to be counted by.
  if (!isGreen && !results.some((one) => one.status === "failed")) count(name, false);
}

/** What `npm test` does beyond `npm run check`. */
async function whole(): Promise<void> {
  const beside = async (): Promise<void> => {
    await bench("firmware", "--hours", "1", "--profile", "no");
    await bench("endurance", "--points", "120");
    await proofs(BESIDE);
  };
  const others = async (): Promise<void> => {
    await vitest("e2e", ["e2e"]);
    await proofs(PROOFS);
  };
  await Promise.all([beside(), others()]);
  await proofs(ALONE);
  await bench("codec", "--rounds", "2");
  await bench("rules", "--points", "200", "--rounds", "5", "--alerts", "20");
  await bench("ingest", "--case", "50x10", "--seconds", "1", "--rounds", "1");
}

async function main(): Promise<void> {
  mkdirSync(OUT, { recursive: true });
  useCompileCache(true);
  const isCheck = process.argv.includes("--check");
  if (isCheck) process.env["FUZZ_RUNS"] ??= `${FUZZ_RUNS_OF_CHECK}`;
  await step("types", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json", "--noEmit"]);
  await step("lint and format", ["node_modules/@biomejs/biome/bin/biome", "check", "."]);
  const hasEngine = boardsFound().length > 0;
  if (!isCheck && !hasEngine) {
    tally.skipped++;
    tally.reasons.push(`skipped engine: no Espruino found; ${HOW_TO}`);
  }
  // Together: the engine's long scenarios keep one core, and the rest goes on beside them.
  const more = isCheck ? [] : ["long", ...(hasEngine ? ["engine"] : [])];
  await vitest("unit", ["unit", "vectors", "fuzz", "tidy", ...more]);
  if (isCheck) tally.reasons.push(`not part of a check: ${BEYOND_CHECK}`);
  else await whole();
  process.stdout.write(`\n${tally.reasons.join("\n")}\n`);
  process.stdout.write(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped\n`);
  process.exitCode = tally.failed === 0 ? 0 : 1;
}

await main();
