import { describe, expect, test } from "vitest";
import type { ConsoleStep } from "../../protocol/console/dialogue.ts";
import { SLOT_TRIES } from "../../protocol/console/slots.ts";
import { slotQuestions, slotsFrom, slotToWrite, updateSteps } from "../../protocol/console/update.ts";
import { BOARD_TABLES, type BoardTable, ESP32 } from "../boards/table.ts";
import { createFlash, loadImage, PowerCut, type VirtualFlash } from "../simulator/flash.ts";
import { createRandom } from "../simulator/random.ts";
import { createSchedule } from "../simulator/schedule.ts";
import { createVirtualBoard } from "../simulator/virtual-board.ts";
import { createImage, encodeSlot, slotLayout } from "./image.ts";
import { BENCH_MS, WATCHDOG_S } from "./loader.ts";

const TWO_SLOTS = BOARD_TABLES.filter((table) => table.slots === 2);

/** A program that says its name, keeps the watchdog quiet, and nothing else. */
function program(name: string): Uint8Array {
  return Buffer.from(`var ran="${name}",slot=wkSlot;setInterval(function(){E.kickWatchdog()},9000)`, "latin1");
}

/** One that never comes to kick the watchdog. */
const HANGING = Buffer.from('var ran="hanging"', "latin1");

function boardWith(table: BoardTable, flash: VirtualFlash) {
  const schedule = createSchedule();
  const button = { held: false };
  const lamp: (boolean | number)[] = [];
  const board = createVirtualBoard({
    table,
    flash,
    schedule,
    wiring: {
      analog: () => 0,
      digital: (pin) => pin === "BTN1" && button.held,
      watch: () => undefined,
      openSerial: () => () => undefined,
      output: (pin, isHigh, pulseMs) => {
        if (pin === "LED1") lamp.push(pulseMs ?? isHigh);
      },
    },
    network: { isReachable: () => false, connect: () => ({ write: () => undefined, end: () => undefined }) },
    random: createRandom(1),
    untokenise: (text) => text,
  });
  const ran = () => board.evaluate('typeof ran=="undefined"?undefined:ran');
  const run = (s: number) => schedule.runUntil(schedule.nowMs() + s * 1000);
  return { board, schedule, button, lamp, ran, run };
}

function flashWith(table: BoardTable, first: Uint8Array = program("A")): VirtualFlash {
  const flash = createFlash(table);
  loadImage(flash, createImage(table, first, { deviceId: "x" } as never));
  return flash;
}

function putInB(flash: VirtualFlash, table: BoardTable, turn: number, bytes: Uint8Array): void {
  flash.write(encodeSlot(turn, bytes), table.dataAddress + table.slotBytes);
}

function confirm(flash: VirtualFlash, table: BoardTable, slot: number): void {
  flash.write(new Uint8Array(4), table.dataAddress + slot * table.slotBytes + 20);
}

