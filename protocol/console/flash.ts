// Steps of the dialogue that put a whole image on a board, and the statements that they are made of.
import { crc32 } from "../frames/crc32.ts";
import { type ConsoleStep, ERASE_MS } from "./dialogue.ts";

/** Bytes in one line to the board: base64 makes four of three, and the board's input buffer is 1 KB. */
export const CHUNK_BYTES = 384;
/** A board that restarts misses some lines. */
const RESTART_TRIES = 6;

export interface FlashFile {
  readonly name: string;
  /** Room to be kept for it; what is not written stays erased. */
  readonly size: number;
}

export interface FlashPart {
  /** For people. */
  readonly name: string;
  /** Where it lies: in flash, and in which file. */
  readonly address: number;
  readonly file: string;
  readonly offset: number;
  /** A multiple of four bytes. */
  readonly bytes: Uint8Array;
}

export interface FlashPlan {
  /** What the engine calls the board. */
  readonly board: string;
  /** In the order in which they are made. */
  readonly files: readonly FlashFile[];
  readonly parts: readonly FlashPart[];
  /** Turns the board's Bluetooth off for good where only a restart does it; says `off` when it is. */
  readonly radioOff?: string;
}

function base64Of(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i] as number);
  return btoa(text);
}

/** Also keeps the bench state from ending by itself. */
export function helloStep(board: string): ConsoleStep {
  return { kind: "hello", code: "(clearTimeout(),process.env.BOARD)", expected: board };
}

/** Writes only what has come whole, and reads it back. Sent twice it does the same as sent once. */
export function writeStep(subject: string, address: number, bytes: Uint8Array): ConsoleStep {
  const sum = crc32(bytes);
  const check = `E.CRC32(d)!=${sum}?"damaged":(F.write(d,a),E.CRC32(F.read(d.length,a))==${sum}?"written":"differs")`;
  const code = `(function(F,d,a){return ${check}})(require("Flash"),atob("${base64Of(bytes)}"),${address})`;
  return { kind: "write", subject, code, expected: "written", again: "damaged" };
}

/** Erased flash is left as it is: a chunk that is all ones is not sent. */
export function writeSteps(subject: string, address: number, bytes: Uint8Array): ConsoleStep[] {
  const steps: ConsoleStep[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    const chunk = bytes.subarray(at, at + CHUNK_BYTES);
    if (chunk.some((byte) => byte !== 255)) steps.push(writeStep(subject, address + at, chunk));
  }
  return steps;
}

/** Reads through Storage: what is verified lies where the program will look for it. */
export function verifyStep(subject: string, file: string, offset: number, bytes: Uint8Array): ConsoleStep {
  const code = `E.CRC32(require("Storage").read("${file}",${offset},${bytes.length}))`;
  return { kind: "verify", subject, code, expected: String(crc32(bytes)) };
}

/** After its answer has left. */
export function restartStep(): ConsoleStep {
  return { kind: "restart", code: '(setTimeout(E.reboot,500),"restart")', expected: "restart" };
}

/** Storage is erased first, so that its files lie one behind the other from its first page on. */
export function flashSteps(plan: FlashPlan): ConsoleStep[] {
  const steps: ConsoleStep[] = [
    helloStep(plan.board),
    { kind: "erase", code: '(require("Storage").eraseAll(),"erased")', expected: "erased", answerMs: ERASE_MS },
  ];
  // It restarts instead of an answer; without a loader it comes back with its console open.
  if (plan.radioOff !== undefined) {
    steps.push({ kind: "ask", subject: "Bluetooth", code: plan.radioOff, expected: "off", tries: RESTART_TRIES });
  }
  for (const { name, size } of plan.files) {
    const code = `require("Storage").write("${name}","\\xff",0,${size})`;
    steps.push({ kind: "allocate", subject: name, code, expected: "true" });
  }
  for (const { name, address, bytes } of plan.parts) steps.push(...writeSteps(name, address, bytes));
  for (const { name, file, offset, bytes } of plan.parts) steps.push(verifyStep(name, file, offset, bytes));
  steps.push(restartStep());
  return steps;
}
