// Asks the thread that reads history and matches its answers to their questions.
import { Worker } from "node:worker_threads";
import { GatewayError } from "../errors.ts";
import { threadEnd } from "../thread.ts";
import type { Query, ReaderReply, ReaderRequest, Samples, SamplesQuery, Series, SeriesQuery } from "./messages.ts";

/** Questions under way at once; screens ask again. */
export const QUESTIONS_MAX = 64;

/** Rejects with HISTORY_UNUSABLE, or HISTORY_BUSY when there are too many questions or one takes too long. */
export interface HistoryQuestions {
  series(query: Omit<SeriesQuery, "kind">): Promise<Series>;
  samples(query: Omit<SamplesQuery, "kind">): Promise<Samples>;
  close(): Promise<void>;
}

export function startReader(dir: string): HistoryQuestions {
  const worker = new Worker(new URL("./reader-worker.ts", import.meta.url), { workerData: { dir } });
  const open = new Map<number, { done: (result: unknown) => void; failed: (error: Error) => void }>();
  let token = 0;
  let gone: string | undefined;
  worker.on("message", (reply: ReaderReply) => {
    const question = open.get(reply.token);
    open.delete(reply.token);
    if (reply.result !== undefined) question?.done(reply.result);
    else if (reply.tooSlow === true) question?.failed(new GatewayError("HISTORY_BUSY", { reason: "took too long" }));
    else question?.failed(new GatewayError("HISTORY_UNUSABLE", { reason: reply.error ?? "no answer" }));
  });
  function giveUp(reason: string): void {
    gone = reason;
    for (const question of open.values()) question.failed(new GatewayError("HISTORY_UNUSABLE", { reason }));
    open.clear();
  }
  // Everything else goes on without history.
  worker.on("error", (error) => giveUp(error.message));
  function ask<T>(query: Query): Promise<T> {
    if (gone !== undefined) return Promise.reject(new GatewayError("HISTORY_UNUSABLE", { reason: gone }));
    if (open.size >= QUESTIONS_MAX) return Promise.reject(new GatewayError("HISTORY_BUSY", { questions: open.size }));
    return new Promise<T>((resolve, reject) => {
      token++;
      open.set(token, { done: resolve as (result: unknown) => void, failed: reject });
      worker.postMessage({ token, query } satisfies ReaderRequest);
    });
  }
  return {
    series: (query) => ask({ kind: "series", ...query }),
    samples: (query) => ask({ kind: "samples", ...query }),
    close: async () => {
      giveUp("closed");
      worker.postMessage("close");
      await threadEnd(worker);
    },
  };
}
