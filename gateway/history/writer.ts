// Speaks with the thread that writes history: one thing at a time, each answered.
import { Worker } from "node:worker_threads";
import { GatewayError, invariant } from "../errors.ts";
import { threadEnd } from "../thread.ts";
import type { WriterReply, WriterRequest, WriterSetup } from "./messages.ts";
import type { Batch, Retention, StoreState } from "./store.ts";

/** Rows of one message: copying them costs the gateway's thread a millisecond or two. */
const MESSAGE_ROWS_MAX = 500;

type Done = Extract<WriterReply, { kind: "done" }>;

/** Every call rejects with HISTORY_UNUSABLE when nothing of it came into the file. One at a time. */
export interface HistoryWriter {
  readonly opened: StoreState;
  absorb(batch: Batch): Promise<Done>;
  fold(nowMs: number): Promise<Done>;
  prune(nowMs: number, retention: Retention): Promise<Done>;
  close(): Promise<void>;
}

/** Opens history.db in the data folder. Rejects with HISTORY_UNUSABLE. */
export async function startWriter(setup: WriterSetup): Promise<HistoryWriter> {
  const worker = new Worker(new URL("./writer-worker.ts", import.meta.url), { workerData: setup });
  let waiting: { done: (reply: WriterReply) => void; failed: (error: Error) => void } | undefined;
  worker.on("message", (reply: WriterReply) => {
    const asked = waiting;
    waiting = undefined;
    asked?.done(reply);
  });
  let gone: Error | undefined;
  worker.on("error", (error) => {
    gone = error;
    waiting?.failed(new GatewayError("HISTORY_UNUSABLE", { reason: error.message }, { cause: error }));
    waiting = undefined;
  });
  function nextReply(): Promise<WriterReply> {
    invariant(waiting === undefined, "the writer of history does one thing at a time");
    if (gone !== undefined) return Promise.reject(new GatewayError("HISTORY_UNUSABLE", { reason: gone.message }));
    return new Promise((done, failed) => {
      waiting = { done, failed };
    });
  }
  async function ask(request: WriterRequest): Promise<Done> {
    const answer = nextReply();
    worker.postMessage(request);
    const reply = await answer;
    if (reply.kind === "failed") throw new GatewayError("HISTORY_UNUSABLE", { reason: reply.message });
    invariant(reply.kind === "done", "the writer of history answers what it was asked");
    return reply;
  }
  const first = await nextReply();
  if (first.kind !== "opened") {
    await worker.terminate();
    throw new GatewayError("HISTORY_UNUSABLE", { reason: first.kind === "refused" ? first.message : first.kind });
  }
  return {
    opened: first.state,
    async absorb({ rows, throughId, damaged }) {
      for (let at = 0; at < rows.length; at += MESSAGE_ROWS_MAX) {
        worker.postMessage({ kind: "rows", rows: rows.slice(at, at + MESSAGE_ROWS_MAX) } satisfies WriterRequest);
        // Sockets and alerts have their turn between two messages.
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      return ask({ kind: "commit", throughId, damaged });
    },
    fold: (nowMs) => ask({ kind: "fold", nowMs }),
    prune: (nowMs, retention) => ask({ kind: "prune", nowMs, retention }),
    async close() {
      if (gone === undefined) {
        const closed = nextReply();
        worker.postMessage({ kind: "close" } satisfies WriterRequest);
        await closed;
      }
      await threadEnd(worker);
    },
  };
}
