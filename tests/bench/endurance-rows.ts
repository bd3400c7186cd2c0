// The figures of a run as rows.
import { type BenchRow, significant } from "./bench.ts";
import type { Judged } from "./endurance-feed.ts";
import { countHonesty } from "./endurance-honesty.ts";
import { CONTROLS, COVERAGE, coverageOffMax, missedBy, ratioOf } from "./endurance-limits.ts";
import { coverageOf, errorPairs, HORIZONS_H, model, PEERS, pinballOf, quantile } from "./endurance-score.ts";

const percent = (share: number) => significant(share * 100);

function row(name: string, subject: string, value: number, unit: string, note?: string): BenchRow {
  return { case: name, subject, value: significant(value), unit, ...(note === undefined ? {} : { note }) };
}

export function coverageRows(judged: readonly Judged[]): BenchRow[] {
  const off = percent(coverageOffMax(judged.length));
  const classes = [...new Set(judged.flatMap((one) => one.feed.classes))].sort();
  const of = (name: string, some: readonly Judged[], horizonH?: number) => {
    const { points, inside, early } = coverageOf(some, model, horizonH);
    return points === 0
      ? []
      : [row(name, "waakvlam", percent(inside), "%", `${points} points, ${percent(early)} % empty before P10`)];
  };
  return [
    ...of("coverage", judged),
    row("coverage", "limit", percent(COVERAGE), "%", `± ${off}`),
    ...HORIZONS_H.flatMap((horizonH) => of(`coverage-${horizonH}h`, judged, horizonH)),
    ...classes.flatMap((name) =>
      of(
        `coverage-${name}`,
        judged.filter((one) => one.feed.classes.includes(name)),
      ),
    ),
  ];
}

/** Errors of P50 and losses, beside those of the peers where both gave a number. */
export function errorRows(judged: readonly Judged[]): BenchRow[] {
  return HORIZONS_H.flatMap((horizonH) => {
    const own = errorPairs(judged, horizonH, model, model).map((one) => one.mine);
    if (own.length === 0) return [];
    const loss = pinballOf(judged, horizonH, model);
    const peers = Object.entries(PEERS).flatMap(([name, peer]) => {
      const pairs = errorPairs(judged, horizonH, model, peer);
      if (pairs.length === 0) return [];
      const theirs = row(
        `error-${horizonH}h`,
        name,
        quantile(
          pairs.map((one) => one.theirs),
          0.5,
        ),
        "h",
      );
      const losses = row(`pinball-${horizonH}h`, name, pinballOf(judged, horizonH, peer), "h");
      const note = `${pairs.length} points where both gave a number`;
      return [
        { ...theirs, ratio: significant(ratioOf(pairs, judged.length).ratio), note },
        { ...losses, ratio: significant(losses.value / loss) },
      ];
    });
    return [
      row(`error-${horizonH}h`, "waakvlam", quantile(own, 0.5), "h", `${own.length} points`),
      row(`pinball-${horizonH}h`, "waakvlam", loss, "h"),
      ...peers,
    ];
  });
}

/** Median error of the classes at one horizon. */
export function classErrorRows(judged: readonly Judged[]): BenchRow[] {
  const classes = [...new Set(judged.flatMap((one) => one.feed.classes))].sort();
  return classes.flatMap((name) => {
    const some = judged.filter((one) => one.feed.classes.includes(name));
    return HORIZONS_H.flatMap((horizonH) => {
      const own = errorPairs(some, horizonH, model, model).map((one) => one.mine);
      if (own.length === 0) return [];
      return [row(`error-${horizonH}h-${name}`, "waakvlam", quantile(own, 0.5), "h", `${own.length} points`)];
    });
  });
}

export function honestyRows(judged: readonly Judged[]): BenchRow[] {
  const { asked, byHonesty, byReason } = countHonesty(judged);
  const none = byHonesty["none-honest"] + byHonesty["none-withheld"] + byHonesty["none-wrong-reason"];
  const estimates = judged.flatMap((one) => one.asked).filter((one) => one.endurance.kind === "estimate");
  const carried = estimates.filter((one) => one.endurance.kind === "estimate" && one.endurance.carriedForward).length;
  return [
    row("asked", "waakvlam", asked, "times"),
    row("number-dishonest", "waakvlam", byHonesty["number-dishonest"], "times"),
    row("number-unmarked", "waakvlam", byHonesty["number-unmarked"], "times"),
    row("number-carried-forward", "waakvlam", percent(carried / estimates.length), "%"),
    row("none", "waakvlam", percent(none / asked), "%"),
    row("none-honest", "waakvlam", none === 0 ? 100 : percent(byHonesty["none-honest"] / none), "%", "of none"),
    row("none-withheld", "waakvlam", byHonesty["none-withheld"], "times"),
    row("none-wrong-reason", "waakvlam", byHonesty["none-wrong-reason"], "times"),
    ...[...byReason].sort().map(([reason, count]) => row(`none-${reason}`, "waakvlam", percent(count / asked), "%")),
  ];
}

export function controlRows(judged: readonly Judged[]): BenchRow[] {
  return CONTROLS.map(({ name, pick, mustHold }) => {
    const missed = missedBy(judged, pick);
    const isRight = mustHold === (missed.length === 0);
    const how = missed.length === 0 ? "keeps to the limits" : `caught: ${missed[0]}`;
    const made = row("control-coverage", name, percent(coverageOf(judged, pick).inside), "%", how);
    return isRight ? made : { ...made, missed: true as const };
  });
}
