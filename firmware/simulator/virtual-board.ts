// A virtual board: runs the bundle, from its flash, with the globals and modules that the real board has and no others.
// What is outside the board (wires, network) is handed in as signals.
import { createHash } from "node:crypto";
import vm from "node:vm";
import { crc32 } from "../../protocol/wire.ts";
import { type BoardTable, FILES } from "../boards/table.ts";
import { PowerCut, type VirtualFlash } from "./flash.ts";
import type { Random } from "./random.ts";
import type { Schedule } from "./schedule.ts";

/** What the board's pins and lines are connected to. */
export interface Wiring {
  analog(pin: string): number;
  digital(pin: string): boolean;
  /** Tells of edges of a pin until the board starts again. */
  watch(pin: string, edge: (isHigh: boolean) => void): void;
  /** Data that arrives on a serial line while it is open. */
  openSerial(port: string, baud: number, data: (text: string) => void): () => void;
  /** Data that the board writes to a line that it has open. */
  writeSerial?(port: string, text: string): void;
}

export interface Socket {
  write(data: string): void;
  end(): void;
}

export interface Network {
  /** False while there is no WiFi. */
  isReachable(): boolean;
  connect(host: string, port: number, events: { opened(): void; data(text: string): void; closed(): void }): Socket;
}

export interface VirtualBoardOptions {
  readonly table: BoardTable;
  readonly flash: VirtualFlash;
  readonly schedule: Schedule;
  readonly wiring: Wiring;
  readonly network: Network;
  readonly random: Random;
  /** Turns what lies in flash into text that this machine can run. */
  readonly untokenise: (tokens: string) => string;
  /** Lines that the board prints. */
  readonly print?: (line: string) => void;
}

export interface VirtualBoard {
  /** Power on: runs the loader. */
  boot(): void;
  /** Power off: everything but the flash is gone. */
  powerOff(): void;
  isOn(): boolean;
  boots(): number;
  /** Runs a line as the console would. */
  evaluate(line: string): unknown;
}

/** Missing from the engine; a program that uses one must fail here too. */
const MISSING = [
  "Map",
  "Set",
  "WeakMap",
  "WeakSet",
  "WeakRef",
  "Reflect",
  "Proxy",
  "BigInt",
  "console",
  "Atomics",
  "SharedArrayBuffer",
  "WebAssembly",
  "Intl",
  "FinalizationRegistry",
  "escape",
  "unescape",
];
/** Seconds at which a board without a clock of its own begins to count. */
const BOOT_TIME_S = 946_684_800;
const scripts = new Map<string, vm.Script>();

function compiled(text: string): vm.Script {
  let script = scripts.get(text);
  if (script === undefined) {
    script = new vm.Script(text, { filename: "board" });
    scripts.set(text, script);
  }
  return script;
}

type Globals = Record<string, unknown>;

interface Running {
  readonly globals: Globals;
  readonly closeSerials: Set<() => void>;
  readonly sockets: Set<Socket>;
  /** A module is made once a boot: what listens on it goes on listening. */
  readonly modules: Map<string, unknown>;
}

