// Answers questions about history in a thread and on a connection of their own.
import { parentPort, workerData } from "node:worker_threads";
import { invariant } from "../errors.ts";
import { openHistoryReader } from "./file.ts";
import type { ReaderReply, ReaderRequest } from "./messages.ts";
import { createHistoryReader, TooSlow } from "./query.ts";

const port = parentPort;
invariant(port !== null, "the reader of history runs as a worker");
const reader = createHistoryReader(openHistoryReader((workerData as { dir: string }).dir), () => performance.now());

port.on("message", ({ token, query }: ReaderRequest) => {
  let reply: ReaderReply;
  try {
    reply = { token, result: query.kind === "series" ? reader.series(query) : reader.samples(query) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    reply = { token, error: message, ...(error instanceof TooSlow ? { tooSlow: true as const } : {}) };
  }
  port.postMessage(reply);
});
