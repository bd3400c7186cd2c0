// The dialogue with a board over its console, as a pure step machine: what to send next, given what came back. The command line
// and, later, a browser drive it over their own serial line.

/** A step that is not answered is tried so often. */
export const TRIES_MAX = 3;
export const ANSWER_MS = 4_000;
/** Of an answer that is not the right one so much is told. */
const TOLD_CHARS_MAX = 120;
/** Erasing a flash takes its time. */
export const ERASE_MS = 60_000;

export interface ConsoleStep {
  readonly kind: "hello" | "layout" | "erase" | "allocate" | "write" | "verify" | "ask" | "restart";
  /** What it is about, for people: a file, a slot. */
  readonly subject?: string;
  /** An expression; the board prints its value. */
  readonly code: string;
  /** What it must give; without it any answer will do. */
  readonly expected?: string;
  /** Answers after which the same line may be sent again: it was damaged on its way and did nothing. */
  readonly again?: string;
  readonly answerMs?: number;
  readonly tries?: number;
}

export interface DialogueState {
  readonly steps: readonly ConsoleStep[];
  readonly at: number;
  readonly tries: number;
  readonly answers: readonly string[];
}

export interface Progress {
  readonly kind: ConsoleStep["kind"];
  readonly subject: string | undefined;
  readonly done: number;
  readonly total: number;
}

/** What went wrong, where, and what the board said. */
export interface Problem {
  readonly code: "no-answer" | "damaged" | "wrong-board" | "layout" | "not-written" | "checksum" | "refused";
  readonly subject: string | undefined;
  readonly detail: string;
}

export type DialogueOutput =
  /** Send this line, and wait so long for an answer. */
  | {
      readonly kind: "send";
      readonly state: DialogueState;
      readonly line: string;
      readonly answerMs: number;
      readonly progress: Progress;
    }
  | { readonly kind: "done"; readonly state: DialogueState }
  | { readonly kind: "failed"; readonly state: DialogueState; readonly problem: Problem };

export type DialogueInput = { readonly kind: "answer"; readonly text: string } | { readonly kind: "timeout" };

/** Answers are marked, so that whatever else the console says is passed by. */
export const MARK = "@wk ";

const PROBLEMS: Readonly<Record<ConsoleStep["kind"], Problem["code"]>> = {
  hello: "wrong-board",
  layout: "layout",
  erase: "not-written",
  allocate: "not-written",
  write: "not-written",
  verify: "checksum",
  ask: "refused",
  restart: "refused",
};

export function startDialogue(steps: readonly ConsoleStep[]): DialogueOutput {
  return send({ steps, at: 0, tries: 1, answers: [] });
}

function send(state: DialogueState): DialogueOutput {
  const step = state.steps[state.at];
  if (step === undefined) return { kind: "done", state };
  return {
    kind: "send",
    state,
    // No echo (`\x10`); every line prints one marked answer.
    line: `\x10print("${MARK}"+(${step.code}))`,
    answerMs: step.answerMs ?? ANSWER_MS,
    progress: { kind: step.kind, subject: step.subject, done: state.at, total: state.steps.length },
  };
}

function fail(state: DialogueState, code: Problem["code"], detail: string): DialogueOutput {
  return { kind: "failed", state, problem: { code, subject: state.steps[state.at]?.subject, detail } };
}

/** One answer, or none in time. Pure and total. */
export function stepDialogue(state: DialogueState, input: DialogueInput): DialogueOutput {
  const step = state.steps[state.at];
  if (step === undefined) return { kind: "done", state };
  const isLastTry = state.tries >= (step.tries ?? TRIES_MAX);
  if (input.kind === "timeout") {
    return isLastTry
      ? fail(state, "no-answer", "the board does not answer")
      : send({ ...state, tries: state.tries + 1 });
  }
  const { text } = input;
  if (text === step.again && text !== step.expected) {
    return isLastTry
      ? fail(state, "damaged", "the line changes what is sent")
      : send({ ...state, tries: state.tries + 1 });
  }
  if (step.expected !== undefined && text !== step.expected) {
    return fail(
      state,
      PROBLEMS[step.kind],
      `the board answered ${text.slice(0, TOLD_CHARS_MAX)}, not ${step.expected}`,
    );
  }
  return send({ ...state, at: state.at + 1, tries: 1, answers: [...state.answers, text] });
}
