// What travels between the gateway's thread and the workers of history.
import type { DeviceRecord, HistoryRow } from "./row.ts";
import type { Retention, StoreState } from "./store.ts";

export interface WriterSetup {
  readonly dir: string;
  readonly journal: { readonly epoch: string; readonly newestId: number };
}

export type WriterRequest =
  /** Part of the next batch; nothing is written yet. */
  | { readonly kind: "rows"; readonly rows: readonly DeviceRecord[] }
  | { readonly kind: "commit"; readonly throughId: number; readonly damaged: number }
  | { readonly kind: "fold"; readonly nowMs: number }
  | { readonly kind: "prune"; readonly nowMs: number; readonly retention: Retention }
  | { readonly kind: "close" };

export type WriterReply =
  | { readonly kind: "opened"; readonly state: StoreState }
  | { readonly kind: "refused"; readonly message: string }
  /** Of a commit, a fold or a prune; `more` when the same should be asked again. */
  | { readonly kind: "done"; readonly state: StoreState; readonly more: boolean; readonly tookMs: number }
  /** Nothing of it is in the file. */
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "closed" };

/** A device at a point, or for a whole range: from when until when, and what is in no chunk yet. */
export interface Source {
  readonly deviceId: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly tail: readonly HistoryRow[];
}

export interface SeriesQuery {
  readonly kind: "series";
  readonly sources: readonly Source[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly points: number;
  /** Names of HISTORY_FIELD_NAMES; all when left out. */
  readonly fields?: readonly string[] | undefined;
}

/** A place among the samples of a device: those behind it come next. */
export interface Place {
  readonly placedMs: number;
  readonly id: number;
}

export interface SamplesQuery {
  readonly kind: "samples";
  readonly source: Source;
  readonly limit: number;
  readonly after?: Place | undefined;
}

export type Query = SeriesQuery | SamplesQuery;

export type Resolution = "sample" | "quarter" | "hour";

/** What became of one field, step by step; null where nothing came. */
export interface FieldSeries {
  readonly deviceId: string;
  readonly field: string;
  /** Reports that had the field, with a value or without. */
  readonly count: readonly number[];
  /** Of numbers only, in the unit of the name. */
  readonly min?: readonly (number | null)[];
  readonly max?: readonly (number | null)[];
  readonly mean?: readonly (number | null)[];
  readonly last: readonly (number | string | null)[];
  /** How often a reason or a word stood there, in the order of the steps. */
  readonly words: readonly { readonly step: number; readonly word: string; readonly count: number }[];
}

export interface Series {
  readonly fromMs: number;
  readonly stepMs: number;
  readonly steps: number;
  readonly resolution: Resolution;
  /** Chunks and rollups that could not be read: what they held is missing here. */
  readonly damaged: number;
  readonly series: readonly FieldSeries[];
}

export interface Samples {
  readonly rows: readonly HistoryRow[];
  /** Where the next page begins; undefined behind the last one. */
  readonly next: Place | undefined;
  readonly damaged: number;
}

export interface ReaderRequest {
  readonly token: number;
  readonly query: Query;
}

export interface ReaderReply {
  readonly token: number;
  readonly result?: Series | Samples;
  readonly error?: string;
  /** The question would have taken too long. */
  readonly tooSlow?: true;
}
