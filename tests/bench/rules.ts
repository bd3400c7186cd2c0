// Rules over many points: what a report costs with twenty rules, whether it grows with the points, and how long it is from a commit to the
// alert, beside the same rule in Node-RED.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { wholeFlag, wordFlag } from "../command.ts";
import { proofFolder } from "../fault/record/endings.ts";
import { type Bench, type BenchRow, significant } from "./bench.ts";
import { findNodeRed } from "./ingest-peers.ts";
import { nodeRedLatencies, ourLatencies } from "./rules-latency.ts";
import { RULES } from "./rules-set.ts";

const ENGINE = fileURLToPath(new URL("./rules-engine.ts", import.meta.url));
const SHARES = [0.25, 0.5, 1];
/** A report among all the points may cost so much more than one among a quarter of them. */
const GROWTH_MAX = 1.6;
const RUN_MS = 600_000;

interface Size {
  readonly reportUs: number;
  readonly pointBytes: number;
  readonly alerts: number;
}

function sizeOf(points: number, rounds: number): Size {
  const args = ["--expose-gc", ENGINE, "--points", `${points}`, "--rounds", `${rounds}`];
  const run = spawnSync(process.execPath, args, { encoding: "utf8", timeout: RUN_MS });
  if (run.status !== 0) throw new Error(`the engine of ${points} points failed: ${run.stderr}`);
  return JSON.parse(run.stdout) as Size;
}

function at(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

function latencyRows(subject: string, what: string, values: readonly number[]): BenchRow[] {
  return [0.5, 0.99].map((share) => {
    const value = significant(at(values, share));
    return { case: `${what}-p${share * 100}`, subject, value, unit: "ms", note: `${values.length} alerts` };
  });
}

export const bench: Bench = {
  name: "rules",
  summary: `${RULES} rules over many points: cost of a report, memory, growth, and time to the alert beside Node-RED`,
  flags: {
    points: "of the largest size (1000); a quarter and a half are measured as well",
    rounds: "reports of each point, of which the median counts (15)",
    alerts: "whose time is measured (200)",
    peers: "yes: install Node-RED when it is not there",
  },
  async run({ flags, log }) {
    const [points, rounds] = [wholeFlag(flags, "points", 1_000), wholeFlag(flags, "rounds", 15)];
    const alerts = Math.min(points, wholeFlag(flags, "alerts", 200));
    const red = findNodeRed(wordFlag(flags, "peers", ["yes", "no"]) === "yes", log);
    const rows: BenchRow[] = [];
    const costs: number[] = [];
    for (const share of SHARES) {
      const size = Math.max(1, Math.round(points * share));
      const { reportUs, pointBytes, alerts: open } = sizeOf(size, rounds);
      costs.push(reportUs);
      const name = `${size}x${RULES}`;
      const note = `${open} alerts stand`;
      rows.push({ case: `${name}-report`, subject: "waakvlam", value: significant(reportUs), unit: "µs CPU", note });
      rows.push({ case: `${name}-memory`, subject: "waakvlam", value: significant(pointBytes), unit: "B/point" });
      log(`rules: ${size} points: ${reportUs.toFixed(1)} µs a report`);
    }
    const growth = significant((costs.at(-1) as number) / (costs[0] as number));
    const limit = `a report among ${points} points to one among a quarter; at most ${GROWTH_MAX}`;
    rows.push({ case: "growth", subject: "waakvlam", value: growth, unit: "times", note: limit });
    rows.push(...(await timesOf({ points, alerts, red }, log)));
    if (growth > GROWTH_MAX) throw new Error(`the cost of a report grows with the points: ${growth} times, ${limit}`);
    return rows;
  },
};

async function timesOf(
  { points, alerts, red }: { points: number; alerts: number; red: ReturnType<typeof findNodeRed> },
  log: (line: string) => void,
): Promise<BenchRow[]> {
  const folder = proofFolder();
  try {
    const ours = await ourLatencies(folder.path, points, alerts);
    const rows = [
      ...latencyRows("waakvlam", "commit-to-alert", ours.fromCommit),
      ...latencyRows("waakvlam", "report-to-alert", ours.fromReport),
    ];
    if (red.home === undefined) {
      log(`rules: node-red is left out: ${red.why}`);
      return rows;
    }
    const peer = proofFolder();
    try {
      const theirs = await nodeRedLatencies(red.home, peer.path, alerts);
      return [...rows, ...latencyRows("node-red", "report-to-alert", theirs)];
    } finally {
      peer.remove();
    }
  } finally {
    folder.remove();
  }
}
