// Steps of the dialogue that put a new program into a slot. Power may go at any moment: the old header is erased first and the
// new one counts from its last word on, so a slot holds one whole program or none.
import { ANSWER_MS, type ConsoleStep, ERASE_MS } from "./dialogue.ts";
import { helloStep, restartStep, verifyStep, writeStep, writeSteps } from "./flash.ts";
import { chooseSlot, decodeSlotHeader, encodeSlotHeader, SLOT_HEADER_BYTES, type SlotHeader } from "./slots.ts";

const WORD = 4;
/** Who it is, and how it is laid out. */
export const QUESTIONS_BEFORE = 2;

export interface SlotLayout {
  /** What the engine calls the board. */
  readonly board: string;
  /** The file that the slots are in, and where its data begin in flash. */
  readonly file: string;
  readonly dataAddress: number;
  readonly slots: number;
  readonly slotBytes: number;
  readonly pageBytes: number;
  /** A file that says how the board is laid out, and what it begins with on a board that is laid out like this. */
  readonly idFile: string;
  readonly id: string;
}

/** Nothing is written to a board on which other things lie in these places. */
function layoutStep(layout: SlotLayout): ConsoleStep {
  const code = `(require("Storage").read("${layout.idFile}")||"").substr(0,${layout.id.length})`;
  return { kind: "layout", subject: layout.idFile, code, expected: layout.id };
}

/** Asks for every slot's header, and whether the program behind it checks. */
export function slotQuestions(layout: SlotLayout): ConsoleStep[] {
  const steps: ConsoleStep[] = [helloStep(layout.board), layoutStep(layout)];
  for (let slot = 0; slot < layout.slots; slot++) {
    const offset = slot * layout.slotBytes;
    const header = `btoa(E.toString(F.read(${SLOT_HEADER_BYTES},${layout.dataAddress + offset})))`;
    // Not asked for more than the slot holds: a length that is erased flash is none.
    const length = `Math.min(new Uint32Array(F.read(4,${layout.dataAddress + offset + 8}).buffer)[0],${layout.slotBytes})`;
    const sum = `E.CRC32(require("Storage").read("${layout.file}",${offset + SLOT_HEADER_BYTES},${length}))`;
    const code = `(function(F){return ${header}+" "+${sum}})(require("Flash"))`;
    steps.push({ kind: "ask", subject: slotName(slot), code, answerMs: 2 * ANSWER_MS });
  }
  return steps;
}

export function slotName(slot: number): string {
  return `slot ${"AB"[slot] ?? slot}`;
}

/** What the answers to the questions say: a slot whose program does not check is none. */
export function slotsFrom(answers: readonly string[]): (SlotHeader | undefined)[] {
  return answers.slice(QUESTIONS_BEFORE).map((answer) => {
    const [header = "", sum = ""] = answer.split(" ");
    const bytes = Uint8Array.from(atob(header), (char) => char.charCodeAt(0));
    if (bytes.length !== SLOT_HEADER_BYTES) return undefined;
    const slot = decodeSlotHeader(bytes);
    return slot.isWhole && slot.crc32 === Number(sum) ? slot : undefined;
  });
}

/** Which slot an update takes: never the one that the loader would run, unless there is no other. */
export function slotToWrite(slots: readonly (SlotHeader | undefined)[]): { slot: number; turn: number } {
  const turn = Math.max(0, ...slots.map((slot) => slot?.turn ?? 0)) + 1;
  return { slot: slots.length === 1 ? 0 : (chooseSlot(slots) + 1) % slots.length, turn };
}

export function updateSteps(layout: SlotLayout, slot: number, turn: number, program: Uint8Array): ConsoleStep[] {
  const offset = slot * layout.slotBytes;
  const address = layout.dataAddress + offset;
  const name = slotName(slot);
  const header = encodeSlotHeader(turn, program);
  const padded = new Uint8Array(Math.ceil(program.length / WORD) * WORD).fill(255);
  padded.set(program);
  const steps: ConsoleStep[] = [helloStep(layout.board), layoutStep(layout)];
  for (let page = 0; page < layout.slotBytes; page += layout.pageBytes) {
    const code = `(require("Flash").erasePage(${address + page}),"erased")`;
    steps.push({ kind: "erase", subject: name, code, expected: "erased", answerMs: ERASE_MS });
  }
  steps.push(...writeSteps(name, address + SLOT_HEADER_BYTES, padded));
  steps.push(verifyStep(name, layout.file, offset + SLOT_HEADER_BYTES, program));
  steps.push(...writeSteps(name, address + WORD, header.subarray(WORD)));
  steps.push(verifyStep(name, layout.file, offset + WORD, header.subarray(WORD)));
  steps.push(writeStep(name, address, header.subarray(0, WORD)));
  steps.push(restartStep());
  return steps;
}
