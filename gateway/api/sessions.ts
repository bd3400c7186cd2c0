// Sessions of people: a random token in a cookie, of which only the hash is kept. They outlive a restart of the gateway:
// nobody signs in again in the middle of an outage because a process was started anew.
import { createHash, randomBytes } from "node:crypto";
import type { Role } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import type { ApiPeople } from "./interfaces.ts";

export const SESSIONS_MAX = 500;
export const SESSIONS_PER_PERSON_MAX = 20;
/** A shift is twelve hours: nobody is signed out in the middle of one. */
export const SESSION_MS = 14 * 3_600_000;
/** Without a request and without an open screen, whose heartbeat counts as use. */
export const IDLE_MS = 4 * 3_600_000;
const TOKEN_BYTES = 32;

/** What is kept of a session: no token, no password. */
export interface SessionRow {
  readonly hash: string;
  readonly name: string;
  readonly role: Role;
  /** Changes with the person's password, and ends the sessions of the old one. */
  readonly credential: string;
  readonly untilMs: number;
}

export interface SessionChange {
  readonly put?: SessionRow;
  readonly remove: readonly string[];
}

export interface Sessions {
  /** Gives the token, which is seen this once; undefined when the person left meanwhile. */
  open(name: string): { readonly token: string; readonly session: SessionRow } | undefined;
  /** The session of this token with the role its person has now; counts as use. */
  find(token: string): SessionRow | undefined;
  /** Gives the session that was ended. */
  close(token: string): SessionRow | undefined;
}

export interface SessionDeps {
  readonly clock: Clock;
  readonly people: Pick<ApiPeople, "standing">;
  /** Rows of an earlier run. */
  readonly rows?: readonly SessionRow[];
  keep?(change: SessionChange): void;
}

interface Live {
  readonly row: SessionRow;
  /** Ends and uses are measured on the clock that never jumps. */
  readonly endMs: number;
  usedMs: number;
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}

export function createSessions({ clock, people, rows = [], keep }: SessionDeps): Sessions {
  const live = new Map<string, Live>();

  function admit(row: SessionRow): void {
    const now = clock.monotonicMs();
    const leftMs = Math.min(SESSION_MS, row.untilMs - clock.nowMs());
    live.set(row.hash, { row, endMs: now + leftMs, usedMs: now });
  }

  /** The row with the role of now; undefined when the session is over. */
  function current(one: Live): SessionRow | undefined {
    const now = clock.monotonicMs();
    if (now >= one.endMs || now - one.usedMs >= IDLE_MS) return undefined;
    const standing = people.standing(one.row.name);
    if (standing?.credential !== one.row.credential) return undefined;
    return { ...one.row, role: standing.role };
  }

  /** Makes room for one more of this person: what is over first, then the oldest. Gives the hashes that went. */
  function makeRoom(name: string): string[] {
    const gone = [...live.values()].filter((one) => current(one) === undefined);
    const left = [...live.values()].filter((one) => !gone.includes(one));
    const own = left.filter((one) => one.row.name === name);
    gone.push(...own.slice(0, Math.max(0, own.length + 1 - SESSIONS_PER_PERSON_MAX)));
    const others = left.filter((one) => !gone.includes(one));
    gone.push(...others.slice(0, Math.max(0, others.length + 1 - SESSIONS_MAX)));
    for (const one of gone) live.delete(one.row.hash);
    return gone.map((one) => one.row.hash);
  }

  for (const row of rows) admit(row);
  const over = [...live.values()].filter((one) => current(one) === undefined).map((one) => one.row.hash);
  for (const hash of over) live.delete(hash);
  if (over.length > 0) keep?.({ remove: over });

  return {
    open(name) {
      const standing = people.standing(name);
      if (standing === undefined) return undefined;
      const token = randomBytes(TOKEN_BYTES).toString("base64url");
      const session = { hash: hashOf(token), name, ...standing, untilMs: clock.nowMs() + SESSION_MS };
      const remove = makeRoom(name);
      admit(session);
      keep?.({ put: session, remove });
      return { token, session };
    },
    find(token) {
      const one = live.get(hashOf(token));
      const row = one === undefined ? undefined : current(one);
      if (one !== undefined && row !== undefined) one.usedMs = clock.monotonicMs();
      return row;
    },
    close(token) {
      const hash = hashOf(token);
      const row = live.get(hash)?.row;
      if (live.delete(hash)) keep?.({ remove: [hash] });
      return row;
    },
  };
}
