// What the commands share: words out, a serial line in, and what to say when it goes wrong.
import type { Duplex } from "node:stream";
import { SerialPort } from "serialport";
import type { ConsoleStep, Progress } from "../../protocol/console/dialogue.ts";
import { nearest } from "../../protocol/nearest.ts";
import { BOARD_TABLES, type BoardTable } from "../boards/table.ts";
import { PROFILES } from "../build/profiles.ts";
import { type RealClock, realClock } from "../simulator/real-clock.ts";
import { type Conversation, converse } from "./port.ts";

export interface CliIo {
  out(line: string): void;
  err(line: string): void;
  /** Opens a serial line; tests hand in one of their own. */
  open(port: string, baud: number): Promise<Duplex>;
  ports(): Promise<string[]>;
  /** How long an answer is waited for. */
  readonly clock?: RealClock;
}

export interface PortOptions {
  readonly port: string;
  readonly board: string;
  readonly baud?: number;
}

/** 0 done, 1 failed, 2 wrong usage, 3 a file is not valid, 4 not reachable. */
export type ExitCode = 0 | 1 | 2 | 3 | 4;

/** What the engine sets its console's UART to; over USB any speed will do. */
const BAUD: Readonly<Record<string, number>> = { esp32: 115_200, xiaoble: 115_200, mdbt42q: 9_600, pixljs: 9_600 };

const BUTTONS: Readonly<Record<string, string>> = {
  esp32: "press and release EN (reset), then at once hold BOOT until the lamp lights",
  xiaoble: "hold D1 at 3V3 while you press reset, until the lamp lights",
  mdbt42q: "hold D0 at 3V3 while you connect power, for four seconds at least, until the lamp is steady",
  pixljs: "hold BTN1 while you connect power, until the bar on the display is full and its light is on",
};

export function howToBench(board: string): string {
  return `Hold the button at boot: ${BUTTONS[board] ?? "the board's button"}.`;
}

/** The board's numbers, or undefined and a word about what there is. */
export function findBoard(name: string, io: CliIo): BoardTable | undefined {
  const found = BOARD_TABLES.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = BOARD_TABLES.map((one) => one.name);
  const near = nearest(name, names);
  io.err(
    `There is no board ${name}${near === undefined ? "" : `: did you mean ${near}?`} There is: ${names.join(", ")}`,
  );
  return undefined;
}

export function knownProfiles(): string {
  return PROFILES.map((one) => `--board ${one.board} --profile ${one.profile}`).join("; ");
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function howToOpen(reason: string, found: readonly string[]): string {
  if (/busy|lock|EBUSY|EAGAIN|Resource temporarily/i.test(reason))
    return "Another program has the port: close it (a terminal, an IDE, another waakvlam-device).";
  if (/EACCES|permission/i.test(reason)) return "You may not use the port: join the group that owns it (dialout).";
  return found.length === 0 ? "No serial port was found: is the board plugged in?" : `Ports found: ${found.join(", ")}`;
}

export async function openPort(options: PortOptions, io: CliIo): Promise<Duplex | undefined> {
  try {
    return await io.open(options.port, options.baud ?? BAUD[options.board] ?? 115_200);
  } catch (error) {
    const reason = reasonOf(error);
    io.err(`${options.port} cannot be opened: ${reason}`);
    io.err(howToOpen(reason, await io.ports()));
    return undefined;
  }
}

/** Drives a dialogue and tells how far it is. */
export function talk(line: Duplex, steps: readonly ConsoleStep[], io: CliIo): Promise<Conversation> {
  let shown = "";
  const progress = ({ kind, subject, done, total }: Progress) => {
    const label = `${kind}${subject === undefined ? "" : ` ${subject}`}`;
    if (label !== shown) io.err(`${String(Math.round((done * 100) / total)).padStart(3)} % ${label}`);
    shown = label;
  };
  return converse({ line, clock: io.clock ?? realClock, progress }, steps);
}

/** What went wrong and what to do about it. */
export function tellFailure(what: string, result: Conversation & { kind: "failed" }, board: string, io: CliIo): void {
  const { code, subject, detail } = result.problem;
  io.err(`${what} (${code}${subject === undefined ? "" : ` at ${subject}`}): ${detail}.`);
  io.err(adviceOn(result, board));
}

function adviceOn({ problem, heard }: Conversation & { kind: "failed" }, board: string): string {
  switch (problem.code) {
    case "wrong-board":
      return "This is another board than --board says: look at what is on its label, and at the port.";
    case "layout":
      return "It was not flashed by this version, or not at all: use flash, which erases it.";
    case "no-answer":
      if (heard === "answers") return "It has answered before: check the cable, and begin again with the button held.";
      if (heard === "noise") return `What comes over the line is no text: try --baud ${BAUD[board] ?? 115_200}.`;
      return heard === "nothing"
        ? `The console is silent: a device in use keeps it closed. ${howToBench(board)} Else check cable and port.`
        : `Something else speaks on this line. ${howToBench(board)}`;
    case "damaged":
      return "Use another cable, or a shorter one, and try again.";
    case "checksum":
    case "not-written":
      return "Try again; if it stays, the board's flash may be worn: use another board.";
    case "refused":
      return "Try again; if it stays, put a new Espruino on the board.";
  }
}

export const serialIo: Pick<CliIo, "open" | "ports"> = {
  open: (path, baudRate) =>
    new Promise((resolve, reject) => {
      const port = new SerialPort({ path, baudRate, autoOpen: false });
      port.open((error) => (error === null ? resolve(port) : reject(error)));
    }),
  ports: async () => (await SerialPort.list().catch(() => [])).map((one) => one.path),
};
