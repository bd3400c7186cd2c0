// The power goes in every single flash operation of what a device writes, on each board's page table. After each cut the board
// boots through its loader: nothing is lost beyond what was being written, nothing is open again that was acknowledged, no
// sequence is used twice, Storage and the rest of flash are as they were, and the next write gets through.
import { BOARD_TABLES, ESP32 } from "../../firmware/boards/table.ts";
import {
  addTo,
  buildProgram,
  faultsIn,
  LONG_TEARS,
  noFaults,
  type Program,
  SHORT_TEARS,
  type Tally,
} from "./devicepowercut-board.ts";
import { OURS, PLAIN, settingsTally } from "./devicepowercut-config.ts";
import { deviceCases, deviceTally } from "./devicepowercut-device.ts";
import { LAST_BYTE, RING_IN_FILE, RING_OURS, RING_UNCHECKED, ringTally, startsOf } from "./devicepowercut-ring.ts";
import { slotTally } from "./devicepowercut-slots.ts";
import { isShortForm, type Proof } from "./proof.ts";

/** Of the full form: tears that are tried with every operation of the recovery torn too. */
const DEEP_TEARS = 4;
const CONTROL_START = { pages: 0, left: 1, deep: 0 };

/** The broken variants, each of which must be seen to be broken. */
function controlsOf(program: Program, ringProgram: Program): { name: string; caught: boolean }[] {
  const ring = { ...CONTROL_START, table: ESP32, program: ringProgram };
  const unchecked = ringTally({ ...ring, way: RING_UNCHECKED, tears: [LAST_BYTE] });
  const inFile = ringTally({ ...ring, way: RING_IN_FILE, tears: SHORT_TEARS });
  return [
    {
      name: "settings in a Storage file that is replaced",
      caught: settingsTally(ESP32, program, PLAIN, SHORT_TEARS).lost > 0,
    },
    { name: "ring without a checksum", caught: faultsIn(unchecked) > 0 },
    {
      name: "sequence and counters in a Storage file that is replaced",
      caught: inFile.twice > 0 && inFile.lost > 0,
    },
  ];
}

export const proof: Proof = {
  name: "device-powercut",
  summary: "a cut at every flash operation of ring, counters, configuration and program slots",
  flags: { form: "short: fewer ways in which an operation tears; full: all of them (full)" },
  async run(context) {
    const isFull = !isShortForm(context.flags);
    const tears = isFull ? LONG_TEARS : SHORT_TEARS;
    const ringTears = [LAST_BYTE, ...tears];
    const program = await buildProgram("tests/fault/devicepowercut-program.ts");
    const ringProgram = await buildProgram("tests/fault/devicepowercut-ring-program.ts");
    const devices = await deviceCases();
    const sum = noFaults();
    const cases: Record<string, Tally> = {};
    const take = (name: string, tally: Tally) => {
      cases[name] = tally;
      addTo(sum, tally);
      context.log(`${name}: ${tally.cuts} cuts, ${faultsIn(tally)} faults`);
    };
    for (const table of BOARD_TABLES) {
      take(`${table.name} settings`, settingsTally(table, program, OURS, tears));
      take(`${table.name} slots`, slotTally(table, tears));
      const rings = noFaults();
      for (const start of startsOf(table, isFull)) {
        const one = { ...start, table, program: ringProgram, way: RING_OURS, tears: ringTears };
        addTo(rings, ringTally({ ...one, deep: isFull ? DEEP_TEARS : 0 }));
      }
      take(`${table.name} ring and counters`, rings);
    }
    for (const device of devices.cases) {
      take(`${device.table.name} ${device.profile} device`, deviceTally(device, tears, isFull));
    }
    const controls = controlsOf(program, ringProgram);
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
      // A board on which nothing was tried has passed nothing.
      missed: devices.skipped.map((one) => `${one}: its program does not fit its slot`),
      control: {
        name: controls.map((control) => control.name).join("; "),
        caught: controls.every((control) => control.caught),
      },
      controls,
    };
  },
};
