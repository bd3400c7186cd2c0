// What a dip stick says of a tank whose sensor says otherwise: the sensor's litres are corrected by an offset and a scale,
// estimated from the dips with how sure they are.
import type { Tank, Told } from "../../../protocol/index.ts";

/** Dips that count; the oldest fall off. */
export const DIPS_MAX = 8;
/** A stick is read within this share of the tank, and never better than two litres. */
const DIP_SIGMA_SHARE = 0.01;
const DIP_SIGMA_L = 2;
/** How far a sensor and its table may be off before anybody looked: a shift, and a factor. */
const OFFSET_SIGMA_SHARE = 0.03;
const SCALE_SIGMA = 0.04;
/** A sensor drifts: what a dip said of it fades by the day. */
const DRIFT_SHARE_PER_DAY = 0.004;
const DAY_MS = 24 * 3_600_000;

export interface Dip {
  readonly atMs: number;
  readonly litres: number;
  /** What the sensor had it at, by the table alone; absent without a sensor. */
  readonly sensorL?: number;
  readonly by: string;
  readonly via: Told["via"];
  /** Taken before the tank came to where it stands: it says how its sensor reads, and no longer what is in it. */
  readonly elsewhere?: true;
}

/** Those that say what is in the tank. */
export function dipsHere(dips: readonly Dip[]): readonly Dip[] {
  return dips.some((one) => one.elsewhere) ? dips.filter((one) => one.elsewhere !== true) : dips;
}

/** true litres = offset + scale × litres by the table. */
export interface Calibration {
  readonly offsetL: number;
  readonly scale: number;
  readonly dips: number;
  /** Variances of offset and scale at the middle of the tank, litres and share. */
  readonly offsetVar: number;
  readonly scaleVar: number;
  readonly covariance: number;
  readonly middleL: number;
}

export function dipSigmaL(tank: Tank): number {
  return Math.max(DIP_SIGMA_L, DIP_SIGMA_SHARE * tank.capacityL);
}

/** Bayesian least squares around the middle of the tank, where offset and scale do not know of each other. */
export function calibrationOf(tank: Tank, dips: readonly Dip[], nowMs: number): Calibration {
  const middleL = tank.capacityL / 2;
  let [p00, p01, p11] = [1 / (OFFSET_SIGMA_SHARE * tank.capacityL) ** 2, 0, 1 / SCALE_SIGMA ** 2];
  let [q0, q1] = [0, 0];
  let counted = 0;
  for (const dip of dips) {
    if (dip.sensorL === undefined) continue;
    const days = Math.max(0, nowMs - dip.atMs) / DAY_MS;
    const weight = 1 / (dipSigmaL(tank) ** 2 + (DRIFT_SHARE_PER_DAY * tank.capacityL * days) ** 2);
    const x = dip.sensorL - middleL;
    const y = dip.litres - dip.sensorL;
    p00 += weight;
    p01 += weight * x;
    p11 += weight * x * x;
    q0 += weight * y;
    q1 += weight * x * y;
    counted++;
  }
  const det = p00 * p11 - p01 * p01;
  const offset = (p11 * q0 - p01 * q1) / det;
  const slope = (p00 * q1 - p01 * q0) / det;
  return {
    offsetL: offset - slope * middleL,
    scale: 1 + slope,
    dips: counted,
    offsetVar: p11 / det,
    scaleVar: p00 / det,
    covariance: -p01 / det,
    middleL,
  };
}

/** Litres by the table, corrected. */
export function corrected(calibration: Calibration, tank: Tank, litres: number): number {
  if (calibration.dips === 0) return litres;
  return Math.min(tank.capacityL, Math.max(0, calibration.offsetL + calibration.scale * litres));
}

/** How sure the corrected litres are. */
export function sigmaAt(calibration: Calibration, litres: number): number {
  const x = litres - calibration.middleL;
  return Math.sqrt(Math.max(0, calibration.offsetVar + 2 * x * calibration.covariance + x * x * calibration.scaleVar));
}
