// The writer in a thread of its own: an fsync of a slow disk must not stop the sockets.
import { parentPort, workerData } from "node:worker_threads";
import { invariant } from "../errors.ts";
import type { WriterReply, WriterRequest } from "./changes.ts";
import { lockFolder } from "./file.ts";
import { createWriter } from "./writer.ts";

const port = parentPort;
invariant(port !== null, "the writer runs as a worker");
const { dir, pagesMax } = workerData as { dir: string; pagesMax?: number };

function reply(message: WriterReply): void {
  port?.postMessage(message);
}

try {
  const lock = lockFolder(dir);
  const writer = createWriter(dir, { pagesMax });
  reply({ kind: "opened", newestId: writer.newestId(), epoch: writer.epoch });
  port.on("message", (request: WriterRequest) => {
    if (request.kind === "close") {
      writer.close();
      lock.close();
      reply({ kind: "closed" });
      port.close();
      return;
    }
    const began = performance.now();
    const result = writer.commit(request.entries);
    reply(result.kind === "failed" ? result : { ...result, commitMs: performance.now() - began });
  });
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  reply({ kind: "refused", code: message === "DATA_IN_USE" ? message : "JOURNAL_UNUSABLE", message });
}
