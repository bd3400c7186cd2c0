// The one door to time. Wall time orders nothing: rows are ordered by id, durations are measured with `monotonicMs`.

export interface Timer {
  stop(): void;
}

export interface Clock {
  /** Wall clock, milliseconds since 1970; may jump. */
  nowMs(): number;
  /** Milliseconds since an arbitrary moment; never jumps, never runs backwards. */
  monotonicMs(): number;
  after(delayMs: number, run: () => void): Timer;
  every(intervalMs: number, run: () => void): Timer;
}

/** Before this moment a clock is one that has never been set (a board without a battery starts in 1970). */
export const PLAUSIBLE_MS_MIN = Date.UTC(2026, 0, 1);

export function isPlausibleWallTime(ms: number): boolean {
  return ms >= PLAUSIBLE_MS_MIN;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    const handle = setTimeout(run, delayMs);
    return { stop: () => clearTimeout(handle) };
  },
  every(intervalMs, run) {
    const handle = setInterval(run, intervalMs);
    return { stop: () => clearInterval(handle) };
  },
};
