// Slows down who guesses passwords: by name and address, and by address alone, so that changing names gains nothing.
import type { Clock } from "../clock.ts";

/** Tries for one name from one address in a window. A workstation that many share never comes near. */
export const GUESSES_MAX = 10;
export const GUESSES_PER_ADDRESS_MAX = 60;
export const GUESS_WINDOW_MS = 5 * 60_000;
/** Names and addresses that are remembered; the one longest quiet goes first. */
export const GUESSERS_MAX = 2_000;

interface Row {
  count: number;
  readonly fromMs: number;
}

export interface Guesses {
  /** Counts a try before it is checked, so that many at once are many; gives seconds to wait, 0 = go on. */
  begin(address: string, name: string): number;
  /** Nobody looked at the password: this try does not count. */
  undo(address: string, name: string): void;
  /** The password was right: the tries for this name from this address are forgiven. */
  forgive(address: string, name: string): void;
}

export function createGuesses(clock: Pick<Clock, "monotonicMs">): Guesses {
  const rows = new Map<string, Row>();
  // An address never holds a line break, so no name can pass for another address.
  const keyOf = (address: string, name: string) => `${address}\n${name}`;

  function take(key: string): Row {
    const now = clock.monotonicMs();
    const known = rows.get(key);
    const row = known === undefined || now - known.fromMs >= GUESS_WINDOW_MS ? { count: 0, fromMs: now } : known;
    rows.delete(key);
    rows.set(key, row);
    if (rows.size > GUESSERS_MAX) rows.delete(rows.keys().next().value as string);
    return row;
  }

  const waitS = (row: Row) => Math.ceil((row.fromMs + GUESS_WINDOW_MS - clock.monotonicMs()) / 1000);

  return {
    begin(address, name) {
      const own = take(keyOf(address, name));
      if (own.count >= GUESSES_MAX) return waitS(own);
      const all = take(address);
      if (all.count >= GUESSES_PER_ADDRESS_MAX) return waitS(all);
      own.count++;
      all.count++;
      return 0;
    },
    undo(address, name) {
      for (const row of [rows.get(keyOf(address, name)), rows.get(address)]) {
        if (row !== undefined && row.count > 0) row.count--;
      }
    },
    forgive(address, name) {
      const own = rows.get(keyOf(address, name));
      const all = rows.get(address);
      if (all !== undefined) all.count -= Math.min(all.count, own?.count ?? 1);
      rows.delete(keyOf(address, name));
    },
  };
}
