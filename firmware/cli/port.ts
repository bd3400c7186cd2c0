// A serial line to a board, and a dialogue driven over it.
import type { Duplex } from "node:stream";
import {
  type ConsoleStep,
  MARK,
  type Problem,
  type Progress,
  startDialogue,
  stepDialogue,
} from "../../protocol/console/dialogue.ts";
import type { RealClock } from "../simulator/real-clock.ts";

/** More than any answer: a line longer than this is noise. */
const LINE_CHARS_MAX = 4_096;
const CTRL_C = "\x03";
/** So many bytes of which so many are no text: the two ends have different speeds. */
const NOISE_BYTES_MIN = 8;
const NOISE_SHARE = 0.3;

export interface PortDeps {
  readonly line: Duplex;
  readonly clock: RealClock;
  progress(progress: Progress): void;
}

/** What came over the line: answers, or nothing, other text, or what text looks like at the wrong speed. */
export type Heard = "answers" | "nothing" | "text" | "noise";

export type Conversation =
  | { readonly kind: "done"; readonly answers: readonly string[] }
  | { readonly kind: "failed"; readonly problem: Problem; readonly heard: Heard };

function heardIn(total: number, odd: number): Heard {
  if (total === 0) return "nothing";
  return total >= NOISE_BYTES_MIN && odd >= total * NOISE_SHARE ? "noise" : "text";
}

function isOdd(byte: number): boolean {
  return byte > 126 || (byte < 32 && byte !== 10 && byte !== 13 && byte !== 8 && byte !== 27);
}

/** Runs the whole dialogue; never throws for what a board says. */
export function converse(deps: PortDeps, steps: readonly ConsoleStep[]): Promise<Conversation> {
  const { line, clock } = deps;
  return new Promise((resolve) => {
    let held = "";
    let total = 0;
    let odd = 0;
    let forget = () => {};
    let output = startDialogue(steps);

    function turn(): void {
      forget();
      if (output.kind === "done") {
        finish({ kind: "done", answers: output.state.answers });
        return;
      }
      if (output.kind === "failed") {
        const heard = output.state.answers.length > 0 ? "answers" : heardIn(total, odd);
        finish({ kind: "failed", problem: output.problem, heard });
        return;
      }
      deps.progress(output.progress);
      const { state } = output;
      forget = clock.after(output.answerMs, () => {
        output = stepDialogue(state, { kind: "timeout" });
        turn();
      });
      line.write(`${output.line}\n`);
    }

    function onData(data: Buffer): void {
      total += data.length;
      for (const byte of data) if (isOdd(byte)) odd++;
      held += data.toString("latin1");
      for (let end = held.indexOf("\n"); end >= 0; end = held.indexOf("\n")) {
        const text = held.slice(0, end);
        held = held.slice(end + 1);
        const at = text.indexOf(MARK);
        if (at < 0 || output.kind !== "send") continue;
        output = stepDialogue(output.state, { kind: "answer", text: text.slice(at + MARK.length).trim() });
        turn();
      }
      if (held.length > LINE_CHARS_MAX) held = "";
    }

    function finish(result: Conversation): void {
      forget();
      // Paused, or what comes before the next dialogue's listener is there would hold up all that follows.
      line.off("data", onData).pause();
      resolve(result);
    }

    line.on("data", onData).resume();
    // Stops whatever runs, and clears a line that somebody began.
    line.write(CTRL_C);
    turn();
  });
}
