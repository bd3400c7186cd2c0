// Frames that cannot be right: counted by reason, the last ones kept for a look, and the sender banned when there are
// too many (protocol section 2).

export const REFUSALS_KEPT_MAX = 100;
export const REFUSALS_PER_MINUTE_MAX = 20;
export const BAN_MS = 5 * 60_000;
/** Senders watched at once; the one longest quiet is forgotten first. */
const SENDERS_MAX = 4_096;
const MINUTE_MS = 60_000;

export interface RefusalNote {
  readonly atMs: number;
  readonly reason: string;
  /** The device or person that was signed in, or who it said it was. */
  readonly sender?: string;
  readonly topic: string;
  readonly bytes: Uint8Array;
}

interface Sender {
  windowFromMs: number;
  count: number;
  bannedUntilMs: number;
}

export interface RefusalLog {
  readonly counts: Map<string, number>;
  readonly recent: RefusalNote[];
  readonly senders: Map<string, Sender>;
}

export function createRefusalLog(): RefusalLog {
  return { counts: new Map(), recent: [], senders: new Map() };
}

/** Counts and keeps a refusal. */
export function noteRefusal(log: RefusalLog, note: RefusalNote): void {
  log.counts.set(note.reason, (log.counts.get(note.reason) ?? 0) + 1);
  log.recent.push(note);
  if (log.recent.length > REFUSALS_KEPT_MAX) log.recent.shift();
}

/** Counts one bad frame against a sender that had signed in; true when it is banned from now on. */
export function strike(log: RefusalLog, sender: string, monotonicMs: number): boolean {
  let row = log.senders.get(sender);
  if (row === undefined || monotonicMs - row.windowFromMs >= MINUTE_MS) {
    row = { windowFromMs: monotonicMs, count: 0, bannedUntilMs: row?.bannedUntilMs ?? 0 };
  }
  row.count++;
  // Set again at the end of the map: the first one in it is the one longest quiet.
  log.senders.delete(sender);
  log.senders.set(sender, row);
  if (log.senders.size > SENDERS_MAX) log.senders.delete(log.senders.keys().next().value as string);
  if (row.count <= REFUSALS_PER_MINUTE_MAX) return false;
  row.bannedUntilMs = monotonicMs + BAN_MS;
  return true;
}

export function isBanned(log: RefusalLog, sender: string, monotonicMs: number): boolean {
  return (log.senders.get(sender)?.bannedUntilMs ?? 0) > monotonicMs;
}
