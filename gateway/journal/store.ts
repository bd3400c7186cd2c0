// What the journal needs of whatever keeps its records: one log with one writer at a time. Asynchronous, and naming no file
// or offset, so that a replicated engine can stand behind it. `tests/store-conformance.ts` says what is promised.
import type { Trim } from "./bounds.ts";
import type { Act, StateChange } from "./changes.ts";
import type { NamedRow, StoredRow } from "./row.ts";

/** The next row and the next change: both are counted by the writer, without gaps, and never restart. */
export interface Position {
  readonly row: number;
  readonly change: number;
}

/** What the writer keeps for itself, in the same log. */
export interface OwnChange {
  readonly devices?: readonly { readonly device: number; readonly deviceId: string }[];
  readonly boots?: readonly BootRow[];
  /** Rows that no version could read yet, and rows that now could be. */
  readonly undecoded?: readonly number[];
  readonly decoded?: readonly number[];
  /** What is known of devices through this row; those left out have not changed since they were last written. */
  readonly summaries?: { readonly throughId: number; readonly devices: readonly SummaryRow[] };
  readonly runMs?: number;
}

export interface BootRow {
  readonly device: number;
  readonly boot: number;
  readonly startedMs: number;
  readonly sequence: number;
}

export interface SummaryRow {
  readonly device: number;
  readonly json: string;
}

export type StoreChange = StateChange & { readonly own?: OwnChange };
export type StoreRecord = { readonly row: StoredRow } | { readonly change: StoreChange };

export type StoreVerdict =
  /** All of it is on disk, now or since an earlier try with the same sequences. */
  | { readonly outcome: "durable" }
  /** None of it is there. `retry`: time or space (`full`) can cure it. */
  | { readonly outcome: "not-durable"; readonly reason: string; readonly retry: boolean; readonly full?: true }
  /** Nobody can tell: to be tried again with the same records under the same sequences. */
  | { readonly outcome: "unknown"; readonly reason: string }
  /** Another writer has taken over; nothing of it is there. */
  | { readonly outcome: "fenced"; readonly epoch: number };

/** Rows in the order of their ids, kept and dropped as a whole. The last one is open. */
export interface Range {
  readonly firstId: number;
  /** One less than `firstId` when it is empty. */
  readonly lastId: number;
  readonly openedRunMs: number;
  /** Undefined while it is open. */
  readonly closedRunMs: number | undefined;
}

/** Rows that were dropped although somebody still needed them. */
export interface Loss {
  readonly fromId: number;
  readonly toId: number;
  readonly rows: number;
  readonly why: string;
  readonly atMs: number;
}

/** What a writer begins with after a take-over. */
export interface TakenOver {
  /** Higher than that of every writer before. */
  readonly epoch: number;
  /** A random name of the log: a restored copy can never pass for the original. */
  readonly name: string;
  readonly next: Position;
  /** Run time by the newest row. */
  readonly runMs: number;
}

export interface WriterState {
  readonly devices: readonly { readonly device: number; readonly deviceId: string }[];
  readonly boots: readonly BootRow[];
  readonly undecoded: readonly number[];
  /** Every device's is as of this row. */
  readonly summarisedId: number;
  /** Undefined when one of them is damaged: then all rows are read again. */
  readonly summaries: readonly SummaryRow[] | undefined;
}

export type RowsRead =
  | { readonly outcome: "rows"; readonly rows: readonly NamedRow[] }
  | { readonly outcome: "fenced"; readonly epoch: number };

export interface StoreHealth {
  readonly inFlight: number;
  /** Appends under way beyond this are refused with `retry`. */
  readonly inFlightMax: number;
  readonly epoch: number;
  readonly next: Position;
  /** Room inside what the store has taken already: it can be written without more of the disk. */
  readonly freeInsideBytes: number;
  /** Why the last call could not be done; undefined when it was. */
  readonly failing?: string;
}

export interface SetAsideRow {
  readonly id: number;
  readonly cursor: string;
  readonly error: string;
  readonly atMs: number;
}

export interface RecordStore {
  /** Fences every writer before. The only call before which nothing else is made. */
  takeOver(): Promise<TakenOver>;
  /** Rows and changes, all or nothing, in their order. `first` is where they begin; sequences already there are a success. */
  append(epoch: number, first: Position, records: readonly StoreRecord[]): Promise<StoreVerdict>;
  /** Rows from this id on, at most `limit`. */
  read(epoch: number, fromId: number, limit: number): Promise<RowsRead>;
  cursors(): Promise<ReadonlyMap<string, number>>;
  documents(kind: string): Promise<readonly { readonly key: string; readonly json: string }[]>;
  acts(limit: number): Promise<readonly Act[]>;
  setAside(limit: number): Promise<readonly SetAsideRow[]>;
  writerState(): Promise<WriterState>;
  ranges(): Promise<readonly Range[]>;
  /** Closes the open range and opens the next; one that is empty stays. */
  turn(epoch: number, runMs: number): Promise<StoreVerdict>;
  /** Drops the ranges that end at or before this row, never the open one, and counts the loss, all or nothing. */
  drop(epoch: number, throughId: number, loss: Loss | undefined): Promise<StoreVerdict>;
  gaps(limit: number): Promise<readonly Loss[]>;
  /** The oldest of lists that are too long or too old go, counted, all or nothing. */
  trim(epoch: number, trims: readonly Trim[]): Promise<StoreVerdict>;
  health(): StoreHealth;
  close(): Promise<void>;
}

/** Where records that begin at `first` stand against what is stored. */
export function placeInLog(first: Position, end: Position, next: Position): "next" | "stored" | "gap" | "overlap" {
  if (first.row === next.row && first.change === next.change) return "next";
  if (end.row <= next.row && end.change <= next.change) return "stored";
  return first.row > next.row || first.change > next.change ? "gap" : "overlap";
}

export function endOf(first: Position, records: readonly StoreRecord[]): Position {
  let rows = 0;
  for (const record of records) if ("row" in record) rows++;
  return { row: first.row + rows, change: first.change + records.length - rows };
}
