// How long a point can go on, judged by points that truly become empty: simulated ones that share nothing with the model,
// or those of a file, given to the real engine as frames; beside what is done elsewhere.
import { FlagError, wholeFlag, wordFlag } from "../command.ts";
import { type Bench, type BenchRow, significant } from "./bench.ts";
import { COST_RATIO_MAX, type CostFigure, costs, MEMORY_RATIO_MAX } from "./endurance-cost.ts";
import { type Feed, feedOf, type Judged, runFeeds } from "./endurance-feed.ts";
import { CONTROL_POINTS_MIN, dishonestBy, missedBy } from "./endurance-limits.ts";
import { classErrorRows, controlRows, coverageRows, errorRows, honestyRows } from "./endurance-rows.ts";
import { model } from "./endurance-score.ts";
import { readTrace } from "./endurance-trace.ts";
import { drawSite } from "./simulator/site.ts";

/** Midnight in Amsterdam of a Tuesday in winter: each simulated outage begins at its own hour of that day. */
const MIDNIGHT_MS = Date.UTC(2026, 10, 23, 23);
const POINTS = 1_000;

type Log = (line: string) => void;

async function run(feeds: readonly Feed[], log: Log) {
  const began = performance.now();
  return runFeeds(feeds, (done) => {
    log(`endurance: ${done} of ${feeds.length} points, ${((performance.now() - began) / 1_000).toFixed(0)} s`);
  });
}

function limitRows(judged: readonly Judged[], log: Log): BenchRow[] {
  const missed = [...missedBy(judged, model), ...dishonestBy(judged)];
  for (const one of missed) log(`endurance: MISSED: ${one}`);
  const made: BenchRow = { case: "missed", subject: "waakvlam", value: missed.length, unit: "limits" };
  return [missed.length === 0 ? made : { ...made, missed: true, note: missed.join("; ") }];
}

async function costRows(seed: number, log: Log): Promise<BenchRow[]> {
  const figures = await costs(seed, MIDNIGHT_MS, (points) => log(`endurance: cost of ${points} points`));
  const least = figures[0] as CostFigure;
  return figures.flatMap((one): BenchRow[] => {
    const subject = `${one.points} points`;
    const time = significant(one.microsecondsPerReport / least.microsecondsPerReport);
    const memory = significant(one.kilobytesPerPoint / least.kilobytesPerPoint);
    const over = (ratio: number, max: number) => (ratio > max ? { missed: true as const } : {});
    const perReport = {
      case: "cost-per-report",
      subject,
      value: significant(one.microsecondsPerReport),
      unit: "µs CPU",
    };
    const perPoint = { case: "memory-per-point", subject, value: significant(one.kilobytesPerPoint), unit: "KB" };
    return [
      { ...perReport, ratio: time, ...over(time, COST_RATIO_MAX) },
      { ...perPoint, ratio: memory, ...over(memory, MEMORY_RATIO_MAX) },
    ];
  });
}

export const bench: Bench = {
  name: "endurance",
  summary: "hours that are forecast against the hours that were, beside a consumption table and a moving average",
  flags: {
    points: `simulated (${POINTS}); below 1,000 the limits leave chance its room`,
    trace: "a CSV of real points instead (tests/README.md), with their facts in a JSON beside it",
    cost: "yes, no: what a report costs with 100, 300 and 1,000 points (yes, but with fewer points or a trace no)",
  },
  async run({ flags, log }) {
    const points = wholeFlag(flags, "points", POINTS);
    const seed = wholeFlag(flags, "seed", 1);
    const { trace } = flags;
    const isWhole = trace === undefined && points >= POINTS;
    const isCosted = (wordFlag(flags, "cost", ["yes", "no"]) ?? (isWhole ? "yes" : "no")) === "yes";
    log(trace === undefined ? `endurance: ${points} points, seed ${seed}` : `endurance: points of ${trace}`);
    const sites = Array.from({ length: trace === undefined ? points : 0 }, (_, i) => drawSite(seed, i));
    const feeds = trace === undefined ? sites.map((site) => feedOf(site, MIDNIGHT_MS)) : readTrace(trace, MIDNIGHT_MS);
    if (feeds.length === 0) throw new FlagError(`${trace} has no points: see tests/README.md for its form`);
    const { judged, cost } = await run(feeds, log);
    const told: BenchRow[] = [
      {
        case: "points",
        subject: "seed",
        value: trace === undefined ? seed : 0,
        unit: "",
        note: `${feeds.length} points`,
      },
      { case: "reports", subject: "waakvlam", value: cost.reports, unit: "reports" },
      {
        case: "time-per-report",
        subject: "waakvlam",
        value: significant((cost.ms * 1_000) / cost.reports),
        unit: "µs",
      },
    ];
    return [
      ...told,
      ...coverageRows(judged),
      ...errorRows(judged),
      ...classErrorRows(judged),
      ...honestyRows(judged),
      ...(trace === undefined && points >= CONTROL_POINTS_MIN ? controlRows(judged) : []),
      ...(isCosted ? await costRows(seed, log) : []),
      ...limitRows(judged, log),
    ];
  },
};
