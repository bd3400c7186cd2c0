// The reading side of history.db: samples in their order, and series in steps. What is in no chunk yet comes with the
// question; the file says up to which row it has them itself, in the same moment.
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { decodeChunk, isFault } from "./chunk.ts";
import { chunkKey, GENERATIONS_MAX, hourOfKey, type Meta, readMeta, rollupKey } from "./file.ts";
import { hourCodes } from "./hour.ts";
import type { Place, Samples, SamplesQuery, Series, SeriesQuery, Source } from "./messages.ts";
import { type Plan, planSteps } from "./plan.ts";
import { decodeRollup, isSummary, QUARTER_MS } from "./rollup.ts";
import { byPlace, DAY_MS, dayOf, type HistoryRow, HOUR_MS, hourOf, placedMs } from "./row.ts";
import { fieldSeries } from "./series.ts";
import { addCodes, addSummary, emptySummary, type Span, type Summary } from "./summary.ts";

/** A question that takes longer is given up: the next one waits. */
const QUERY_MS_MAX = 5_000;

/** The question would have taken longer than QUERY_MS_MAX. */
export class TooSlow extends Error {}

export interface HistoryReader {
  /** Throws TooSlow, and what SQLite throws. */
  series(query: SeriesQuery): Series;
  samples(query: SamplesQuery): Samples;
}

interface Reading {
  readonly meta: Meta;
  readonly sql: Sql;
  readonly untilMs: number;
  damaged: number;
}

type Sql = Record<"device" | "chunks" | "rollup" | "next", StatementSync>;

/** `monotonicMs` bounds the time of a question. */
export function createHistoryReader(db: DatabaseSync, monotonicMs: () => number): HistoryReader {
  const sql: Sql = {
    device: db.prepare("SELECT device FROM device WHERE device_id = ?"),
    chunks: db.prepare("SELECT body FROM chunk WHERE key >= ? AND key < ? ORDER BY key"),
    rollup: db.prepare("SELECT hours, quarters FROM rollup WHERE key = ?"),
    next: db.prepare("SELECT key FROM chunk WHERE key >= ? ORDER BY key LIMIT 1"),
  };
  /** One transaction: chunks and the number of the last row in them belong together. */
  function reading<T>(work: (reading: Reading) => T): T {
    db.exec("BEGIN");
    try {
      return work({ meta: readMeta(db), sql, untilMs: monotonicMs() + QUERY_MS_MAX, damaged: 0 });
    } finally {
      db.exec("COMMIT");
    }
  }
  const check = ({ untilMs }: Reading) => {
    if (monotonicMs() > untilMs) throw new TooSlow();
  };
  return {
    series: (query) => reading((one) => seriesOf(one, query, () => check(one))),
    samples: (query) => reading((one) => samplesOf(one, query, () => check(one))),
  };
}

function deviceOf({ sql }: Reading, deviceId: string): number | undefined {
  return sql.device.get(deviceId)?.["device"] as number | undefined;
}

function bodiesOf({ sql }: Reading, hourMs: number, device: number | undefined): Uint8Array[] {
  if (device === undefined) return [];
  const key = chunkKey(hourMs, device);
  return sql.chunks.all(key, key + GENERATIONS_MAX).map((row) => row["body"] as Uint8Array);
}

/** Rows that came with the question and are in no chunk, by their hour. */
function tailByHour({ meta }: Reading, { tail, fromMs, toMs }: Source): Map<number, HistoryRow[]> {
  const hours = new Map<number, HistoryRow[]>();
  for (const row of tail) {
    const placed = placedMs(row);
    if (row.id <= meta.covered || placed < fromMs || placed >= toMs) continue;
    const found = hours.get(hourOf(placed));
    if (found === undefined) hours.set(hourOf(placed), [row]);
    else found.push(row);
  }
  return hours;
}

/** Hours with something in them, of whatever device, between these moments. */
function hoursBetween({ sql }: Reading, fromMs: number, toMs: number, tail: ReadonlyMap<number, unknown>): number[] {
  const hours = new Set([...tail.keys()].filter((hourMs) => hourMs + HOUR_MS > fromMs && hourMs < toMs));
  for (let hourMs = hourOf(fromMs); hourMs < toMs; hourMs += HOUR_MS) {
    const next = sql.next.get(chunkKey(hourMs, 0)) as { key: number } | undefined;
    if (next === undefined) break;
    hourMs = hourOfKey(next.key);
    if (hourMs < toMs) hours.add(hourMs);
  }
  return [...hours].sort((a, b) => a - b);
}

