// Runs on the engine before the loader: puts virtual time, pins, lines and network in the place of the board's, so that a
// test steps them from outside. One turn of the program is one turn of the engine: exceptions, a lack of memory and garbage
// go their natural way. Commands come from the pipe `in`: four characters of length, then code that calls `__do`.
// What the program does is printed in lines that begin with a tilde (`engine.ts` reads them).
declare const global: { [name: string]: unknown };
declare const process: { memory: (collect?: boolean) => { usage: number; free: number; total: number } };
declare const Modules: unknown;
declare function print(text: string): void;
declare function btoa(text: string): string;
declare function require(name: string): unknown;

type Call = (a?: unknown, b?: unknown, c?: unknown) => unknown;
type Listeners = { [event: string]: Call | undefined };
interface Watch {
  readonly call: Call;
  readonly edge: number;
  readonly repeat: boolean;
  readonly debounceMs: number;
  level: boolean;
  timer: number;
  last: boolean;
  atS: number;
}
interface Setup {
  readonly modules: string[];
  readonly serials: string[];
  /** Globals that only take note of being called. */
  readonly stubs: string[];
  readonly pins: string[];
  readonly seed: number;
  readonly levels: { [pin: string]: number };
  readonly reachable: boolean;
  readonly bootS: number;
  /** Where the board's Storage lies in this engine's flash, less where it lies on the board; its pages to one of the board's. */
  readonly shift: number;
  readonly pageParts: number;
  readonly pageBytes: number;
  /** Variables taken away before the program starts. */
  readonly ballast: number;
}

