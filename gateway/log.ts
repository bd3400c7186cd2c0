// JSON lines on standard error: time, level, area, event, detail. Keys, passwords and tokens never come here.
import { type DestinationStream, type Logger, pino } from "pino";

export type Log = (event: string, detail?: Readonly<Record<string, unknown>>) => void;

export interface Logs {
  area(name: string): { readonly info: Log; readonly warn: Log; readonly error: Log };
}

export function createLogs(level: string, destination?: DestinationStream): Logs {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const root: Logger = destination === undefined ? pino(options, pino.destination(2)) : pino(options, destination);
  return {
    area(name) {
      const child = root.child({ area: name });
      const write =
        (level: "info" | "warn" | "error"): Log =>
        (event, detail) =>
          child[level](detail ?? {}, event);
      return { info: write("info"), warn: write("warn"), error: write("error") };
    },
  };
}
