// The journal as the gateway sees it: `append` resolves when the record is on disk, and never before. One writer thread
// commits what waits, one reader thread reads.
import { mkdirSync } from "node:fs";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { Clock } from "../clock.ts";
import type { AppendOutcome, CheckedFrame, JournalRecord } from "../domain/record.ts";
import { type ErrorCode, GatewayError, invariant } from "../errors.ts";
import { threadEnd } from "../thread.ts";
import type {
  Act,
  ActsAsked,
  Entry,
  FileState,
  NumberedAct,
  StateChange,
  WriterReply,
  WriterRequest,
} from "./changes.ts";
import type { WriterOptions } from "./open-writer.ts";
import { createPacker } from "./packing.ts";
import type { Piece } from "./pieces.ts";
import { createQueue, type Settled } from "./queue.ts";
import { createReader, type Reader } from "./reader.ts";
import type { Loss, SetAsideRow } from "./store.ts";
import type { WriterSetup } from "./writer-worker.ts";

/** Rows of one read. */
export const READ_ROWS_MAX = 5_000;

export interface JournalHealth {
  readonly newestId: number;
  readonly pendingRows: number;
  readonly freeBytes: number;
  /** Free space is below the mark at which old rows are dropped early. */
  readonly lowWater: boolean;
  /** Nothing is taken now: what was sent waits unacknowledged, and its senders keep it. */
  readonly refusing: boolean;
  /** Rows that were dropped although somebody needed them, ever (`gaps`). */
  readonly gapRows: number;
  /** Why nothing can be committed now; undefined when all is well. */
  readonly failing?: string;
}

/** What the writer did in one go. */
export interface Commit {
  readonly ms: number;
  readonly rows: number;
}

export interface Journal {
  readonly epoch: string;
  /** Resolves after the commit; rejects with JOURNAL_BUSY or JOURNAL_CLOSED, and waits while the disk refuses. */
  append(frame: CheckedFrame): Promise<AppendOutcome>;
  /** The same for who brings thousands a second: `settled` is called once, in the order of the calls, with an error or without. */
  take(frame: CheckedFrame, settled: (outcome: AppendOutcome | Error) => void): void;
  /** Cursor, documents and log rows, all or nothing, in order with the appends. */
  save(change: StateChange): Promise<void>;
  /** Last row that a reader has passed. Asking makes it one whose rows are kept for it. */
  cursor(name: string): Promise<number>;
  /** Who read by this cursor is gone: no row is kept for it any more. */
  leave(name: string): void;
  /** Rows with id > afterId in order, at most `limit`. */
  read(afterId: number, limit: number): Promise<readonly JournalRecord[]>;
  documents(kind: string): Promise<readonly { readonly key: string; readonly json: string }[]>;
  setAside(limit: number): Promise<readonly SetAsideRow[]>;
  acts(limit: number): Promise<readonly Act[]>;
  actsOn(asked: ActsAsked): Promise<readonly NumberedAct[]>;
  /** Counted losses, the newest first. */
  gaps(limit: number): Promise<readonly Loss[]>;
  /** Rows from this id on, packed for a copy; undefined when there are none. */
  rowsPiece(fromId: number, limit: number): Promise<Piece | undefined>;
  /** All but the rows, as of one moment, packed for a copy. */
  statePiece(): Promise<Piece>;
  newestId(): number;
  /** The oldest row that is kept, as of the last look; one more than the newest when there is none. */
  oldestId(): number;
  /** Wakes readers after a commit; carries no record. Gives the call that ends it. */
  onCommitted(listener: (commit: Commit) => void): () => void;
  health(): JournalHealth;
  /** Commits what waits, then closes the file. What a disk refuses now is rejected: its senders keep it. */
  close(): Promise<void>;
}

export interface JournalOptions extends WriterOptions {
  readonly clock: Clock;
  /** How long rows wait for company, for disks on which a commit is dear; alarms close the batch at once. */
  readonly commitWindowMs?: number;
}

/** Opens the journal in `dir`, making folder and file when they are not there. Throws DATA_IN_USE, JOURNAL_UNUSABLE. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { clock, commitWindowMs = 0, ...workerData } = options;
  const { dir } = options;
  try {
    mkdirSync(dir, { recursive: true, mode: 0o750 });
  } catch (cause) {
    throw new GatewayError("FILE_UNWRITABLE", { path: dir }, { cause });
  }
  const { port1: port, port2 } = new MessageChannel();
  const worker = new Worker(new URL("./writer-worker.ts", import.meta.url), {
    workerData: { ...workerData, port: port2 } satisfies WriterSetup,
    transferList: [port2],
  });
  const openedMs = clock.monotonicMs();
  const opened = await firstReply({ worker, port }, dir);
  return createJournal({
    worker,
    port,
    reader: createReader(dir),
    openPieces: () => createReader(dir),
    clock,
    opened,
    openedMs,
    commitWindowMs,
  });
}

type Opened = Extract<WriterReply, { kind: "opened" }>;

async function firstReply({ worker, port }: Pick<Parts, "worker" | "port">, dir: string): Promise<Opened> {
  const reply = await new Promise<WriterReply>((resolve, reject) => {
    port.once("message", resolve);
    worker.once("error", reject);
  });
  if (reply.kind === "refused") {
    await threadEnd(worker);
    throw new GatewayError(reply.code as ErrorCode, { dir, reason: reply.message });
  }
  invariant(reply.kind === "opened", "the writer speaks first");
  worker.removeAllListeners("error");
  return reply;
}

function asPromise<T>(ask: (settled: (outcome: T | GatewayError) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    ask((outcome) => {
      if (outcome instanceof GatewayError) reject(outcome);
      else resolve(outcome);
    });
  });
}

interface Parts {
  readonly worker: Worker;
  /** To the writer, and from it. */
  readonly port: MessagePort;
  readonly reader: Reader;
  /** A reader for copies alone: packing a state takes a while, and the engine waits for its own. */
  readonly openPieces: () => Reader;
  readonly clock: Clock;
  readonly opened: Opened;
  readonly openedMs: number;
  readonly commitWindowMs: number;
}

