// Reads in a thread and on a connection of their own: short statements, so that the WAL can always reset.
import type { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { invariant } from "../errors.ts";
import type { ReaderReply, ReaderRequest } from "./changes.ts";
import { openReaderFile } from "./file.ts";
import { recordOf, type StoredRow } from "./row.ts";

const port = parentPort;
invariant(port !== null, "the reader runs as a worker");
const db: DatabaseSync = openReaderFile((workerData as { dir: string }).dir);
const ROWS = db.prepare(
  "SELECT j.*, d.device_id FROM journal j LEFT JOIN device d ON d.device = j.device WHERE j.id > ? ORDER BY j.id LIMIT ?",
);

function answer(query: ReaderRequest["query"]): unknown {
  switch (query.kind) {
    case "rows":
      return ROWS.all(query.afterId, query.limit).map((row) => {
        return recordOf(row as unknown as StoredRow & { device_id: string | null });
      });
    case "documents":
      return db.prepare("SELECT key, json FROM document WHERE kind = ? ORDER BY key").all(query.documentKind);
    case "cursor":
      return (db.prepare("SELECT id FROM cursor WHERE name = ?").get(query.name)?.["id"] as number | undefined) ?? 0;
    case "set-aside":
      return db
        .prepare("SELECT id, cursor, error, at_ms AS atMs FROM set_aside ORDER BY id DESC LIMIT ?")
        .all(query.limit);
    case "dead-letters":
      return db
        .prepare("SELECT id, code, message, at_ms AS atMs FROM dead_letter WHERE sink = ? ORDER BY id DESC LIMIT ?")
        .all(query.sink, query.limit);
    case "acts":
      return db
        .prepare(
          "SELECT at_ms AS atMs, actor, action, object, result, origin, detail FROM act ORDER BY id DESC LIMIT ?",
        )
        .all(query.limit);
    case "count":
      return db.prepare("SELECT count(*) AS n FROM journal").get()?.["n"];
  }
}

port.on("message", (request: ReaderRequest | "close") => {
  if (request === "close") {
    db.close();
    port.close();
    return;
  }
  let reply: ReaderReply;
  try {
    reply = { token: request.token, result: answer(request.query) };
  } catch (error) {
    reply = { token: request.token, error: error instanceof Error ? error.message : String(error) };
  }
  port.postMessage(reply);
});
