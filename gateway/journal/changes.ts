// What travels between the gateway's thread and the journal's workers, and what may be saved beside the journal.
import type { AppendOutcome, CheckedFrame } from "../domain/record.ts";
import type { PackedBatch, PackedOutcomes } from "./packing.ts";

export interface DocumentPut {
  readonly kind: string;
  readonly key: string;
  readonly json: string;
}

/** One row of the append-only log of acts (BIO2 8.15.01: action, object, result, origin, actor, time). */
export interface Act {
  readonly atMs: number;
  readonly actor: string;
  readonly action: string;
  readonly object: string;
  readonly result: string;
  readonly origin: string;
  readonly detail: string;
}

/** Acts of one kind on one object, the newest first, from before an act. */
export interface ActsAsked {
  readonly action: string;
  readonly object: string;
  readonly beforeId: number | undefined;
  readonly limit: number;
}

/** An act with its number in the log. */
export interface NumberedAct extends Act {
  readonly id: number;
}

/** Saved as a whole or not at all. */
export interface StateChange {
  readonly cursor?: { readonly name: string; readonly id: number };
  readonly put?: readonly DocumentPut[];
  readonly remove?: readonly { readonly kind: string; readonly key: string }[];
  readonly setAside?: readonly {
    readonly id: number;
    readonly cursor: string;
    readonly error: string;
    readonly atMs: number;
  }[];
  readonly deadLetters?: readonly {
    readonly sink: string;
    readonly id: number;
    readonly code: string;
    readonly message: string;
    readonly atMs: number;
  }[];
  readonly acts?: readonly Act[];
}

/** One entry of a batch, in the order in which it was asked for. */
export type Entry =
  | { readonly frame: CheckedFrame /** Milliseconds since the journal was opened. */; readonly afterOpenMs?: number }
  | { readonly change: StateChange };
export type EntryOutcome = AppendOutcome | { readonly outcome: "saved" };

export type WriterRequest =
  | { readonly kind: "batch"; readonly batch: PackedBatch }
  /** Somebody reads by this cursor: rows that it has not passed are needed. */
  | { readonly kind: "uses"; readonly cursor: string }
  /** Nobody does any more: what it has not passed is needed by nobody. */
  | { readonly kind: "leaves"; readonly cursor: string }
  | { readonly kind: "close" };

/** What the writer's file is like, for health. */
export interface FileState {
  readonly freeBytes: number;
  /** Free space is below the mark at which old rows are dropped early. */
  readonly lowWater: boolean;
  /** Rows that were dropped although somebody needed them, ever. */
  readonly gapRows: number;
  readonly oldestId: number;
}

export type WriterReply =
  | { readonly kind: "opened"; readonly newestId: number; readonly epoch: string; readonly file: FileState }
  | { readonly kind: "refused"; readonly code: string; readonly message: string }
  | {
      readonly kind: "committed";
      readonly outcomes: PackedOutcomes;
      readonly newestId: number;
      readonly commitMs: number;
      readonly file: FileState;
    }
  /**
   * Nothing of the batch is durable, as far as anybody knows. `retry`: time or space can cure it; `full`: space, and then
   * the batch need not come again as it was.
   */
  | {
      readonly kind: "failed";
      readonly reason: string;
      readonly retry: boolean;
      readonly full: boolean;
      readonly file: FileState;
    }
  | { readonly kind: "file"; readonly file: FileState }
  | { readonly kind: "closed" };

export interface ReaderRequest {
  readonly token: number;
  readonly query:
    | { readonly kind: "rows"; readonly afterId: number; readonly limit: number }
    | { readonly kind: "documents"; readonly documentKind: string }
    | { readonly kind: "cursor"; readonly name: string }
    | { readonly kind: "set-aside"; readonly limit: number }
    | { readonly kind: "dead-letters"; readonly sink: string; readonly limit: number }
    | { readonly kind: "acts"; readonly limit: number }
    | { readonly kind: "acts-on"; readonly asked: ActsAsked }
    | { readonly kind: "gaps"; readonly limit: number }
    | { readonly kind: "rows-piece"; readonly fromId: number; readonly limit: number }
    | { readonly kind: "state-piece" };
}

export interface ReaderReply {
  readonly token: number;
  readonly result?: unknown;
  readonly error?: string;
}
