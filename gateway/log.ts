// One JSON object a line on standard error: time, level, area, event, and the figures of the event beside them. An event
// is a fixed sentence; what differs is in the figures. Keys, passwords and tokens never come here. A line that repeats
// itself is held back and counted: a disk that fills with logs takes the journal with it.
import { type Logger, pino } from "pino";
import { type Clock, systemClock } from "./clock.ts";
import { createLineOutput, type LineOutput } from "./log-output.ts";

export type Log = (event: string, detail?: Readonly<Record<string, unknown>>) => void;
export type LogLevel = "debug" | "info" | "warn" | "error";

export interface AreaLog {
  readonly info: Log;
  readonly warn: Log;
  readonly error: Log;
}

export interface Logs {
  area(name: string): AreaLog;
  /** From now on. */
  setLevel(level: LogLevel): void;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** Text for people in place of JSON. */
  readonly text?: boolean;
  readonly destination?: Pick<LineOutput, "write"> & Partial<LineOutput>;
  readonly clock?: Pick<Clock, "monotonicMs">;
}

/** Lines of one event in one window; the rest is counted, and the count stands in the first line after it. */
export const REPEATS_MAX = 10;
export const REPEATS_WINDOW_MS = 60_000;
/** Events are written in the program, so there are some hundreds of them. */
const EVENTS_MAX = 1_000;
const VALUE_CHARS_MAX = 2_000;
/** Names under which no value is written, wherever they stand. */
const SECRET = /^(password|passphrase|secret|token|key|authorization|cookie|credential)s?$/i;
/** What a line has of its own; a figure of the same name would make two of one key. */
const RESERVED = ["time", "level", "area", "event", "suppressed", "lost"];

export function createLogs({ level, text = false, destination, clock = systemClock }: LogOptions): Logs {
  const out = destination ?? createLineOutput({ clock: systemClock });
  const options = {
    level,
    base: null,
    messageKey: "event",
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const root: Logger = pino(options, { write: (line: string) => out.write(text ? textLine(line) : line) });
  const repeats = createRepeats(clock);
  const children = new Map<string, Logger>();
  return {
    area(name) {
      const child = children.get(name) ?? root.child({ area: name });
      children.set(name, child);
      const write =
        (at: "info" | "warn" | "error"): Log =>
        (event, detail) => {
          if (!child.isLevelEnabled(at)) return;
          const suppressed = repeats.pass(`${name}/${event}`);
          if (suppressed === undefined) return;
          const lost = out.takeLost?.() ?? 0;
          const counts = { ...(suppressed === 0 ? {} : { suppressed }), ...(lost === 0 ? {} : { lost }) };
          child[at]({ ...tidy(detail ?? {}), ...counts }, event);
        };
      return { info: write("info"), warn: write("warn"), error: write("error") };
    },
    setLevel(next) {
      root.level = next;
      for (const child of children.values()) child.level = next;
    },
  };
}

function createRepeats(clock: Pick<Clock, "monotonicMs">) {
  const windows = new Map<string, { fromMs: number; lines: number; held: number }>();
  return {
    /** How many like it were held back before this one; undefined when it is held back as well. */
    pass(key: string): number | undefined {
      const nowMs = clock.monotonicMs();
      const window = windows.get(key);
      if (window === undefined || nowMs - window.fromMs >= REPEATS_WINDOW_MS) {
        windows.delete(key);
        windows.set(key, { fromMs: nowMs, lines: 1, held: 0 });
        if (windows.size > EVENTS_MAX) windows.delete(windows.keys().next().value as string);
        return window?.held ?? 0;
      }
      if (window.lines < REPEATS_MAX) {
        window.lines++;
        return 0;
      }
      window.held++;
      return undefined;
    },
  };
}

function tidy(detail: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(detail).map(([key, value]) => {
      const name = RESERVED.includes(key) ? `${key}_` : key;
      return [name, SECRET.test(key) ? "[hidden]" : short(value, 0)];
    }),
  );
}

function short(value: unknown, depth: number): unknown {
  if (typeof value === "string" && value.length > VALUE_CHARS_MAX) return `${value.slice(0, VALUE_CHARS_MAX)}…`;
  if (typeof value !== "object" || value === null) return value;
  if (depth >= 3) return "…";
  if (value instanceof Error) return value.message;
  if (Array.isArray(value)) return value.slice(0, 100).map((one) => short(one, depth + 1));
  const rows = Object.entries(value).slice(0, 100);
  return Object.fromEntries(rows.map(([key, one]) => [key, SECRET.test(key) ? "[hidden]" : short(one, depth + 1)]));
}

/** `12:00:05 WARN  sinks  sink cannot deliver  sink=influxdb reason="no route"`; a list below it, one a line. */
export function textLine(json: string): string {
  const { time, level, area, event, ...detail } = JSON.parse(json) as Record<string, unknown>;
  const figures: string[] = [];
  const below: string[] = [];
  for (const [key, value] of Object.entries(detail)) {
    if (Array.isArray(value) && value.length > 0) below.push(...value.map((one) => `\n         - ${String(one)}`));
    else figures.push(`${key}=${typeof value === "string" && !/[\s"=]/.test(value) ? value : JSON.stringify(value)}`);
  }
  const head = `${String(time).slice(11, 19)} ${String(level).toUpperCase().padEnd(5)} ${String(area).padEnd(8)} ${event}`;
  return `${head}${figures.length > 0 ? `  ${figures.join(" ")}` : ""}${below.join("")}\n`;
}
