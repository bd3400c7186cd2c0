// What somebody typed in, as an entry for the journal; or why it is none.
import type { Entry, NewEntry } from "../../../protocol/index.ts";
import { toInstant } from "../instant.ts";

/** Clocks of screens and gateway may differ by this: what lies ahead by less is now. */
export const AHEAD_MS_MAX = 60_000;

export interface EntryAsked {
  readonly pointId: string;
  readonly asked: NewEntry;
  /** Who typed it in. */
  readonly by: string;
  /** For an entry that has none. */
  readonly newId: string;
  readonly nowMs: number;
}

export type EntryMade = { readonly entry: Entry } | { readonly problem: string };

export function makeEntry({ pointId, asked, by, newId, nowMs }: EntryAsked): EntryMade {
  const { at, entryId = newId, via, statement, note } = asked;
  const atMs = at === undefined ? nowMs : Date.parse(at);
  if (!Number.isFinite(atMs)) return { problem: `/at ${at} is no moment` };
  if (atMs > nowMs + AHEAD_MS_MAX) return { problem: `/at ${at} lies ahead of now, ${toInstant(nowMs)}` };
  if (Object.keys(statement).length === 1)
    return { problem: `/statement says nothing: ${statement.kind} and no figure` };
  const told = { entryId, pointId, at: toInstant(Math.min(atMs, nowMs)), by, via, statement };
  return { entry: note === undefined ? told : { ...told, note } };
}
