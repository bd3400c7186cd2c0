// Asks the reading thread and matches its answers to their questions.
import { Worker } from "node:worker_threads";
import { GatewayError } from "../errors.ts";
import { threadEnd } from "../thread.ts";
import type { ReaderReply, ReaderRequest } from "./changes.ts";

/** Questions under way at once: engine, a few sinks, the API. */
const QUESTIONS_MAX = 256;

export interface Reader {
  /** The answer has the shape of the query kind (reader-worker.ts). Rejects with JOURNAL_UNUSABLE or JOURNAL_BUSY. */
  ask<T>(query: ReaderRequest["query"]): Promise<T>;
  close(): Promise<void>;
}

export function createReader(dir: string): Reader {
  const worker = new Worker(new URL("./reader-worker.ts", import.meta.url), { workerData: { dir } });
  const open = new Map<number, { done: (result: unknown) => void; failed: (error: Error) => void }>();
  let token = 0;
  worker.on("message", (reply: ReaderReply) => {
    const question = open.get(reply.token);
    open.delete(reply.token);
    if (reply.error === undefined) question?.done(reply.result);
    else question?.failed(new GatewayError("JOURNAL_UNUSABLE", { reason: reply.error }));
  });
  worker.on("error", (error) => {
    throw error;
  });
  return {
    ask: <T>(query: ReaderRequest["query"]) => {
      if (open.size >= QUESTIONS_MAX) return Promise.reject(new GatewayError("JOURNAL_BUSY", { questions: open.size }));
      return new Promise<T>((resolve, reject) => {
        token++;
        open.set(token, { done: resolve as (result: unknown) => void, failed: reject });
        worker.postMessage({ token, query } satisfies ReaderRequest);
      });
    },
    close: async () => {
      for (const question of open.values()) question.failed(new GatewayError("JOURNAL_CLOSED"));
      open.clear();
      worker.postMessage("close");
      await threadEnd(worker);
    },
  };
}
