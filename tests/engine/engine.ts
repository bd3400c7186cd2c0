// A real Espruino as a board: a process in a folder of its own, with the board's flash, that is stepped from outside.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BoardTable } from "../../firmware/boards/table.ts";
import { partsOf } from "../../firmware/simulator/board-parts.ts";
import type { DrivenBoard, Output } from "../../firmware/simulator/driven-board.ts";
import { realClock } from "../../firmware/simulator/real-clock.ts";
import { flashFile, storageOf } from "./flash-file.ts";
import { describeEngine, type EngineKind } from "./kind.ts";

export interface EngineBoard extends DrivenBoard {
  readonly kind: EngineKind;
  /** Evaluates at the root and gives what it printed. */
  evaluate(code: string): Promise<readonly string[]>;
  /** Variables in use now and at most since the last call, the prelude's own left out. */
  memory(): Promise<{ used: number; peak: number }>;
  samplePeaks(on: boolean): void;
  /** Loses power within this flash operation from now, after so many words of it. */
  cutAt(operation: number, words: number): void;
  /** Called with the virtual time after every turn, with the engine at rest between two marks of a profiler. */
  mark(on: boolean): void;
  /** Calls of consoles and radio that were taken note of since boot; between marks also each turn: when, and its code. */
  readonly noted: readonly string[];
  readonly folder: string;
  dispose(): void;
}

export interface EngineOptions {
  readonly table: BoardTable;
  readonly binary: string;
  /** Storage as the board has it, from its first page on. */
  readonly storage: Uint8Array;
  readonly seed?: number;
  /** Puts the process under this command, for a profiler. */
  readonly under?: readonly string[];
  readonly ballast?: number;
  readonly answerMs?: number;
}

/** Lines that tell that something went wrong that the program itself did not catch. */
const TROUBLE = /Uncaught|ERROR|Execution Interrupted|OUT OF MEMORY|Out of Memory|LOW_MEMORY|interpreter error|Ctrl-C/;
const ANSWER_MS = 60_000;
const BOOT_TIME_S = 946_684_800;

export class EngineTrouble extends Error {}
/** The power cut that was asked for has come. */
export class EngineCut extends Error {}

function latin1(base64: string): string {
  return Buffer.from(base64, "base64").toString("latin1");
}

function outputOf(line: string): Output | undefined {
  const [head = "", second = "", third = ""] = line.slice(2).split(" ");
  switch (line[1]) {
    case "O":
      return { kind: "open", port: head, baud: Number(second) };
    case "C":
      return { kind: "close", port: head };
    case "W":
      return { kind: "write", port: head, data: latin1(second) };
    case "n":
      return { kind: "connect", socket: Number(head), host: second, port: Number(third) };
    case "w":
      return { kind: "socket", socket: Number(head), data: latin1(second) };
    case "e":
      return { kind: "end", socket: Number(head) };
    case "P":
      return { kind: "pin", pin: head, isHigh: second === "1", ...(third === "" ? {} : { pulseMs: Number(third) }) };
    case "B":
      return { kind: "reboot", why: line.slice(2) };
    default:
      return undefined;
  }
}

interface Process {
  readonly child: ChildProcess;
  readonly pipe: number;
  /** Resolves with the next line that `wanted` holds for. */
  next(wanted: (line: string) => boolean): Promise<string>;
}

