// A serial line to a board, and the flash dialogue driven over it.
import type { Duplex } from "node:stream";
import {
  ANSWER_MS,
  type FlashPlan,
  type FlashProblem,
  type FlashProgress,
  MARK,
  startFlash,
  stepFlash,
} from "../../protocol/console/flash.ts";
import type { RealClock } from "../simulator/real-clock.ts";

/** More than any answer: a line longer than this is noise. */
const LINE_CHARS_MAX = 4_096;
const CTRL_C = "\x03";

export interface FlashDeps {
  readonly line: Duplex;
  readonly clock: RealClock;
  progress(progress: FlashProgress): void;
}

export type FlashResult =
  | { readonly kind: "done"; readonly board: string }
  | { readonly kind: "failed"; readonly problem: FlashProblem };

/** Runs the whole dialogue; never throws for what a board says. */
export function flashOver(deps: FlashDeps, plan: FlashPlan): Promise<FlashResult> {
  const { line, clock } = deps;
  return new Promise((resolve) => {
    let held = "";
    let forget = () => {};
    let output = startFlash(plan);

    function turn(): void {
      forget();
      if (output.kind === "done") {
        finish({ kind: "done", board: output.state.board ?? "" });
        return;
      }
      if (output.kind === "failed") {
        finish({ kind: "failed", problem: output.problem });
        return;
      }
      deps.progress(output.progress);
      const { state } = output;
      forget = clock.after(ANSWER_MS, () => {
        output = stepFlash(state, { kind: "timeout" });
        turn();
      });
      line.write(`${output.line}\n`);
    }

    function onData(data: Buffer): void {
      held += data.toString("latin1");
      for (let end = held.indexOf("\n"); end >= 0; end = held.indexOf("\n")) {
        const text = held.slice(0, end);
        held = held.slice(end + 1);
        const at = text.indexOf(MARK);
        if (at < 0 || output.kind !== "send") continue;
        output = stepFlash(output.state, { kind: "answer", text: text.slice(at + MARK.length).trim() });
        turn();
      }
      if (held.length > LINE_CHARS_MAX) held = "";
    }

    function finish(result: FlashResult): void {
      forget();
      line.off("data", onData);
      resolve(result);
    }

    line.on("data", onData);
    // Stops whatever runs, and clears a line that somebody began.
    line.write(CTRL_C);
    turn();
  });
}
