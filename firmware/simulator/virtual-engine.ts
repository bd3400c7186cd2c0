// The engine of a virtual board: timers, `E`, `process`, consoles and radio, and the numbers as this engine makes them.
import vm from "node:vm";
import { crc32 } from "../../protocol/wire.ts";
import { bytesInside, bytesOf, type Globals, type Life, noting, textOf } from "./virtual-life.ts";

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
/** Own supply of a board that nobody has set. */
const SUPPLY_V = 3.3;
const scripts = new Map<string, vm.Script>();

function compiled(text: string): vm.Script {
  let script = scripts.get(text);
  if (script === undefined) {
    script = new vm.Script(text, { filename: "board" });
    scripts.set(text, script);
  }
  return script;
}

/** Runs text of the board's flash at its root. */
export function evaluate(life: Life, text: string): unknown {
  const { globals } = life;
  const before = Object.entries(globals).filter(([, value]) => typeof value === "function" || isModule(value));
  const result = compiled(text).runInContext(globals as vm.Context);
  for (const [name, value] of before) {
    // The engine gives the old function the new one's insides: whoever holds it, a loader its Storage, is lost.
    if (globals[name] !== value && typeof globals[name] === "function")
      throw new Error(`the function ${name} overwrites what ${name} was before: the engine swaps their insides`);
  }
  return result;
}

const modules = new WeakSet<object>();

export function asModule<T extends object>(module: T): T {
  modules.add(module);
  return module;
}

function isModule(value: unknown): boolean {
  return typeof value === "object" && value !== null && modules.has(value);
}

/** Numbers and chance as the engine has them. */
function numbers(life: Life): void {
  const { globals, options } = life;
  const math = globals["Math"] as { random: () => number; round: (x: number) => number };
  math.random = () => options.random.next();
  // Halves go away from zero.
  math.round = (x) => (x < 0 ? Math.ceil(x - 0.5) : Math.floor(x + 0.5));
}

export function installEngine(life: Life): void {
  const { globals } = life;
  for (const name of MISSING) delete globals[name];
  Object.assign(globals, timers(life), environment(life), { global: globals });
  globals["E"] = engine(life);
  for (const name of life.parts.noted) {
    const [owner, call] = name.split(".") as [string, string];
    globals[owner] ??= {};
    (globals[owner] as Globals)[call] = noting(life, name);
  }
  // Both kinds of chip measure their own supply; a test sets it as it sets a pin.
  const radio = globals["NRF"] as Globals | undefined;
  if (radio !== undefined) radio["getBattery"] = () => life.options.wiring.analog("VBAT") || SUPPLY_V;
  numbers(life);
}

function timers(life: Life): Globals {
  const { schedule } = life.options;
  const forget = new Map<number, () => void>();
  let number = 0;
  const clear = (id: number) => {
    forget.get(id)?.();
    forget.delete(id);
  };
  return {
    getTime: () => life.timeS(),
    setTime: () => undefined,
    setTimeout: (run: () => void, delayMs: number) => {
      const id = ++number;
      const end = () => {
        forget.delete(id);
        life.guarded(run);
      };
      forget.set(id, schedule.after(delayMs || 0, end));
      return id;
    },
    setInterval: (run: () => void, delayMs: number) => {
      const id = ++number;
      const turn = () => {
        if (life.isOver()) return;
        forget.set(id, schedule.after(delayMs > 0 ? delayMs : 1, turn));
        life.guarded(run);
      };
      forget.set(id, schedule.after(delayMs > 0 ? delayMs : 1, turn));
      return id;
    },
    clearTimeout: clear,
    clearInterval: clear,
  };
}

function environment(life: Life): Globals {
  const { table, print, untokenise } = life.options;
  return {
    print: (...given: unknown[]) => print?.(given.map(String).join(" ")),
    process: {
      memory: () => ({
        free: table.variables >> 1,
        total: table.variables,
        usage: table.variables - (table.variables >> 1),
      }),
      env: { BOARD: table.name.toUpperCase() },
      version: "2v29",
      on: () => undefined,
    },
    load: () => life.reboot("load"),
    atob: (text: string) => Buffer.from(text, "base64").toString("latin1"),
    btoa: (text: string) => Buffer.from(text, "latin1").toString("base64"),
    eval: (text: string) => evaluate(life, untokenise(text)),
  };
}

/** Kicked or bitten: at the moment at which the time is over, not when somebody looks. */
function watchdog(life: Life): { start(timeoutS: number): void; kick(): void } {
  const { schedule } = life.options;
  let kickedMs = 0;
  let timeoutMs = 0;
  const look = () => {
    if (life.isOver()) return;
    const leftMs = kickedMs + timeoutMs - schedule.nowMs();
    if (leftMs < 0) life.reboot("watchdog");
    else schedule.after(leftMs + 0.001, look);
  };
  return {
    start: (timeoutS) => {
      const isFirst = timeoutMs === 0;
      timeoutMs = timeoutS * 1000;
      kickedMs = schedule.nowMs();
      if (isFirst) look();
    },
    kick: () => {
      kickedMs = schedule.nowMs();
    },
  };
}

function engine(life: Life): Globals {
  const dog = watchdog(life);
  const listeners = new Map<string, (value: unknown) => void>();
  const noteConsole = noting(life, "E.setConsole");
  let consoleDevice: string | null = life.parts.serials[0] ?? null;
  let flags: string[] = [];
  return {
    CRC32: (data: string | Uint8Array) => crc32(bytesOf(data)),
    toString: (data: string | Uint8Array) => textOf(data),
    toUint8Array: (data: string | Uint8Array) => bytesInside(life, bytesOf(data)),
    enableWatchdog: dog.start,
    kickWatchdog: dog.kick,
    getErrorFlags: () => {
      const raised = flags;
      flags = [];
      return raised;
    },
    on: (event: string, listener: (value: unknown) => void) => void listeners.set(event, listener),
    removeAllListeners: (event: string) => void listeners.delete(event),
    setConsole: (device: string | null, ...more: unknown[]) => {
      consoleDevice = device;
      noteConsole(device, ...more);
    },
    getConsole: () => consoleDevice,
    setFlags: () => undefined,
    reboot: () => life.reboot("reboot"),
    /** For a test: the engine notices that something of it went wrong. */
    raise: (raised: string[]) => {
      flags = flags.concat(raised);
      life.guarded(() => listeners.get("errorFlag")?.(raised));
    },
  };
}
