// The ring on the real engine, with the power going at every operation of an append, a mark, a save and a page turn.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MDBT42Q } from "../../firmware/boards/table.ts";
import { type EngineBoard, EngineCut } from "./engine.ts";
import { findEspruino, unless } from "./find.ts";
import { startProgram } from "./program.ts";

const BOARD = MDBT42Q.name;
const SLOTS = Math.floor((MDBT42Q.pageBytes - 8) / MDBT42Q.ringSlotBytes);

const isThere = findEspruino(BOARD) !== undefined;

describe.skipIf(!isThere)(`on the engine${unless(isThere)}`, () => {
  let engine: EngineBoard;

  beforeAll(async () => {
    engine = await startProgram(BOARD, "tests/engine/ring-entry.ts");
  });
  afterAll(() => engine?.dispose());

  const ask = async (code: string) => (await engine.evaluate(code)).join();
  const tell = async () => {
    const [next = 0, head = 0, oldest = 0, boot = 0, setting = 0, turns = 0] = (await ask("tell()"))
      .split(",")
      .map(Number);
    return { next, head, oldest, boot, setting, turns };
  };

  test("records, marks, state and settings are there after a restart, found a bounded piece a turn", async () => {
    await ask("boot(3)");
    await ask("set(42)");
    await ask("append(5)");
    const { head } = await tell();
    await ask(`mark(${head - 3})`);
    await engine.boot();
    expect(await tell()).toMatchObject({ next: 5, head, boot: 3, setting: 42 });
    expect(await ask(`list(${head - 5},5)`)).toBe("0 1 2m 3 4");
  });

  test("a lap of the ring keeps what must outlive every page, and at least two pages of records", async () => {
    for (let page = 0; page < MDBT42Q.ringPages + 1; page++) await ask(`append(${SLOTS - 2})`);
    await engine.boot();
    const now = await tell();
    expect(now).toMatchObject({ boot: 3, setting: 42 });
    expect(now.head - now.oldest).toBeGreaterThan(2 * SLOTS);
    expect(now.turns).toBeGreaterThan(1);
    expect(await ask(`list(${now.head - 3},3)`)).toBe([3, 2, 1].map((back) => now.next - back).join(" "));
  });

  test("a cut in any operation costs at most the record being written, and no sequence comes back", async () => {
    // To the end of the page, so that the turn of a page is among the operations.
    const free = SLOTS - ((await tell()).head % SLOTS);
    await ask(`append(${free - 1})`);
    for (let operation = 1; operation < 14; operation++) {
      const before = await tell();
      engine.cutAt(operation, operation % 3);
      let isCut = false;
      try {
        for (let i = 0; i < 3; i++) await ask("append(1)");
        await ask(`mark(${before.head})`);
        await ask("set(43)");
        engine.cutAt(0, 0);
      } catch (error) {
        if (!(error instanceof EngineCut)) throw error;
        isCut = true;
      }
      await engine.boot();
      const after = await tell();
      expect(isCut || operation > 5).toBe(true);
      expect(after.next).toBeGreaterThanOrEqual(before.next);
      expect(after.next).toBeLessThanOrEqual(before.next + 3);
      expect([42, 43]).toContain(after.setting);
      expect(after.boot).toBe(3);
      expect(await ask(`list(${before.head - 1},1)`)).not.toBe("-");
      await ask("append(1)");
      const { head, next } = await tell();
      expect(await ask(`list(${head - 1},1)`)).toBe(`${next - 1}`);
      if (!isCut) break;
    }
  });

  test("a boot is confirmed", async () => {
    const before = await ask("wordAt(20)");
    expect(before).toBe("255,255,255,255");
    await ask("confirm()");
    expect(await ask("wordAt(20)")).toBe("0,0,0,0");
  });
});
