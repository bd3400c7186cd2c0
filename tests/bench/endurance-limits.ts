// What a forecast must keep to, whoever made it; and forecasters of which that is known, so that the limits are known to
// catch what they are there for.
import type { Judged } from "./endurance-feed.ts";
import { countHonesty } from "./endurance-honesty.ts";
import {
  coverageOf,
  disordered,
  type ErrorPair,
  errorPairs,
  type Forecast,
  HORIZONS_H,
  model,
  PEERS,
  type Pick,
  quantile,
} from "./endurance-score.ts";
import { createRandom } from "./simulator/random.ts";

export const COVERAGE = 0.8;
export const COVERAGE_OFF_MAX = 0.05;
export const HONEST_NONE_MIN = 0.95;
/** From so many points on the limits stand as they are; below, chance gets its room. */
export const POINTS_FULL = 1_000;
/** Of fewer a comparison says nothing. */
const PAIRS_MIN = 10;
/** Of fewer points no limit can tell an overconfident forecaster from an unlucky one. */
export const CONTROL_POINTS_MIN = 40;
const Z95 = 1.96;
const RESAMPLES = 200;
/** The spread that 10 % and 90 % of a normal distribution lie at. */
const Z90 = 1.2816;

/** How far off a share may be: the limit, and for few points twice the standard error of it. */
export function coverageOffMax(points: number): number {
  const chance = points >= POINTS_FULL ? 0 : Z95 * Math.sqrt((COVERAGE * (1 - COVERAGE)) / points);
  return COVERAGE_OFF_MAX + chance;
}

const medianRatio = (pairs: readonly ErrorPair[]) =>
  quantile(
    pairs.map((one) => one.theirs),
    0.5,
  ) /
  quantile(
    pairs.map((one) => one.mine),
    0.5,
  );

/** Peer's median error over one's own. `atMost`: what it could be by chance, of few points. */
export function ratioOf(pairs: readonly ErrorPair[], points: number) {
  const ratio = medianRatio(pairs);
  if (points >= POINTS_FULL || pairs.length === 0) return { ratio, atMost: ratio };
  const random = createRandom(pairs.length);
  const ratios = Array.from({ length: RESAMPLES }, () => medianRatio(pairs.map(() => random.pick(pairs))));
  return { ratio, atMost: quantile(ratios, 0.975) };
}

/** What is missed, in words; none where all is kept to. */
export function missedBy(judged: readonly Judged[], pick: Pick): string[] {
  const missed: string[] = [];
  const points = judged.length;
  const coverage = coverageOf(judged, pick);
  const offMax = coverageOffMax(points);
  if (!(Math.abs(coverage.inside - COVERAGE) <= offMax))
    missed.push(`${pct(coverage.inside)} of true times inside P10–P90, wanted ${pct(COVERAGE)} ± ${pct(offMax)}`);
  for (const horizonH of HORIZONS_H) {
    for (const [name, peer] of Object.entries(PEERS)) {
      const pairs = errorPairs(judged, horizonH, pick, peer);
      if (pairs.length < PAIRS_MIN) continue;
      const { ratio, atMost } = ratioOf(pairs, points);
      if (!(atMost > 1)) missed.push(`${horizonH} h to go: no better than ${name} (${ratio.toFixed(2)} ×)`);
    }
  }
  return missed;
}

/** Beyond the forecast itself: what was said where nothing should be, and the other way round. */
export function dishonestBy(judged: readonly Judged[]): string[] {
  const missed: string[] = [];
  const { byHonesty } = countHonesty(judged);
  const nones = byHonesty["none-honest"] + byHonesty["none-withheld"] + byHonesty["none-wrong-reason"];
  if (byHonesty["number-dishonest"] > 0) missed.push(`${byHonesty["number-dishonest"]} numbers that nothing bears`);
  if (byHonesty["number-unmarked"] > 0)
    missed.push(`${byHonesty["number-unmarked"]} numbers of silent points unmarked`);
  if (nones > 0 && byHonesty["none-honest"] / nones < HONEST_NONE_MIN)
    missed.push(`${pct(byHonesty["none-honest"] / nones)} of 'no number' honest, at least ${pct(HONEST_NONE_MIN)}`);
  const bad = disordered(judged);
  if (bad > 0) missed.push(`${bad} estimates out of order`);
  return missed;
}

function pct(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Knows the truth but for a log-normal error of which it knows the spread: what an honest forecast looks like. */
const ORACLE_SIGMA = 0.2;
const ORACLE_BLOCK_H = 6;

function oracle(spreadShare: number, shift: number): Pick {
  return (asked, { feed }): Forecast | undefined => {
    if (asked.truthH === undefined) return undefined;
    const block = Math.floor(asked.hour / ORACLE_BLOCK_H);
    const seed = [...feed.view.pointId].reduce((sum, char) => sum * 31 + char.charCodeAt(0), block * 7_919) | 0;
    const p50H = asked.truthH * shift * Math.exp(createRandom(seed).normal(0, ORACLE_SIGMA));
    const factor = Math.exp(Z90 * ORACLE_SIGMA * spreadShare);
    return { p10H: p50H / factor, p50H, p90H: p50H * factor };
  };
}

function narrowed(pick: Pick, share: number): Pick {
  return (asked, judged) => {
    const forecast = pick(asked, judged);
    if (forecast === undefined) return undefined;
    const { p10H, p50H, p90H } = forecast;
    return { p10H: p50H - (p50H - p10H) * share, p50H, p90H: p50H + (p90H - p50H) * share };
  };
}

export interface Control {
  readonly name: string;
  readonly pick: Pick;
  readonly mustHold: boolean;
}

export const CONTROLS: readonly Control[] = [
  { name: "oracle", pick: oracle(1, 1), mustHold: true },
  { name: "oracle-spread-÷4", pick: oracle(0.25, 1), mustHold: false },
  { name: "oracle-shifted-×1.5", pick: oracle(1, 1.5), mustHold: false },
  { name: "waakvlam-spread-÷4", pick: narrowed(model, 0.25), mustHold: false },
];
