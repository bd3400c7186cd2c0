// A clock that stands still until it is told to go: hours that never were, or have been, pass in moments, and nothing sleeps.
import type { Clock } from "../clock.ts";

export interface VirtualClock extends Clock {
  /** Goes on by `ms`, running what falls due on the way in its order. */
  advance(ms: number): Promise<void>;
  /** The wall clock jumps; durations do not notice. */
  jump(ms: number): void;
}

export function virtualClock(startMs: number): VirtualClock {
  let elapsed = 0;
  let offset = startMs;
  let number = 0;
  const due = new Map<number, { at: number; run: () => void; every: number | undefined }>();

  function add(delayMs: number, run: () => void, every: number | undefined) {
    const id = ++number;
    due.set(id, { at: elapsed + delayMs, run, every });
    return { stop: () => void due.delete(id) };
  }

  async function settle(): Promise<void> {
    for (let i = 0; i < 12; i++) await new Promise<void>((resolve) => setImmediate(resolve));
  }

  return {
    nowMs: () => offset + elapsed,
    monotonicMs: () => elapsed,
    after: (delayMs, run) => add(delayMs, run, undefined),
    every: (intervalMs, run) => add(intervalMs, run, intervalMs),
    async advance(ms) {
      const until = elapsed + ms;
      for (;;) {
        const next = [...due.entries()].filter(([, one]) => one.at <= until).sort((a, b) => a[1].at - b[1].at)[0];
        if (next === undefined) break;
        const [id, one] = next;
        elapsed = Math.max(elapsed, one.at);
        if (one.every === undefined) due.delete(id);
        else one.at += one.every;
        one.run();
        await settle();
      }
      elapsed = until;
      await settle();
    },
    jump(ms) {
      offset += ms;
    },
  };
}
