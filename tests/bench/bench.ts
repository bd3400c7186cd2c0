// The one shape of a benchmark: rows of figures, peers measured in the same run, ratios to them.

export interface BenchRow {
  readonly case: string;
  readonly subject: string;
  readonly value: number;
  readonly unit: string;
  /** To the peer that the bench names, in the same unit: above 1 is more. */
  readonly ratio?: number;
  /** What the figure is of, where its name does not say. */
  readonly note?: string;
  /** A limit of the bench was not kept: the command exits with 1. */
  readonly missed?: true;
}

export interface BenchResult {
  readonly name: string;
  readonly machine: string;
  readonly rows: readonly BenchRow[];
}

export interface BenchContext {
  readonly flags: Readonly<Record<string, string | undefined>>;
  log(line: string): void;
}

export interface Bench {
  readonly name: string;
  readonly summary: string;
  readonly flags: Readonly<Record<string, string>>;
  run(context: BenchContext): Promise<readonly BenchRow[]>;
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

export function significant(value: number): number {
  return Number(value.toPrecision(4));
}
