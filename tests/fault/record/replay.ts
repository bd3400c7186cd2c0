// Power cuts out of a trace: a writing process is recorded while its syncs are real, and then every moment of it, and every
// state in which its files may be found at that moment, can be had.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom, seedOf } from "../../../firmware/simulator/random.ts";
import { createCrashDisk } from "./crash-states.ts";
import { atEnd, proofFolder } from "./endings.ts";
import { environmentOf } from "./native.ts";
import { start, WRITER } from "./processes.ts";
import { type Found, judgeFile, judgeJournal, nothingTold, tell } from "./told.ts";
import { type Step, stepsOf } from "./trace.ts";

/** Frames of the three lives of a recorded writer: one ends without closing, so that the next one has to recover. */
const LIVES = [
  { count: 2_200, abrupt: true },
  { count: 300, abrupt: false },
  { count: 200, abrupt: true },
] as const;
const FRAMES = LIVES.reduce((sum, life) => sum + life.count, 0);
/** States of one recording; then another is made. */
const STATES_PER_TRACE = 2_000;
/** One state of so many is opened as the gateway does, and written on; all are opened by SQLite. */
const OPENED_EVERY = 50;
/** Frames around the cut that are sent again, as devices do. */
const AGAIN = 24;
const FAULTS_SHOWN = 5;

export interface ReplayTally {
  states: number;
  opened: number;
  acknowledged: number;
  lost: number;
  twice: number;
  damaged: number;
  /** States with anything wrong in them. */
  bad: number;
  readonly faults: string[];
}

export interface ReplayOptions {
  readonly seed: number;
  readonly states: number;
  /** The control: syncs of these files are answered and not done. */
  readonly lies?: string;
  log(line: string): void;
}

export async function recordedSteps(seed: number, lies: string | undefined): Promise<Step[]> {
  const folder = proofFolder();
  try {
    const place = realpathSync(folder.path);
    const [dir, trace, acks] = ["data", "trace", "acks"].map((name) => join(place, name)) as [string, string, string];
    mkdirSync(dir);
    const env = environmentOf({ dir, trace, acks, ...(lies === undefined ? {} : { lies }) });
    let from = 0;
    for (const [life, { count, abrupt }] of LIVES.entries()) {
      const words = ["--dir", dir, "--acks", acks, "--from", from, "--count", count, "--seed", seed + life].map(String);
      const writer = await start(WRITER, [...words, ...(abrupt ? ["--abrupt"] : [])], { env });
      const how = await writer.gone;
      if (how !== 0) throw new Error(`the recorded writer ended with ${how}`);
      from += count;
    }
    return stepsOf(readFileSync(trace));
  } finally {
    folder.remove();
  }
}

/** Where states are made: in memory, where a machine has such a place. */
export function memoryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "waakvlam-state-"));
  const remove = () => rmSync(path, { recursive: true, force: true });
  const isRemoved = atEnd(remove);
  return {
    path,
    remove() {
      isRemoved();
      remove();
    },
  };
}

function add(tally: ReplayTally, found: Found, what: string): void {
  tally.lost += found.lost;
  tally.twice += found.twice;
  tally.damaged += found.damaged;
  if (found.lost + found.twice + found.damaged === 0) return;
  tally.bad++;
  if (tally.faults.length < FAULTS_SHOWN) tally.faults.push(`${what}: ${JSON.stringify(found)}`);
}

/** Cuts of one recording, spread over all of it. */
async function replay(tally: ReplayTally, states: number, seed: number, lies: string | undefined): Promise<void> {
  const steps = await recordedSteps(seed, lies);
  const random = createRandom(seedOf(seed, "cuts"));
  const cuts = Array.from({ length: states }, () => Math.floor(random.next() * (steps.length + 1))).sort(
    (a, b) => a - b,
  );
  const disk = createCrashDisk();
  const told = nothingTold();
  let at = 0;
  for (const [i, cut] of cuts.entries()) {
    for (; at < cut; at++) {
      const step = steps[at] as Step;
      disk.take(step);
      if (step.kind === "ack") tell(told, step.line);
    }
    const folder = memoryFolder();
    const dir = folder.path;
    try {
      for (const [name, bytes] of disk.state(random)) writeFileSync(join(dir, name), bytes);
      tally.states++;
      tally.acknowledged += told.ids.size;
      const what = `seed ${seed}, state ${i}, before step ${cut} of ${steps.length}`;
      if (i % OPENED_EVERY !== 0) add(tally, judgeFile(dir, told), what);
      else {
        tally.opened++;
        const newest = Math.max(-1, ...told.ids.keys());
        const again = Array.from({ length: AGAIN }, (_, n) => newest - AGAIN / 2 + n).filter(
          (n) => n >= 0 && n < FRAMES,
        );
        add(tally, await judgeJournal(dir, told, { again, next: [FRAMES, FRAMES + 1, FRAMES + 2] }), what);
      }
    } finally {
      folder.remove();
    }
  }
}

/** Throws Skipped where nothing can be recorded. */
export async function replayCuts(options: ReplayOptions): Promise<ReplayTally> {
  const tally = { states: 0, opened: 0, acknowledged: 0, lost: 0, twice: 0, damaged: 0, bad: 0, faults: [] };
  for (let trace = 0; tally.states < options.states; trace++) {
    const states = Math.min(STATES_PER_TRACE, options.states - tally.states);
    await replay(tally, states, seedOf(options.seed, `trace ${trace}`), options.lies);
    options.log(
      `powercut${options.lies === undefined ? "" : " control"}: ${tally.states} of ${options.states} states, ${tally.bad} bad`,
    );
  }
  return tally;
}
