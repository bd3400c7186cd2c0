// Three days of a point, an hour a row: sums of whole numbers, so that the same samples give the same rows in whatever
// order they come. What is learned of a set, and the rhythm of its days, are read from here.

export const HOUR_MS = 3_600_000;
/** The outage that everything is built for. */
export const HOURS_KEPT = 72;

/** Positions in a row; the hour counts from 1970. */
export const HOUR = 0;
/** Samples that say whether it ran while the mains were not there, and those that ran. */
export const KNOWN = 1;
export const RAN = 2;
/** Samples with a level, their sum in hundredths of a litre, and the sum of their seconds into the hour. */
export const LEVELS = 3;
export const LEVEL_SUM = 4;
export const SECONDS = 5;
/** Samples with a load, and its sum in tenths of a kW. */
export const LOADS = 6;
export const LOAD_SUM = 7;
/** Samples with a temperature, and its sum in halves of a degree. */
export const TEMPERATURES = 8;
export const TEMPERATURE_SUM = 9;
/** Samples of a battery that is drawn from, and their sum in watts. */
export const DRAWS = 10;
export const DRAW_SUM = 11;
/** Samples of a battery that is charged, and their sum in watts. */
export const CHARGES = 12;
export const CHARGE_SUM = 13;
export const FIELDS = 14;

export type Hour = readonly number[];

export interface HourSample {
  readonly atMs: number;
  /** Undefined where it does not matter: with the mains there, and the set at rest. */
  readonly runs: boolean | undefined;
  readonly litres: number | undefined;
  readonly loadKw: number | undefined;
  readonly temperatureC: number | undefined;
  /** Watts drawn of the battery, minus when it is charged. */
  readonly drawW: number | undefined;
}

/** The rows with one sample more. What is older than three days before the newest falls off. */
export function withHour(hours: readonly Hour[], sample: HourSample): readonly Hour[] {
  const hour = Math.floor(sample.atMs / HOUR_MS);
  const newest = hours[hours.length - 1];
  if (newest !== undefined && hour <= (newest[HOUR] as number) - HOURS_KEPT) return hours;
  let at = hours.length;
  while (at > 0 && ((hours[at - 1] as Hour)[HOUR] as number) >= hour) at--;
  const there = hours[at];
  const isThere = there !== undefined && there[HOUR] === hour;
  const row = isThere ? [...there] : [hour, ...new Array<number>(FIELDS - 1).fill(0)];
  add(row, sample, Math.round((sample.atMs - hour * HOUR_MS) / 1000));
  const next = hours.slice();
  next.splice(at, isThere ? 1 : 0, row);
  const oldest = ((next[next.length - 1] as Hour)[HOUR] as number) - HOURS_KEPT;
  return ((next[0] as Hour)[HOUR] as number) > oldest ? next : next.filter((one) => (one[HOUR] as number) > oldest);
}

function add(row: number[], { runs, litres, loadKw, temperatureC, drawW }: HourSample, seconds: number): void {
  const put = (field: number, value: number) => {
    row[field] = (row[field] as number) + Math.round(value);
  };
  if (runs !== undefined) put(KNOWN, 1);
  if (runs === true) put(RAN, 1);
  if (litres !== undefined) {
    put(LEVELS, 1);
    put(LEVEL_SUM, litres * 100);
    put(SECONDS, seconds);
  }
  if (loadKw !== undefined) {
    put(LOADS, 1);
    put(LOAD_SUM, loadKw * 10);
  }
  if (temperatureC !== undefined) {
    put(TEMPERATURES, 1);
    put(TEMPERATURE_SUM, temperatureC * 2);
  }
  if (drawW === undefined) return;
  if (drawW > 0) {
    put(DRAWS, 1);
    put(DRAW_SUM, drawW);
  } else if (drawW < 0) {
    put(CHARGES, 1);
    put(CHARGE_SUM, -drawW);
  }
}

/** Forgets what lies ahead of a moment: it came from a clock that was wrong. */
export function hoursUntil(hours: readonly Hour[], untilMs: number): readonly Hour[] {
  const last = hours[hours.length - 1];
  if (last === undefined || (last[HOUR] as number) * HOUR_MS <= untilMs) return hours;
  return hours.filter((row) => (row[HOUR] as number) * HOUR_MS <= untilMs);
}

/** Of a field and the number of its samples; undefined when there are none. */
export function meanOf(row: Hour, sum: number, count: number, unit: number): number | undefined {
  const samples = row[count] as number;
  return samples > 0 ? (row[sum] as number) / samples / unit : undefined;
}

export const litresOf = (row: Hour) => meanOf(row, LEVEL_SUM, LEVELS, 100);
export const loadOf = (row: Hour) => meanOf(row, LOAD_SUM, LOADS, 10);

/** The middle of the moments of its levels. */
export function middleMs(row: Hour): number {
  return (row[HOUR] as number) * HOUR_MS + ((row[SECONDS] as number) / Math.max(1, row[LEVELS] as number)) * 1000;
}

/** Share of the hour in which it ran; 0 when nothing says that it did. */
export function ranShare(row: Hour): number {
  const known = row[KNOWN] as number;
  return known > 0 ? (row[RAN] as number) / known : 0;
}
