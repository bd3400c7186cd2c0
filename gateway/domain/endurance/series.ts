// A bounded history of a few quantities, one entry a slot, in the order of time. Late samples find their place in it.

export const SLOT_MS = 3 * 60_000;
/** Eight hours: a fit looks at six. */
export const SLOTS_MAX = 160;

/** Time in ms and the values of that moment. */
export type Entry = readonly [atMs: number, ...values: number[]];

/** The series with one sample more: a slot keeps its newest sample, and the oldest slots fall off. */
export function withEntry(series: readonly Entry[], entry: Entry): readonly Entry[] {
  const slot = Math.floor(entry[0] / SLOT_MS);
  let at = series.length;
  while (at > 0 && Math.floor((series[at - 1] as Entry)[0] / SLOT_MS) >= slot) at--;
  const there = series[at];
  const sameSlot = there !== undefined && Math.floor(there[0] / SLOT_MS) === slot;
  if (sameSlot && there[0] > entry[0]) return series;
  if (at === 0 && !sameSlot && series.length >= SLOTS_MAX) return series;
  const next = [...series.slice(0, at), entry, ...series.slice(sameSlot ? at + 1 : at)];
  return next.length > SLOTS_MAX ? next.slice(next.length - SLOTS_MAX) : next;
}

/** Forgets entries ahead of a moment: they came from a clock that was wrong. */
export function until(series: readonly Entry[], untilMs: number): readonly Entry[] {
  const last = series[series.length - 1];
  return last === undefined || last[0] <= untilMs ? series : series.filter((entry) => entry[0] <= untilMs);
}

/** True when the slot of a moment is taken. */
export function hasSlot(series: readonly Entry[], atMs: number): boolean {
  const slot = Math.floor(atMs / SLOT_MS);
  return series.some((entry) => Math.floor(entry[0] / SLOT_MS) === slot);
}

/** Entries of the last `spanMs` before `untilMs`. */
export function since(series: readonly Entry[], untilMs: number, spanMs: number): readonly Entry[] {
  return series.filter((entry) => entry[0] > untilMs - spanMs && entry[0] <= untilMs);
}

export function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

export interface Fit {
  readonly slope: number;
  /** Standard error of the slope, from the residuals. */
  readonly sigma: number;
}

/** Theil–Sen: the median of all pairwise slopes, which a few wild readings do not move. */
export function robustSlope(points: readonly (readonly [x: number, y: number])[]): Fit | undefined {
  const slopes = new Float64Array((points.length * (points.length - 1)) / 2);
  let count = 0;
  for (let i = 0; i < points.length; i++) {
    const [x1, y1] = points[i] as readonly [number, number];
    for (let j = i + 1; j < points.length; j++) {
      const [x2, y2] = points[j] as readonly [number, number];
      if (x2 !== x1) slopes[count++] = (y2 - y1) / (x2 - x1);
    }
  }
  if (count === 0) return undefined;
  const slope = median(slopes.subarray(0, count));
  const offset = median(points.map(([x, y]) => y - slope * x));
  // 1.4826 × the median absolute deviation estimates sigma of a normal distribution.
  const sigmaY = 1.4826 * median(points.map(([x, y]) => Math.abs(y - slope * x - offset)));
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const spread = Math.sqrt(points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0));
  return { slope, sigma: spread > 0 ? sigmaY / spread : Number.POSITIVE_INFINITY };
}
