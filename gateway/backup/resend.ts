// From which sequence on each device has to send again: the first one of its last days that the copy lacks. A hole counts as well as
// the end: a device that was sending its history has told the lost machine of old samples after it had told it of new ones.

/** A device keeps 72 hours (promise 2); a little more costs nothing, and what lies before is no longer on it. */
const BACK_MS = 76 * 3_600_000;

export interface HeldRow {
  readonly device: number;
  /** Extended; 0 for a frame whose header could not be read. */
  readonly sequence: number;
  readonly time_ms: number;
}

/** By the number of the device in the journal. */
export function resendFrom(rows: Iterable<HeldRow>): Map<number, number> {
  const held = new Map<number, { newestMs: number; times: Map<number, number> }>();
  for (const { device, sequence, time_ms } of rows) {
    if (sequence === 0) continue;
    const one = held.get(device) ?? { newestMs: 0, times: new Map<number, number>() };
    one.newestMs = Math.max(one.newestMs, time_ms);
    one.times.set(sequence, time_ms);
    held.set(device, one);
  }
  const from = new Map<number, number>();
  for (const [device, { newestMs, times }] of held) {
    const recent = [...times].filter(([, ms]) => ms >= newestMs - BACK_MS).map(([sequence]) => sequence);
    recent.sort((a, b) => a - b);
    let next = recent[0] as number;
    for (const sequence of recent) {
      if (sequence > next) break;
      next = sequence + 1;
    }
    from.set(device, next);
  }
  return from;
}
