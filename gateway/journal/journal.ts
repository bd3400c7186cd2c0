// The journal as the gateway sees it: `append` resolves when the record is on disk, and never before. One writer thread
// commits all that waits as soon as the previous commit is done (self-clocking group commit); one reader thread reads.
import { mkdirSync } from "node:fs";
import { Worker } from "node:worker_threads";
import type { Clock } from "../clock.ts";
import type { AppendOutcome, CheckedFrame, JournalRecord } from "../domain/record.ts";
import { type ErrorCode, GatewayError, invariant } from "../errors.ts";
import type { Act, Entry, EntryOutcome, StateChange, WriterReply, WriterRequest } from "./changes.ts";
import { createReader, type Reader } from "./reader.ts";

/** Rows in one transaction: about 1 MB, and what an fsync of 20 ms can still answer within a second. */
export const BATCH_ROWS_MAX = 5_000;
/** Frames and changes that may wait; the sockets stop being read long before (ingress high water). */
export const PENDING_ENTRIES_MAX = 40_000;
/** A commit that failed is tried again after this; nobody was told that it succeeded. */
export const RETRY_MS = 500;
/** Rows of one read. */
export const READ_ROWS_MAX = 5_000;

export interface SetAsideRow {
  readonly id: number;
  readonly cursor: string;
  readonly error: string;
  readonly atMs: number;
}

export interface JournalHealth {
  readonly newestId: number;
  readonly pendingRows: number;
  readonly lastCommitMs: number;
  /** Why nothing can be committed now; undefined when all is well. */
  readonly failing?: string;
}

export interface Journal {
  readonly epoch: string;
  /** Resolves after the commit; rejects with JOURNAL_BUSY or JOURNAL_CLOSED, and waits while the disk refuses. */
  append(frame: CheckedFrame): Promise<AppendOutcome>;
  /** Cursor, documents and log rows, all or nothing, in order with the appends. */
  save(change: StateChange): Promise<void>;
  /** Rows with id > afterId in order, at most `limit`. */
  read(afterId: number, limit: number): Promise<readonly JournalRecord[]>;
  documents(kind: string): Promise<readonly { readonly key: string; readonly json: string }[]>;
  cursor(name: string): Promise<number>;
  setAside(limit: number): Promise<readonly SetAsideRow[]>;
  acts(limit: number): Promise<readonly Act[]>;
  newestId(): number;
  /** Wakes readers after a commit; carries no data. Gives the call that ends it. */
  onCommitted(listener: () => void): () => void;
  health(): JournalHealth;
  /** Commits what waits, then closes the file. */
  close(): Promise<void>;
}

interface Waiting {
  readonly entry: Entry;
  readonly rows: number;
  readonly done: (outcome: EntryOutcome) => void;
  readonly failed: (error: GatewayError) => void;
}

export interface JournalOptions {
  readonly dir: string;
  readonly clock: Clock;
  /** Test seam: caps the file at this many pages, as a full disk would. */
  readonly pagesMax?: number;
}

