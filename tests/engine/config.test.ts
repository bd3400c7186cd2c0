// Configuration A/B and the confirmed word on the real engine, with the power going at every operation.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MDBT42Q } from "../../firmware/boards/table.ts";
import { type EngineBoard, EngineCut } from "./engine.ts";
import { findEspruino } from "./find.ts";
import { startProgram } from "./program.ts";

const BOARD = MDBT42Q.name;

describe.skipIf(findEspruino(BOARD) === undefined)("on the engine (skipped: no Espruino found)", () => {
  let engine: EngineBoard;

  beforeAll(async () => {
    engine = await startProgram(BOARD, "tests/engine/config-entry.ts");
  });
  afterAll(() => engine?.dispose());

  const ask = async (code: string) => (await engine.evaluate(code)).join();
  const write = (text: string) => ask(`configWrite(${JSON.stringify(text)})`);

  test("a configuration is written, read back, and there after a restart", async () => {
    expect(await ask("configText()")).toBe("undefined");
    const text = JSON.stringify({ deviceId: "alm-01-d1", padding: "x".repeat(700) });
    expect(await write(text)).toBe("true");
    await engine.boot();
    expect(await ask("configText()")).toBe(text);
  });

  test("a power cut at any operation leaves the old one or the new one", async () => {
    let isDone = false;
    for (let operation = 1; !isDone; operation++) {
      expect(await write(`old ${operation}`)).toBe("true");
      engine.cutAt(operation, operation % 3);
      try {
        await write(`new ${operation}`);
        isDone = true;
      } catch (error) {
        if (!(error instanceof EngineCut)) throw error;
      }
      await engine.boot();
      const found = await ask("configText()");
      expect([`new ${operation}`, ...(isDone ? [] : [`old ${operation}`])]).toContain(found);
      expect(operation).toBeLessThan(10);
    }
  });

  test("a boot is confirmed", async () => {
    const at = 2 * MDBT42Q.pageBytes + 20;
    expect(await ask(`wordAt(${at})`)).toBe("255,255,255,255");
    await ask("confirm()");
    expect(await ask(`wordAt(${at})`)).toBe("0,0,0,0");
  });
});