describe.each(BOARD_TABLES)("the loader of $name", (table) => {
  test("closes everything before the program runs", () => {
    const { board, ran } = boardWith(table, flashWith(table));
    board.boot();
    expect(ran()).toBe("A");
    const radio = table.name === "esp32" ? 'TelnetServer.setOptions [{"mode":"off"}]' : "NRF.sleep []";
    expect(board.noted()).toEqual([radio, 'E.setConsole [null,{"force":1}]']);
  });

  test("leaves the consoles open and starts nothing while the button is held, for ten minutes", () => {
    const { board, button, ran, lamp, run } = boardWith(table, flashWith(table));
    button.held = true;
    board.boot();
    expect(ran()).toBeUndefined();
    expect(board.noted()).toEqual([]);
    expect(lamp).toEqual([true]);
    button.held = false;
    run(BENCH_MS / 1000 - 1);
    expect(board.boots()).toBe(1);
    run(2);
    expect(board.boots()).toBe(2);
    expect(ran()).toBe("A");
  });

  test("starts nothing that does not check: the consoles stay closed, the lamp flashes, it tries again", () => {
    const flash = flashWith(table);
    flash.write(new Uint8Array(4), table.dataAddress + 60);
    const { board, ran, lamp, run } = boardWith(table, flash);
    board.boot();
    expect(ran()).toBeUndefined();
    expect(board.noted().at(-1)).toMatch(/^E\.setConsole \[null/);
    run(10);
    expect(lamp).toEqual(Array.from({ length: 20 }, () => 50));
    run(WATCHDOG_S);
    expect(board.boots()).toBe(2);
  });

  test("runs a program from one slot again and again, also when it never confirms and all tries are used", () => {
    const { board, ran } = boardWith(table, flashWith(table));
    for (let boot = 0; boot < SLOT_TRIES + 3; boot++) {
      board.boot();
      expect(ran()).toBe("A");
    }
  });
});

describe.each(TWO_SLOTS)("two slots on $name", (table) => {
  test("the newer one runs, and knows which slot it is in", () => {
    const flash = flashWith(table);
    confirm(flash, table, 0);
    putInB(flash, table, 2, program("B"));
    const { board, ran } = boardWith(table, flash);
    board.boot();
    expect([ran(), board.evaluate("slot")]).toEqual(["B", 1]);
  });

  test("one that never gets through its boot has its tries, then the old one comes back for good", () => {
    const flash = flashWith(table);
    confirm(flash, table, 0);
    putInB(flash, table, 2, HANGING);
    const { board, ran, run } = boardWith(table, flash);
    board.boot();
    for (let boot = 1; boot <= SLOT_TRIES; boot++) {
      expect([board.boots(), ran()]).toEqual([boot, "hanging"]);
      run(WATCHDOG_S + 1);
    }
    expect(ran()).toBe("A");
    run(600);
    expect([board.boots(), ran()]).toEqual([SLOT_TRIES + 1, "A"]);
  });

  test("one that is confirmed in time stays, and no more tries are written", () => {
    const flash = flashWith(table);
    confirm(flash, table, 0);
    putInB(flash, table, 2, program("B"));
    const { board, ran } = boardWith(table, flash);
    for (let boot = 0; boot < SLOT_TRIES - 1; boot++) board.boot();
    confirm(flash, table, 1);
    const before = flash.operations();
    for (let boot = 0; boot < 5; boot++) board.boot();
    expect(ran()).toBe("B");
    expect(flash.operations()).toBe(before);
  });

  test("one in which a bit has fallen over is passed by, header or program", () => {
    for (const at of [0, 5, 9, 13, 17, 52, 70]) {
      const flash = flashWith(table);
      const bytes = encodeSlot(2, program("B"));
      bytes[at] = (bytes[at] as number) ^ 2;
      flash.write(bytes, table.dataAddress + table.slotBytes);
      const { board, ran } = boardWith(table, flash);
      board.boot();
      expect(ran()).toBe("A");
    }
  });

  test("a cut while a try is being written loses the try at most", () => {
    for (const share of [0, 0.3, 0.9]) {
      const flash = flashWith(table, program("A"));
      const { board, ran } = boardWith(table, flash);
      flash.cutAt(1, share);
      board.boot();
      expect(board.isOn()).toBe(false);
      board.boot();
      expect(ran()).toBe("A");
    }
  });
});

/** What a board says to the questions of an update. */
function slotsOf(evaluate: (code: string) => unknown, steps: readonly ConsoleStep[]) {
  return slotsFrom(steps.map((step) => String(evaluate(step.code))));
}

describe.each(BOARD_TABLES)("an update of $name", (table) => {
  const layout = slotLayout(table);
  const NEW = program("new".repeat(300));

  /** On the bench: asks, chooses, writes; power is lost in one of its operations. Gives whether it got through. */
  function update(flash: VirtualFlash, cutAt: number, share: number): boolean {
    const { board, button } = boardWith(table, flash);
    button.held = true;
    board.boot();
    const { slot, turn } = slotToWrite(slotsOf(board.evaluate, slotQuestions(layout)));
    flash.cutAt(cutAt, share);
    try {
      for (const step of updateSteps(layout, slot, turn, NEW)) {
        const said = String(board.evaluate(step.code));
        if (step.expected !== undefined) expect(said).toBe(step.expected);
      }
    } catch (error) {
      if (error instanceof PowerCut) return false;
      throw error;
    }
    flash.cutAt(Number.POSITIVE_INFINITY, 0);
    return true;
  }

  test("a power cut at any operation leaves the old program or the new one, and one slot also none", () => {
    const seen = new Set<unknown>();
    for (const share of [0, 0.4, 0.97]) {
      for (let at = 1, isDone = false; !isDone; at++) {
        const flash = flashWith(table, program("old"));
        confirm(flash, table, 0);
        isDone = update(flash, at, share);
        const { board, ran } = boardWith(table, flash);
        board.boot();
        const found = ran();
        seen.add(found);
        if (isDone) expect(found).toBe("new".repeat(300));
        else if (table.slots === 2) expect(["old", "new".repeat(300)]).toContain(found);
        else expect([undefined, "old", "new".repeat(300)]).toContain(found);
        // Whatever is left, the next update gets through.
        expect(update(flash, Number.POSITIVE_INFINITY, 0)).toBe(true);
        board.boot();
        expect(ran()).toBe("new".repeat(300));
      }
    }
    expect(seen.size).toBe(table.slots === 2 ? 2 : 3);
  });

  test("is what the questions then tell of", () => {
    const flash = flashWith(table, program("old"));
    update(flash, Number.POSITIVE_INFINITY, 0);
    const { board, button } = boardWith(table, flash);
    button.held = true;
    board.boot();
    const slots = slotsOf(board.evaluate, slotQuestions(layout));
    expect(slots.at(-1)).toMatchObject({ turn: 2, length: NEW.length, isConfirmed: false, triesLeft: SLOT_TRIES });
  });
});

test("the loader is one expression of plain text: it leaves no name behind but the number of its slot", () => {
  const text = Buffer.from(createImage(ESP32, program("x"), {} as never).parts[0]?.bytes ?? []).toString("latin1");
  expect(text).toMatch(/^eval\(function\(\)\{/);
  expect(text.match(/[^\x20-\x7e]/)).toBeNull();
  const { board } = boardWith(ESP32, flashWith(ESP32, HANGING));
  board.boot();
  const names = board.evaluate("Object.keys(global)") as string[];
  expect(names.filter((name) => /^[a-zA-Z]$|^wk/.test(name))).toEqual(["E", "wkSlot"]);
});
