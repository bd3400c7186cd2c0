// The release gate: the long forms of all proofs in blocks, each a process and a seed of its own, two at a time where nothing
// measures time. What is done is kept in a state file, so that a run that was ended goes on where it stood; another version of
// the code begins anew.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { seedOf } from "../../firmware/simulator/random.ts";
import { wholeFlag, wordFlag } from "../command.ts";
import { EXIT_SKIPPED, type Proof, type ProofContext, type ProofResult } from "./proof.ts";
import { atEnd } from "./record/endings.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
const STATE = fileURLToPath(new URL("../out/release.json", import.meta.url));
/** Blocks at a time, on a machine with so many cores. */
const LANES_MAX = 2;
const BLACKOUT_SEEDS = 8;
/** No block takes this long on any machine that can run the gateway. */
const BLOCK_MS = 4 * 3_600_000;

interface Step {
  readonly name: string;
  /** Proof and flags of one block. */
  readonly words: readonly string[];
  readonly blocks: number;
  /** It measures time: nothing runs beside it. */
  readonly alone?: true;
}

function counted(name: string, words: readonly string[], flag: string, whole: number, perBlock: number): Step {
  return { name, words: [...words, `--${flag}`, `${perBlock}`], blocks: Math.ceil(whole / perBlock) };
}

const STEPS: readonly Step[] = [
  { name: "slowdisk", words: ["slowdisk"], blocks: 1, alone: true },
  { ...counted("diskfull", ["diskfull"], "cycles", 100, 10), alone: true },
  { name: "spare", words: ["spare"], blocks: 3, alone: true },
  { name: "clock", words: ["clock"], blocks: 1 },
  counted("kill9-writer", ["kill9", "--subject", "writer"], "cycles", 10_000, 200),
  { name: "incident", words: ["incident", "--steps", "all"], blocks: 1 },
  counted("kill9-gateway", ["kill9", "--subject", "gateway"], "cycles", 500, 25),
  counted("powercut-filesystem", ["powercut", "--layer", "filesystem"], "cuts", 1_000, 40),
  counted("powercut-replay", ["powercut", "--layer", "replay"], "states", 100_000, 4_000),
  counted("powercut-eio", ["powercut", "--layer", "eio"], "states", 20_000, 4_000),
  counted("sinks", ["sinks"], "kills", 1_000, 50),
  counted("blackout", ["blackout"], "seeds", BLACKOUT_SEEDS, 1),
  { name: "lorawan", words: ["lorawan"], blocks: 1 },
  { name: "device-powercut", words: ["device-powercut"], blocks: 1 },
];

interface Block {
  /** From 1, over all steps. */
  readonly number: number;
  readonly step: string;
  readonly words: readonly string[];
  readonly isAlone: boolean;
}

interface Done {
  readonly step: string;
  readonly command: string;
  readonly seconds: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly twice: number;
  readonly isCaught: boolean;
  readonly missed: readonly string[];
  /** This machine lacks what it needs: run again at the next call. */
  readonly isSkipped?: true;
  /** All that a block said that does not hold: the same seed may not show it again. */
  readonly said?: ProofResult;
}

interface State {
  readonly seed: number;
  /** The version of the code, where it is known. */
  readonly version: string;
  /** By the block's number. */
  readonly done: Record<string, Done>;
}

/** In an order in which a run that is ended has done about the same part of each step. */
function blocksOf(seed: number): Block[] {
  const blocks = STEPS.flatMap(({ name, words, blocks: count, alone }) => {
    return Array.from({ length: count }, (_, i) => {
      // A seed is a whole number from 1 on.
      const own = Math.max(1, seedOf(seed, `${name} ${i}`));
      return { part: i / count, step: name, words: [...words, "--seed", `${own}`], isAlone: alone === true };
    });
  });
  return blocks.sort((a, b) => a.part - b.part).map(({ part: _, ...block }, i) => ({ ...block, number: i + 1 }));
}

/** The commit; undefined where files differ from it, or nobody can tell: then nothing that was run before counts. */
function versionOf(): string | undefined {
  const git = (...words: string[]) => spawnSync("git", words, { cwd: dirname(MAIN), encoding: "utf8" }).stdout?.trim();
  return git("status", "--porcelain") === "" ? git("rev-parse", "HEAD") : undefined;
}

/** What an earlier run of the same code and seed has done. */
function readState(path: string, seed: number, log: ProofContext["log"]): State {
  const version = versionOf();
  const fresh: State = { seed, version: version ?? "", done: {} };
  if (!existsSync(path)) return fresh;
  const found = JSON.parse(readFileSync(path, "utf8")) as State;
  if (found.seed === seed && version !== undefined && found.version === version) return found;
  log(`release: ${path} is of another version or seed: all blocks are run anew`);
  return fresh;
}

function writeState(path: string, state: State): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, `${JSON.stringify(state, undefined, 1)}\n`);
  renameSync(`${path}.new`, path);
}

