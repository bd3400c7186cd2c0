// When was this sample taken? The device's clock decides when it is set and plausible, the gateway's otherwise. Time is
// never identity: whatever a clock says, a record is stored, once.
import type { TimeQuality } from "./record.ts";
import { neighbourAfter, neighbourBefore, type Timeline } from "./timeline.ts";

/** Kinds of frames (protocol section 1). */
const KIND_INFO = 2;
const KIND_EVENT = 4;
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

/** The gateway's clock when a frame came in. */
export interface Receipt {
  readonly receivedMs: number;
  readonly clockTrusted: boolean;
}

/** True for a time that the gateway's clock rules out; one that is not trusted rules nothing out. */
export function isAhead(timeMs: number, { receivedMs, clockTrusted }: Receipt): boolean {
  return clockTrusted && timeMs > receivedMs + AHEAD_MS_MAX;
}

/** Where a live record is placed in time. Where neither clock can be believed, it is `suspect`. */
export function placeTime(header: StampedHeader, receipt: Receipt): Placing {
  const { receivedMs, clockTrusted } = receipt;
  if (!header.clockSynced) return { timeMs: receivedMs, quality: clockTrusted ? "estimated" : "suspect" };
  const timeMs = header.timeS * 1000;
  return isAhead(timeMs, receipt) ? { timeMs: receivedMs, quality: "suspect" } : { timeMs, quality: "synced" };
}

/**
 * Whether others may be placed by this record: not by one that nobody's clock vouches for, nor by an event or info frame
 * without a clock. Those are kept and sent until somebody has them: their receipt may be days after them.
 */
export function isSure(frame: Uint8Array, quality: TimeQuality): boolean {
  const kind = (frame[0] as number) & 15;
  return quality === "synced" || (quality === "estimated" && kind !== KIND_EVENT && kind !== KIND_INFO);
}

/** A record without a time of its own that comes behind later ones was taken before them, and after those before it. */
export function placeLate(placing: Placing, sequence: number, timeline: Timeline): Placing {
  if (placing.quality === "synced") return placing;
  const after = neighbourAfter(timeline, sequence);
  if (after === undefined || after.timeMs >= placing.timeMs) return placing;
  const before = neighbourBefore(timeline, sequence);
  const isBefore = before !== undefined && before.timeMs > after.timeMs;
  return { ...placing, timeMs: isBefore ? placing.timeMs : after.timeMs };
}

export interface Newest {
  /** Highest extended sequence of the device so far. */
  readonly sequence: number;
  /** The synchronised time of its highest record that has one. */
  readonly syncedMs: number | undefined;
}

/**
 * True when a record extends forward while its synchronised time lies more than a day behind the newest. A newest time
 * that now lies ahead of the gateway's own clock came from a clock that was wrong, and counts as now: else a gateway
 * that was days ahead for a while would refuse its devices for days.
 */
export function isReplay(newest: Newest, sequence: number, placing: Placing, receipt: Receipt): boolean {
  if (newest.syncedMs === undefined || placing.quality !== "synced" || sequence <= newest.sequence) return false;
  const { receivedMs, clockTrusted } = receipt;
  const newestMs = clockTrusted ? Math.min(newest.syncedMs, receivedMs) : newest.syncedMs;
  return placing.timeMs < newestMs - REPLAY_BEHIND_MS;
}