/** Opens the journal in `dir`, making folder and file when they are not there. Throws DATA_IN_USE, JOURNAL_UNUSABLE. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { dir, clock } = options;
  try {
    mkdirSync(dir, { recursive: true, mode: 0o750 });
  } catch (cause) {
    throw new GatewayError("FILE_UNWRITABLE", { path: dir }, { cause });
  }
  const worker = new Worker(new URL("./writer-worker.ts", import.meta.url), {
    workerData: { dir, pagesMax: options.pagesMax },
  });
  const opened = await firstReply(worker, dir);
  const reader = createReader(dir);
  return createJournal({ worker, reader, clock, opened });
}

async function firstReply(worker: Worker, dir: string): Promise<Extract<WriterReply, { kind: "opened" }>> {
  const reply = await new Promise<WriterReply>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  if (reply.kind === "refused") {
    await worker.terminate();
    throw new GatewayError(reply.code as ErrorCode, { dir, reason: reply.message });
  }
  invariant(reply.kind === "opened", "the writer speaks first");
  worker.removeAllListeners("error");
  return reply;
}

interface Parts {
  readonly worker: Worker;
  readonly reader: Reader;
  readonly clock: Clock;
  readonly opened: Extract<WriterReply, { kind: "opened" }>;
}

function createJournal({ worker, reader, clock, opened }: Parts): Journal {
  let waiting: Waiting[] = [];
  let sent: Waiting[] = [];
  let pendingRows = 0;
  let newestId = opened.newestId;
  let lastCommitMs = 0;
  let failing: string | undefined;
  let scheduled = false;
  let closing: (() => void) | undefined;
  let closed = false;
  const listeners = new Set<() => void>();

  function schedule(): void {
    if (scheduled || sent.length > 0 || waiting.length === 0) return;
    scheduled = true;
    // One turn of the loop later, so that all of one read from the sockets goes into one commit.
    setImmediate(send);
  }

  function send(): void {
    scheduled = false;
    if (sent.length > 0 || waiting.length === 0) return;
    let rows = 0;
    const beyond = waiting.findIndex((one) => {
      rows += one.rows;
      return rows > BATCH_ROWS_MAX;
    });
    // One entry alone is never more than a batch.
    sent = beyond < 0 ? waiting : waiting.slice(0, Math.max(1, beyond));
    waiting = beyond < 0 ? [] : waiting.slice(sent.length);
    post({ kind: "batch", entries: sent.map((one) => one.entry) });
  }

  function post(request: WriterRequest): void {
    worker.postMessage(request);
  }

  function takeSent(): void {
    for (const one of sent) pendingRows -= one.rows;
    sent = [];
  }

  function settle(reply: WriterReply): void {
    if (reply.kind === "committed") {
      const done = sent;
      takeSent();
      failing = undefined;
      newestId = reply.newestId;
      lastCommitMs = reply.commitMs;
      for (let i = 0; i < done.length; i++) done[i]?.done(reply.outcomes[i] as EntryOutcome);
      for (const listener of listeners) listener();
    } else if (reply.kind === "failed") {
      failing = reply.reason;
      if (reply.retry) {
        clock.after(RETRY_MS, () => post({ kind: "batch", entries: sent.map((one) => one.entry) }));
        return;
      }
      const lost = sent;
      takeSent();
      for (const one of lost) one.failed(new GatewayError("JOURNAL_UNUSABLE", { reason: reply.reason }));
    } else if (reply.kind === "closed") {
      closing?.();
      return;
    }
    if (closing !== undefined && sent.length === 0 && waiting.length === 0) post({ kind: "close" });
    else schedule();
  }

  worker.on("message", settle);
  // A writer that dies is a bug: the process goes down with it, and the journal replays.
  worker.on("error", (error) => {
    throw error;
  });

  function enter(entry: Entry): Promise<EntryOutcome> {
    if (closing !== undefined || closed) return Promise.reject(new GatewayError("JOURNAL_CLOSED"));
    if (waiting.length + sent.length >= PENDING_ENTRIES_MAX) {
      return Promise.reject(new GatewayError("JOURNAL_BUSY", { pending: waiting.length + sent.length }));
    }
    const rows = "frame" in entry ? (entry.frame.rows ?? 1) : 1;
    pendingRows += rows;
    return new Promise((done, failed) => {
      waiting.push({ entry, rows, done, failed });
      schedule();
    });
  }

  async function close(): Promise<void> {
    if (closed) return;
    await new Promise<void>((resolve) => {
      closing = resolve;
      if (sent.length === 0 && waiting.length === 0) post({ kind: "close" });
      else schedule();
    });
    closed = true;
    await Promise.all([worker.terminate(), reader.close()]);
  }

  return {
    epoch: opened.epoch,
    append: (frame) => enter({ frame }) as Promise<AppendOutcome>,
    save: async (change) => {
      await enter({ change });
    },
    read: (afterId, limit) => reader.ask({ kind: "rows", afterId, limit: Math.min(limit, READ_ROWS_MAX) }),
    documents: (documentKind) => reader.ask({ kind: "documents", documentKind }),
    cursor: (name) => reader.ask({ kind: "cursor", name }),
    setAside: (limit) => reader.ask({ kind: "set-aside", limit }),
    acts: (limit) => reader.ask({ kind: "acts", limit }),
    newestId: () => newestId,
    onCommitted: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    health: () => {
      return { newestId, pendingRows, lastCommitMs, ...(failing === undefined ? {} : { failing }) };
    },
    close,
  };
}
