// A summary in the units of its fields, ready to be told.
import { type Field, HISTORY_FIELD_NAMES } from "../../protocol/index.ts";
import type { FieldSeries } from "./messages.ts";
import { type Bucket, HISTORY_FIELDS, isNumber, quantityOf, type Summary, wordOf } from "./summary.ts";

/** Finer than any field's step; a mean has no more digits than that is worth. */
const MEAN_DIGITS = 10_000;

/** Series of the fields that are asked for and have anything at all. */
export function fieldSeries(
  deviceId: string,
  summary: Summary,
  fields: readonly string[] | undefined,
): readonly FieldSeries[] {
  return summary.flatMap((buckets, i) => {
    const name = HISTORY_FIELD_NAMES[i] as string;
    if (fields !== undefined && !fields.includes(name)) return [];
    return buckets.some((bucket) => bucket !== undefined)
      ? [oneSeries(deviceId, HISTORY_FIELDS[i] as Field, name, buckets)]
      : [];
  });
}

function oneSeries(
  deviceId: string,
  field: Field,
  name: string,
  buckets: readonly (Bucket | undefined)[],
): FieldSeries {
  const words = buckets.flatMap((bucket, step) =>
    [...(bucket?.others ?? [])].map(([code, count]) => ({ step, word: String(wordOf(field, code)), count })),
  );
  const count = buckets.map((bucket) => bucket?.total ?? 0);
  const last = buckets.map((bucket) => (bucket === undefined ? null : wordOf(field, bucket.last)));
  if (!isNumber(field)) return { deviceId, field: name, count, last, words };
  const of = (figure: (bucket: Bucket) => number) =>
    buckets.map((bucket) => (bucket === undefined || bucket.count === 0 ? null : figure(bucket)));
  return {
    deviceId,
    field: name,
    count,
    min: of(({ min }) => quantityOf(field, min)),
    max: of(({ max }) => quantityOf(field, max)),
    mean: of((bucket) => Math.round(quantityOf(field, bucket.sum / bucket.count) * MEAN_DIGITS) / MEAN_DIGITS),
    last,
    words,
  };
}
