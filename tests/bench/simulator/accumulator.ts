// A battery as it is: what a discharge takes of it, and what a charge brings.

export type Chemistry = "lead" | "lfp";

export interface AccumulatorTruth {
  readonly chemistry: Chemistry;
  readonly nominalV: number;
  /** What it really holds at 20 °C and the 20-hour current, kWh. */
  readonly capacityKwh: number;
  readonly peukert: number;
  /** Energy that comes back of what is put in. */
  readonly chargeShare: number;
  /** Share of the capacity lost for each °C below 20. */
  readonly perCold: number;
  readonly inverterShare: number;
}

const REFERENCE_H = 20;
/** A current so small costs no less than its share. */
const PENALTY_MIN = 0.85;

/** Share of the capacity that so many kW at the terminals take in so many hours; minus gives back. */
export function takenShare(one: AccumulatorTruth, kw: number, hours: number, temperatureC: number): number {
  const capacityKwh = one.capacityKwh * (1 - one.perCold * Math.max(0, 20 - temperatureC));
  if (kw < 0) return (kw * one.chargeShare * hours) / capacityKwh;
  const relative = (kw * REFERENCE_H) / one.capacityKwh;
  const penalty = relative > 0 ? Math.max(PENALTY_MIN, relative ** (one.peukert - 1)) : 1;
  return (kw * penalty * hours) / capacityKwh;
}

/** Terminal volts; lead sags with its charge, LFP hardly. */
export function voltsOf(one: AccumulatorTruth, charge: number, kw: number): number {
  const slope = one.chemistry === "lead" ? 0.09 : 0.03;
  const sag = (kw / Math.max(0.1, one.capacityKwh)) * 0.06;
  return one.nominalV * (1 + slope * (charge - 0.5) - sag);
}
