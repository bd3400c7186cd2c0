// When was this sample taken? The device's clock decides when it is set and plausible, the gateway's otherwise.
import type { TimeQuality } from "./record.ts";

/** A device clock further ahead than this cannot be right. */
export const AHEAD_MS_MAX = 10 * 60_000;
/** A record that moves forward in sequence but this far back in time is a replay of an older recording. */
export const REPLAY_BEHIND_MS = 24 * 3_600_000;

export interface Placing {
  readonly timeMs: number;
  readonly quality: TimeQuality;
}

export interface StampedHeader {
  readonly timeS: number;
  readonly clockSynced: boolean;
}

/** Where a record is placed in time. An untrusted gateway clock judges nobody. */
export function placeTime(header: StampedHeader, receivedMs: number, clockTrusted: boolean): Placing {
  if (!header.clockSynced) return { timeMs: receivedMs, quality: "estimated" };
  const timeMs = header.timeS * 1000;
  if (clockTrusted && timeMs > receivedMs + AHEAD_MS_MAX) return { timeMs: receivedMs, quality: "suspect" };
  return { timeMs, quality: "synced" };
}

export interface Newest {
  /** Highest extended sequence, and the newest synchronised time, of the device so far. */
  readonly sequence: number;
  readonly syncedMs: number | undefined;
}

/** True when a record extends forward while its synchronised time lies more than a day behind the newest. */
export function isReplay(newest: Newest | undefined, sequence: number, placing: Placing): boolean {
  if (newest === undefined || newest.syncedMs === undefined) return false;
  if (placing.quality !== "synced" || sequence <= newest.sequence) return false;
  return placing.timeMs < newest.syncedMs - REPLAY_BEHIND_MS;
}
