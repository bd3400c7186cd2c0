// The same scenarios on a virtual board and on the real engine: what the board does, what arrives and what lies in flash
// must be the same, byte for byte. Where they differ, the virtual board is wrong.
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { driveVirtualBoard } from "../../firmware/simulator/driven-board.ts";
import { createEngineBoard } from "./engine.ts";
import { findEspruino, unless } from "./find.ts";
import { buildStorage } from "./image.ts";
import { tableOf } from "./program.ts";
import { play, readEngineScenario } from "./scenario.ts";

const IS_LONG = process.env["ENGINE_LONG"] === "1";
const NAMES = readdirSync(new URL("./scenarios", import.meta.url)).map((file) => file.replace(".json", ""));

/** An event frame in hex that says that a downlink was applied. */
const ANSWER = /^14.{14}10/;

function firstDifference(a: readonly string[], b: readonly string[]): unknown {
  const at = a.findIndex((one, i) => one !== b[i]);
  if (at < 0 && a.length === b.length) return undefined;
  const from = at < 0 ? Math.min(a.length, b.length) : at;
  return { at: from, of: a.length, virtual: a.slice(Math.max(0, from - 2), from + 3), engine: b.slice(from, from + 3) };
}

describe.each(NAMES)("%s", (name) => {
  const scenario = readEngineScenario(name);
  const binary = findEspruino(scenario.board);
  const isLeftOut = scenario.isLong === true && !IS_LONG;
  const lack = unless(binary !== undefined) || unless(!isLeftOut, "only with --long");

  test.skipIf(lack !== "")(
    `is the same on the engine${lack}`,
    async () => {
      const table = tableOf(scenario.board);
      const { storage, untokenise } = await buildStorage(scenario);
      const virtual = driveVirtualBoard({ table, storage, untokenise, seed: scenario.seed });
      const here = await play(scenario, virtual);
      const engine = await createEngineBoard({ table, binary: binary as string, storage, seed: scenario.seed });
      try {
        const there = await play(scenario, engine);
        expect(firstDifference(here.outputs, there.outputs)).toBeUndefined();
        expect(there.frames.length).toBeGreaterThan(10);
        expect(firstDifference(here.frames, there.frames)).toBeUndefined();
        // What is the same on both is not right yet: what was told is answered.
        expect(there.frames.some((frame) => ANSWER.test(frame))).toBe(scenario.downlinks !== undefined);
        expect(virtual.printed.filter((line) => line.includes("Uncaught"))).toEqual([]);
        engine.powerOff();
        expect(Buffer.compare(engine.flash(), virtual.flash())).toBe(0);
      } finally {
        engine.dispose();
      }
    },
    600_000,
  );
});