export async function createEngineBoard(options: EngineOptions): Promise<EngineBoard> {
  const { table, binary } = options;
  const parts = partsOf(table.name);
  const kind = await describeEngine(binary, table);
  const folder = mkdtempSync(join(tmpdir(), "waakvlam-engine-"));
  writeFileSync(join(folder, "espruino.flash"), await flashFile(kind, table, options.storage));
  execFileSync("mkfifo", [join(folder, "in")]);
  const printed: string[] = [];
  const noted: string[] = [];
  const levels = new Map<string, number>();
  let reachable = false;
  let outputs: Output[] = [];
  let running: Process | undefined;
  let gone = Promise.resolve();
  let ownVariables = 0;
  let baseVariables = 0;
  let pending = "";
  let trouble: string | undefined;

  function heard(line: string): void {
    if (!line.startsWith("~")) {
      printed.push(line);
      if (TROUBLE.test(line)) trouble ??= line;
      return;
    }
    if (line[1] === "K" || line[1] === "M") noted.push(line.slice(2));
    const output = outputOf(line);
    if (output !== undefined) outputs.push(output);
  }

  function start(): Process {
    const pipe = openSync(join(folder, "in"), "r+");
    const words = [...(options.under ?? []), binary];
    const child = spawn(words[0] as string, words.slice(1), { cwd: folder, stdio: ["pipe", "pipe", "pipe"] });
    let held = "";
    let waiting: { wanted: (line: string) => boolean; done: (line: string) => void } | undefined;
    let failed: ((error: Error) => void) | undefined;
    const early: string[] = [];
    child.stdout?.setEncoding("latin1");
    child.stdout?.on("data", (data: string) => {
      held += data;
      const lines = held.split("\n");
      held = lines.pop() ?? "";
      for (const raw of lines) {
        // A prompt and its escape codes may stand before what was printed.
        const line = raw.replaceAll("\r", "").replaceAll("\u001b[J", "").replace(/^>+/, "");
        if (waiting?.wanted(line) === true) {
          const { done } = waiting;
          waiting = undefined;
          done(line);
        } else if (waiting === undefined && /^~[TUX]/.test(line)) early.push(line);
        else heard(line);
        if (line === "~X") failed?.(new EngineCut("power cut"));
      }
    });
    child.on("close", () => failed?.(new EngineTrouble(`the engine ended: ${printed.slice(-5).join(" | ")}`)));
    return {
      child,
      pipe,
      next: (wanted) =>
        new Promise<string>((resolve, reject) => {
          const at = early.findIndex(wanted);
          if (at >= 0) {
            resolve(early.splice(at, 1)[0] as string);
            return;
          }
          const last = () => reject(new EngineTrouble(`no answer: ${printed.slice(-8).join(" | ")} | ${held}`));
          const forget = realClock.after(options.answerMs ?? ANSWER_MS, last);
          failed = (error) => {
            forget();
            reject(error);
          };
          waiting = {
            wanted,
            done: (line) => {
              forget();
              resolve(line);
            },
          };
        }),
    };
  }

  function send(code: string): void {
    if (running === undefined) throw new EngineTrouble("the board is off");
    const data = Buffer.from(code, "latin1");
    if (data.length > 9999) throw new Error("a command of more than 9999 bytes");
    writeSync(running.pipe, Buffer.concat([Buffer.from(String(data.length).padStart(4)), data]));
  }

  function setup(): string {
    return JSON.stringify({
      modules: table.modules,
      serials: parts.serials,
      stubs: parts.noted,
      pins: kind.missingPins,
      seed: options.seed ?? 1,
      levels: Object.fromEntries(levels),
      reachable,
      bootS: BOOT_TIME_S,
      shift: kind.storageAddress - table.storageAddress,
      pageParts: table.pageBytes / kind.pageBytes,
      pageBytes: table.pageBytes,
      ballast: options.ballast ?? 0,
    });
  }

  function powerOff(): void {
    if (running === undefined) return;
    const { child, pipe } = running;
    child.removeAllListeners("close");
    if (child.exitCode === null && child.signalCode === null)
      gone = new Promise((resolve) => child.once("exit", () => resolve()));
    child.kill("SIGKILL");
    closeSync(pipe);
    running = undefined;
    pending = "";
    outputs = [];
  }

  function check(): void {
    if (trouble === undefined) return;
    const said = trouble;
    trouble = undefined;
    throw new EngineTrouble(`${said} (${printed.slice(-10).join(" | ")})`);
  }

  function flush(): void {
    if (pending !== "") send(pending);
    pending = "";
  }

  function queue(code: string): void {
    // Commands lie in one message as long as they fit.
    if (pending.length + code.length > 4000) flush();
    pending += code;
  }

  const quoted = (data: string) => `atob("${Buffer.from(data, "latin1").toString("base64")}")`;

  return {
    kind,
    printed,
    noted,
    folder,
    async boot() {
      powerOff();
      // While the old process has the pipe open, what it did not read waits there for the new one.
      await gone;
      noted.splice(0);
      running = start();
      send(setup());
      ownVariables = Number.parseInt((await running.next((line) => line.startsWith("~U"))).slice(2), 10);
      baseVariables = kind.variablesAtBoot;
      // The first turn reads a command: by then the loader has run.
      send('print("~T0")');
      await running.next((line) => line === "~T0");
      check();
    },
    async run(untilMs) {
      queue(`__do(0,${untilMs});`);
      flush();
      const line = await (running as Process).next((one) => one.startsWith("~T"));
      check();
      // What a program does behind its own end is not heard any more.
      const end = outputs.findIndex((one) => one.kind === "reboot");
      const done = { nowMs: Number(line.slice(2)), outputs: end < 0 ? outputs : outputs.slice(0, end + 1) };
      outputs = [];
      return done;
    },
    async evaluate(code) {
      flush();
      const from = printed.length;
      send(code);
      send('print("~T0")');
      await (running as Process).next((line) => line === "~T0");
      check();
      return printed.slice(from);
    },
    async memory() {
      queue("__do(5);");
      flush();
      const [used = 0, peak = 0] = (await (running as Process).next((line) => line.startsWith("~U")))
        .slice(2)
        .split(" ")
        .map(Number);
      const own = ownVariables - baseVariables;
      return { used: used - own, peak: Math.max(used, peak) - own };
    },
    pin: (pin, value) => {
      levels.set(pin, value);
      if (running !== undefined) queue(`__do(1,"${pin}",${value});`);
    },
    serial: (port, data) => queue(`__do(2,"${port}",${quoted(data)});`),
    socket: (socket, event, data) =>
      queue(`__do(3,${socket},"${event}"${data === undefined ? "" : `,${quoted(data)}`});`),
    wifi: (isReachable) => {
      reachable = isReachable;
      if (running !== undefined) queue(`__do(4,${isReachable});`);
    },
    samplePeaks: (on) => queue(`__do(6,${on});`),
    mark: (on) => queue(`__do(7,${on});`),
    cutAt: (operation, words) => queue(`__do(8,${operation},${words});`),
    powerOff,
    flash: () => storageOf(kind, table, readFileSync(join(folder, "espruino.flash"))),
    dispose: () => {
      powerOff();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