function samplesOf(one: Reading, { source, limit, after }: SamplesQuery, check: () => void): Samples {
  const device = deviceOf(one, source.deviceId);
  const fromMs = Math.max(source.fromMs, after?.placedMs ?? source.fromMs);
  const tail = tailByHour(one, source);
  const rows: HistoryRow[] = [];
  for (const hourMs of hoursBetween(one, fromMs, source.toMs, tail)) {
    check();
    const found = bodiesOf(one, hourMs, device).flatMap((body) => {
      const chunk = decodeChunk(body);
      if (!isFault(chunk)) return chunk;
      one.damaged++;
      return [];
    });
    const wanted = [...found, ...(tail.get(hourMs) ?? [])].filter((row) => {
      const placed = placedMs(row);
      return placed >= fromMs && placed < source.toMs && isBehind(row, placed, after);
    });
    rows.push(...wanted.sort(byPlace).slice(0, limit + 1 - rows.length));
    if (rows.length > limit) break;
  }
  const page = rows.slice(0, limit);
  const last = page[page.length - 1];
  const next = rows.length > limit && last !== undefined ? { placedMs: placedMs(last), id: last.id } : undefined;
  return { rows: page, next, damaged: one.damaged };
}

function isBehind(row: HistoryRow, placed: number, after: Place | undefined): boolean {
  return after === undefined || placed > after.placedMs || (placed === after.placedMs && row.id > after.id);
}

function seriesOf(one: Reading, query: SeriesQuery, check: () => void): Series {
  const plan = planSteps(query, one.meta.prunedDay);
  const endMs = plan.fromMs + plan.count * plan.stepMs;
  const series = query.sources.flatMap((source) => {
    const summary = emptySummary(plan.count);
    const span = { fromMs: Math.max(source.fromMs, plan.fromMs), toMs: Math.min(source.toMs, endMs) };
    summarise(one, { plan, source, span, summary }, check);
    return fieldSeries(source.deviceId, summary, query.fields);
  });
  const { fromMs, stepMs, count, resolution } = plan;
  return { fromMs, stepMs, steps: count, resolution, damaged: one.damaged, series };
}

interface Work {
  readonly plan: Plan;
  readonly source: Source;
  readonly span: Span;
  readonly summary: Summary;
}

/** Days that have rollups by their rollups when they are fine enough, and all else by samples. */
function summarise(one: Reading, work: Work, check: () => void): void {
  const { plan, source, span } = work;
  const device = deviceOf(one, source.deviceId);
  const tail = tailByHour(one, { ...source, ...span });
  const foldedEndMs = plan.resolution === "sample" ? 0 : one.meta.foldedDay;
  const rawFromMs = Math.max(span.fromMs, foldedEndMs);
  for (let dayMs = dayOf(span.fromMs); dayMs < Math.min(foldedEndMs, span.toMs); dayMs += DAY_MS) {
    check();
    addRollup(one, work, device, dayMs);
  }
  // Rows that are not in the file yet are in no rollup either.
  for (const [hourMs, rows] of tail) if (hourMs + HOUR_MS <= rawFromMs) addHour(one, work, [], rows);
  for (const hourMs of hoursBetween(one, rawFromMs, span.toMs, tail)) {
    check();
    addHour(one, work, bodiesOf(one, hourMs, device), tail.get(hourMs) ?? []);
  }
}

function addRollup(one: Reading, { plan, span, summary }: Work, device: number | undefined, dayMs: number): void {
  const stored = device === undefined ? undefined : one.sql.rollup.get(rollupKey(dayMs, device));
  if (stored === undefined) return;
  const isHours = plan.resolution === "hour";
  const finer = decodeRollup(stored[isHours ? "hours" : "quarters"] as Uint8Array);
  if (isSummary(finer))
    addSummary(summary, plan, finer, { fromMs: dayMs, stepMs: isHours ? HOUR_MS : QUARTER_MS, span });
  else one.damaged++;
}

function addHour(one: Reading, { plan, span, summary }: Work, bodies: Uint8Array[], tail: readonly HistoryRow[]): void {
  const { codes, damaged } = hourCodes(bodies, tail);
  one.damaged += damaged;
  if (codes !== undefined) addCodes(summary, plan, codes, span);
}
