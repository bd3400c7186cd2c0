// The writer in a thread of its own: an fsync of a slow disk must not stop the sockets.
import { type MessagePort, workerData } from "node:worker_threads";
import { systemClock } from "../clock.ts";
import type { Entry, WriterReply, WriterRequest } from "./changes.ts";
import { isFull, lockFolder } from "./file.ts";
import { type OpenWriter, openWriter, type WriterOptions } from "./open-writer.ts";
import { createUnpacker, type PackedBatch, packOutcomes } from "./packing.ts";
import { makeRoomToStart } from "./space.ts";
import { UPKEEP_MS } from "./upkeep.ts";
import type { CommitResult } from "./writer.ts";

export interface WriterSetup extends WriterOptions {
  /** To whoever gives the batches. */
  readonly port: MessagePort;
}

const { port, ...options } = workerData as WriterSetup;

function reply(message: WriterReply): void {
  port.postMessage(message, message.kind === "committed" ? [message.outcomes.buffer] : []);
}

/** One job after the other. A job that throws is a bug: the thread goes down, and the process with it. */
let tail: Promise<void> = Promise.resolve();
function inTurn(job: () => Promise<void>): void {
  tail = tail.then(job);
}

/** Makes room where there is none, and keeps what is left for saving and dropping. */
async function commitWithRoom(writer: OpenWriter, entries: readonly Entry[]): Promise<CommitResult> {
  const { upkeep } = writer;
  const isFree = () => writer.isInDoubt() || !entries.some((entry) => "frame" in entry) || upkeep.hasRoomForRows();
  if (!isFree()) {
    await upkeep.makeRoom();
    if (!isFree()) return { kind: "failed", reason: "database or disk is full", retry: true, full: true };
  }
  const result = await writer.commit(entries);
  if (result.kind !== "failed" || !result.full || !(await upkeep.makeRoom())) return result;
  return writer.commit(entries);
}

function serve(writer: OpenWriter, lock: { close(): void }): void {
  const unpack = createUnpacker();
  const { upkeep } = writer;

  async function commit(packed: PackedBatch): Promise<void> {
    const began = performance.now();
    const entries = unpack(packed);
    const result = await commitWithRoom(writer, entries);
    if (result.kind === "failed") {
      reply({ ...result, file: upkeep.state() });
      return;
    }
    const outcomes = packOutcomes(result.outcomes);
    const commitMs = performance.now() - began;
    reply({ kind: "committed", outcomes, newestId: result.newestId, commitMs, file: upkeep.state() });
    await upkeep.afterCommit();
  }

  const rounds = systemClock.every(UPKEEP_MS, () => {
    inTurn(async () => {
      await upkeep.round();
      reply({ kind: "file", file: upkeep.state() });
    });
  });

  async function close(): Promise<void> {
    rounds.stop();
    await writer.close();
    lock.close();
    reply({ kind: "closed" });
    port.close();
  }

  port.on("message", (request: WriterRequest) => {
    if (request.kind === "uses") upkeep.noteUse(request.cursor);
    else if (request.kind === "leaves") upkeep.noteLeft(request.cursor);
    else inTurn(request.kind === "close" ? close : () => commit(request.batch));
  });
}

/** The lock writes as well, unless somebody holds it: that is told first. */
function lockWithRoom(dir: string): ReturnType<typeof lockFolder> {
  try {
    return lockFolder(dir);
  } catch (error) {
    if (!isFull(error) || !makeRoomToStart(dir)) throw error;
    return lockFolder(dir);
  }
}

try {
  const lock = lockWithRoom(options.dir);
  makeRoomToStart(options.dir);
  const writer = await openWriter(options, { clock: systemClock });
  const epoch = writer.taken.name;
  reply({ kind: "opened", newestId: writer.newestId(), epoch, file: writer.upkeep.state() });
  serve(writer, lock);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  reply({ kind: "refused", code: message === "DATA_IN_USE" ? message : "JOURNAL_UNUSABLE", message });
  port.close();
}
