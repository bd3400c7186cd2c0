// What is written down beside the rows is bounded too: acts of people, rows that were set aside, and rows that a sink can never
// take. Each list is kept for a time that is set (BIO2 5.33.01) and has a most; the oldest go first, and what went is counted.
export type List = "act" | "set_aside" | "dead_letter";

export interface ListBound {
  readonly list: List;
  readonly keepMs: number;
  /** Beyond this the oldest go before their time. Every state of a copy holds all of them: 100,000 acts are 20 MB. */
  readonly rowsMax: number;
}

const YEAR_MS = 365.25 * 86_400_000;
/** Acts are evidence, and say what persons did: long, and not for ever. */
export const KEEP_ACTS_YEARS = 7;
/** The rows that they speak of are gone from the journal by then. */
const KEEP_FAULTS_YEARS = 1;
const ROWS_MAX = 100_000;

export function listBounds(keepActsYears: number = KEEP_ACTS_YEARS): readonly ListBound[] {
  return [
    { list: "act", keepMs: keepActsYears * YEAR_MS, rowsMax: ROWS_MAX },
    { list: "set_aside", keepMs: KEEP_FAULTS_YEARS * YEAR_MS, rowsMax: ROWS_MAX },
    { list: "dead_letter", keepMs: KEEP_FAULTS_YEARS * YEAR_MS, rowsMax: ROWS_MAX },
  ];
}

/** Lists are looked at so often, by the monotonic clock. */
export const TRIM_MS = 3_600_000;
/** So many of a list at once go for their age: a wall clock that is ahead for an hour costs no more than this. */
export const AGED_AT_ONCE_MAX = 100;
/** And so many for their number: a short commit. */
export const OVER_AT_ONCE_MAX = 5_000;

export interface Trim {
  readonly list: List;
  /** Those of before this moment are too old. */
  readonly beforeMs: number;
  readonly rowsMax: number;
  readonly agedMax: number;
  readonly overMax: number;
}

export function trimsAt(bounds: readonly ListBound[], nowMs: number): readonly Trim[] {
  return bounds.map(({ list, keepMs, rowsMax }) => {
    return { list, beforeMs: nowMs - keepMs, rowsMax, agedMax: AGED_AT_ONCE_MAX, overMax: OVER_AT_ONCE_MAX };
  });
}
