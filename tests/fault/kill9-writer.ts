// The writing process alone is killed: no sockets, so that many kills fit into an hour.
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../../firmware/simulator/random.ts";
import type { ProofContext } from "./proof.ts";
import { proofFolder } from "./record/endings.ts";
import { kill, start, WRITER } from "./record/processes.ts";
import { judgeJournal, nothingTold, type Told, tell } from "./record/told.ts";

/** Kills of one journal; then it is read, and another begun. */
const KILLS_PER_JOURNAL = 25;
const RUN_MS = { least: 0, most: 160 } as const;
/** More than any writer gets to before it is killed. */
const FRAMES_MAX = 1_000_000;

function readAcks(path: string, told: Told): void {
  if (!existsSync(path)) return;
  // Behind the last line end stands what was not told whole.
  for (const line of readFileSync(path, "utf8").split("\n").slice(0, -1)) tell(told, line);
  closeSync(openSync(path, "w"));
}

interface Life {
  readonly dir: string;
  readonly told: Told;
  readonly random: Random;
  readonly isEarly: boolean;
}

async function killOnce({ dir, told, random, isEarly }: Life): Promise<void> {
  const acks = join(dir, "..", "acks");
  const from = Math.max(-1, ...told.ids.keys()) + 1;
  const words = ["--dir", dir, "--acks", acks, "--from", from, "--count", FRAMES_MAX, "--seed", from + 1].map(String);
  const writer = await start(WRITER, [...words, ...(isEarly ? ["--early"] : [])]);
  await new Promise((resolve) => setTimeout(resolve, random.between(RUN_MS.least, RUN_MS.most)));
  await kill(writer);
  readAcks(acks, told);
}

/** One that ends by itself leaves what Node made of the sources, which spares the others most of their start. */
async function warmUp(): Promise<void> {
  const folder = proofFolder();
  const [dir, acks] = [join(folder.path, "data"), join(folder.path, "acks")];
  mkdirSync(dir);
  const words = ["--dir", dir, "--acks", acks, "--from", 0, "--count", 1, "--seed", 1].map(String);
  const how = await (await start(WRITER, words)).gone;
  folder.remove();
  if (how !== 0) throw new Error(`the writer ended with ${how}`);
}

export interface WriterCount {
  acknowledged: number;
  lost: number;
  twice: number;
  damaged: number;
}

/** `isEarly` is the control. */
export async function killWriters(
  context: ProofContext,
  cycles: number,
  random: Random,
  isEarly = false,
): Promise<WriterCount> {
  const count: WriterCount = { acknowledged: 0, lost: 0, twice: 0, damaged: 0 };
  await warmUp();
  for (let cycle = 0; cycle < cycles; ) {
    const folder = proofFolder();
    const dir = join(folder.path, "data");
    const told = nothingTold();
    mkdirSync(dir);
    try {
      for (let i = 0; i < KILLS_PER_JOURNAL && cycle < cycles; i++, cycle++) {
        await killOnce({ dir, told, random, isEarly });
      }
      const newest = Math.max(-1, ...told.ids.keys());
      const again = [...told.ids.keys()].slice(-24);
      const found = await judgeJournal(dir, told, { again, next: [newest + 1_000, newest + 1_001] });
      count.acknowledged += told.ids.size;
      count.lost += found.lost;
      count.twice += found.twice;
      count.damaged += found.damaged;
      context.log(`kill9, writer${isEarly ? " control" : ""}: ${cycle} of ${cycles} kills`);
    } finally {
      folder.remove();
    }
  }
  return count;
}
