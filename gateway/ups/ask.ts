// Asks `upsd` once, over one connection: bounded in time and in bytes, and every failure is a value.
import { connect } from "node:net";
import type { Clock } from "../clock.ts";
import { createNutReader, LINE_CHARS_MAX, type NutStep } from "./nut.ts";

const ANSWER_BYTES_MAX = 128 * 1_024;

export interface UpsAddress {
  readonly host: string;
  readonly port: number;
  /** As `upsd` names it. */
  readonly name: string;
  readonly timeoutMs: number;
}

export type NutAnswer = Exclude<NutStep, { kind: "more" }>;

/** Resolves with the variables of the UPS, or with why there are none; never rejects. */
export function askUps({ host, port, name, timeoutMs }: UpsAddress, clock: Pick<Clock, "after">): Promise<NutAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const reader = createNutReader(name);
    let rest = "";
    let bytes = 0;
    const timer = clock.after(timeoutMs, () => end(failed(`no answer within ${timeoutMs} ms`)));
    const end = (answer: NutAnswer) => {
      timer.stop();
      if (answer.kind === "done" && socket.writable) socket.end("LOGOUT\n");
      // What is still under way no longer matters, and a peer that keeps the line open is not waited for.
      socket.removeAllListeners("data");
      socket.destroySoon();
      resolve(answer);
    };
    socket.setEncoding("utf8");
    socket.on("connect", () => socket.write(`LIST VAR ${name}\n`));
    socket.on("error", (error: NodeJS.ErrnoException) => end(failed(error.code ?? error.message)));
    socket.on("close", () => end(failed("upsd closed the connection")));
    socket.on("data", (text: string) => {
      bytes += Buffer.byteLength(text);
      if (bytes > ANSWER_BYTES_MAX) return end(failed("the answer is too long"));
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > LINE_CHARS_MAX) return end(failed("a line is too long"));
      for (const line of lines) {
        const step = reader.take(line.replace(/\r$/, ""));
        if (step.kind !== "more") return end(step);
      }
    });
  });
}

function failed(reason: string): NutAnswer {
  return { kind: "failed", reason };
}
