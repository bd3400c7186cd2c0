// The writer of history in a thread of its own: packing an hour of every device takes seconds, and nothing waits for it.
import { parentPort, workerData } from "node:worker_threads";
import type { JournalRecord } from "../domain/record.ts";
import { invariant } from "../errors.ts";
import type { WriterReply, WriterRequest, WriterSetup } from "./messages.ts";
import { type HistoryStore, openStore } from "./store.ts";

const port = parentPort;
invariant(port !== null, "the writer of history runs as a worker");
/** SQLite result code (sqlite.org/rescode.html): the low byte of the extended code. */
const SQLITE_IOERR = 10;
const { dir, journal } = workerData as WriterSetup;
let gathered: JournalRecord[] = [];

function reply(message: WriterReply): void {
  port?.postMessage(message);
}

/** Whether there is more to do. */
function work(store: HistoryStore, request: Exclude<WriterRequest, { kind: "rows" | "close" }>): boolean {
  if (request.kind === "fold") return store.foldOnce(request.nowMs);
  if (request.kind === "prune") return store.pruneOnce(request.nowMs, request.retention);
  const rows = gathered;
  gathered = [];
  store.absorb({ rows, throughId: request.throughId, damaged: request.damaged });
  return false;
}

/** Gives the store to go on with. */
function take(store: HistoryStore, request: WriterRequest): HistoryStore {
  if (request.kind === "rows") {
    for (const row of request.rows) gathered.push(row);
  } else if (request.kind === "close") {
    store.close();
    reply({ kind: "closed" });
    port?.close();
  } else {
    const began = performance.now();
    try {
      const more = work(store, request);
      reply({ kind: "done", state: store.state(), more, tookMs: performance.now() - began });
    } catch (error) {
      // Full, or slow, or broken: the rows come again. What is no failure of SQLite is a bug.
      const { errcode } = error as { errcode?: number };
      if (errcode === undefined) throw error;
      const message = error instanceof Error ? error.message : String(error);
      // After an I/O error the kernel may have dropped pages that SQLite believes written: begin again from the file.
      const next = (errcode & 0xff) === SQLITE_IOERR ? reopened(store) : store;
      reply({ kind: "failed", message });
      return next;
    }
  }
  return store;
}

function reopened(store: HistoryStore): HistoryStore {
  store.abandon();
  return openStore(dir, journal);
}

try {
  let store = openStore(dir, journal);
  reply({ kind: "opened", state: store.state() });
  port.on("message", (request: WriterRequest) => {
    store = take(store, request);
  });
} catch (error) {
  reply({ kind: "refused", message: error instanceof Error ? error.message : String(error) });
}
