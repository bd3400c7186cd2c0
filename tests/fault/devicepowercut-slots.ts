// An update under power cuts. A board with two slots runs the old program or the new one afterwards; one with a single slot, whose
// update happens on the bench, may be left without a program, and then its loader still boots, closed, and takes an update.
import type { BoardTable } from "../../firmware/boards/table.ts";
import { slotLayout } from "../../firmware/build/image.ts";
import type { Tear, VirtualFlash } from "../../firmware/simulator/flash.ts";
import type { ConsoleStep } from "../../protocol/console/dialogue.ts";
import { slotQuestions, slotsFrom, slotToWrite, updateSteps } from "../../protocol/console/update.ts";
import { bootBoard, flashWith, isCutIn, noFaults, othersOf, plainProgram, type Tally } from "./devicepowercut-board.ts";

/** Says its name, and that its boot is complete: what the loader wants to see of a program. */
function program(name: string, table: BoardTable) {
  const at = `${table.dataAddress}+wkSlot*${table.slotBytes}+20`;
  return plainProgram(
    `var ran="${name}";(function(F){if(F.read(4,${at})[0]==255)F.write("\\0\\0\\0\\0",${at})})(require("Flash"))`,
  );
}

const OLD = "old";
const NEW = "new".repeat(200);
const NEXT = "next".repeat(150);

export function slotTally(table: BoardTable, tears: readonly Tear[]): Tally & { withoutProgram: number } {
  const tally = { ...noFaults(), withoutProgram: 0 };
  const layout = slotLayout(table);
  const pages = (table.slots * table.slotBytes) / table.pageBytes;
  const base = flashWith(table, program(OLD, table));
  const untouched = othersOf(table, base, 0, pages);

  function answersTo(steps: readonly ConsoleStep[], flash: VirtualFlash): string[] {
    const board = bootBoard(table, flash, [], true);
    return steps.map(({ code }) => board.ask(code));
  }

  /** On the bench, with the button held. True when every answer was the right one. */
  function update(flash: VirtualFlash, name: string): boolean {
    const { slot, turn } = slotToWrite(slotsFrom(answersTo(slotQuestions(layout), flash)));
    const steps = updateSteps(layout, slot, turn, program(name, table).bytes);
    const answers = answersTo(steps, flash);
    return steps.every(({ expected }, at) => expected === undefined || answers[at] === expected);
  }

  /** In the field: what runs. The loader and the program write to the slot's header, so a cut can come in here too. */
  function ran(flash: VirtualFlash): string {
    return bootBoard(table, flash, []).ask('typeof ran=="undefined"?"":ran');
  }

  function check(flash: VirtualFlash, allowed: readonly string[], isOnBench: boolean): string {
    const found = ran(flash);
    if (found === "" && isOnBench && table.slots === 1) tally.withoutProgram++;
    else if (!allowed.includes(found)) tally.dead++;
    if (!flash.storage.isValid() || Buffer.compare(othersOf(table, flash, 0, pages), untouched) !== 0) tally.damaged++;
    return found;
  }

  function finish(flash: VirtualFlash): void {
    if (!update(flash, NEXT)) tally.dead++;
    tally.acknowledged++;
    check(flash, [NEXT], false);
    check(flash, [NEXT], false);
  }

  function cutUpdate(operation: number, tear: Tear, again: number): boolean {
    const flash = base.copy();
    if (!isCutIn(flash, operation, tear, () => void update(flash, NEW))) return false;
    tally.cuts++;
    tally.acknowledged++;
    const found = check(flash, [OLD, NEW], true);
    if (again > 0 && isCutIn(flash, again, tear, () => void update(flash, NEW))) {
      tally.cuts++;
      check(flash, [found, NEW], true);
    }
    finish(flash);
    return true;
  }

  /** The first boot of a new program: a try is used up, then it says that it is complete. */
  function cutFirstBoot(operation: number, tear: Tear): boolean {
    const flash = base.copy();
    update(flash, NEW);
    flash.cutAt(operation, tear);
    const before = flash.operations();
    ran(flash);
    const isCut = flash.operations() - before >= operation;
    flash.cutAt(Number.POSITIVE_INFINITY, tear);
    if (!isCut) return false;
    tally.cuts++;
    tally.acknowledged++;
    check(flash, [NEW], false);
    finish(flash);
    return true;
  }

  for (const tear of tears) {
    for (let operation = 1; cutUpdate(operation, tear, 0); operation++) cutUpdate(operation, tear, (operation % 5) + 1);
    for (let operation = 1; cutFirstBoot(operation, tear); operation++);
  }
  return tally;
}
