// `npm test` and `npm run check`: everything in its order, what could not run with its reason, and one closing line.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { boardsFound, HOW_TO } from "./engine/find.ts";
import { EXIT_SKIPPED } from "./fault/proof.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUT = join(ROOT, "tests", "out");
const STEP_MS = 900_000;

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  readonly reasons: string[];
}

const tally: Tally = { passed: 0, failed: 0, skipped: 0, reasons: [] };

/** The short forms. */
const PROOFS: readonly (readonly string[])[] = [
  ["kill9", "--cycles", "4"],
  ["kill9", "--subject", "gateway", "--cycles", "2"],
  ["kill9", "--subject", "writer", "--cycles", "6"],
  ["powercut", "--layer", "replay", "--form", "short"],
  ["powercut", "--layer", "filesystem", "--form", "short"],
  ["diskfull", "--form", "short"],
  ["slowdisk", "--form", "short"],
  ["clock", "--form", "short"],
  ["poison"],
  ["compaction", "--cycles", "4"],
  ["sinks", "--form", "short"],
  ["spare", "--form", "short"],
  ["device-powercut", "--form", "short"],
  ["blackout", "--form", "short"],
];

/** The exit code, -1 of one that was ended; what it says on standard output is shown, and given back when it is asked for. */
function run(name: string, args: readonly string[], isKept = false): { readonly code: number; readonly text: string } {
  process.stdout.write(`\n── ${name}\n`);
  const began = performance.now();
  const result = spawnSync(process.execPath, args, {
    cwd: ROOT,
    stdio: ["ignore", isKept ? "pipe" : "inherit", "inherit"],
    encoding: "utf8",
    timeout: STEP_MS,
  });
  const text = isKept ? result.stdout : "";
  const how = result.status === 0 ? "ok" : result.status === EXIT_SKIPPED ? "skipped" : "failed";
  process.stdout.write(`${text}   ${how}, ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
  return { code: result.status ?? -1, text };
}

function step(name: string, args: readonly string[]): boolean {
  return run(name, args).code === 0;
}

function proof(words: readonly string[]): void {
  const name = `proof ${words.join(" ")}`;
  const { code, text } = run(name, ["tests/fault/main.ts", ...words], true);
  if (code !== EXIT_SKIPPED) {
    count(name, code === 0);
    return;
  }
  tally.skipped++;
  tally.reasons.push(`skipped ${name}: ${text.trim().replace(/^skipped: /, "")}`);
}

function count(name: string, ok: boolean): void {
  if (ok) tally.passed++;
  else {
    tally.failed++;
    tally.reasons.push(`FAILED  ${name}`);
  }
}

interface VitestReport {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

function vitest(name: string, projects: readonly string[]): void {
  const report = join(OUT, `${name}.json`);
  const flags = projects.flatMap((project) => ["--project", project]);
  const ok = step(name, [
    "node_modules/vitest/vitest.mjs",
    "run",
    ...flags,
    "--reporter=dot",
    "--reporter=json",
    `--outputFile=${report}`,
  ]);
  const found = existsSync(report) ? (JSON.parse(readFileSync(report, "utf8")) as VitestReport) : undefined;
  const results = found?.testResults.flatMap((file) => file.assertionResults) ?? [];
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
  // A file that did not even load has no tests to count.
  if (!ok && !results.some((one) => one.status === "failed")) count(name, false);
}

function main(): void {
  mkdirSync(OUT, { recursive: true });
  const isCheck = process.argv.includes("--check");
  count("types", step("types", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json", "--noEmit"]));
  count("lint and format", step("lint and format", ["node_modules/@biomejs/biome/bin/biome", "check", "."]));
  const hasEngine = boardsFound().length > 0;
  // Together: the engine's long scenarios keep one core, and the rest goes on beside them.
  vitest("unit", ["unit", "vectors", "fuzz", "tidy", ...(isCheck || !hasEngine ? [] : ["engine"])]);
  if (!isCheck) {
    if (!hasEngine) {
      tally.skipped++;
      tally.reasons.push(`skipped engine: no Espruino found; ${HOW_TO}`);
    }
    vitest("e2e", ["e2e"]);
    for (const words of PROOFS) proof(words);
    count("bench codec, short", step("bench codec, short", ["tests/bench/main.ts", "codec", "--rounds", "2"]));
    count("bench firmware, short", step("bench firmware, short", ["tests/bench/main.ts", "firmware", "--hours", "1"]));
    count(
      "bench ingest, short",
      step("bench ingest, short", [
        "tests/bench/main.ts",
        "ingest",
        "--case",
        "50x10",
        "--seconds",
        "1",
        "--rounds",
        "1",
      ]),
    );
  }
  process.stdout.write(`\n${tally.reasons.join("\n")}\n`);
  process.stdout.write(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped\n`);
  process.exitCode = tally.failed === 0 ? 0 : 1;
}

main();
