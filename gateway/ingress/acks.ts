// Ack frames after a commit: few frames that together name every record just stored or found stored.
import type { AckWindow } from "../domain/record.ts";

/** Ack frames for one device after one commit; the rest is named when the device asks again. */
export const ACKS_PER_DEVICE_MAX = 32;
const WINDOW = 32;

/**
 * The windows to send: each record's window ends in that record, so the newest covers the 31 before it. All windows
 * were taken after the same commit, so a later one knows what an earlier one knew.
 */
export function coverWindows(windows: readonly AckWindow[]): AckWindow[] {
  const first = windows[0];
  if (first === undefined) return [];
  const distance = (window: AckWindow) => ((window.baseSequence - first.baseSequence + 0x8000) & 0xffff) - 0x8000;
  const newestFirst = [...windows].sort((a, b) => distance(b) - distance(a));
  const chosen: AckWindow[] = [];
  let coveredDownTo = Number.POSITIVE_INFINITY;
  for (const window of newestFirst) {
    // The record of a window is the last one in it.
    if (distance(window) + WINDOW - 1 >= coveredDownTo) continue;
    chosen.push(window);
    coveredDownTo = distance(window);
    if (chosen.length === ACKS_PER_DEVICE_MAX) break;
  }
  return chosen;
}
