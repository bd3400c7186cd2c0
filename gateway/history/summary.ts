// What became of each field in each step of time: how many values, the lowest, highest and last, their sum, and how often
// each reason or word stood in its place. In raw codes: exact, and merged without loss.
import { type Field, PHASE, type QuantityField, REASONS, type Reason } from "../../protocol/wire.ts";
import type { ChunkCodes } from "./chunk.ts";
import { GROUP_OF, REPORT_FIELDS } from "./report-codes.ts";
import { isStray } from "./row.ts";

export interface Bucket {
  /** Reports that had the field, with a value or without. */
  total: number;
  /** Those with a number. */
  count: number;
  /** Of the numbers; undefined fields of an empty bucket are 0. */
  min: number;
  max: number;
  sum: number;
  /** The last code, whatever it was. */
  last: number;
  /** How often each code that is no number was there: reasons and words. */
  others: Map<number, number> | undefined;
}

/** By field (REPORT_FIELDS, then phase), then by step; no bucket where nothing came: a gap is a gap. */
export type Summary = (Bucket | undefined)[][];

export interface Steps {
  readonly fromMs: number;
  readonly stepMs: number;
  readonly count: number;
}

export interface Span {
  /** Included. */
  readonly fromMs: number;
  /** Excluded. */
  readonly toMs: number;
}

const EVER: Span = { fromMs: -Infinity, toMs: Infinity };

/** Every field that history summarises. */
export const HISTORY_FIELDS: readonly Field[] = [...REPORT_FIELDS, PHASE];
const PHASE_AT = REPORT_FIELDS.length;

export function isNumber(field: Field): field is QuantityField {
  return !("words" in field);
}

/** The lowest code that is a reason. */
function firstReason(field: Field): number {
  return 2 ** field.bits - field.reasons;
}

/** What a code says: a number in the field's unit, a reason or a word. */
export function wordOf(field: Field, code: number): string | number {
  if (field.reasons > 0 && code >= firstReason(field)) return REASONS[2 ** field.bits - 1 - code] as Reason;
  if (!("words" in field)) return quantityOf(field, code);
  const word = field.words[code];
  return word === undefined || word === "" ? `reserved-${code}` : word;
}

/** A code, or a mean of codes, in the field's unit. */
export function quantityOf(field: QuantityField, code: number): number {
  return (code + field.base) / field.perUnit;
}

export function emptySummary(count: number): Summary {
  return HISTORY_FIELDS.map(() => new Array<Bucket | undefined>(count).fill(undefined));
}

function note(buckets: (Bucket | undefined)[], at: number, code: number, numbersBelow: number): void {
  let bucket = buckets[at];
  if (bucket === undefined) {
    bucket = { total: 0, count: 0, min: 0, max: 0, sum: 0, last: 0, others: undefined };
    buckets[at] = bucket;
  }
  bucket.total++;
  bucket.last = code;
  if (code >= numbersBelow) {
    bucket.others ??= new Map();
    bucket.others.set(code, (bucket.others.get(code) ?? 0) + 1);
    return;
  }
  if (bucket.count === 0 || code < bucket.min) bucket.min = code;
  if (bucket.count === 0 || code > bucket.max) bucket.max = code;
  bucket.count++;
  bucket.sum += code;
}

/** Adds the reports of a chunk that lie in `span`; they are in the order of their times. Strays have no time to count at. */
export function addCodes(summary: Summary, steps: Steps, codes: ChunkCodes, span: Span = EVER): void {
  const places = codes.timesMs.map((timeMs, i) => {
    const receivedMs = codes.receivedMs[i] as number;
    if (timeMs < span.fromMs || timeMs >= span.toMs || isStray({ timeMs, receivedMs })) return -1;
    const at = Math.floor((timeMs - steps.fromMs) / steps.stepMs);
    return at >= 0 && at < steps.count ? at : -1;
  });
  codes.fields.forEach((values, i) => {
    if (values.length === 0) return;
    const group = 1 << (GROUP_OF[i] as number);
    const field = HISTORY_FIELDS[i] as Field;
    const below = isNumber(field) ? firstReason(field) : 0;
    const buckets = summary[i] as (Bucket | undefined)[];
    let next = 0;
    for (let r = 0; r < places.length; r++) {
      if (((codes.groups[r] as number) & group) === 0) continue;
      const at = places[r] as number;
      if (at >= 0) note(buckets, at, values[next] as number, below);
      next++;
    }
  });
  const phases = summary[PHASE_AT] as (Bucket | undefined)[];
  codes.phases.forEach((code, r) => {
    const at = places[r] as number;
    if (at >= 0) note(phases, at, code, 0);
  });
}

/** Both in one; `later` is the one that ends later. */
export function mergeBuckets(earlier: Bucket | undefined, later: Bucket | undefined): Bucket | undefined {
  if (earlier === undefined || later === undefined) return earlier ?? later;
  const [a, b] = [earlier, later];
  const others = a.others === undefined && b.others === undefined ? undefined : new Map(a.others);
  for (const [code, times] of b.others ?? []) others?.set(code, (others.get(code) ?? 0) + times);
  return {
    total: a.total + b.total,
    count: a.count + b.count,
    min: a.count === 0 ? b.min : b.count === 0 ? a.min : Math.min(a.min, b.min),
    max: a.count === 0 ? b.max : b.count === 0 ? a.max : Math.max(a.max, b.max),
    sum: a.sum + b.sum,
    last: b.last,
    others,
  };
}

/** Adds finer buckets that begin in `span`, in the order of time; `from` says where the first begins and how wide they are. */
export function addSummary(
  summary: Summary,
  steps: Steps,
  finer: Summary,
  from: Omit<Steps, "count"> & { readonly span?: Span },
): void {
  const span = from.span ?? EVER;
  finer.forEach((buckets, i) => {
    const into = summary[i] as (Bucket | undefined)[];
    buckets.forEach((bucket, b) => {
      if (bucket === undefined) return;
      const beginMs = from.fromMs + b * from.stepMs;
      if (beginMs < span.fromMs || beginMs >= span.toMs) return;
      const at = Math.floor((beginMs - steps.fromMs) / steps.stepMs);
      if (at >= 0 && at < steps.count) into[at] = mergeBuckets(into[at], bucket);
    });
  });
}

/** The same in wider steps: exact, since every figure of a wide bucket follows from those inside it. */
export function coarser(summary: Summary, times: number): Summary {
  const count = Math.ceil((summary[0]?.length ?? 0) / times);
  const wide = emptySummary(count);
  addSummary(wide, { fromMs: 0, stepMs: times, count }, summary, { fromMs: 0, stepMs: 1 });
  return wide;
}
