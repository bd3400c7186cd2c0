// Virtual time that keeps pace with real time, from some moment of it on.
import type { RealClock } from "./real-clock.ts";
import type { Schedule } from "./schedule.ts";

/** It looks at least so often, and not more often than it must. */
const LOOK_MS_MAX = 1_000;

export interface Pace {
  /** Brings the schedule to now, does this, and goes on. */
  at(work: () => void): void;
  stop(): void;
}

/** What is due by now runs now; from here on everything comes when it is due. */
export function keepPace(schedule: Schedule, clock: RealClock): Pace {
  const offsetMs = clock.monotonicMs() - schedule.nowMs();
  const virtualNow = () => clock.monotonicMs() - offsetMs;
  let forget = () => {};
  let isStopped = false;

  function turn(): void {
    if (isStopped) return;
    schedule.runUntil(virtualNow());
    forget();
    forget = clock.after(Math.min(LOOK_MS_MAX, Math.max(1, schedule.nextMs() - virtualNow())), turn);
  }

  turn();
  return {
    at: (work) => {
      if (isStopped) return;
      schedule.runUntil(virtualNow());
      work();
      turn();
    },
    stop: () => {
      isStopped = true;
      forget();
    },
  };
}
