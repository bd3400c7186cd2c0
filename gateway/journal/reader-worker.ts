// Reads in a thread and on a connection of their own: short statements, so that the WAL can always reset.
import type { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { invariant } from "../errors.ts";
import type { ReaderReply, ReaderRequest } from "./changes.ts";
import { openReaderFile } from "./file.ts";
import { rowsPiece, statePiece } from "./pieces.ts";
import { recordOf } from "./row.ts";
import { createSqliteReader, type SqliteReader } from "./sqlite-reader.ts";

const port = parentPort;
invariant(port !== null, "the reader runs as a worker");
/** A file that cannot be opened is told of with every question: who waits for an answer is told, and no one else can be. */
const file = open((workerData as { dir: string }).dir);

type OpenFile = { readonly db: DatabaseSync; readonly reader: SqliteReader };

function open(dir: string): OpenFile | { readonly failure: string } {
  let db: DatabaseSync | undefined;
  try {
    db = openReaderFile(dir);
    return { db, reader: createSqliteReader(db) };
  } catch (error) {
    db?.close();
    return { failure: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function answer({ db, reader }: OpenFile, query: ReaderRequest["query"]): unknown {
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
    if ("db" in file) file.db.close();
    port.close();
    return;
  }
  port.postMessage(replyTo(request));
});

function replyTo({ token, query }: ReaderRequest): ReaderReply {
  if ("failure" in file) return { token, error: file.failure };
  try {
    return { token, result: answer(file, query) };
  } catch (error) {
    return { token, error: reasonOf(error) };
  }
}
