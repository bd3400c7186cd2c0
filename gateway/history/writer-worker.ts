// The writer of history in a thread of its own: packing an hour of every device takes seconds, and nothing waits for it.
import { parentPort, workerData } from "node:worker_threads";
import { invariant } from "../errors.ts";
import type { WriterReply, WriterRequest, WriterSetup } from "./messages.ts";
import type { DeviceRecord } from "./row.ts";
import { type HistoryStore, openStore } from "./store.ts";

const port = parentPort;
invariant(port !== null, "the writer of history runs as a worker");
/** SQLite result codes (sqlite.org/rescode.html): the low byte of the extended code. */
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
/** Begun again from the file: after an I/O error, and as what was opened while nothing could be written stays so. */
const STALE: readonly number[] = [SQLITE_READONLY, SQLITE_IOERR];
const { dir, journal } = workerData as WriterSetup;
let gathered: DeviceRecord[] = [];
let store: HistoryStore | undefined;

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

/** After an I/O error the kernel may have dropped pages that SQLite believes written: begun again from the file. */
function live(): HistoryStore {
  // Rows have come since the start: the newest id of then says nothing any more.
  store ??= openStore(dir, { ...journal, newestId: Number.MAX_SAFE_INTEGER });
  return store;
}

/** Only a restart can begin another: of what this one holds the journal may have dropped some. */
const NOT_THERE =
  "history.db was moved or deleted: put it back, or start the gateway again for a new one from the journal";

function take(request: WriterRequest): void {
  if (request.kind === "rows") {
    for (const row of request.rows) gathered.push(row);
  } else if (request.kind === "close") {
    store?.close();
    reply({ kind: "closed" });
    port?.close();
  } else {
    const began = performance.now();
    try {
      const now = live();
      if (!now.isThere()) {
        gathered = [];
        reply({ kind: "failed", message: NOT_THERE });
        return;
      }
      const more = work(now, request);
      reply({ kind: "done", state: now.state(), more, tookMs: performance.now() - began });
    } catch (error) {
      // Full, or slow, or broken: the rows come again. What is no failure of SQLite is a bug.
      const { errcode } = error as { errcode?: number };
      if (errcode === undefined) throw error;
      const message = error instanceof Error ? error.message : String(error);
      if (STALE.includes(errcode & 0xff)) {
        store?.abandon();
        store = undefined;
      }
      reply({ kind: "failed", message });
    }
  }
}

try {
  store = openStore(dir, journal);
  reply({ kind: "opened", state: store.state() });
  port.on("message", take);
} catch (error) {
  reply({ kind: "refused", message: error instanceof Error ? error.message : String(error) });
}
