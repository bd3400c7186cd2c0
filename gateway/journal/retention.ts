// When a range of rows is closed, and which one is dropped next. All by run time, which counts the hours that the gateway
// has run: a wall clock that jumps, starts in 1970 or ends in 2038 neither opens ranges nor makes any old.
import type { Range } from "./store.ts";

const HOUR_MS = 3_600_000;
/** A range is a day, so that a whole day is dropped at once. */
export const RANGE_MS = 24 * HOUR_MS;
/** About 300 MB: also a flood is kept in pieces that can be dropped one by one. */
export const RANGE_ROWS_MAX = 4_000_000;
/** More than a year of days; beyond it the last one grows on. */
export const RANGES_MAX = 400;
/** Rows of the last hours that nothing but a full disk can cost, and only when others have them. */
export const RAW_MS = 72 * HOUR_MS;
/** Reads rows that it has the only use for: what it has passed is kept by nobody else. */
const NO_KEEPER = "engine";

export interface RetentionRules {
  /** Rows that everybody has read are kept so long. At least RAW_MS. */
  readonly keepMs: number;
  /** Below this much free space rows are dropped earlier. */
  readonly lowBytes: number;
}

export interface RetentionState {
  readonly ranges: readonly Range[];
  /** Of those who still read: name and last row read. */
  readonly cursors: ReadonlyMap<string, number>;
  readonly runMs: number;
  /** What can be written before the disk is full, room inside the file included. */
  readonly freeBytes: number;
  /** A commit has just failed for want of space. */
  readonly isFull: boolean;
}

export interface Drop {
  readonly throughId: number;
  /** The first of the rows that are lost to somebody; undefined when all were read. */
  readonly lossFromId: number | undefined;
  readonly why: string;
}

export function isTurnDue(ranges: readonly Range[], runMs: number): boolean {
  const open = ranges.at(-1);
  if (open === undefined || ranges.length >= RANGES_MAX) return false;
  const rows = open.lastId - open.firstId + 1;
  return rows > 0 && (runMs - open.openedRunMs >= RANGE_MS || rows >= RANGE_ROWS_MAX);
}

/**
 * The range to drop next. In this order, the oldest always first, so that what is left has no hole:
 * 1. older than is kept, and read by all;
 * 2. the disk is low: older than 72 hours, and read by all;
 * 3. the disk is low: older than 72 hours, and somebody still needs it: counted as lost;
 * 4. the disk is full: younger, read by all, and one of them keeps it elsewhere (history, a sink): counted, since 72 hours
 *    of raw rows were promised.
 * Younger rows that somebody needs are never dropped. The journal then refuses, and the devices keep what they have: they
 * send it again, while nobody could bring back a row that was acknowledged and dropped.
 */
export function nextDrop(state: RetentionState, rules: RetentionRules): Drop | undefined {
  const { cursors, runMs } = state;
  const oldest = state.ranges[0];
  if (oldest?.closedRunMs === undefined) return undefined;
  const ageMs = runMs - oldest.closedRunMs;
  const throughId = oldest.lastId;
  const behind = [...cursors].filter(([, id]) => id < throughId);
  const isRead = behind.length === 0 && cursors.size > 0;
  if (isRead && ageMs >= Math.max(rules.keepMs, RAW_MS)) return { throughId, lossFromId: undefined, why: "age" };
  if (!state.isFull && state.freeBytes >= rules.lowBytes) return undefined;
  if (ageMs >= RAW_MS) {
    if (isRead) return { throughId, lossFromId: undefined, why: "disk low" };
    const read = Math.min(...behind.map(([, id]) => id));
    const lossFromId = behind.length === 0 ? oldest.firstId : Math.max(oldest.firstId, read + 1);
    const names = behind.map(([name]) => name).sort();
    return { throughId, lossFromId, why: `disk low, not read by ${names.join(", ") || "anybody"}` };
  }
  const isKept = isRead && [...cursors.keys()].some((name) => name !== NO_KEEPER);
  if (!state.isFull || !isKept) return undefined;
  return { throughId, lossFromId: oldest.firstId, why: "disk full, read by all" };
}