global["__do"] = (() => {
  const pipe = (E as unknown as { openFile(name: string, mode: string): { read(n: number): string } }).openFile(
    "in",
    "r",
  );
  const every = global["setInterval"] as (run: () => void, ms: number) => number;
  const nativeTimeout = global["setTimeout"] as Call;
  const nativeClear = global["clearTimeout"] as Call;
  const native = require as (name: string) => { [name: string]: Call };
  const setup = JSON.parse(pipe.read(+pipe.read(4))) as Setup;
  const compile = global["Function"] as Call;
  const memory = process.memory;
  const engine = E as unknown as { [name: string]: Call };
  /** The interval of a timer of the board itself: what it calls is not the program's. */
  const OWN = -1;
  /** Time, number, call and interval of each timer, the next one first. */
  const queue: [number, number, Call, number][] = [];
  /** What came from outside since the last turn: whom it is for, and what it is. */
  const inbox: [Call, unknown][] = [];
  const levels = setup.levels;
  const watches: { [pin: string]: Watch[] } = {};
  const lines: { [port: string]: Listeners } = {};
  const open: { [port: string]: boolean } = {};
  const sockets: { [id: number]: Listeners | undefined } = {};
  let wifi: Listeners = {};
  let reachable = setup.reachable;
  let now = 0;
  /** The time that the program reads, in seconds: a board's own clock is no program. */
  const clock = new DataView(new ArrayBuffer(8));
  /** What is called through its `some` counts as the board's (`firmware-turns.ts`), not as the program's: there it is no program. */
  const board = [0];
  let given: unknown;
  let givenMs = 0;
  let timer: unknown;
  let until = 0;
  let running = false;
  let said = false;
  let count = 0;
  let links = 0;
  let peak = 0;
  let sampling = false;
  let marking = false;
  let seed = setup.seed;
  let watchdogMs = 0;
  let kickedMs = 0;
  let cutIn = 0;
  let cutWords = 0;
  let flash: unknown;
  let network: unknown;
  let access: unknown;
  let ballast: unknown;

  /** What is in use once nothing is counted that nobody holds any more. */
  function sample(): void {
    if (!sampling) return;
    const used = memory().usage;
    if (used > peak) peak = used;
  }

  /** Something that the outside has to hear of at this moment. */
  function say(text: string): void {
    said = true;
    sample();
    print(text);
  }

  function bytes(data: unknown): string {
    return btoa(typeof data === "string" ? data : (engine["toString"] as (data: unknown) => string)(data));
  }

  function plan(atMs: number, id: number, call: Call, intervalMs: number): void {
    let at = queue.length;
    while (at > 0 && (queue[at - 1] as [number, number, Call, number])[0] > atMs) at--;
    queue.splice(at, 0, [atMs, id, call, intervalMs]);
  }

  function later(call: Call, ms: number, intervalMs: number): number {
    sample();
    count++;
    plan(now + Math.max(ms || 0, 0), count, call, intervalMs);
    return count;
  }

  function planGiven(): void {
    nativeClear(timer);
    later(given as Call, givenMs, 0);
  }

  function forgetGiven(): void {
    forget(given as number);
  }

  function writeGiven(): void {
    const port = (given as [string, unknown])[0];
    if (open[port]) say(`~W${port} ${bytes((given as [string, unknown])[1])}`);
  }

  function goOnTo(ms: number): void {
    now = ms;
    clock.setFloat64(0, time());
  }

  function forget(id: number): void {
    for (let i = 0; i < queue.length; i++) {
      if ((queue[i] as [number, number, Call, number])[1] === id) {
        queue.splice(i, 1);
        return;
      }
    }
  }

  function reboot(why: string): void {
    say(`~B${why}`);
    queue.splice(0, queue.length);
    watchdogMs = 0;
  }

  /** A function of the program alone: what the board itself does before and after is not its turn. */
  function turn(call: Call, argument?: unknown): void {
    // The two marks are for a profiler that counts between them.
    if (marking) (engine["clip"] as Call)(1, 0, 2);
    try {
      call(argument);
    } catch (error) {
      if (marking) (engine["clip"] as Call)(1, 0, 2);
      throw error;
    }
    if (marking) {
      (engine["clip"] as Call)(1, 0, 2);
      print(`~M${now} ${`${call as unknown as string}`.substr(0, 100).split("\n").join(" ")}`);
    }
    sample();
  }

  function stop(): void {
    running = false;
    said = false;
    print(`~T${now}`);
  }

  function step(): void {
    const came = inbox.shift();
    if (came !== undefined) {
      turn(came[0], came[1]);
      return;
    }
    if (!running) {
      const length = +pipe.read(4);
      // At the root: a command sees the program's globals and nothing of what is here.
      (compile(pipe.read(length)) as Call)();
      return;
    }
    if (said) {
      stop();
      return;
    }
    const next = queue[0];
    const due = next === undefined || next[0] > until ? until : next[0];
    // At its moment, behind what is due in the same one.
    const bite = kickedMs + watchdogMs + 0.001;
    if (watchdogMs > 0 && due >= bite) {
      goOnTo(bite);
      reboot("watchdog");
      return;
    }
    if (due > now) goOnTo(due);
    if (next === undefined || next[0] > until) {
      stop();
      return;
    }
    queue.shift();
    if (next[3] > 0) plan(next[0] + next[3], next[1], next[2], next[3]);
    if (next[3] < 0) next[2]();
    else turn(next[2]);
  }

  function time(): number {
    return setup.bootS + now / 1000;
  }

  function tell(watch: Watch, pin: string): void {
    if (watch.last === watch.level) return;
    watch.last = watch.level;
    if (watch.edge !== 0 && watch.edge !== (watch.level ? 1 : -1)) return;
    if (!watch.repeat) (watches[pin] as Watch[]).splice((watches[pin] as Watch[]).indexOf(watch), 1);
    inbox.push([watch.call, { state: watch.level, time: watch.atS, pin: pin }]);
  }

  function edge(pin: string, watch: Watch, level: boolean): void {
    watch.level = level;
    watch.atS = time();
    if (watch.debounceMs <= 0) {
      tell(watch, pin);
      return;
    }
    if (watch.timer > 0) forget(watch.timer);
    watch.timer = later(
      () => {
        watch.timer = 0;
        tell(watch, pin);
      },
      watch.debounceMs,
      OWN,
    );
  }

  function input(pin: string, value: number): void {
    const was = levels[pin];
    levels[pin] = value;
    const list = watches[pin];
    if (list === undefined || (was !== undefined && was > 0.5 === value > 0.5)) return;
    for (let i = 0; i < list.length; i++) edge(pin, list[i] as Watch, value > 0.5);
  }

  function watch(call: Call, pin: unknown, options: { [name: string]: unknown } | undefined): number {
    const name = `${pin as string}`;
    const wish = options === undefined ? {} : options;
    const level = (levels[name] as number) > 0.5;
    const mine: Watch = {
      call: call,
      edge: wish["edge"] === "rising" ? 1 : wish["edge"] === "falling" ? -1 : 0,
      repeat: wish["repeat"] === true,
      debounceMs: +(wish["debounce"] as number) || 0,
      level: level,
      timer: 0,
      last: level,
      atS: 0,
    };
    if (watches[name] === undefined) watches[name] = [];
    (watches[name] as Watch[]).push(mine);
    count++;
    return count;
  }

  function serial(port: string): { [name: string]: Call } {
    lines[port] = {};
    const write: Call = (data) => {
      given = [port, data];
      board.some(writeGiven as () => boolean);
    };
    return {
      setup: (baud) => {
        if (open[port]) say(`~C${port}`);
        open[port] = true;
        say(`~O${port} ${baud as number}`);
      },
      unsetup: () => {
        if (open[port]) say(`~C${port}`);
        open[port] = false;
      },
      setConsole: () => print(`~K${port}.setConsole`),
      on: (event, call) => {
        (lines[port] as Listeners)[event as string] = call as Call;
      },
      removeAllListeners: (event) => {
        (lines[port] as Listeners)[event as string] = undefined;
      },
      write: write,
      print: write,
    };
  }

  function connect(options: unknown, opened: unknown): unknown {
    links++;
    const id = links;
    const to = options as { [name: string]: unknown };
    const mine: Listeners = { opened: opened as Call };
    sockets[id] = mine;
    say(`~n${id} ${to["host"] as string} ${to["port"] as number}`);
    return {
      on: (event: string, call: Call) => {
        mine[event] = call;
      },
      write: (data: unknown) => {
        say(`~w${id} ${bytes(data)}`);
        return true;
      },
      end: () => say(`~e${id}`),
    };
  }

  function look(): void {
    if (reachable) later(look, 1000, OWN);
    else if (wifi["disconnected"] !== undefined) inbox.push([wifi["disconnected"] as Call, undefined]);
  }

  function accessPoint(): { [name: string]: Call } {
    return {
      connect: (_name, _options, done) => {
        later(
          () => {
            if (reachable) later(look, 1000, OWN);
            inbox.push([done as Call, reachable ? null : "no access point found"]);
          },
          1500,
          OWN,
        );
      },
      on: (event, call) => {
        wifi[event as string] = call as Call;
      },
      disconnect: () => {
        wifi = {};
      },
    };
  }

  /** Every operation can be the last one: some of its words, then no power. */
  function begin(words: number): number {
    sample();
    cutIn--;
    return cutIn === 0 ? Math.min(cutWords, words) : words;
  }

  function end(): void {
    if (cutIn !== 0) return;
    print("~X");
    for (;;) (engine["clip"] as Call)(1, 0, 2);
  }

  function storage(): { [name: string]: Call } {
    const real = native("Flash");
    return {
      read: (length, address) => {
        sample();
        return (real["read"] as Call)(length, (address as number) + setup.shift);
      },
      write: (data, address) => {
        const given = data as Uint8Array;
        const words = begin(given.length >> 2);
        if (words > 0)
          (real["write"] as Call)(
            words << 2 === given.length ? given : given.slice(0, words << 2),
            (address as number) + setup.shift,
          );
        end();
      },
      erasePage: (address) => {
        const bytesOfPart = setup.pageBytes / setup.pageParts;
        const start = (address as number) - ((address as number) % setup.pageBytes) + setup.shift;
        // A cut erase leaves the page half done: its first part erased only where this engine's pages are smaller.
        const parts = begin(setup.pageParts);
        for (let i = 0; i < parts; i++) (real["erasePage"] as Call)((start + i * bytesOfPart) | 0);
        end();
      },
    };
  }

  function module(name: string): unknown {
    if (setup.modules.indexOf(name) < 0) throw new Error(`Module ${name} not found`);
    if (name === "Flash") {
      if (flash === undefined) flash = storage();
      return flash;
    }
    if (name === "net") {
      if (network === undefined) network = { connect: connect };
      return network;
    }
    if (name === "Wifi") {
      if (access === undefined) access = accessPoint();
      return access;
    }
    if (name === "TelnetServer")
      return { setOptions: (options: unknown) => print(`~KTelnetServer.setOptions ${JSON.stringify([options])}`) };
    return native(name);
  }

  global["require"] = module;
  goOnTo(0);
  global["getTime"] = clock.getFloat64.bind(clock, 0);
  global["setTime"] = () => undefined;
  // It costs what the engine's own costs.
  global["setTimeout"] = (call: Call, ms: number) => {
    timer = nativeTimeout(call, 1e9);
    given = call;
    givenMs = ms;
    board.some(planGiven as () => boolean);
    return count;
  };
  global["setInterval"] = (call: Call, ms: number) => later(call, ms, ms > 0 ? ms : 1);
  global["clearTimeout"] = (id: number) => {
    given = id;
    board.some(forgetGiven as () => boolean);
  };
  global["clearInterval"] = forget;
  global["setWatch"] = watch;
  global["clearWatch"] = () => undefined;
  global["analogRead"] = (pin: unknown) => levels[`${pin as string}`] || 0;
  global["digitalRead"] = (pin: unknown) => ((levels[`${pin as string}`] as number) > 0.5 ? 1 : 0);
  global["pinMode"] = () => undefined;
  global["digitalWrite"] = (pin: unknown, value: unknown) => say(`~P${pin as string} ${value ? 1 : 0}`);
  global["digitalPulse"] = (pin: unknown, value: unknown, ms: unknown) =>
    say(`~P${pin as string} ${value ? 1 : 0} ${ms as number}`);
  // The program is told the same as on a virtual board: its info frames are compared.
  process.memory = (collect) => {
    const told = memory(collect);
    told.free = told.total >> 1;
    told.usage = told.total - told.free;
    return told;
  };
  global["load"] = () => reboot("load");
  engine["reboot"] = () => reboot("reboot");
  engine["setConsole"] = (to, options) => print(`~KE.setConsole ${JSON.stringify([to, options])}`);
  engine["enableWatchdog"] = (seconds) => {
    watchdogMs = (seconds as number) * 1000;
    kickedMs = now;
  };
  engine["kickWatchdog"] = () => {
    kickedMs = now;
  };
  (Math as unknown as { [name: string]: unknown })["random"] = () => {
    // Park and Miller: exact in whole numbers, here and in the virtual board.
    seed = (seed * 16807) % 2147483647;
    return seed / 2147483647;
  };
  for (let i = 0; i < setup.serials.length; i++) {
    const port = setup.serials[i] as string;
    // Assigned by a name that is made, the engine's own line would stay.
    Object.defineProperty(global, port, { value: serial(port) });
  }
  for (let i = 0; i < setup.pins.length; i++) global[setup.pins[i] as string] = setup.pins[i];
  for (let i = 0; i < setup.stubs.length; i++) {
    const whole = setup.stubs[i] as string;
    const parts = whole.split(".");
    const name = parts[0] as string;
    if (global[name] === undefined) global[name] = {};
    (global[name] as { [name: string]: Call })[parts[1] as string] = (a, b) =>
      print(`~K${whole} ${JSON.stringify([a, b])}`);
  }
  const chip = global["NRF"] as { [name: string]: Call } | undefined;
  if (chip !== undefined) chip["getBattery"] = () => levels["VBAT"] || 3.3;
  if (setup.ballast > 0) ballast = new Uint8Array(setup.ballast * 12 - 24);
  every(step, 0);

  return (what: number, a: unknown, b: unknown, c: unknown): unknown => {
    switch (what) {
      case 0:
        until = a as number;
        running = true;
        return;
      case 1:
        input(a as string, b as number);
        return;
      case 2: {
        const call = (lines[a as string] as Listeners)["data"];
        if (call !== undefined && open[a as string]) inbox.push([call, b]);
        return;
      }
      case 3: {
        const mine = sockets[a as number];
        if (mine === undefined) return;
        const call = mine[b as string];
        if (b === "close") sockets[a as number] = undefined;
        if (call !== undefined) inbox.push([call, b === "data" ? c : false]);
        return;
      }
      case 4:
        reachable = a === true;
        return;
      case 5:
        print(`~U${memory().usage} ${peak}`);
        peak = 0;
        return;
      case 6:
        sampling = a === true;
        return;
      case 7:
        marking = a === true;
        return;
      default:
        cutIn = a as number;
        cutWords = b as number;
        return ballast;
    }
  };
})();
