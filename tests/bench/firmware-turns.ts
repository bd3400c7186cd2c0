// Instructions of every turn of a program, counted by valgrind between the prelude's marks, and what they come to in time on a
// chip.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { BoardTable } from "../../firmware/boards/table.ts";
import type { DrivenBoard } from "../../firmware/simulator/driven-board.ts";
import { createEngineBoard, type EngineBoard } from "../engine/engine.ts";
import { startProgram } from "../engine/program.ts";
import { type EngineScenario, play } from "../engine/scenario.ts";
import type { Placed } from "./firmware-engine.ts";
import { storageOf } from "./firmware-image.ts";

/**
 * Instructions of a board model (32-bit x86) to a millisecond on an nRF52832. The facts have 60 to 120 ms for a tag that is made
 * with its pads; on the model that takes 4.89 million instructions, 41 to 82 thousand a millisecond: of 64 MHz between 0.8 and
 * 1.6 cycles an instruction. Taken is the slow end.
 */
const NRF52832_PER_MS = 41_000;
/** The facts have 0.7 s on an ESP32 for what takes 1.2 s on an nRF52832. */
const ESP32_PER_MS = (NRF52832_PER_MS * 1.2) / 0.7;
/** A program that codes a backlog frame. */
const ENTRY = "tests/bench/firmware-entry.ts";
/** The function that a mark calls. */
const MARK = "jswrap_espruino_clip";
/** The function within which the prelude does what is the engine's own on a board: timers, lines. It is not counted. */
const BOARD = "jswrap_array_some";
const PROFILE = "marks";
// A page of the ring, and a slot in it, begin with so many bytes; then comes the first byte of a frame.
const PAGE_HEAD_BYTES = 8;
const MARK_BYTES = 4;
const REPORT_HEAD = 0x11;
/** An event frame in hex that says that a downlink was applied. */
const APPLIED = /^14.{14}10/;
/** Many turns can pass before a board is heard, and each takes long. */
const ANSWER_MS = 600_000;

export interface Turn {
  /** Since boot. */
  readonly atMs: number;
  readonly instructions: number;
  /** How the function of this turn begins. */
  readonly code: string;
  /** The costliest turn up to the moment in which a report lay in the ring. */
  readonly isReport: boolean;
}

export function perMs(board: string): number {
  return board === "esp32" ? ESP32_PER_MS : NRF52832_PER_MS;
}

export function hasValgrind(): boolean {
  return spawnSync("valgrind", ["--version"]).status === 0;
}

const UNDER_VALGRIND: readonly string[] = [
  "valgrind",
  "-q",
  "--tool=callgrind",
  `--callgrind-out-file=${PROFILE}`,
  `--dump-before=${MARK}`,
  `--toggle-collect=${BOARD}`,
  // Behind it, which would begin without.
  "--collect-atstart=yes",
];

/** What was counted since the last call between two marks each, in order. */
function takeCounts(folder: string): number[] {
  const numbers = readdirSync(folder)
    .filter((file) => file.startsWith(`${PROFILE}.`))
    .map((file) => Number(file.slice(PROFILE.length + 1)))
    .sort((a, b) => a - b);
  const found: number[] = [];
  for (const number of numbers) {
    const file = join(folder, `${PROFILE}.${number}`);
    // Up to the first mark of a pair lies what is between turns.
    if (number % 2 === 0) found.push(Number(/^totals: (\d+)/m.exec(readFileSync(file, "latin1"))?.[1]));
    rmSync(file);
  }
  return found;
}

/** Tells after every run whether the ring has got a report. */
function createRingWatch(board: EngineBoard, table: BoardTable): () => boolean {
  const from = table.dataAddress - table.storageAddress + table.ringOffset;
  const slots = Math.floor((table.pageBytes - PAGE_HEAD_BYTES) / table.ringSlotBytes);
  let before: Uint8Array = new Uint8Array();
  return () => {
    const ring = board.flash().subarray(from, from + table.ringPages * table.pageBytes);
    let found = false;
    for (let at = 0; at < table.ringPages * slots; at++) {
      const page = Math.floor(at / slots);
      const head = page * table.pageBytes + PAGE_HEAD_BYTES + (at - page * slots) * table.ringSlotBytes + MARK_BYTES;
      if (ring[head] !== before[head] && ring[head] === REPORT_HEAD) found = true;
    }
    before = ring.slice();
    return found;
  };
}

/** A board that counts: it marks from its boot on. */
function counting(board: EngineBoard, table: BoardTable, turns: Turn[]): DrivenBoard {
  const hasReport = createRingWatch(board, table);
  return {
    ...board,
    boot: async () => {
      await board.boot();
      board.mark(true);
    },
    run: async (untilMs) => {
      const from = board.noted.length;
      const stepped = await board.run(untilMs);
      const marked = board.noted.slice(from).filter((line) => /^[\d.]+ /.test(line));
      const counts = takeCounts(board.folder);
      const costliest = hasReport() ? counts.indexOf(Math.max(...counts)) : -1;
      for (const [i, instructions] of counts.entries()) {
        const [at = "", ...code] = (marked[i] ?? "").split(" ");
        turns.push({ atMs: Number(at), instructions, code: code.join(" "), isReport: i === costliest });
      }
      return stepped;
    },
  };
}

/** Also how many downlinks said that they were obeyed. */
export async function countTurns(
  { measured, binary }: Placed,
  scenario: EngineScenario,
): Promise<{ turns: readonly Turn[]; obeyed: number }> {
  const turns: Turn[] = [];
  if (/\bsome\b/.test(measured.made.code)) throw new Error("what a program does in a `some` of its own is not counted");
  const storage = storageOf(measured, scenario);
  const { table } = measured;
  const { seed } = scenario;
  const board = await createEngineBoard({ table, binary, storage, seed, under: UNDER_VALGRIND, answerMs: ANSWER_MS });
  try {
    const { frames } = await play(scenario, counting(board, table, turns));
    const applied = frames.filter((frame) => APPLIED.test(frame)).map((frame) => frame.slice(2, 6));
    return { turns, obeyed: new Set(applied).size };
  } finally {
    board.dispose();
  }
}

/** Instructions of each sample of a whole point that goes into a backlog frame, by its turns. */
export async function countBacklog(
  board: string,
  samples: readonly Uint8Array[],
  intervalS: number,
): Promise<number[][]> {
  const engine = await startProgram(board, ENTRY, { under: UNDER_VALGRIND });
  try {
    await engine.evaluate(`start(${intervalS})`);
    takeCounts(engine.folder);
    const turns: number[][] = [];
    for (const sample of samples) {
      await engine.evaluate(`add("${Buffer.from(sample).toString("base64")}")`);
      turns.push(takeCounts(engine.folder));
    }
    return turns;
  } finally {
    engine.dispose();
  }
}
