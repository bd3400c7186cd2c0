// Frames of a newer version whose header cannot be read have no identity: sent again they would be stored again, so a
// device may store only so many.
import type { Clock } from "../clock.ts";

/** At once, and one more each minute. */
const BURST = 100;
const REFILL_MS = 60_000;

/** True when this device may store one more such frame now. */
export type UnreadableLimit = (deviceId: string) => boolean;

export function createUnreadableLimit(clock: Clock): UnreadableLimit {
  const devices = new Map<string, { tokens: number; filledMs: number }>();
  return (deviceId) => {
    const now = clock.monotonicMs();
    const row = devices.get(deviceId) ?? { tokens: BURST, filledMs: now };
    row.tokens = Math.min(BURST, row.tokens + (now - row.filledMs) / REFILL_MS);
    row.filledMs = now;
    devices.set(deviceId, row);
    if (row.tokens < 1) return false;
    row.tokens--;
    return true;
  };
}
