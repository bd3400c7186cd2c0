// How much one base station or device may ask of the network server at once, and how fast that comes back.
import type { Clock } from "../../../clock.ts";

export interface Budget {
  readonly burst: number;
  readonly perS: number;
}

/**
 * A MIC has 32 bits: at so many guesses a second, one in thirteen years is right. More than any fault brings, and what else this base
 * station hears is refused until it is over.
 */
export const BAD_MICS: Budget = { burst: 300, perS: 10 };
/** Of one base station: three channels that take join-requests, six rates, and a region that comes back at once. */
export const STATION_JOINS: Budget = { burst: 200, perS: 5 };
/** Of one device, each answered: a device that hears no answer backs off to less than that. */
export const DEVICE_JOINS: Budget = { burst: 8, perS: 1 / 60 };
/** Names that are remembered; the one that was idle longest is forgotten. */
const NAMES_MAX = 4_096;

export interface Limit {
  /** Whether there is some left. */
  has(name: string): boolean;
  /** Takes one; false when there is none. */
  take(name: string): boolean;
}

export function createLimit(clock: Clock, { burst, perS }: Budget): Limit {
  const rows = new Map<string, { tokens: number; atMs: number }>();

  function rowOf(name: string) {
    const atMs = clock.monotonicMs();
    const row = rows.get(name) ?? { tokens: burst, atMs };
    row.tokens = Math.min(burst, row.tokens + ((atMs - row.atMs) / 1000) * perS);
    row.atMs = atMs;
    rows.delete(name);
    rows.set(name, row);
    if (rows.size > NAMES_MAX) rows.delete(rows.keys().next().value as string);
    return row;
  }

  return {
    has: (name) => rowOf(name).tokens >= 1,
    take(name) {
      const row = rowOf(name);
      if (row.tokens < 1) return false;
      row.tokens--;
      return true;
    },
  };
}
