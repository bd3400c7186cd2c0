// The power goes in every single flash operation of what a device writes, on each board's page table. After each cut the board
// boots through its loader: nothing is lost beyond what was being written, nothing is open again that was acknowledged, no
// sequence is used twice, Storage and the rest of flash are as they were, and the next write gets through.
import { BOARD_TABLES, ESP32 } from "../../firmware/boards/table.ts";
import { addTo, buildProgram, faultsIn, LONG_TEARS, noFaults, SHORT_TEARS, type Tally } from "./powercut-board.ts";
import { configTally, OURS, PLAIN } from "./powercut-config.ts";
import { slotTally } from "./powercut-slots.ts";
import type { Proof } from "./proof.ts";

export const proof: Proof = {
  name: "device-powercut",
  summary: "a cut at every flash operation of configuration and program slots",
  flags: { form: "short: fewer ways in which an operation tears; full: all of them" },
  async run(context) {
    const tears = context.flags["form"] === "short" ? SHORT_TEARS : LONG_TEARS;
    const program = await buildProgram("tests/fault/powercut-program.ts");
    const sum = noFaults();
    const cases: Record<string, Tally> = {};
    const take = (name: string, tally: Tally) => {
      cases[name] = tally;
      addTo(sum, tally);
      context.log(`${name}: ${tally.cuts} cuts, ${faultsIn(tally)} faults`);
    };
    for (const table of BOARD_TABLES) {
      take(`${table.name} configuration`, configTally(table, program, OURS, tears));
      take(`${table.name} slots`, slotTally(table, tears));
    }
    const controls = [
      {
        name: "configuration in a Storage file that is replaced",
        caught: configTally(ESP32, program, PLAIN, SHORT_TEARS).lost > 0,
      },
    ];
    return {
      name: "device-powercut",
      seed: context.seed,
      acknowledged: sum.acknowledged,
      // A board that is dead or damaged has lost what was on it.
      lost: sum.lost + sum.dead + sum.damaged,
      twice: sum.twice,
      cuts: sum.cuts,
      damaged: sum.damaged,
      dead: sum.dead,
      cases,
      control: {
        name: controls.map((control) => control.name).join("; "),
        caught: controls.every((control) => control.caught),
      },
      controls,
    };
  },
};
