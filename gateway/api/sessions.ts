// Sessions of people: a random token in a cookie, of which only the hash is kept.
import { createHash, randomBytes } from "node:crypto";
import type { Role } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";

export const SESSIONS_MAX = 500;
/** A shift is twelve hours: nobody is signed out in the middle of one. */
export const SESSION_MS = 14 * 3_600_000;
/** Wrong guesses a name and address have before each further one waits. */
export const GUESSES_MAX = 10;
const GUESS_WINDOW_MS = 5 * 60_000;
const GUESSERS_MAX = 1_000;

export interface SessionRow {
  readonly name: string;
  readonly role: Role;
  readonly untilMs: number;
}

export interface Sessions {
  /** Gives the token, which is seen this once. */
  open(person: { readonly name: string; readonly role: Role }): {
    readonly token: string;
    readonly session: SessionRow;
  };
  find(token: string): SessionRow | undefined;
  close(token: string): void;
  /** False when this guesser has to wait. */
  mayGuess(guesser: string): boolean;
  failed(guesser: string): void;
}

export function createSessions(clock: Clock): Sessions {
  const rows = new Map<string, SessionRow>();
  const guesses = new Map<string, { count: number; fromMs: number }>();
  const hashOf = (token: string) => createHash("sha256").update(token).digest("base64");

  return {
    open({ name, role }) {
      const token = randomBytes(32).toString("base64url");
      const session = { name, role, untilMs: clock.nowMs() + SESSION_MS };
      if (rows.size >= SESSIONS_MAX) rows.delete(rows.keys().next().value as string);
      rows.set(hashOf(token), session);
      return { token, session };
    },
    find(token) {
      const row = rows.get(hashOf(token));
      return row !== undefined && row.untilMs > clock.nowMs() ? row : undefined;
    },
    close(token) {
      rows.delete(hashOf(token));
    },
    mayGuess(guesser) {
      const row = guesses.get(guesser);
      return row === undefined || row.count < GUESSES_MAX || clock.monotonicMs() - row.fromMs > GUESS_WINDOW_MS;
    },
    failed(guesser) {
      const now = clock.monotonicMs();
      const row = guesses.get(guesser);
      const fresh = row === undefined || now - row.fromMs > GUESS_WINDOW_MS;
      guesses.delete(guesser);
      guesses.set(guesser, fresh ? { count: 1, fromMs: now } : { count: row.count + 1, fromMs: row.fromMs });
      if (guesses.size > GUESSERS_MAX) guesses.delete(guesses.keys().next().value as string);
    },
  };
}
