// A virtual board: runs the bundle, from its flash, with the globals and modules that the real board has and no others.
// What is outside the board (wires, network) is handed in as signals. Where it differs from the real engine it is wrong:
// `tests/engine` runs the same scenarios on both.
import vm from "node:vm";
import { FILES } from "../boards/table.ts";
import { partsOf } from "./board-parts.ts";
import { PowerCut } from "./flash.ts";
import { evaluate, installEngine } from "./virtual-engine.ts";
import { BOOT_TIME_S, type Globals, type Life, type VirtualBoardOptions } from "./virtual-life.ts";
import { installModules } from "./virtual-modules.ts";
import { installPins } from "./virtual-pins.ts";

export type { Network, Socket, VirtualBoardOptions, Wiring } from "./virtual-life.ts";

export interface VirtualBoard {
  /** Power on: runs the loader. */
  boot(): void;
  /** Power off: everything but the flash is gone. */
  powerOff(): void;
  isOn(): boolean;
  boots(): number;
  /** Runs a line as the console would. */
  evaluate(line: string): unknown;
  /** Calls of consoles and radio since boot: `E.setConsole [null]`. */
  noted(): readonly string[];
  /** Raises error flags of the engine: `LOW_MEMORY`, `CALLBACK`. */
  raise(flags: readonly string[]): void;
}

export function createVirtualBoard(options: VirtualBoardOptions): VirtualBoard {
  const { schedule } = options;
  let running: Life | undefined;
  let boots = 0;

  function guarded(mine: Life, work: () => void): void {
    if (running !== mine) return;
    try {
      work();
    } catch (error) {
      if (error instanceof PowerCut) powerOff();
      else options.print?.(`Uncaught ${error instanceof Error ? `${error.message}\n${error.stack}` : String(error)}`);
    }
  }

  /** What was planned for this boot finds another one, or none: it does nothing. What is outside goes on. */
  function powerOff(): void {
    const ended = running;
    running = undefined;
    for (const close of [...(ended?.closing ?? [])]) close();
  }

  function reboot(mine: Life, why: string): void {
    if (running !== mine) return;
    if (options.rebooting !== undefined) {
      options.rebooting(why);
      return;
    }
    schedule.after(0, () => {
      if (running === mine) boot();
    });
  }

  function begin(): Life {
    const bootedMs = schedule.nowMs();
    const mine: Life = {
      options,
      parts: partsOf(options.table.name),
      globals: vm.createContext(vm.constants.DONT_CONTEXTIFY) as unknown as Globals,
      closing: new Set(),
      noted: [],
      guarded: (work) => guarded(mine, work),
      isOver: () => running !== mine,
      timeS: () => BOOT_TIME_S + (schedule.nowMs() - bootedMs) / 1000,
      reboot: (why) => reboot(mine, why),
    };
    installEngine(mine);
    installPins(mine);
    installModules(mine);
    return mine;
  }

  function boot(): void {
    powerOff();
    boots++;
    const mine = begin();
    running = mine;
    // The engine looks at Storage first, and starts all over when it finds it damaged.
    if (!options.flash.storage.isValid()) guarded(mine, () => options.flash.storage.eraseAll());
    const loader = options.flash.file(FILES.loader);
    if (loader !== undefined) guarded(mine, () => void evaluate(mine, loader));
  }

  return {
    boot,
    powerOff,
    isOn: () => running !== undefined,
    boots: () => boots,
    evaluate: (line) => (running === undefined ? undefined : vm.runInContext(line, running.globals as vm.Context)),
    noted: () => running?.noted ?? [],
    raise: (flags) =>
      (running?.globals["E"] as { raise?: (flags: readonly string[]) => void } | undefined)?.raise?.(flags),
  };
}
