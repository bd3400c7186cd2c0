// The events of one board in the order of its time.

interface Scheduled {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

export interface Schedule {
  nowMs(): number;
  /** Runs after `delayMs`; gives the call that forgets it. */
  after(delayMs: number, run: () => void): () => void;
  /** When the next event is due, or Infinity. */
  nextMs(): number;
  /** Runs the next event alone, if it is due by then; false when none is. */
  step(untilMs: number): boolean;
  /** Runs all events up to this time, and stands there. */
  runUntil(untilMs: number): void;
  /** Moves the time on without running anything, for what comes from outside. */
  moveTo(nowMs: number): void;
  clear(): void;
}

export function createSchedule(): Schedule {
  let now = 0;
  let order = 0;
  /** Sorted, the next one last. */
  let queue: Scheduled[] = [];

  function insert(event: Scheduled): void {
    let low = 0;
    let high = queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = queue[middle] as Scheduled;
      if (other.atMs > event.atMs || (other.atMs === event.atMs && other.order > event.order)) low = middle + 1;
      else high = middle;
    }
    queue.splice(low, 0, event);
  }

  function step(untilMs: number): boolean {
    const next = queue[queue.length - 1];
    if (next === undefined || next.atMs > untilMs) return false;
    queue.pop();
    now = Math.max(now, next.atMs);
    next.run();
    return true;
  }

  return {
    nowMs: () => now,
    after: (delayMs, run) => {
      const event = { atMs: now + Math.max(0, delayMs), order: order++, run };
      insert(event);
      return () => {
        const at = queue.indexOf(event);
        if (at >= 0) queue.splice(at, 1);
      };
    },
    nextMs: () => queue[queue.length - 1]?.atMs ?? Number.POSITIVE_INFINITY,
    step,
    runUntil: (untilMs) => {
      while (step(untilMs));
      now = Math.max(now, untilMs);
    },
    moveTo: (nowMs) => {
      now = Math.max(now, nowMs);
    },
    clear: () => {
      queue = [];
    },
  };
}
