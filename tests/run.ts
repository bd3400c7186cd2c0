// `npm test` and `npm run check`: everything in its order, what could not run with its reason, and one closing line.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { boardsFound, HOW_TO } from "./engine/find.ts";

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

function step(name: string, args: readonly string[]): boolean {
  process.stdout.write(`\n── ${name}\n`);
  const began = performance.now();
  const result = spawnSync(process.execPath, args, {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    timeout: STEP_MS,
  });
  process.stdout.write(
    `   ${result.status === 0 ? "ok" : "failed"}, ${((performance.now() - began) / 1000).toFixed(1)} s\n`,
  );
  return result.status === 0;
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
  vitest("unit", ["unit", "vectors", "fuzz", "tidy"]);
  if (!isCheck) {
    if (boardsFound().length > 0) vitest("engine", ["engine"]);
    else {
      tally.skipped++;
      tally.reasons.push(`skipped engine: no Espruino found; ${HOW_TO}`);
    }
    vitest("e2e", ["e2e"]);
    count("proof kill9, short", step("proof kill9, short", ["tests/fault/main.ts", "kill9", "--cycles", "4"]));
    count(
      "proof compaction, short",
      step("proof compaction, short", ["tests/fault/main.ts", "compaction", "--cycles", "8"]),
    );
    count("proof poison", step("proof poison", ["tests/fault/main.ts", "poison"]));
    count(
      "proof device-powercut, short",
      step("proof device-powercut, short", ["tests/fault/main.ts", "device-powercut", "--form", "short"]),
    );
    count(
      "proof blackout, short",
      step("proof blackout, short", ["tests/fault/main.ts", "blackout", "--form", "short"]),
    );
    count("proof sinks, short", step("proof sinks, short", ["tests/fault/main.ts", "sinks", "--form", "short"]));
    count("bench codec, short", step("bench codec, short", ["tests/bench/main.ts", "codec", "--rounds", "2"]));
    count("bench firmware, short", step("bench firmware, short", ["tests/bench/main.ts", "firmware", "--hours", "1"]));
    count(
      "bench ingest, short",
      step("bench ingest, short", ["tests/bench/main.ts", "ingest", "--seconds", "1", "--rounds", "1"]),
    );
  }
  process.stdout.write(`\n${tally.reasons.join("\n")}\n`);
  process.stdout.write(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped\n`);
  process.exitCode = tally.failed === 0 ? 0 : 1;
}

main();
