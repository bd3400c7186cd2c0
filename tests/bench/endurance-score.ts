// Scores forecasts by what truly happened. Each point weighs the same, however long it lasted.
import type { Asked, Judged } from "./endurance-feed.ts";

export const HORIZONS_H = [6, 12, 24, 48] as const;

export interface Forecast {
  readonly p10H: number;
  readonly p50H: number;
  readonly p90H: number;
}

/** Takes what is to be scored out of an answer; undefined where there is no number. */
export type Pick = (asked: Asked, judged: Judged) => Forecast | undefined;

export const model: Pick = ({ endurance }) => (endurance.kind === "estimate" ? endurance : undefined);
const certain = (hours: number | undefined): Forecast | undefined => {
  return hours === undefined ? undefined : { p10H: hours, p50H: hours, p90H: hours };
};
export const PEERS: Readonly<Record<string, Pick>> = {
  "rated-table": ({ rated }) => certain(rated),
  "3-min-average": ({ average }) => certain(average),
};

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0) / values.length;
}

export interface Coverage {
  readonly points: number;
  /** Shares of the estimates, 0 … 1. */
  readonly inside: number;
  /** Empty before P10: somebody relied on hours that were not there. */
  readonly early: number;
  readonly late: number;
}

const sideOf = (forecast: Forecast, truthH: number) =>
  truthH < forecast.p10H ? "early" : truthH > forecast.p90H ? "late" : "inside";

/** Of all estimates, or of those nearest to a horizon. */
export function coverageOf(judged: readonly Judged[], pick: Pick, horizonH?: number): Coverage {
  const shares = judged.flatMap((one) => {
    const asked = horizonH === undefined ? one.asked : atHorizon(one.asked, horizonH);
    const sides = asked.flatMap((at) => {
      const forecast = pick(at, one);
      return forecast === undefined || at.truthH === undefined ? [] : [sideOf(forecast, at.truthH)];
    });
    if (sides.length === 0) return [];
    const share = (side: string) => sides.filter((other) => other === side).length / sides.length;
    return [{ inside: share("inside"), early: share("early"), late: share("late") }];
  });
  const of = (side: "inside" | "early" | "late") => mean(shares.map((one) => one[side]));
  return { points: shares.length, inside: of("inside"), early: of("early"), late: of("late") };
}

/** The one answer that was given so many hours before the end, to a quarter of an hour. */
export function atHorizon(asked: readonly Asked[], horizonH: number): Asked[] {
  return asked.filter((one) => one.truthH !== undefined && Math.abs(one.truthH - horizonH) <= 0.25).slice(0, 1);
}

export interface ErrorPair {
  readonly mine: number;
  readonly theirs: number;
}

/** Absolute errors of P50 of two subjects where both gave a number. */
export function errorPairs(judged: readonly Judged[], horizonH: number, mine: Pick, theirs: Pick): ErrorPair[] {
  return judged.flatMap((one) => {
    return atHorizon(one.asked, horizonH).flatMap((at) => {
      const [a, b] = [mine(at, one), theirs(at, one)];
      if (a === undefined || b === undefined || at.truthH === undefined) return [];
      return [{ mine: Math.abs(a.p50H - at.truthH), theirs: Math.abs(b.p50H - at.truthH) }];
    });
  });
}

function pinball(share: number, forecast: number, truth: number): number {
  return truth >= forecast ? share * (truth - forecast) : (1 - share) * (forecast - truth);
}

/** Mean of the losses at P10, P50 and P90, hours: less is better, and neither width nor boldness buys anything. */
export function pinballOf(judged: readonly Judged[], horizonH: number, pick: Pick): number {
  const losses = judged.flatMap((one) => {
    return atHorizon(one.asked, horizonH).flatMap((at) => {
      const forecast = pick(at, one);
      if (forecast === undefined || at.truthH === undefined) return [];
      const { p10H, p50H, p90H } = forecast;
      return (pinball(0.1, p10H, at.truthH) + pinball(0.5, p50H, at.truthH) + pinball(0.9, p90H, at.truthH)) / 3;
    });
  });
  return mean(losses);
}

/** Estimates that no reader could make sense of. */
export function disordered(judged: readonly Judged[]): number {
  return judged.reduce((sum, one) => {
    const bad = one.asked.filter((at) => {
      const forecast = model(at, one);
      return (
        forecast !== undefined &&
        !(0 <= forecast.p10H && forecast.p10H <= forecast.p50H && forecast.p50H <= forecast.p90H)
      );
    });
    return sum + bad.length;
  }, 0);
}