function createJournal({ worker, port, reader, openPieces, clock, opened, openedMs, commitWindowMs }: Parts): Journal {
  let { newestId } = opened;
  let file: FileState = opened.file;
  let failing: string | undefined;
  let closing: (() => void) | undefined;
  let closed = false;
  const listeners = new Set<(commit: Commit) => void>();
  const uses = new Set<string>();
  const pack = createPacker();
  let pieces: Reader | undefined;

  function post(request: WriterRequest): void {
    port.postMessage(request, request.kind === "batch" ? [request.batch.buffer] : []);
  }

  const queue = createQueue({
    clock,
    windowMs: commitWindowMs,
    post: (entries) => post({ kind: "batch", batch: pack(entries) }),
    look,
    onIdle: () => {
      if (closing !== undefined) post({ kind: "close" });
    },
  });

  /** In the middle of what brings a row: who is woken may read that very socket, so nobody is before it has ended. */
  function look(): void {
    const came = receiveMessageOnPort(port) as { readonly message: WriterReply } | undefined;
    if (came === undefined) return;
    try {
      process.nextTick(wake, settle(came.message));
    } catch (bug) {
      // Not to whoever enters a row, who might catch it: it ends the process, as it does out of an event.
      process.nextTick(() => {
        throw bug;
      });
    }
  }

  function wake(commit: Commit | undefined): void {
    if (commit !== undefined) for (const listener of listeners) listener(commit);
  }

  /** The commit that the reply tells of. */
  function settle(reply: WriterReply): Commit | undefined {
    if (reply.kind === "closed") closing?.();
    if (reply.kind !== "committed" && reply.kind !== "failed" && reply.kind !== "file") return undefined;
    file = reply.file;
    if (reply.kind === "file") return undefined;
    const rows = queue.batchRows();
    if (reply.kind === "committed") newestId = reply.newestId;
    queue.settle(reply);
    if (reply.kind === "failed") failing = reply.reason;
    else if (!queue.areRowsRefused()) failing = undefined;
    return reply.kind === "committed" ? { ms: reply.commitMs, rows } : undefined;
  }

  port.on("message", (reply: WriterReply) => wake(settle(reply)));
  // A writer that dies is a bug: the process goes down with it, and the journal replays.
  worker.on("error", (error) => {
    throw error;
  });

  function enter(entry: Entry, settled: Settled): void {
    if (closing !== undefined || closed) {
      settled(new GatewayError("JOURNAL_CLOSED"));
      return;
    }
    if ("change" in entry && entry.change.cursor !== undefined) noteUse(entry.change.cursor.name);
    queue.enter(entry, settled);
  }

  function take(frame: CheckedFrame, settled: (outcome: AppendOutcome | GatewayError) => void): void {
    // A frame is never answered as a change is.
    enter({ frame, afterOpenMs: clock.monotonicMs() - openedMs }, settled as Settled);
  }

  function copier(): Reader {
    pieces ??= openPieces();
    return pieces;
  }

  function noteUse(cursor: string): void {
    if (uses.has(cursor)) return;
    uses.add(cursor);
    post({ kind: "uses", cursor });
  }

  function leave(cursor: string): void {
    if (uses.delete(cursor)) post({ kind: "leaves", cursor });
  }

  async function close(): Promise<void> {
    if (closed) return;
    await new Promise<void>((resolve) => {
      closing = resolve;
      if (queue.isEmpty()) post({ kind: "close" });
      else queue.finish();
    });
    closed = true;
    await Promise.all([threadEnd(worker), reader.close(), pieces?.close()]);
  }

  return {
    epoch: opened.epoch,
    append: (frame) => asPromise((settled) => take(frame, settled)),
    take,
    save: async (change) => {
      await asPromise((settled: Settled) => enter({ change }, settled));
    },
    read: (afterId, limit) => reader.ask({ kind: "rows", afterId, limit: Math.min(limit, READ_ROWS_MAX) }),
    documents: (documentKind) => reader.ask({ kind: "documents", documentKind }),
    cursor: (name) => {
      noteUse(name);
      return reader.ask({ kind: "cursor", name });
    },
    leave,
    setAside: (limit) => reader.ask({ kind: "set-aside", limit }),
    acts: (limit) => reader.ask({ kind: "acts", limit }),
    actsOn: (asked) => reader.ask({ kind: "acts-on", asked }),
    gaps: (limit) => reader.ask({ kind: "gaps", limit }),
    rowsPiece: (fromId, limit) => copier().ask({ kind: "rows-piece", fromId, limit }),
    statePiece: () => copier().ask({ kind: "state-piece" }),
    newestId: () => newestId,
    oldestId: () => file.oldestId,
    onCommitted: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    health: () => {
      const { freeBytes, lowWater, gapRows } = file;
      return {
        newestId,
        pendingRows: queue.pendingRows(),
        freeBytes,
        lowWater,
        refusing: failing !== undefined,
        gapRows,
        ...(failing === undefined ? {} : { failing }),
      };
    },
    close,
  };
}
