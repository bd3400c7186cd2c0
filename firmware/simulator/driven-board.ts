// A board that is driven step by step from outside, and its outside in lock step with it. The virtual board can be driven
// so, and the real engine too (`tests/engine`): the same outside then does the same to both.

import type { BoardTable } from "../boards/table.ts";
import { createFlash, loadCells, type VirtualFlash } from "./flash.ts";
import type { Random } from "./random.ts";
import { createSchedule, type Schedule } from "./schedule.ts";
import { createVirtualBoard, type VirtualBoard } from "./virtual-board.ts";
import type { Network, Wiring } from "./virtual-life.ts";

/** What a program does that the outside hears of. */
export type Output =
  | { readonly kind: "open"; readonly port: string; readonly baud: number }
  | { readonly kind: "close"; readonly port: string }
  | { readonly kind: "write"; readonly port: string; readonly data: string }
  | { readonly kind: "connect"; readonly socket: number; readonly host: string; readonly port: number }
  | { readonly kind: "socket"; readonly socket: number; readonly data: string }
  | { readonly kind: "end"; readonly socket: number }
  | { readonly kind: "pin"; readonly pin: string; readonly isHigh: boolean; readonly pulseMs?: number }
  | { readonly kind: "reboot"; readonly why: string };

export interface Stepped {
  /** Since boot. */
  readonly nowMs: number;
  readonly outputs: readonly Output[];
}

/** What happens to a board from outside; its listeners hear of it before anything else is run. */
export interface Inputs {
  /** Level of a pin: a share of the reference, or 0 and 1. */
  pin(pin: string, value: number): void;
  serial(port: string, data: string): void;
  socket(socket: number, event: "opened" | "data" | "close", data?: string): void;
  wifi(isReachable: boolean): void;
}

export interface DrivenBoard extends Inputs {
  /** Power on. */
  boot(): Promise<void>;
  /** Runs until `untilMs` since boot, or through the first turn that is heard outside. */
  run(untilMs: number): Promise<Stepped>;
  powerOff(): void;
  /** The board's Storage, as it lies in flash. */
  flash(): Uint8Array;
  /** What the program printed. */
  readonly printed: readonly string[];
}

/** Park and Miller: exact in whole numbers, so that the engine draws the same. */
export function createPlainRandom(seed: number): Random {
  let state = seed;
  const next = () => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  };
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    normal: (mean, sigma) => mean + sigma * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    wait: (rate) => (rate > 0 ? -Math.log(1 - next()) / rate : Number.POSITIVE_INFINITY),
  };
}

export interface DrivenOptions {
  readonly table: BoardTable;
  readonly storage: Uint8Array;
  readonly untokenise: (tokens: string) => string;
  readonly seed: number;
}

interface Outside {
  readonly wiring: Wiring;
  readonly network: Network;
  readonly inputs: Inputs;
}

/** Wires and network of one boot, as tables that the inputs write to. */
function outsideOf(say: (output: Output) => void, levels: Map<string, number>, reach: { wifi: boolean }): Outside {
  const watches = new Map<string, ((isHigh: boolean) => void)[]>();
  const lines = new Map<string, (data: string) => void>();
  const sockets = new Map<number, { opened(): void; data(text: string): void; closed(): void }>();
  return {
    wiring: {
      analog: (pin) => levels.get(pin) ?? 0,
      digital: (pin) => (levels.get(pin) ?? 0) > 0.5,
      watch: (pin, edge) => void watches.set(pin, [...(watches.get(pin) ?? []), edge]),
      openSerial: (port, baud, data) => {
        lines.set(port, data);
        say({ kind: "open", port, baud });
        return () => {
          lines.delete(port);
          say({ kind: "close", port });
        };
      },
      writeSerial: (port, data) => say({ kind: "write", port, data }),
      output: (pin, isHigh, pulseMs) =>
        say({ kind: "pin", pin, isHigh, ...(pulseMs === undefined ? {} : { pulseMs }) }),
    },
    network: {
      isReachable: () => reach.wifi,
      connect: (host, port, events) => {
        const socket = sockets.size + 1;
        sockets.set(socket, events);
        say({ kind: "connect", socket, host, port });
        return {
          write: (data) => say({ kind: "socket", socket, data }),
          end: () => say({ kind: "end", socket }),
        };
      },
    },
    inputs: {
      pin: (pin, value) => {
        const was = levels.get(pin) ?? 0;
        levels.set(pin, value);
        if (was > 0.5 !== value > 0.5) for (const edge of watches.get(pin) ?? []) edge(value > 0.5);
      },
      serial: (port, data) => lines.get(port)?.(data),
      socket: (socket, event, data) => {
        const events = sockets.get(socket);
        if (event === "opened") events?.opened();
        else if (event === "data") events?.data(data ?? "");
        else events?.closed();
      },
      wifi: (isReachable) => {
        reach.wifi = isReachable;
      },
    },
  };
}

/** A virtual board that is driven. Every boot begins at a time of zero, as on the engine. */
export function driveVirtualBoard(options: DrivenOptions): DrivenBoard {
  const flash: VirtualFlash = createFlash(options.table);
  loadCells(flash, options.table, options.storage);
  const printed: string[] = [];
  const levels = new Map<string, number>();
  const reach = { wifi: false };
  let outputs: Output[] = [];
  let schedule: Schedule = createSchedule();
  let board: VirtualBoard | undefined;
  let outside = outsideOf(() => undefined, levels, reach);

  function powerOff(): void {
    board?.powerOff();
    board = undefined;
    outputs = [];
  }

  return {
    printed,
    boot: async () => {
      powerOff();
      schedule = createSchedule();
      let isOver = false;
      const say = (output: Output) => {
        if (!isOver) outputs.push(output);
      };
      outside = outsideOf(say, levels, reach);
      const mine: VirtualBoard = createVirtualBoard({
        ...options,
        flash,
        schedule,
        random: createPlainRandom(options.seed),
        wiring: outside.wiring,
        network: outside.network,
        print: (line) => void printed.push(line),
        rebooting: (why) => {
          say({ kind: "reboot", why });
          isOver = true;
          mine.powerOff();
        },
      });
      board = mine;
      mine.boot();
    },
    run: async (untilMs) => {
      while (outputs.length === 0 && schedule.step(untilMs));
      if (outputs.length === 0) schedule.moveTo(untilMs);
      const done = { nowMs: schedule.nowMs(), outputs };
      outputs = [];
      return done;
    },
    powerOff,
    flash: () => flash.read(options.table.storagePages * options.table.pageBytes, options.table.storageAddress),
    pin: (pin, value) => outside.inputs.pin(pin, value),
    serial: (port, data) => outside.inputs.serial(port, data),
    socket: (socket, event, data) => outside.inputs.socket(socket, event, data),
    wifi: (isReachable) => outside.inputs.wifi(isReachable),
  };
}
