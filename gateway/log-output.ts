// Lines to standard error. Nobody waits for whoever reads them: a terminal that is held, a pipe that nobody empties and a disk
// that is full cost lines and nothing else. What is lost is counted.
import { write as writeFd, writeSync } from "node:fs";
import type { Clock } from "./clock.ts";

/** Held for a reader that is slow: some thousands of lines. */
export const HELD_BYTES_MAX = 1_048_576;
export const RETRY_MS = 1_000;
/** That lines are on their way is waited for so long at the end. */
const SETTLE_MS_MAX = 1_000;
const STANDARD_ERROR = 2;

export interface LineOutput {
  write(line: string): void;
  /** Lines lost since it was last asked; 0 while others would still be lost, and be counted twice. */
  takeLost(): number;
  /** All has been written, or nobody takes it. Never rejects. */
  settle(): Promise<void>;
  /** At the end of the process, where nothing can be waited for. */
  endNow(): void;
}

export interface LineOutputDeps {
  readonly clock: Pick<Clock, "after">;
  /** Test seam: in place of standard error. */
  write?(bytes: Buffer, done: (error: NodeJS.ErrnoException | null, written: number) => void): void;
  writeNow?(bytes: Buffer): void;
}

export function createLineOutput({ clock, write = writeLater, writeNow = writeAtOnce }: LineOutputDeps): LineOutput {
  let held: string[] = [];
  let heldBytes = 0;
  let lost = 0;
  /** What is left of what is being written, or is to be tried again. */
  let chunk: Buffer | undefined;
  let state: "idle" | "writing" | "waiting" | "nobody" = "idle";
  const waiting: (() => void)[] = [];

  function next(): void {
    if (chunk === undefined && held.length > 0) {
      chunk = Buffer.from(held.join(""));
      held = [];
      heldBytes = 0;
    }
    if (chunk === undefined) {
      state = "idle";
      for (const tell of waiting.splice(0)) tell();
      return;
    }
    state = "writing";
    write(chunk, (error, written) => (error === null ? wrote(written) : failed(error)));
  }

  function wrote(bytes: number): void {
    const rest = chunk?.subarray(bytes);
    chunk = rest === undefined || rest.length === 0 ? undefined : rest;
    next();
  }

  function failed(error: NodeJS.ErrnoException): void {
    // Whoever read is gone for good.
    state = error.code === "EPIPE" ? "nobody" : "waiting";
    for (const tell of waiting.splice(0)) tell();
    if (state === "waiting") return void clock.after(RETRY_MS, next);
    chunk = undefined;
    held = [];
  }

  return {
    write(line) {
      if (state === "nobody") return;
      const bytes = Buffer.byteLength(line);
      if (heldBytes + bytes > HELD_BYTES_MAX) {
        lost++;
        return;
      }
      held.push(line);
      heldBytes += bytes;
      if (state === "idle") next();
    },
    takeLost() {
      if (heldBytes > HELD_BYTES_MAX / 2) return 0;
      const count = lost;
      lost = 0;
      return count;
    },
    settle() {
      if (state !== "writing") return Promise.resolve();
      return new Promise((resolve) => {
        const timer = clock.after(SETTLE_MS_MAX, resolve);
        waiting.push(() => {
          timer.stop();
          resolve();
        });
      });
    },
    endNow() {
      // One that is under way may be stuck, and a second would be stuck with it.
      if (state === "nobody" || state === "writing") return;
      const rest = Buffer.concat([chunk ?? Buffer.alloc(0), Buffer.from(held.join(""))]);
      if (rest.length > 0) writeNow(rest);
      chunk = undefined;
      held = [];
      heldBytes = 0;
    },
  };
}

function writeLater(bytes: Buffer, done: (error: NodeJS.ErrnoException | null, written: number) => void): void {
  writeFd(STANDARD_ERROR, bytes, done);
}

function writeAtOnce(bytes: Buffer): void {
  try {
    writeSync(STANDARD_ERROR, bytes);
  } catch {
    // Nobody takes it, and the process ends.
  }
}
