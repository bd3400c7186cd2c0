// Power cuts of a whole filesystem: ext4 is shut down under a writer that stands still, mounted again, and the journal opened.
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { createRandom, type Random, seedOf } from "../../../firmware/simulator/random.ts";
import { waitFor } from "../../fixtures.ts";
import { createLoopDisk, type LoopDisk } from "./loop-disk.ts";
import { environmentOf } from "./native.ts";
import { kill, PATIENCE_MS, type Started, start, WRITER } from "./processes.ts";
import { memoryFolder } from "./replay.ts";
import { type Found, judgeFile, judgeJournal, nothingTold, type Told, tell } from "./told.ts";

/** After so many cuts a new disk, so that reading it all stays short. */
const CUTS_PER_DISK = 20;
/** More than any writer gets to before it is stopped. */
const FRAMES_MAX = 1_000_000;
const RUN_MS = { least: 60, most: 600 } as const;
const FAULTS_SHOWN = 5;

export interface ShutdownTally {
  cuts: number;
  acknowledged: number;
  lost: number;
  twice: number;
  damaged: number;
  readonly faults: string[];
}

/** Every thread stands still: one that waits for its disk only stops when it has it. */
async function standStill({ child }: Started): Promise<void> {
  child.kill("SIGSTOP");
  const tasks = `/proc/${child.pid}/task`;
  await waitFor("the writer to stand still", () => {
    return readdirSync(tasks).every(
      (task) => readFileSync(`${tasks}/${task}/stat`, "utf8").split(") ")[1]?.[0] === "T",
    );
  });
}

function readAcks(path: string, told: Told): void {
  if (!existsSync(path)) return;
  const lines = readFileSync(path, "utf8").split("\n");
  // Behind the last line end stands what was not told whole.
  for (const line of lines.slice(0, -1)) tell(told, line);
  closeSync(openSync(path, "w"));
}

interface Cut {
  readonly disk: LoopDisk;
  readonly acks: string;
  readonly told: Told;
  readonly random: Random;
  readonly lies: string | undefined;
}

async function cut({ disk, acks, told, random, lies }: Cut): Promise<Found> {
  const dir = join(disk.path, "data");
  mkdirSync(dir, { recursive: true });
  const newest = Math.max(-1, ...told.ids.keys());
  const from = newest + 1;
  const words = ["--dir", dir, "--acks", acks, "--from", from, "--count", FRAMES_MAX, "--seed", from + 1].map(String);
  // What lies about its syncs needs the shim; the real case runs without it.
  const writer = await start(WRITER, words, lies === undefined ? {} : { env: environmentOf({ dir, lies }) });
  try {
    const already = told.ids.size;
    await waitFor(
      "a first acknowledgement",
      () => (statSync(acks, { throwIfNoEntry: false })?.size ?? 0) > 0,
      PATIENCE_MS,
    );
    await new Promise((resolve) => setTimeout(resolve, random.between(RUN_MS.least, RUN_MS.most)));
    await standStill(writer);
    readAcks(acks, told);
    if (told.ids.size === already) throw new Error("the writer was told nothing before the cut");
    disk.cutPower();
  } finally {
    await kill(writer);
  }
  await disk.powerUp();
  const next = Math.max(...told.ids.keys()) + 64;
  // In the control the file may not be there at all; opening would make a new one.
  if (lies !== undefined) return judgeFile(dir, told);
  const onward = [next, next + 1, next + 2];
  const found = await judgeJournal(dir, told, { again: [...told.ids.keys()].slice(-24), next: onward });
  for (const number of onward) tell(told, `${number}`);
  return found;
}

/** `lies` is the control. Throws Skipped. */
export async function shutdownCuts(options: {
  readonly seed: number;
  readonly cuts: number;
  readonly lies?: string;
  log(line: string): void;
}): Promise<ShutdownTally> {
  const tally: ShutdownTally = { cuts: 0, acknowledged: 0, lost: 0, twice: 0, damaged: 0, faults: [] };
  const random = createRandom(seedOf(options.seed, "shutdown"));
  const memory = memoryFolder();
  try {
    while (tally.cuts < options.cuts) {
      const disk = createLoopDisk();
      const told = nothingTold();
      const acks = join(memory.path, "acks");
      try {
        for (let i = 0; i < CUTS_PER_DISK && tally.cuts < options.cuts; i++) {
          const found = await cut({ disk, acks, told, random, lies: options.lies });
          tally.cuts++;
          tally.lost += found.lost;
          tally.twice += found.twice;
          tally.damaged += found.damaged;
          const isBad = found.lost + found.twice + found.damaged > 0;
          if (isBad && tally.faults.length < FAULTS_SHOWN)
            tally.faults.push(`cut ${tally.cuts}: ${JSON.stringify(found)}`);
          // A disk that lost what it had was told of is of no more use.
          if (isBad) break;
        }
      } finally {
        tally.acknowledged += told.ids.size;
        disk.remove();
        rmSync(acks, { force: true });
      }
      options.log(
        `powercut, filesystem${options.lies === undefined ? "" : " control"}: ${tally.cuts} of ${options.cuts} cuts, ${tally.lost} records lost`,
      );
    }
    return tally;
  } finally {
    memory.remove();
  }
}