async function outputOf(words: readonly string[]): Promise<{ code: number; text: string }> {
  const child = spawn(process.execPath, [MAIN, ...words, "--json"], { stdio: ["ignore", "pipe", "inherit"] });
  // It undoes what it did itself.
  const isGone = atEnd(() => void child.kill("SIGTERM"));
  const timer = setTimeout(() => child.kill("SIGTERM"), BLOCK_MS);
  let text = "";
  child.stdout.on("data", (data) => {
    text += String(data);
  });
  const code = await new Promise<number>((resolve) => child.once("close", (found) => resolve(found ?? -1)));
  clearTimeout(timer);
  isGone();
  return { code, text: text.trim() };
}

async function run({ step, words }: Block): Promise<Done> {
  const began = performance.now();
  const { code, text } = await outputOf(words);
  const seconds = Math.round((performance.now() - began) / 1000);
  const done = { step, command: `npm run proof -- ${words.join(" ")}`, seconds };
  const nothing = { acknowledged: 0, lost: 0, twice: 0, isCaught: false };
  if (code === EXIT_SKIPPED)
    return { ...done, ...nothing, isCaught: true, missed: [`${step}: ${text}`], isSkipped: true };
  if (!text.startsWith("{")) return { ...done, ...nothing, missed: [`${step} ended with ${code}`] };
  const said = JSON.parse(text) as ProofResult;
  const { acknowledged, lost, twice, control, missed = [] } = said;
  const found = { ...done, acknowledged, lost, twice, isCaught: control.caught, missed };
  return isSound(found) ? found : { ...found, said };
}

/** Runs them in their order, as many at a time as there are lanes, until `done` says that it is enough. */
async function runAll(due: readonly Block[], lanes: number, done: (block: Block) => Promise<boolean>): Promise<void> {
  const running = new Set<Promise<void>>();
  let [isAlone, isOver] = [false, false];
  for (const block of due) {
    while (running.size > 0 && (isAlone || running.size >= (block.isAlone ? 1 : lanes))) await Promise.race(running);
    if (isOver) break;
    isAlone = block.isAlone;
    const one = done(block).then((isEnough) => {
      isOver ||= isEnough;
      running.delete(one);
    });
    running.add(one);
  }
  await Promise.all(running);
}

function isSound(done: Done): boolean {
  return done.lost === 0 && done.twice === 0 && done.isCaught && done.missed.length === 0;
}

/** Blocks that did, and that are to be done, in a line for each step. */
function overview(blocks: readonly Block[], state: State): Record<string, string> {
  return Object.fromEntries(
    STEPS.map(({ name, blocks: count }) => {
      const mine = blocks.filter((block) => block.step === name);
      const sound = mine.filter(({ number }) => state.done[number] !== undefined && isSound(state.done[number]));
      return [name, `${sound.length} of ${count}`];
    }),
  );
}

function resultOf(seed: number, blocks: readonly Block[], state: State): ProofResult {
  const done = blocks.flatMap(({ number }) => state.done[number] ?? []);
  const sum = (part: "acknowledged" | "lost" | "twice") => done.reduce((total, one) => total + one[part], 0);
  const open = blocks.length - done.length;
  const bad = done.filter((one) => !isSound(one));
  return {
    name: "release",
    seed,
    acknowledged: sum("acknowledged"),
    lost: sum("lost"),
    twice: sum("twice"),
    blocks: overview(blocks, state),
    missed: [
      ...(open > 0 ? [`${open} of ${blocks.length} blocks are still to be run`] : []),
      ...bad.flatMap((one) => one.missed.map((what) => `${what} (${one.command})`)),
    ],
    failed: bad.map((one) => one.command),
    control: { name: "that of each block", caught: done.length > 0 && done.every((one) => one.isCaught) },
  };
}

export const proof: Proof = {
  name: "release",
  summary: "the release gate: the long forms of all proofs, hours in all, resumable",
  flags: {
    from: "first block to run, again if it was run (the first that was not)",
    blocks: "at most so many blocks now (all)",
    only: "blocks of this step alone",
    lanes: `blocks at a time (a core each, at most ${LANES_MAX})`,
    state: "where it is kept what is done (tests/out/release.json)",
  },
  async run({ seed, flags, log }) {
    const all = blocksOf(seed);
    const path = flags["state"] ?? STATE;
    const state = readState(path, seed, log);
    const only = wordFlag(
      flags,
      "only",
      STEPS.map((step) => step.name),
    );
    const from = flags["from"] === undefined ? undefined : wholeFlag(flags, "from", 1);
    const due = all.filter(({ number, step }) => {
      if (only !== undefined && step !== only) return false;
      const done = state.done[number];
      return from === undefined ? done === undefined || done.isSkipped === true : number >= from;
    });
    const lanes = wholeFlag(flags, "lanes", Math.min(LANES_MAX, availableParallelism()));
    await runAll(due.slice(0, wholeFlag(flags, "blocks", all.length)), lanes, async (block) => {
      log(`release: block ${block.number} of ${all.length}, ${block.step}`);
      const done = await run(block);
      state.done[block.number] = done;
      writeState(path, state);
      if (isSound(done)) return false;
      log(`release: block ${block.number} ${done.isSkipped ? "was skipped" : "does not hold"}: ${done.command}`);
      return done.isSkipped !== true;
    });
    return resultOf(seed, all, state);
  },
};
