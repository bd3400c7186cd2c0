// Answers questions about history in a thread and on a connection of their own.
import { parentPort, workerData } from "node:worker_threads";
import { invariant } from "../errors.ts";
import { openHistoryReader } from "./file.ts";
import type { ReaderReply, ReaderRequest } from "./messages.ts";
import { createHistoryReader, TooSlow } from "./query.ts";

const port = parentPort;
invariant(port !== null, "the reader of history runs as a worker");
const db = openHistoryReader((workerData as { dir: string }).dir);
const reader = createHistoryReader(db, () => performance.now());

port.on("message", (request: ReaderRequest | "close") => {
  if (request === "close") {
    db.close();
    port.close();
    return;
  }
  const { token, query } = request;
  let reply: ReaderReply;
  try {
    reply = { token, result: query.kind === "series" ? reader.series(query) : reader.samples(query) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    reply = { token, error: message, ...(error instanceof TooSlow ? { tooSlow: true as const } : {}) };
  }
  port.postMessage(reply);
});
