// Reads in a thread and on a connection of their own: short statements, so that the WAL can always reset.
import { parentPort, workerData } from "node:worker_threads";
import { invariant } from "../errors.ts";
import type { ReaderReply, ReaderRequest } from "./changes.ts";
import { openReaderFile } from "./file.ts";
import { rowsPiece, statePiece } from "./pieces.ts";
import { recordOf } from "./row.ts";
import { createSqliteReader } from "./sqlite-reader.ts";

const port = parentPort;
invariant(port !== null, "the reader runs as a worker");
const db = openReaderFile((workerData as { dir: string }).dir);
const reader = createSqliteReader(db);

function answer(query: ReaderRequest["query"]): unknown {
  switch (query.kind) {
    case "rows":
      return reader.rows(query.afterId + 1, query.limit).map(recordOf);
    case "documents":
      return reader.documents(query.documentKind);
    case "cursor":
      return reader.cursor(query.name);
    case "set-aside":
      return reader.setAside(query.limit);
    case "dead-letters":
      return reader.deadLetters(query.sink, query.limit);
    case "acts":
      return reader.acts(query.limit);
    case "acts-on":
      return reader.actsOn(query.asked);
    case "gaps":
      return reader.gaps(query.limit);
    case "rows-piece":
      return rowsPiece(db, query.fromId, query.limit);
    case "state-piece":
      return statePiece(db);
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
