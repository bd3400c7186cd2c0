// What a board on the bench says of itself, and what to make of it.
import { crc32 } from "../frames/crc32.ts";
import { ANSWER_MS, type ConsoleStep } from "./dialogue.ts";
import { helloStep } from "./flash.ts";
import { chooseSlot } from "./slots.ts";
import { QUESTIONS_BEFORE, type SlotLayout, slotName, slotQuestions, slotsFrom } from "./update.ts";

export interface SelfTestPlan extends SlotLayout {
  readonly loaderFile: string;
  /** The loader as it must be, byte for byte: it is what closes the consoles. */
  readonly loader: Uint8Array;
  readonly configOffset: number;
  readonly ringOffset: number;
  readonly ringPages: number;
}

export interface Finding {
  readonly subject: string;
  readonly isGood: boolean;
  readonly detail: string;
}

const CONFIG_HEADER_BYTES = 8;

/** Turns of pages that begin with a turn and its inverse; 0 for a page that does not. */
function turnsCode(address: number, pages: number, pageBytes: number): string {
  const each = `w=new Uint32Array(F.read(8,${address}+i*${pageBytes}).buffer);r.push(w[0]+w[1]==M?w[0]:0)`;
  return `(function(F,M,r,i,w){for(i=0;i<${pages};i++){${each}}return r.join()})(require("Flash"),-1>>>0,[])`;
}

/** 1 when the page of configuration checks, else 0. */
function configCode(plan: SelfTestPlan): string {
  const text = `require("Storage").read("${plan.file}",${plan.configOffset + CONFIG_HEADER_BYTES},w[0])`;
  const address = plan.dataAddress + plan.configOffset;
  return `(function(w){return w[0]<${plan.pageBytes}&&E.CRC32(${text})==w[1]?1:0})(new Uint32Array(require("Flash").read(${CONFIG_HEADER_BYTES},${address}).buffer))`;
}

export function selfTestSteps(plan: SelfTestPlan): ConsoleStep[] {
  const ask = (subject: string, code: string): ConsoleStep => {
    return { kind: "ask", subject, code, answerMs: 2 * ANSWER_MS };
  };
  return [
    ...slotQuestions(plan),
    ask("engine", 'process.version+" "+E.getConsole()'),
    ask("loader", `E.CRC32(require("Storage").read("${plan.loaderFile}"))`),
    ask("storage", 'require("Storage").list().join()+" "+require("Storage").getStats().trashBytes'),
    ask("configuration", configCode(plan)),
    ask("ring", turnsCode(plan.dataAddress + plan.ringOffset, plan.ringPages, plan.pageBytes)),
  ];
}

function slotFindings(answers: readonly string[]): Finding[] {
  const slots = slotsFrom(answers);
  const runs = chooseSlot(slots);
  const findings: Finding[] = slots.map((slot, index) => {
    const subject = slotName(index);
    if (slot === undefined) return { subject, isGood: true, detail: "no program" };
    const state = slot.isConfirmed ? "confirmed" : `not confirmed, ${slot.triesLeft} tries left`;
    const detail = `turn ${slot.turn}, ${slot.length} bytes, ${state}${index === runs ? "; starts" : ""}`;
    return { subject, isGood: true, detail };
  });
  if (runs < 0) findings.push({ subject: "program", isGood: false, detail: "no slot holds one that checks" });
  return findings;
}

/** The answers to `selfTestSteps`, judged. */
export function selfTestFindings(plan: SelfTestPlan, answers: readonly string[]): Finding[] {
  const slots = answers.slice(0, plan.slots + QUESTIONS_BEFORE);
  const [engine = "", loader = "", storage = "", config = "", ring = ""] = answers.slice(plan.slots + QUESTIONS_BEFORE);
  const [files = "", trash = ""] = storage.split(" ");
  const turns = ring.split(",").map(Number);
  const isLoader = Number(loader) === crc32(plan.loader);
  const isClean = trash === "0" && files.split(",").length === 3;
  return [
    { subject: "engine", isGood: true, detail: engine },
    {
      subject: "loader",
      isGood: isLoader,
      detail: isLoader ? "as it must be: closes the consoles" : "another one than it must be",
    },
    { subject: "storage", isGood: isClean, detail: `${files}; ${trash} bytes of trash` },
    ...slotFindings(slots),
    {
      subject: "configuration",
      isGood: config === "1",
      detail: config === "1" ? "checks" : "does not check",
    },
    {
      subject: "ring",
      isGood: true,
      detail: `${turns.filter((turn) => turn > 0).length} of ${plan.ringPages} pages in use`,
    },
  ];
}

/** Only whether the console answers at all, without waiting long. */
export function knockStep(board: string): ConsoleStep {
  return { ...helloStep(board), answerMs: ANSWER_MS, tries: 2 };
}
