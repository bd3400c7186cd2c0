// The whole gateway on a wall clock that can be moved while it runs: the process's own where a C compiler is, else through the
// gateway's door to time. Timers and the monotonic clock go on as they are.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Skipped } from "../proof.ts";
import { environmentOf } from "./native.ts";
import { startWhole, type Whole } from "./whole.ts";

export interface MovedClock {
  readonly way: "process" | "door";
  /** Wall time of the gateway from now on. */
  set(wallMs: number): void;
  start(): Promise<Whole>;
}

export function createMovedClock(dir: string): MovedClock {
  const file = join(dir, "clock-offset");
  let offsetMs = 0;
  let running: Whole | undefined;
  const write = () => {
    const bytes = Buffer.alloc(8);
    if (new Uint8Array(new Uint16Array([1]).buffer)[0] === 1) bytes.writeBigInt64LE(BigInt(offsetMs));
    else bytes.writeBigInt64BE(BigInt(offsetMs));
    // In place: the process has the file mapped.
    writeFileSync(file, bytes, { flag: "r+" });
  };
  let env: NodeJS.ProcessEnv | undefined;
  try {
    env = environmentOf({ dir, clock: file });
    writeFileSync(file, Buffer.alloc(8));
  } catch (error) {
    if (!(error instanceof Skipped)) throw error;
  }
  return {
    way: env === undefined ? "door" : "process",
    set(wallMs) {
      offsetMs = Math.round(wallMs - (performance.timeOrigin + performance.now()));
      if (env !== undefined) write();
      else running?.moveClock(offsetMs);
    },
    start: async () => {
      running = await startWhole(dir, env === undefined ? { args: [`--offset=${offsetMs}`] } : { env });
      return running;
    },
  };
}