export function createVirtualBoard(options: VirtualBoardOptions): VirtualBoard {
  const { schedule } = options;
  let running: Running | undefined;
  let boots = 0;
  let bootedMs = 0;
  let kickedMs = 0;

  /** Runs what belongs to this boot only; an exception is printed, and the rest of the board goes on. */
  function guarded(mine: Running, work: () => void): void {
    if (running !== mine) return;
    try {
      work();
    } catch (error) {
      if (error instanceof PowerCut) powerOff();
      else options.print?.(`Uncaught ${error instanceof Error ? `${error.message}\n${error.stack}` : String(error)}`);
    }
  }

  function powerOff(): void {
    if (running === undefined) return;
    for (const close of running.closeSerials) close();
    for (const socket of running.sockets) socket.end();
    // What was planned for this boot finds another one, or none: it does nothing. What is outside goes on.
    running = undefined;
  }

  function bootLater(mine: Running): void {
    schedule.after(0, () => {
      if (running === mine) boot();
    });
  }

  function boot(): void {
    powerOff();
    boots++;
    bootedMs = schedule.nowMs();
    const globals = vm.createContext(vm.constants.DONT_CONTEXTIFY) as unknown as Globals;
    const mine: Running = { globals, closeSerials: new Set(), sockets: new Set(), modules: new Map() };
    running = mine;
    for (const name of MISSING) delete globals[name];
    Object.assign(globals, timers(mine), inputs(mine), engine(mine), {
      require: (name: string) => moduleOf(mine, name),
    });
    for (let i = 0; i < 40; i++) globals[`D${i}`] = `D${i}`;
    (globals["Math"] as { random: () => number }).random = () => options.random.next();
    const loader = options.flash.file(FILES.loader);
    if (loader !== undefined) guarded(mine, () => compiled(loader).runInContext(globals as vm.Context));
  }

  function timers(mine: Running): Globals {
    const forget = new Map<number, () => void>();
    let number = 0;
    return {
      getTime: () => BOOT_TIME_S + (schedule.nowMs() - bootedMs) / 1000,
      setTime: () => undefined,
      setTimeout: (run: () => void, delayMs: number) => {
        const id = ++number;
        forget.set(
          id,
          schedule.after(delayMs, () => {
            forget.delete(id);
            guarded(mine, run);
          }),
        );
        return id;
      },
      clearTimeout: (id: number) => {
        forget.get(id)?.();
        forget.delete(id);
      },
      print: (text: unknown) => options.print?.(String(text)),
    };
  }

  function inputs(mine: Running): Globals {
    const listeners = new Map<string, (data: string) => void>();
    const open = new Map<string, () => void>();
    const serial = (port: string) => ({
      setup: (baud: number) => {
        const close = options.wiring.openSerial(port, baud, (data) => guarded(mine, () => listeners.get(port)?.(data)));
        open.set(port, close);
        mine.closeSerials.add(close);
      },
      unsetup: () => {
        const close = open.get(port);
        if (close === undefined) return;
        close();
        mine.closeSerials.delete(close);
        open.delete(port);
      },
      on: (event: string, listener: (data: string) => void) => {
        if (event === "data") listeners.set(port, listener);
      },
      removeAllListeners: () => listeners.delete(port),
      write: (data: string) => {
        if (open.has(port)) options.wiring.writeSerial?.(port, String(data));
      },
    });
    return {
      Serial1: serial("Serial1"),
      Serial2: serial("Serial2"),
      analogRead: (pin: string) => options.wiring.analog(pin),
      digitalRead: (pin: string) => (options.wiring.digital(pin) ? 1 : 0),
      pinMode: () => undefined,
      setWatch: (listener: (event: { state: boolean; time: number }) => void, pin: string) => {
        options.wiring.watch(pin, (state) => {
          const time = BOOT_TIME_S + (schedule.nowMs() - bootedMs) / 1000;
          guarded(mine, () => listener({ state, time }));
        });
        return 1;
      },
    };
  }

  function engine(mine: Running): Globals {
    const bytesOf = (data: string | Uint8Array) =>
      typeof data === "string" ? Buffer.from(data, "latin1") : Uint8Array.from(data);
    const watchdog = (timeoutS: number) => {
      kickedMs = schedule.nowMs();
      const look = () => {
        if (running !== mine) return;
        if (schedule.nowMs() - kickedMs > timeoutS * 1000) boot();
        else schedule.after(1000, look);
      };
      schedule.after(1000, look);
    };
    return {
      E: {
        CRC32: (data: string | Uint8Array) => crc32(bytesOf(data)),
        enableWatchdog: watchdog,
        kickWatchdog: () => {
          kickedMs = schedule.nowMs();
        },
        getErrorFlags: () => [],
        on: () => undefined,
        reboot: () => bootLater(mine),
      },
      process: {
        memory: () => ({ free: options.table.variables >> 1, total: options.table.variables }),
        env: { BOARD: options.table.name.toUpperCase() },
        version: "2v29",
      },
      load: () => bootLater(mine),
      atob: (text: string) => Buffer.from(text, "base64").toString("latin1"),
      eval: (text: string) => compiled(options.untokenise(text)).runInContext(mine.globals as vm.Context),
    };
  }

  /** A value of the board's own world: its arrays are not this world's. */
  function bytesInside(mine: Running, bytes: Uint8Array): Uint8Array {
    const Inside = mine.globals["Uint8Array"] as Uint8ArrayConstructor;
    return new Inside(bytes);
  }

  function moduleOf(mine: Running, name: string): unknown {
    if (!options.table.modules.includes(name)) throw new Error(`Module ${name} not found`);
    const module = mine.modules.get(name) ?? makeModule(mine, name);
    mine.modules.set(name, module);
    return module;
  }

  function makeModule(mine: Running, name: string): unknown {
    const { flash } = options;
    switch (name) {
      case "Storage":
        return {
          read: (file: string) => flash.file(file),
          write: (file: string, data: string | Uint8Array, offset = 0, size = 0) => {
            const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : Uint8Array.from(data);
            return flash.storeFile(file, bytes, offset, size || bytes.length);
          },
          readJSON: (file: string) => JSON.parse(flash.file(file) ?? "null") as unknown,
        };
      case "Flash":
        return {
          read: (length: number, address: number) => bytesInside(mine, flash.read(length, address)),
          write: (bytes: Uint8Array, address: number) => flash.write(Uint8Array.from(bytes), address),
          erasePage: (address: number) => flash.erasePage(address),
        };
      case "crypto":
        return {
          SHA256: (bytes: Uint8Array) =>
            bytesInside(mine, createHash("sha256").update(Uint8Array.from(bytes)).digest()).buffer,
        };
      case "Wifi":
        return wifi(mine);
      default:
        return net(mine);
    }
  }

  function wifi(mine: Running): Globals {
    const { network } = options;
    let gone: (() => void) | undefined;
    const look = () => {
      if (running !== mine) return;
      if (network.isReachable()) schedule.after(1000, look);
      else guarded(mine, () => gone?.());
    };
    return {
      connect: (_ssid: string, _options: unknown, done: (error: string | null) => void) => {
        schedule.after(1500, () => {
          const reachable = network.isReachable();
          if (reachable) schedule.after(1000, look);
          guarded(mine, () => done(reachable ? null : "no access point found"));
        });
      },
      on: (event: string, listener: () => void) => {
        if (event === "disconnected") gone = listener;
      },
      disconnect: () => undefined,
    };
  }

  function net(mine: Running): Globals {
    return {
      connect: ({ host, port }: { host: string; port: number }, connected: () => void) => {
        const listeners: Record<string, (value: unknown) => void> = {};
        const socket = options.network.connect(host, port, {
          opened: () => guarded(mine, connected),
          data: (text) => guarded(mine, () => listeners["data"]?.(text)),
          closed: () => {
            mine.sockets.delete(socket);
            guarded(mine, () => listeners["close"]?.(false));
          },
        });
        mine.sockets.add(socket);
        return {
          on: (event: string, listener: (value: unknown) => void) => {
            listeners[event] = listener;
          },
          write: (data: string) => {
            socket.write(data);
            return true;
          },
          end: () => socket.end(),
        };
      },
    };
  }

  return {
    boot,
    powerOff,
    isOn: () => running !== undefined,
    boots: () => boots,
    evaluate: (line) => (running === undefined ? undefined : vm.runInContext(line, running.globals as vm.Context)),
  };
}
