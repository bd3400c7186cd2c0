// Is a record whose sequence is stored the stored one? Time is never identity, but it can tell that two are not the same.
import { type Placing, REPLAY_BEHIND_MS } from "./placing.ts";
import type { CheckedFrame } from "./record.ts";
import { isStampedOnce } from "./stamp.ts";

/** Of a record whose sequence is stored: whether it is the one that is stored. */
export type Likeness = "same" | "another" | "unsure";

/** What is later by less is let pass for the same one, as a clock may have been mended between two tellings. */
const LATER_MS = 10 * 60_000;

/**
 * A sequence of 16 bits comes again: with a device that was not heard for more than half a cycle, or with a new board under its
 * name. The time of a sample never changes, so one that is later than all that its device has told with a clock is another one.
 * A frame that says when it is sent, each time anew, may be the same after a day as well. `latestS` is the latest time told,
 * whether believed or not, in Unix seconds; 0 when none was told with a clock.
 */
export function likenessOf(
  latestS: number,
  frame: Pick<CheckedFrame, "frame" | "isStampedOnReceipt">,
  placing: Placing,
): Likeness {
  if (placing.quality !== "synced" || frame.isStampedOnReceipt === true) return "same";
  const laterMs = placing.timeMs - latestS * 1000;
  if (isStampedOnce(frame.frame)) return laterMs > LATER_MS ? "another" : "same";
  return latestS > 0 && laterMs > REPLAY_BEHIND_MS ? "unsure" : "same";
}
