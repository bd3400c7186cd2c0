// Power cuts out of a trace: a writing process is recorded while its syncs are real, and then every moment of it, and every
// state in which its files may be found at that moment, can be had.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom, seedOf } from "../../../firmware/simulator/random.ts";
import { createCrashDisk } from "./crash-states.ts";
import { atEnd, proofFolder } from "./endings.ts";
import { environmentOf } from "./native.ts";
import { COMPILED, ended as endedWithUs, WRITER } from "./processes.ts";
import { type Found, judgeFile, judgeJournal, nothingTold, tell } from "./told.ts";
import { type Step, stepsOf } from "./trace.ts";

interface Life {
  readonly count: number;
  readonly abrupt: boolean;
}

/** Frames of the three lives of a recorded writer: one ends without closing, so that the next one has to recover. */
const LIVES: readonly Life[] = [
  { count: 2_200, abrupt: true },
  { count: 300, abrupt: false },
  { count: 200, abrupt: true },
];
/** States of one recording; then another is made. */
const STATES_PER_TRACE = 2_000;
/** One state of so many is opened as the gateway does, and written on; all are opened by SQLite. */
const OPENED_EVERY = 50;
/** Frames around the cut that are sent again, as devices do. */
const AGAIN = 24;
const FAULTS_SHOWN = 5;
/** Writers of one recording on a failing disk. */
const WRITERS_MAX = 500;

export interface ReplayTally {
  states: number;
  opened: number;
  acknowledged: number;
  lost: number;
  twice: number;
  damaged: number;
  /** States with anything wrong in them. */
  bad: number;
  failedSyncs: number;
  /** By a sync that failed. */
  endedWriters: number;
  readonly faults: string[];
}

export interface ReplayOptions {
  readonly seed: number;
  readonly states: number;
  readonly disk?: DiskKind;
  log(line: string): void;
}

export interface DiskKind {
  /** Syncs of these files are answered and not done. */
  readonly lies?: string;
  /** A disk that fails: one of so many syncs, and one of so many failures is the end of the writer, which is started again. */
  readonly fails?: { readonly every: number; readonly ends: number; readonly frames: number };
  /** A module that breaks the writer. */
  readonly preload?: string;
}

interface Recording {
  readonly steps: Step[];
  /** Frames that were sent. */
  readonly frames: number;
  /** Writers that a failed sync ended. */
  readonly ended: number;
}

async function record(seed: number, kind: DiskKind): Promise<Recording> {
  const folder = proofFolder();
  try {
    const place = realpathSync(folder.path);
    const [dir, trace, acks] = ["data", "trace", "acks"].map((name) => join(place, name)) as [string, string, string];
    mkdirSync(dir);
    const { fails, lies, preload } = kind;
    const faults = { dir, trace, acks, ...(lies === undefined ? {} : { lies }) };
    const failing = fails === undefined ? {} : { failEvery: fails.every, failEnds: fails.ends };
    const broken = preload === undefined ? {} : { NODE_OPTIONS: `--import ${preload}` };
    let ended = 0;
    const lives = fails === undefined ? LIVES : [{ count: fails.frames, abrupt: true }];
    let from = 0;
    for (const [life, { count, abrupt }] of lives.entries()) {
      const end = from + count;
      while (from < end) {
        if (ended > WRITERS_MAX) throw new Error("the recorded writer gets nowhere on a failing disk");
        const words = ["--dir", dir, "--acks", acks, "--from", from, "--count", end - from, "--seed", seed + life];
        const env = { ...environmentOf({ ...faults, ...failing, failSeed: seed + ended }), ...broken };
        const how = await lifeOf([...words.map(String), ...(abrupt ? ["--abrupt"] : [])], env, fails !== undefined);
        if (how === 0) from = end;
        else if (fails === undefined) throw new Error(`the recorded writer ended with ${how}`);
        else {
          ended++;
          // What it was not told is sent again, as a device does.
          from = newestIn(acks) + 1;
        }
      }
    }
    return { steps: stepsOf(readFileSync(trace)), frames: from, ended };
  } finally {
    folder.remove();
  }
}

/** Exit code or signal. One on a failing disk may end at its start, and need not say why. */
async function lifeOf(words: readonly string[], env: NodeJS.ProcessEnv, isFailing: boolean): Promise<number | string> {
  const child = spawn(process.execPath, [WRITER, ...words], {
    env: { ...env, NODE_COMPILE_CACHE: COMPILED },
    stdio: ["ignore", "ignore", isFailing ? "ignore" : "inherit"],
  });
  const [code, signal] = (await once(endedWithUs(child), "exit")) as [number | null, string | null];
  return code ?? signal ?? -1;
}

/** The newest number that was told of; -1 before the first. */
function newestIn(acks: string): number {
  if (!existsSync(acks)) return -1;
  const told = nothingTold();
  for (const line of readFileSync(acks, "utf8").split("\n").slice(0, -1)) tell(told, line);
  return Math.max(-1, ...told.ids.keys());
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
async function replay(tally: ReplayTally, states: number, seed: number, kind: DiskKind): Promise<void> {
  const { steps, frames, ended } = await record(seed, kind);
  tally.endedWriters += ended;
  tally.failedSyncs += steps.filter((step) => step.kind === "fail").length;
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
          (n) => n >= 0 && n < frames,
        );
        add(tally, await judgeJournal(dir, told, { again, next: [frames, frames + 1, frames + 2] }), what);
      }
    } finally {
      folder.remove();
    }
  }
}

/** Throws Skipped where nothing can be recorded. */
export async function replayCuts(options: ReplayOptions): Promise<ReplayTally> {
  const { disk = {} } = options;
  const tally = {
    states: 0,
    opened: 0,
    acknowledged: 0,
    lost: 0,
    twice: 0,
    damaged: 0,
    bad: 0,
    failedSyncs: 0,
    endedWriters: 0,
    faults: [],
  };
  const isControl = disk.lies !== undefined || disk.preload !== undefined;
  for (let trace = 0; tally.states < options.states; trace++) {
    const states = Math.min(STATES_PER_TRACE, options.states - tally.states);
    await replay(tally, states, seedOf(options.seed, `trace ${trace}`), disk);
    options.log(
      `powercut${isControl ? " control" : ""}: ${tally.states} of ${options.states} states, ${tally.bad} bad`,
    );
  }
  return tally;
}
