// How a thread ends: by itself, after it was told to. One that is ended from outside is ended in the middle of whatever it does.
import type { Worker } from "node:worker_threads";
import { systemClock } from "./clock.ts";

/** Longer than any question takes that is worth an answer. */
const END_MS = 5_000;

/** Resolves when a thread that was told to close has ended; one that has not by then is ended. */
export async function threadEnd(worker: Worker): Promise<void> {
  // It has no number any more.
  if (worker.threadId < 0) return;
  const timer = systemClock.after(END_MS, () => void worker.terminate());
  await new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  timer.stop();
}
