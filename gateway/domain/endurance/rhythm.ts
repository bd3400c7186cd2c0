// What an hour of the day asks more or less than another: seen over the last three days, and before that only guessed.
// Works on any quantity of an hour: kW of a load, litres of a set whose load nobody knows, watts of a battery.

/** Hours of the day, by UTC: within one outage summer and winter time do not change. */
const DAY = 24;
/** Before a night was seen it is taken to ask this much of a day: people sleep, heating goes on. */
const NIGHT_SHARE = 0.85;
const NIGHT_FROM = 22;
const NIGHT_UNTIL = 5;
/** A day counts this much of the day after it. */
const DAY_BEFORE = 0.6;
const DAYS = [1, DAY_BEFORE, DAY_BEFORE ** 2, DAY_BEFORE ** 3];
/** Hours of a day differ by so much: what is noisier is drawn towards the mean. */
const HOUR_SPREAD = 0.3;
/** What the last hours asked more than their rhythm is kept on, fading by this share every hour. */
const KEEPS = 0.8;
const RECENT_HOURS = 3;
const EXTRA_MAX = 1;
/** So much of the rhythm has to be seen before it counts as seen. */
export const SEEN_HOURS = 24;
const AHEAD_HOURS = 48;

/**
 * A point that has just opened fills: what it asks in the first hours of an outage is less than what it will, and what was
 * seen of them is taken up by as much.
 */
const FILLING_SHARE = 0.42;
const FILLING_H = 9;

/** Share of what is asked once all are there, at an hour that counts from 1970. */
export function filledAt(hour: number, outageHour: number | undefined, swing = 1): number {
  return outageHour === undefined
    ? 1
    : 1 - swing * FILLING_SHARE * Math.exp(-Math.max(0, hour - outageHour) / FILLING_H);
}

/** 1 at the beginning of an outage, towards 0 when all are there. */
export function fillingAt(hour: number, outageHour: number | undefined): number {
  return (1 - filledAt(hour, outageHour)) / FILLING_SHARE;
}

export interface HourValue {
  /** Counts from 1970. */
  readonly hour: number;
  readonly value: number;
  /** Its noise, in the unit of the value. */
  readonly sigma: number;
}

export interface Rhythm {
  /** For each hour ahead, from now: two days; then the second repeats. */
  readonly ahead: readonly number[];
  /** Mean of a whole day, once all are there. */
  readonly mean: number;
  /** Different hours of the day that were seen. */
  readonly seenH: number;
}

function usualShare(hour: number): number {
  const ofDay = ((hour % DAY) + DAY) % DAY;
  return ofDay >= NIGHT_FROM || ofDay < NIGHT_UNTIL ? NIGHT_SHARE : 1;
}

/** The hours ahead of `nowHour` (a fraction counts); undefined when nothing was seen. `raw` in the order of time. */
export function rhythmOf(
  raw: readonly HourValue[],
  nowHour: number,
  outageHour?: number,
  swing = 1,
): Rhythm | undefined {
  if (raw.length === 0) return undefined;
  const values = raw.map(({ hour, value, sigma }) => {
    const filled = filledAt(hour + 0.5, outageHour, swing);
    return { hour, value: value / filled, sigma: sigma / filled };
  });
  const newest = (values[values.length - 1] as HourValue).hour;
  const sums = new Float64Array(DAY);
  const weights = new Float64Array(DAY);
  const noise = new Float64Array(DAY);
  let [total, usual] = [0, 0];
  for (const { hour, value, sigma } of values) {
    const weight = DAYS[Math.floor((newest - hour) / DAY)] ?? 0;
    const at = ((hour % DAY) + DAY) % DAY;
    sums[at] = (sums[at] as number) + weight * value;
    weights[at] = (weights[at] as number) + weight;
    noise[at] = (noise[at] as number) + (weight * sigma) ** 2;
    total += weight * value;
    usual += weight * usualShare(hour);
  }
  const level = usual > 0 ? total / usual : 0;
  const profile = new Array<number>(DAY);
  let [seenH, mean] = [0, 0];
  for (let at = 0; at < DAY; at++) {
    const expected = level * usualShare(at);
    const weight = weights[at] as number;
    if (weight === 0) profile[at] = expected;
    else {
      seenH++;
      const spread2 = (HOUR_SPREAD * level) ** 2;
      const trust = spread2 > 0 ? spread2 / (spread2 + (noise[at] as number) / weight ** 2) : 1;
      profile[at] = expected + trust * ((sums[at] as number) / weight - expected);
    }
    mean += (profile[at] as number) / DAY;
  }
  const extra = extraOf(values, profile, nowHour);
  const ahead = new Array<number>(AHEAD_HOURS);
  for (let k = 0; k < AHEAD_HOURS; k++) {
    const of = profile[Math.floor(nowHour + k + 0.5) % DAY] as number;
    ahead[k] = Math.max(0, of * (1 + extra * KEEPS ** (k + 0.5)) * filledAt(nowHour + k + 0.5, outageHour, swing));
  }
  return { ahead, mean, seenH };
}

/** By what share the last hours asked more than their rhythm. */
function extraOf(values: readonly HourValue[], profile: readonly number[], nowHour: number): number {
  let [asked, usual, noise] = [0, 0, 0];
  for (let i = values.length - 1; i >= 0; i--) {
    const { hour, value, sigma } = values[i] as HourValue;
    if (nowHour - hour > RECENT_HOURS) break;
    const weight = KEEPS ** Math.max(0, nowHour - hour);
    asked += weight * value;
    usual += weight * (profile[((hour % DAY) + DAY) % DAY] as number);
    noise += (weight * sigma) ** 2;
  }
  if (!(usual > 0)) return 0;
  const trust = (HOUR_SPREAD * usual) ** 2 / ((HOUR_SPREAD * usual) ** 2 + noise);
  return Math.max(-EXTRA_MAX, Math.min(EXTRA_MAX, trust * (asked / usual - 1)));
}

/** Mean of what was asked in the hours of a window, by the values themselves. */
export function meanSince(values: readonly HourValue[], fromHour: number): number | undefined {
  let [sum, count] = [0, 0];
  for (let i = values.length - 1; i >= 0 && (values[i] as HourValue).hour >= fromHour; i--) {
    sum += (values[i] as HourValue).value;
    count++;
  }
  return count > 0 ? sum / count : undefined;
}

/** Hours until `amount` is used up, hour by hour; at most `hoursMax`. */
export function hoursUntilUsed(ahead: readonly number[], amount: number, hoursMax: number): number {
  let left = amount;
  if (!(left > 0)) return 0;
  const days = ahead.length;
  for (let k = 0; k < hoursMax; k++) {
    const used = ahead[k < days ? k : days - DAY + ((k - days) % DAY)] as number;
    if (used >= left && used > 0) return Math.min(hoursMax, k + left / used);
    left -= used;
  }
  return hoursMax;
}
