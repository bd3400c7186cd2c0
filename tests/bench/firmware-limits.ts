// What the firmware must keep to, and what it aims at, as rows beside the figures.
import { type BenchRow, significant } from "./bench.ts";

/** By case and subject: at most this. */
const LIMITS: Readonly<Record<string, number>> = {
  "bundle-bytes mdbt42q door": 12_200,
  "bundle-bytes esp32 point": 20_000,
  // Half of 2,950 variables, and 58 %.
  "jsvars-rest mdbt42q door": 1475,
  "jsvars-peak mdbt42q door": 1711,
  "jsvars-rest esp32 point": 2600,
  "jsvars-peak esp32 point": 3000,
  "backlog-bytes-per-sample-51 waakvlam": 7.4,
  "backlog-bytes-per-sample-115 waakvlam": 4.9,
  "backlog-bytes-per-sample-222 waakvlam": 4.3,
};
const GOALS: Readonly<Record<string, number>> = {
  "backlog-bytes-per-sample-51 waakvlam": 6.5,
  "backlog-bytes-per-sample-115 waakvlam": 4.6,
  "backlog-bytes-per-sample-222 waakvlam": 4.1,
};
/** No turn of any program is longer: serial data would be lost. */
const TURN_MS_MAX = 50;

function limitOf(row: BenchRow): number | undefined {
  return row.case.startsWith("turn-longest") ? TURN_MS_MAX : LIMITS[`${row.case} ${row.subject}`];
}

/** All rows with their limits behind them, what is over a limit said and counted in a row of its own. */
export function withLimits(rows: readonly BenchRow[], log: (line: string) => void): BenchRow[] {
  let over = 0;
  const all = rows.flatMap((row) => {
    const limit = limitOf(row);
    if (limit === undefined) return [row];
    const isOver = row.value > limit;
    if (isOver) {
      over++;
      log(`firmware: OVER THE LIMIT: ${row.case} ${row.subject}: ${row.value} ${row.unit}, at most ${limit}`);
    }
    const name = row.subject === "waakvlam" ? "" : ` ${row.subject}`;
    const beside = { case: row.case, unit: row.unit };
    const goal = GOALS[`${row.case} ${row.subject}`];
    const found = [row, { ...beside, subject: `limit${name}`, value: limit, ratio: significant(limit / row.value) }];
    if (goal !== undefined)
      found.push({ ...beside, subject: "goal", value: goal, ratio: significant(goal / row.value) });
    return found;
  });
  return [...all, { case: "over-limit", subject: "waakvlam", value: over, unit: "limits" }];
}
