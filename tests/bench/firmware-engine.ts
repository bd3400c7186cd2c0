// Variables of a profile on a real engine while its scenario is played: at rest and at most.
import { createEngineBoard, EngineTrouble } from "../engine/engine.ts";
import { findEspruino } from "../engine/find.ts";
import { type EngineScenario, play } from "../engine/scenario.ts";
import { medianOf } from "./bench.ts";
import { type Measured, moved, storageOf } from "./firmware-image.ts";

/** The board with most room: what does not fit beside the tests' own program on a smaller one is counted there. */
const ROOMY = "xiaoble";
const LOOK_S = 150;

export interface Variables {
  /** With the program waiting: the middle one of many moments. */
  readonly rest: number;
  /** Most at any call that a program makes of its board. */
  readonly peak: number;
  /** Counted on another board's engine. */
  readonly elsewhere: boolean;
  readonly frames: readonly string[];
}

async function count(measured: Measured, scenario: EngineScenario, binary: string): Promise<Omit<Variables, "elsewhere">> {
  const storage = storageOf(measured, scenario);
  const board = await createEngineBoard({ table: measured.table, binary, storage, seed: scenario.seed });
  const used: number[] = [];
  let peak = 0;
  const look = async () => {
    const found = await board.memory();
    used.push(found.used);
    peak = Math.max(peak, found.peak);
  };
  try {
    board.samplePeaks(true);
    const { frames } = await play(scenario, board, { everyS: LOOK_S, look });
    return { rest: medianOf(used), peak, frames };
  } finally {
    board.dispose();
  }
}

/** Undefined when no engine is there for this board. */
export async function countVariables(measured: Measured, scenario: EngineScenario): Promise<Variables | undefined> {
  const binary = findEspruino(measured.profile.board);
  if (binary === undefined) return undefined;
  try {
    return { ...(await count(measured, scenario, binary)), elsewhere: false };
  } catch (error) {
    const roomy = findEspruino(ROOMY);
    if (!(error instanceof EngineTrouble) || roomy === undefined || measured.profile.board === ROOMY) throw error;
    return { ...(await count(await moved(measured, ROOMY), scenario, roomy)), elsewhere: true };
  }
}
