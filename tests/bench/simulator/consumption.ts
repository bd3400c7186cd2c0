// What a generator set burns: a curve over its load that is not straight, its own thirst, cold, and soot.

export interface SetTruth {
  readonly ratedKw: number;
  /** Litres an hour per rated kW at no load; and per share of load and its square. */
  readonly idle: number;
  readonly linear: number;
  readonly bend: number;
  /** This set against its kind: wear, adjustment, make. */
  readonly thirst: number;
  /** Share more for each °C below 15. */
  readonly perCold: number;
  /** Share more at most, after long hours of little load. */
  readonly sootMax: number;
  /** Share more for each hour of running: filters that clog. */
  readonly perHour: number;
}

/** Below this share of its load a set soots up; the time constants of that and of burning clean. */
const SOOT_BELOW = 0.3;
const SOOTING_H = 10;
const CLEANING_H = 1.5;

export interface SetState {
  /** 0 clean … 1. */
  readonly soot: number;
  readonly ranH: number;
}

export function litresPerHour(set: SetTruth, state: SetState, loadKw: number, temperatureC: number): number {
  const share = Math.max(0, loadKw) / set.ratedKw;
  const clean = set.ratedKw * (set.idle + set.linear * share + set.bend * share * share);
  const cold = 1 + set.perCold * (15 - temperatureC);
  return clean * set.thirst * cold * (1 + set.sootMax * state.soot) * (1 + set.perHour * state.ranH);
}

export function ranFor(set: SetTruth, state: SetState, loadKw: number, hours: number): SetState {
  const isLow = loadKw < SOOT_BELOW * set.ratedKw;
  const soot = isLow
    ? state.soot + (1 - state.soot) * (1 - Math.exp(-hours / SOOTING_H))
    : state.soot * Math.exp(-hours / CLEANING_H);
  return { soot, ranH: state.ranH + hours };
}
