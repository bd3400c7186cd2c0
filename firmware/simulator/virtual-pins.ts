// Pins and serial lines of a virtual board.
import { type Globals, type Life, noting, textOf } from "./virtual-life.ts";

interface WatchOptions {
  readonly repeat?: boolean;
  readonly edge?: "rising" | "falling" | "both";
  readonly debounce?: number;
}

interface WatchEvent {
  readonly state: boolean;
  readonly time: number;
  readonly pin: string;
}

export function installPins(life: Life): void {
  const { globals, options, parts } = life;
  const { wiring } = options;
  for (let i = 0; i <= parts.lastPin; i++) globals[`D${i}`] = `D${i}`;
  for (const pin of parts.pins) globals[pin] = pin;
  for (const port of parts.serials) globals[port] = serial(life, port);
  Object.assign(globals, {
    analogRead: (pin: string) => wiring.analog(pin),
    digitalRead: (pin: string) => (wiring.digital(pin) ? 1 : 0),
    digitalWrite: (pin: string, value: unknown) => wiring.output?.(pin, Boolean(value)),
    digitalPulse: (pin: string, value: unknown, ms: number) => wiring.output?.(pin, Boolean(value), ms),
    pinMode: () => undefined,
    setWatch: watcher(life),
    clearWatch: () => undefined,
  });
}

/** Edges, steady for the time of the debounce, and only when the level is another one than before. */
function watcher(life: Life): (listener: (event: WatchEvent) => void, pin: string, wish?: WatchOptions) => number {
  const { schedule, wiring } = life.options;
  let number = 0;
  return (listener, pin, wish = {}) => {
    let level = wiring.digital(pin);
    let last = level;
    let time = 0;
    let isOver = false;
    let forget = () => {};
    const tell = () => {
      if (isOver || last === level) return;
      last = level;
      if (wish.edge === "rising" && !level) return;
      if (wish.edge === "falling" && level) return;
      isOver = wish.repeat !== true;
      listener({ state: level, time, pin });
    };
    wiring.watch(pin, (isHigh) => {
      if (life.isOver()) return;
      level = isHigh;
      time = life.timeS();
      forget();
      if ((wish.debounce ?? 0) > 0) forget = schedule.after(wish.debounce ?? 0, () => life.guarded(tell));
      else life.guarded(tell);
    });
    return ++number;
  };
}

function serial(life: Life, port: string): Globals {
  const { wiring } = life.options;
  const listeners = new Map<string, (data: string) => void>();
  let close: (() => void) | undefined;
  const shut = () => {
    if (close === undefined) return;
    life.closing.delete(close);
    close();
    close = undefined;
  };
  const write = (data: string | Uint8Array) => {
    if (close !== undefined) wiring.writeSerial?.(port, textOf(data));
  };
  return {
    setup: (baud: number) => {
      shut();
      close = wiring.openSerial(port, baud, (data) => life.guarded(() => listeners.get("data")?.(data)));
      life.closing.add(close);
    },
    unsetup: shut,
    on: (event: string, listener: (data: string) => void) => void listeners.set(event, listener),
    removeAllListeners: (event: string) => void listeners.delete(event),
    setConsole: noting(life, `${port}.setConsole`),
    write,
    print: write,
  };
}
