// Settings under power cuts: after each the old ones or the new ones are there, and the next ones can be written; also at the end of
// a page, where they are copied on.
import type { BoardTable } from "../../firmware/boards/table.ts";
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
} from "./devicepowercut-board.ts";

/** How a board keeps its settings. */
export interface SettingsWay {
  readonly read: string;
  readonly write: string;
}

export const OURS: SettingsWay = { read: "settingsRead", write: "settingsWrite" };
/** The control: a Storage file that is replaced. */
export const PLAIN: SettingsWay = { read: "plainRead", write: "plainWrite" };

const PAGE_HEADER = 8;
/** Free slots of the page when the settings are written: in the middle of it, the last one, and none. */
const LEFT = [12, 1, 0];

export function settingsTally(table: BoardTable, program: Program, way: SettingsWay, tears: readonly Tear[]): Tally {
  const tally = noFaults();
  const slots = Math.floor((table.pageBytes - PAGE_HEADER) / table.ringSlotBytes);
  const others = (flash: VirtualFlash) => othersOf(table, flash, table.ringOffset, table.ringPages);

  function boot(flash: VirtualFlash): Booted | undefined {
    const board = bootBoard(table, flash, [program]);
    if (board.ask("typeof settingsOpen") !== "function") return undefined;
    board.ask(`settingsOpen(${table.dataAddress + table.ringOffset},${table.ringPages},${table.ringSlotBytes})`);
    return board;
  }

  /** Nothing of it may be missing, and there must be a next one. */
  function check(flash: VirtualFlash, allowed: readonly number[]): number {
    const board = boot(flash);
    if (board === undefined) {
      tally.dead++;
      return -1;
    }
    const found = Number(board.ask(`${way.read}()`));
    if (!allowed.includes(found)) tally.lost++;
    if (!flash.storage.isValid()) tally.damaged++;
    return found;
  }

  function trial(base: VirtualFlash, untouched: Uint8Array, operation: number, tear: Tear, again: number): boolean {
    const flash = base.copy();
    const write = (turn: number) => boot(flash)?.ask(`${way.write}(${turn})`);
    if (!isCutIn(flash, operation, tear, () => void write(4))) return false;
    tally.cuts++;
    tally.acknowledged++;
    const found = check(flash, [3, 4]);
    // The next attempt is cut as well.
    if (again > 0 && isCutIn(flash, again, tear, () => void write(5))) {
      tally.cuts++;
      tally.acknowledged++;
      check(flash, [found, 5]);
    }
    if (write(6) !== "true") tally.dead++;
    tally.acknowledged++;
    check(flash, [6]);
    if (way === OURS && Buffer.compare(others(flash), untouched) !== 0) tally.damaged++;
    return true;
  }

  for (const left of way === OURS ? LEFT : [0]) {
    const base = flashWith(table, program);
    const first = boot(base);
    for (const turn of [1, 2, 3]) first?.ask(`${way.write}(${turn})`);
    if (way === OURS) first?.ask(`settingsFill(${left},${slots})`);
    const untouched = others(base);
    for (const tear of tears) {
      for (let operation = 1; trial(base, untouched, operation, tear, 0); operation++)
        for (let again = 1; again <= 3; again++) trial(base, untouched, operation, tear, again);
    }
  }
  return tally;
}
