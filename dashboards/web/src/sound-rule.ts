// When the screen sounds. Pure: only what is critical and unacknowledged, again and again, and never while it is muted.
import type { Alert } from "../../../protocol/schema/index.ts";

export const REPEAT_MS = 10_000;
/** A mute outlives no shift. */
export const MUTE_MS_MAX = 12 * 3_600_000;
export const MUTE_MINUTES = [15, 60, 240, 720] as const;

/** The end of a mute that is in force; one that lies further ahead than anybody can mute was set by a clock that was wrong. */
export function mutedUntil(untilMs: number | undefined, nowMs: number): number | undefined {
  if (untilMs === undefined || untilMs <= nowMs || untilMs > nowMs + MUTE_MS_MAX) return undefined;
  return untilMs;
}

export function isSounding(alerts: Iterable<Alert>): boolean {
  for (const { priority, state } of alerts) if (priority === 1 && state === "unacknowledged") return true;
  return false;
}

/** True when it is to sound now; `lastMs` is when it did. */
export function isDue(
  alerts: Iterable<Alert>,
  { nowMs, lastMs, untilMs }: { readonly nowMs: number; readonly lastMs: number; readonly untilMs: number | undefined },
): boolean {
  if (mutedUntil(untilMs, nowMs) !== undefined || !isSounding(alerts)) return false;
  return nowMs - lastMs >= REPEAT_MS || nowMs < lastMs;
}
