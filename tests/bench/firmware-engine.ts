// Variables of a profile on a real engine while its scenario is played: at rest and at most.
import { createEngineBoard, EngineTrouble } from "../engine/engine.ts";
import { findEspruino } from "../engine/find.ts";
import { type EngineScenario, play } from "../engine/scenario.ts";
import { medianOf } from "./bench.ts";
import { type Measured, moved, storageOf } from "./firmware-image.ts";

/** The board with most room: what does not fit beside the tests' own program on a smaller one is counted there. */
const ROOMY = "xiaoble";
const LOOK_S = 150;

/** A program on the engine that holds it. */
export interface Placed {
  readonly measured: Measured;
  readonly binary: string;
  /** Another board's engine. */
  readonly elsewhere: boolean;
}

export interface Variables {
  /** With the program waiting: the middle one of many moments. */
  readonly rest: number;
  /** Most at any call that a program makes of its board. */
  readonly peak: number;
  readonly elsewhere: boolean;
}

async function count({ measured, binary, elsewhere }: Placed, scenario: EngineScenario): Promise<Variables> {
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
    await play(scenario, board, { everyS: LOOK_S, look });
    return { rest: medianOf(used), peak, elsewhere };
  } finally {
    board.dispose();
  }
}

const places = new Map<string, Placed>();

/** The board's own engine, or the one that had to stand in for it. */
export function engineFor(measured: Measured): Placed {
  const { board } = measured.profile;
  const own = { measured, binary: findEspruino(board) as string, elsewhere: false };
  return places.get(board) ?? own;
}

export async function countVariables(measured: Measured, scenario: EngineScenario): Promise<Variables> {
  const { board } = measured.profile;
  try {
    return await count(engineFor(measured), scenario);
  } catch (error) {
    const binary = findEspruino(ROOMY);
    if (!(error instanceof EngineTrouble) || binary === undefined || board === ROOMY) throw error;
    const placed = { measured: await moved(measured, ROOMY), binary, elsewhere: true };
    places.set(board, placed);
    return count(placed, scenario);
  }
}
