// The configuration under power cuts: after each the old one or the new one is there, and the next one can be written.
import { type BoardTable, CONFIG_PAGES } from "../../firmware/boards/table.ts";
import type { Tear, VirtualFlash } from "../../firmware/simulator/flash.ts";
import {
  type Booted,
  bootBoard,
  flashWith,
  isCutIn,
  noFaults,
  othersOf,
  type Program,
  type Tally,
} from "./powercut-board.ts";

/** How a board keeps its configuration. */
export interface ConfigWay {
  readonly read: string;
  readonly write: string;
}

export const OURS: ConfigWay = { read: "configText", write: "configWrite" };
/** The control: a Storage file that is replaced. */
export const PLAIN: ConfigWay = { read: "plainText", write: "plainWrite" };

function textOf(turn: number): string {
  return JSON.stringify({ turn, padding: "x".repeat(100 + 10 * turn) });
}

export function configTally(table: BoardTable, program: Program, way: ConfigWay, tears: readonly Tear[]): Tally {
  const tally = noFaults();
  const isOurs = way === OURS;
  const others = (flash: VirtualFlash) => othersOf(table, flash, table.configOffset, CONFIG_PAGES);

  function boot(flash: VirtualFlash): Booted | undefined {
    const board = bootBoard(table, flash, [program]);
    if (board.ask("typeof configOpen") !== "function") return undefined;
    board.ask(`configOpen(${table.dataAddress},${table.configOffset})`);
    return board;
  }

  /** Nothing of it may be missing, and there must be a next one. */
  function check(flash: VirtualFlash, allowed: readonly string[]): string {
    const board = boot(flash);
    if (board === undefined) {
      tally.dead++;
      return "";
    }
    const found = board.ask(`${way.read}()`);
    if (!allowed.includes(found)) tally.lost++;
    if (!flash.storage.isValid()) tally.damaged++;
    return found;
  }

  const base = flashWith(table, program);
  const first = boot(base);
  for (const turn of [1, 2, 3]) first?.ask(`${way.write}(${JSON.stringify(textOf(turn))})`);
  const untouched = others(base);

  function trial(operation: number, tear: Tear, again: number): boolean {
    const flash = base.copy();
    const write = (turn: number) => boot(flash)?.ask(`${way.write}(${JSON.stringify(textOf(turn))})`);
    const isCut = isCutIn(flash, operation, tear, () => void write(4));
    if (!isCut) return false;
    tally.cuts++;
    tally.acknowledged++;
    const found = check(flash, [textOf(3), textOf(4)]);
    // The next attempt is cut as well.
    if (again > 0 && isCutIn(flash, again, tear, () => void write(5))) {
      tally.cuts++;
      tally.acknowledged++;
      check(flash, [found, textOf(5)]);
    }
    if (write(6) !== "true") tally.dead++;
    tally.acknowledged++;
    check(flash, [textOf(6)]);
    if (isOurs && Buffer.compare(others(flash), untouched) !== 0) tally.damaged++;
    return true;
  }

  for (const tear of tears) {
    for (let operation = 1; trial(operation, tear, 0); operation++)
      for (let again = 1; again <= 3; again++) trial(operation, tear, again);
  }
  return tally;
}
