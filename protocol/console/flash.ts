// The dialogue with a board over its console, as a pure step machine: what to send next, given what came back. The
// command line and, later, a browser drive it over their own serial line.

/** Bytes of a file in one line to the board: base64 makes four of three, and the board's input buffer is 1 KB. */
export const CHUNK_BYTES = 384;
/** A step that is not answered is tried so often. */
export const TRIES_MAX = 3;
export const ANSWER_MS = 4_000;

export interface FlashFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Room to be kept for it; what is not written stays erased. */
  readonly size: number;
}

export interface FlashPlan {
  readonly files: readonly FlashFile[];
  /** CRC-32 of bytes, as the board computes it. */
  crc32(bytes: Uint8Array): number;
}

type Step =
  | { readonly kind: "hello" }
  | { readonly kind: "chunk"; readonly file: FlashFile; readonly at: number }
  | { readonly kind: "verify"; readonly file: FlashFile; readonly crc: number }
  | { readonly kind: "restart" };

export interface FlashState {
  readonly steps: readonly Step[];
  readonly at: number;
  readonly tries: number;
  readonly board: string | undefined;
}

export type FlashOutput =
  /** Send this line, and wait for an answer at most ANSWER_MS. */
  | { readonly kind: "send"; readonly state: FlashState; readonly line: string; readonly progress: FlashProgress }
  | { readonly kind: "done"; readonly state: FlashState }
  | { readonly kind: "failed"; readonly state: FlashState; readonly problem: FlashProblem };

export interface FlashProgress {
  readonly step: Step["kind"];
  readonly file: string | undefined;
  readonly done: number;
  readonly total: number;
}

/** What went wrong, where, and what to do. */
export interface FlashProblem {
  readonly code: "no-answer" | "wrong-board" | "not-written" | "checksum";
  readonly file: string | undefined;
  readonly detail: string;
}

export type FlashInput = { readonly kind: "answer"; readonly text: string } | { readonly kind: "timeout" };

/** Answers are marked, so that whatever else the console says is passed by. */
export const MARK = "@wk ";

function base64Of(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i] as number);
  return btoa(text);
}

export function startFlash(plan: FlashPlan): FlashOutput {
  const steps: Step[] = [{ kind: "hello" }];
  for (const file of plan.files) {
    const last = Math.max(1, file.bytes.length);
    for (let at = 0; at < last; at += CHUNK_BYTES) steps.push({ kind: "chunk", file, at });
    if (file.bytes.length > 0) steps.push({ kind: "verify", file, crc: plan.crc32(file.bytes) });
  }
  steps.push({ kind: "restart" });
  return send({ steps, at: 0, tries: 1, board: undefined });
}

/** No echo (`\x10`); every command prints one marked line. */
function lineOf(step: Step): string {
  switch (step.kind) {
    case "hello":
      return `\x10print("${MARK}"+process.env.BOARD)`;
    case "chunk": {
      const { file, at } = step;
      const bytes = file.bytes.length === 0 ? Uint8Array.of(255) : file.bytes.slice(at, at + CHUNK_BYTES);
      const write = `require("Storage").write("${file.name}",atob("${base64Of(bytes)}"),${at},${file.size})`;
      return `\x10print("${MARK}"+${write})`;
    }
    case "verify":
      return `\x10print("${MARK}"+E.CRC32(require("Storage").read("${step.file.name}")))`;
    case "restart":
      return `\x10print("${MARK}restart");load()`;
  }
}

function send(state: FlashState): FlashOutput {
  const step = state.steps[state.at] as Step;
  const file = "file" in step ? step.file.name : undefined;
  const progress = { step: step.kind, file, done: state.at, total: state.steps.length };
  return { kind: "send", state, line: lineOf(step), progress };
}

function fail(state: FlashState, code: FlashProblem["code"], detail: string): FlashOutput {
  const step = state.steps[state.at] as Step;
  return { kind: "failed", state, problem: { code, file: "file" in step ? step.file.name : undefined, detail } };
}

function again(state: FlashState, code: FlashProblem["code"], detail: string): FlashOutput {
  return state.tries >= TRIES_MAX ? fail(state, code, detail) : send({ ...state, tries: state.tries + 1 });
}

function onwards(state: FlashState, board = state.board): FlashOutput {
  const next = { ...state, at: state.at + 1, tries: 1, board };
  return next.at === next.steps.length ? { kind: "done", state: next } : send(next);
}

/** One answer, or none in time. Pure and total. */
export function stepFlash(state: FlashState, input: FlashInput): FlashOutput {
  const step = state.steps[state.at];
  if (step === undefined) return { kind: "done", state };
  if (input.kind === "timeout") return again(state, "no-answer", "the board does not answer");
  const { text } = input;
  switch (step.kind) {
    case "hello":
      return onwards(state, text);
    case "chunk":
      return text === "true" ? onwards(state) : again(state, "not-written", `the board answered ${text}`);
    case "verify": {
      const found = Number(text);
      // A file with room to spare is read whole: its tail is erased flash, so only exact files are verified.
      return found === step.crc ? onwards(state) : fail(state, "checksum", `read back ${text}, expected ${step.crc}`);
    }
    case "restart":
      return onwards(state);
  }
}
