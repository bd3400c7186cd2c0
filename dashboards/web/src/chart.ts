// The history of a point as lines: a gap stays a gap.
import type { PointHistory } from "../../../protocol/schema/index.ts";

export interface Dot {
  readonly ms: number;
  readonly value: number;
}

export interface Line {
  readonly deviceId: string;
  /** One a step; undefined where nothing was measured. */
  readonly values: readonly (number | undefined)[];
  /** Runs without a gap. */
  readonly runs: readonly (readonly Dot[])[];
}

function figure(value: number | string | null | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}

export function linesOf(history: PointHistory, field: string): readonly Line[] {
  const fromMs = Date.parse(history.from);
  return history.series
    .filter((series) => series.field === field)
    .map((series) => {
      const values = Array.from({ length: history.steps }, (_, i) => figure(series.last[i]));
      return { deviceId: series.deviceId, values, runs: runsOf(values, fromMs, history.stepS * 1000) };
    })
    .filter((line) => line.runs.length > 0);
}

function runsOf(values: readonly (number | undefined)[], fromMs: number, stepMs: number): Dot[][] {
  const runs: Dot[][] = [];
  values.forEach((value, i) => {
    if (value === undefined) return;
    const dot = { ms: fromMs + i * stepMs, value };
    if (values[i - 1] === undefined) runs.push([dot]);
    else runs.at(-1)?.push(dot);
  });
  return runs;
}

/** The lowest round number at or above: 1, 2 or 5 times a power of ten. */
export function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  const top = [1, 2, 5, 10].find((step) => step * power >= value) ?? 10;
  return top * power;
}

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly top: number;
}

const tenth = (value: number) => Math.round(value * 10) / 10;

export function xOf(frame: Frame, ms: number): number {
  return tenth(((ms - frame.fromMs) / (frame.toMs - frame.fromMs)) * frame.width);
}

export function yOf(frame: Frame, value: number): number {
  return tenth(frame.height - (Math.min(Math.max(value, 0), frame.top) / frame.top) * frame.height);
}

/** An SVG path; a run of one is a stroke without length, which is a dot. */
export function pathOf(run: readonly Dot[], frame: Frame): string {
  const steps = run.map((dot, i) => `${i === 0 ? "M" : "L"}${xOf(frame, dot.ms)} ${yOf(frame, dot.value)}`);
  return run.length === 1 ? `${steps[0]}h0` : steps.join("");
}

export interface Summary {
  readonly low: number;
  readonly high: number;
  readonly last: number;
  readonly gaps: number;
}

export function summaryOf(lines: readonly Line[]): Summary | undefined {
  const dots = lines.flatMap((line) => line.runs.flat());
  const newest = dots.reduce<Dot | undefined>((a, b) => (a === undefined || b.ms >= a.ms ? b : a), undefined);
  if (newest === undefined) return undefined;
  const values = dots.map((dot) => dot.value);
  return {
    low: Math.min(...values),
    high: Math.max(...values),
    last: newest.value,
    gaps: lines.reduce((sum, line) => sum + line.runs.length - 1, 0),
  };
}

export interface HourRow {
  readonly ms: number;
  readonly values: readonly (number | undefined)[];
}

/** The last of each hour, newest first, a column a line: what a table shows instead of the picture. */
export function hourRows(history: PointHistory, lines: readonly Line[]): readonly HourRow[] {
  const stepMs = history.stepS * 1000;
  const perHour = Math.max(1, Math.round(3_600_000 / stepMs));
  const rows: HourRow[] = [];
  for (let first = 0; first < history.steps; first += perHour) {
    const lastOf = (line: Line) =>
      line.values.slice(first, first + perHour).reduce((last, value) => value ?? last, undefined);
    rows.push({ ms: Date.parse(history.from) + first * stepMs, values: lines.map(lastOf) });
  }
  return rows.reverse();
}
