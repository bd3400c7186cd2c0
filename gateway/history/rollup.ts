// A summary of one device and one day as a blob: 96 quarters of an hour, or 24 hours.
import { type ChunkFault, isFault } from "./chunk.ts";
import { type Column, putColumns, sealed, type Trend, takeColumn, takeMask, unsealed } from "./columns.ts";
import { DAY_MS, HOUR_MS } from "./row.ts";
import { type Bucket, emptySummary, HISTORY_FIELDS, type Summary } from "./summary.ts";
import { type ByteSource, createByteSink, createByteSource, Damage } from "./varint.ts";

export const QUARTER_MS = HOUR_MS / 4;
export const QUARTERS = DAY_MS / QUARTER_MS;
export const QUARTERS_IN_HOUR = 4;
const BUCKETS_MAX = QUARTERS;
const PAYLOAD_BYTES_MAX = 4 * 1024 * 1024;
/** Codes that are no number, of one field and step: eight reasons, or sixteen words. */
const OTHERS_MAX = 16;

/** Per field and step with something in it: how many, lowest, spread, last, and the sum above the lowest. */
const TRENDS: readonly Trend[] = ["same", "same", "same", "same", "same", "same"];

function columnsOf(buckets: readonly (Bucket | undefined)[]): Column[] {
  const there = buckets.filter((bucket) => bucket !== undefined);
  const values = [
    buckets.map((bucket) => bucket?.total ?? 0),
    there.map(({ others }) => others?.size ?? 0),
    there.map(({ min }) => min),
    there.map(({ min, max }) => max - min),
    there.map(({ min, last }) => last - min),
    there.map(({ min, sum, count }) => sum - min * count),
  ];
  return values.map((column, i) => ({ trend: TRENDS[i] as Trend, values: column }));
}

export function encodeRollup(summary: Summary): Uint8Array {
  const out = createByteSink(16_384);
  out.put(summary[0]?.length ?? 0);
  for (const buckets of summary) {
    const isThere = buckets.some((bucket) => bucket !== undefined);
    out.put(isThere ? 1 : 0);
    if (!isThere) continue;
    putColumns(out, columnsOf(buckets));
    for (const bucket of buckets) {
      for (const [code, times] of bucket?.others ?? []) {
        out.put(code);
        out.put(times);
      }
    }
  }
  return sealed(out.bytes());
}

/** The summary of a blob, or why it cannot be read. Never throws. */
export function decodeRollup(blob: Uint8Array): Summary | ChunkFault {
  try {
    return takeRollup(createByteSource(unsealed(blob, PAYLOAD_BYTES_MAX)));
  } catch (error) {
    if (error instanceof Damage) return { fault: error.message };
    throw error;
  }
}

export function isSummary(value: Summary | ChunkFault): value is Summary {
  return !isFault(value);
}

function takeRollup(input: ByteSource): Summary {
  const size = input.take();
  if (size > BUCKETS_MAX) throw new Damage("too many steps");
  const summary = emptySummary(size);
  for (let f = 0; f < HISTORY_FIELDS.length; f++) if (input.take() !== 0) summary[f] = takeField(input, size);
  if (!input.isAtEnd()) throw new Damage("bytes behind the end");
  return summary;
}

function takeField(input: ByteSource, size: number): (Bucket | undefined)[] {
  const mask = takeMask(input, TRENDS.length);
  const column = (i: number, rows: number) => takeColumn(input, rows, TRENDS[i] as Trend, mask[i] === true);
  const totals = column(0, size);
  const there = totals.filter((total) => total !== 0).length;
  const [kinds, lows, spreads, lasts, sums] = [1, 2, 3, 4, 5].map((i) => column(i, there)) as [
    number[],
    number[],
    number[],
    number[],
    number[],
  ];
  let at = 0;
  return totals.map((total) => {
    if (total === 0) return undefined;
    const i = at++;
    const [min, kind] = [lows[i] as number, kinds[i] as number];
    if (kind < 0 || kind > OTHERS_MAX) throw new Damage("too many words");
    const others = kind === 0 ? undefined : new Map<number, number>();
    let count = total;
    for (let k = 0; k < kind; k++) {
      const code = input.take();
      const times = input.take();
      others?.set(code, times);
      count -= times;
    }
    const [max, sum, last] = [
      min + (spreads[i] as number),
      (sums[i] as number) + min * count,
      min + (lasts[i] as number),
    ];
    return { total, count, min, max, sum, last, others };
  });
}
