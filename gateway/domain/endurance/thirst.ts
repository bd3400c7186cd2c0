// What a set was seen to drink: pieces of up to six hours, with how long it ran, what it delivered and what left the tank.
// From them F0 and F1 of the set, by Bayesian least squares around the published figures.
import type { Generator } from "../point.ts";
import { HOUR, HOUR_MS, type Hour, litresOf, loadOf, middleMs, ranShare } from "./hours.ts";

/** Litres per hour at no load per rated kW, and litres per kWh; within ±20 % for diesel sets of 8 to 20 kW. */
export const F0_DEFAULT = 0.04;
export const F1_DEFAULT = 0.27;
/** Published figures of F0 lie between 0.022 and 0.062; F1 within a fifth. */
const F0_SIGMA = 0.016;
const F1_SIGMA_SHARE = 0.2;
/** Figures that somebody measured are believed three times as well. */
const MEASURED_SIGMA_SHARE = 0.07;
/** A set without a known load is taken at half of it: half or twice of that is well possible. */
export const RATED_SHARE = 0.5;
const RATED_SIGMA = 0.42;
const PIECE_HOURS = 6;
/** A shorter piece is more noise than fuel. */
const PIECE_HOURS_MIN = 1.5;
/** What a table, a temperature and a drift do to the fuel of one piece. */
const PIECE_SIGMA_SHARE = 0.06;
const PIECE_SIGMA_TANK = 0.0025;
/** What no set drinks more than its model: beyond that it was not drunk. */
const WILD_SHARE = 1.2;
/** A piece says half as much when it is so old: loads, tables and weather change. */
const HALF_AGE_H = 36;

/** [first hour since 1970, hours of running, kWh or −1 where no load was known, litres, noise of the litres]. */
export type Piece = readonly [hour: number, ranH: number, kWh: number, litres: number, sigmaL: number];

export interface Thirst {
  /** Litres per hour at no load per rated kW. */
  readonly f0: number;
  /** Litres per kWh. */
  readonly f1: number;
  readonly var00: number;
  readonly var01: number;
  readonly var11: number;
  /** Hours of running that it was learned from. */
  readonly learnedH: number;
}

/** The linear model F0 × rated kW + F1 × load kW, by the figures given or the defaults. */
export function modelLitresPerH(generator: Generator, loadKw: number): number {
  const { f0LPerHPerKw: f0 = F0_DEFAULT, f1LPerKwh: f1 = F1_DEFAULT } = generator;
  return f0 * generator.ratedKw + f1 * loadKw;
}

export interface PieceOptions {
  /** Moments at which the level jumped: no piece goes over one. */
  readonly cutsMs: readonly number[];
  readonly noiseL: number;
  readonly capacityL: number;
}

/** The pieces of a point's hours, cut where the hours are not there, at every sixth hour, and where the level jumped. */
export function piecesOf(hours: readonly Hour[], options: PieceOptions): Piece[] {
  const pieces: Piece[] = [];
  let from = -1;
  for (let i = 0; i < hours.length; i++) {
    const row = hours[i] as Hour;
    const isUsable = litresOf(row) !== undefined && !isCut(row, options.cutsMs);
    const follows = from >= 0 && i > 0 && (hours[i - 1] as Hour)[HOUR] === (row[HOUR] as number) - 1;
    if (from >= 0 && !(isUsable && follows)) {
      if (i - 1 > from) pieces.push(...pieceOf(hours, from, i - 1, options));
      from = -1;
    }
    if (!isUsable) continue;
    const isEdge = (row[HOUR] as number) % PIECE_HOURS === 0;
    if (from >= 0 && (isEdge || i === hours.length - 1)) pieces.push(...pieceOf(hours, from, i, options));
    if (from < 0 || isEdge) from = i;
  }
  return pieces;
}

function isCut(row: Hour, cutsMs: readonly number[]): boolean {
  const startMs = (row[HOUR] as number) * HOUR_MS;
  return cutsMs.some((cut) => cut >= startMs && cut < startMs + HOUR_MS);
}

function pieceOf(hours: readonly Hour[], from: number, to: number, options: PieceOptions): Piece[] {
  const [first, last] = [hours[from] as Hour, hours[to] as Hour];
  const [startMs, endMs] = [middleMs(first), middleMs(last)];
  let [ranH, kWh, lacksLoad] = [0, 0, false];
  for (let i = from; i <= to; i++) {
    const row = hours[i] as Hour;
    const rowMs = (row[HOUR] as number) * HOUR_MS;
    const spanH = (Math.min(endMs, rowMs + HOUR_MS) - Math.max(startMs, rowMs)) / HOUR_MS;
    const ran = ranShare(row) * spanH;
    const load = loadOf(row);
    ranH += ran;
    if (load !== undefined) kWh += ran * load;
    else if (ran > 0) lacksLoad = true;
  }
  if (ranH < PIECE_HOURS_MIN) return [];
  const litres = (litresOf(first) as number) - (litresOf(last) as number);
  const sigmaL = Math.hypot(Math.SQRT2 * options.noiseL, PIECE_SIGMA_TANK * options.capacityL);
  return [[first[HOUR] as number, round(ranH), lacksLoad ? -1 : round(kWh), round(litres), round(sigmaL)]];
}

const round = (value: number) => Math.round(value * 1000) / 1000;

/** What the pieces teach of a set. With `knowsLoad` only those count that had one. */
export function thirstOf(
  generator: Generator,
  pieces: readonly Piece[],
  { knowsLoad, atMs }: { readonly knowsLoad: boolean; readonly atMs: number },
): Thirst {
  const { ratedKw } = generator;
  const [f0, f1] = [generator.f0LPerHPerKw ?? F0_DEFAULT, generator.f1LPerKwh ?? F1_DEFAULT];
  const s0 = generator.f0LPerHPerKw === undefined ? F0_SIGMA : MEASURED_SIGMA_SHARE * f0 + 1e-6;
  const s1 = generator.f1LPerKwh === undefined ? F1_SIGMA_SHARE * f1 : MEASURED_SIGMA_SHARE * f1;
  const unknown = knowsLoad ? 0 : (RATED_SIGMA * (f0 + f1 * RATED_SHARE)) / RATED_SHARE;
  let [p00, p01, p11] = [1 / s0 ** 2, 0, 1 / (s1 ** 2 + unknown ** 2)];
  let [q0, q1, learnedH] = [0, 0, 0];
  for (const [hour, ranH, kWh, litres, sigmaL] of pieces) {
    if (knowsLoad && kWh < 0) continue;
    const u = ratedKw * ranH;
    const e = knowsLoad ? kWh : RATED_SHARE * u;
    const expected = f0 * u + f1 * e;
    const miss = litres - expected;
    // What no set drinks was not drunk, or the level was not what it seemed.
    const wild = Math.max(0, Math.abs(miss) - (knowsLoad ? WILD_SHARE : 2 * WILD_SHARE) * expected);
    const ageH = Math.max(0, atMs / HOUR_MS - hour);
    const variance = (sigmaL ** 2 + (PIECE_SIGMA_SHARE * expected) ** 2 + (3 * wild) ** 2) * 2 ** (ageH / HALF_AGE_H);
    if (!(variance > 0)) continue;
    p00 += (u * u) / variance;
    p01 += (u * e) / variance;
    p11 += (e * e) / variance;
    q0 += (u * miss) / variance;
    q1 += (e * miss) / variance;
    learnedH += ranH;
  }
  const det = p00 * p11 - p01 * p01;
  const [var00, var01, var11] = [p11 / det, -p01 / det, p00 / det];
  // A set drinks something at no load, and more with every kWh.
  const learned0 = Math.max(0.2 * f0, f0 + var00 * q0 + var01 * q1);
  const learned1 = Math.max(0.2 * f1, f1 + var01 * q0 + var11 * q1);
  return { f0: learned0, f1: learned1, var00, var01, var11, learnedH };
}

/** Litres per hour at a load, and how sure that is. */
export function rateAt({ ratedKw }: Generator, thirst: Thirst, loadKw: number): { perH: number; sigma: number } {
  const variance = thirst.var00 * ratedKw ** 2 + 2 * thirst.var01 * ratedKw * loadKw + thirst.var11 * loadKw ** 2;
  return { perH: thirst.f0 * ratedKw + thirst.f1 * loadKw, sigma: Math.sqrt(Math.max(0, variance)) };
}
