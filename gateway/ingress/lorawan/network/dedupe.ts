// One frame as all base stations heard it. The first copy opens a window; when it closes the frame goes on once, with its receptions, the
// best first. A copy that comes later is dropped: it is sooner than a device can send the same bytes again.
import type { Clock } from "../../../clock.ts";
import type { HeardFrame } from "../interfaces.ts";

export const WINDOW_MS = 200;
/** A repetition follows both windows of a device, the earliest 2 s after its frame (class A with a first window after 1 s). */
export const LATE_MS = 1_500;
/** Frames that wait for their window to close, and frames remembered: more than eight channels bring in that time. */
export const FRAMES_MAX = 1_024;
/** Base stations of one frame; the best are kept. */
export const COPIES_MAX = 16;

export interface Copy extends HeardFrame {
  /** On the monotonic clock. */
  readonly heardMs: number;
}

export type DedupeRefusal = "too-many-frames" | "late-copy";

export interface Dedupe {
  take(copy: Copy): DedupeRefusal | undefined;
  /** Frames that wait. */
  size(): number;
  stop(): void;
}

/** The better signal of one base station (it may hear a strong frame on its neighbour channels too), best base station first. */
function withCopy(copies: readonly Copy[], copy: Copy): readonly Copy[] {
  const { stationId, snr } = copy.reception;
  const same = copies.find((one) => one.reception.stationId === stationId);
  if (same !== undefined && same.reception.snr >= snr) return copies;
  const others = copies.filter((one) => one !== same);
  return [...others, copy].sort((a, b) => b.reception.snr - a.reception.snr).slice(0, COPIES_MAX);
}

export function createDedupe(clock: Clock, onFrame: (copies: readonly Copy[]) => void): Dedupe {
  const open = new Map<string, readonly Copy[]>();
  const closed = new Map<string, number>();
  const timers = new Set<{ stop(): void }>();

  function close(key: string): void {
    const copies = open.get(key) ?? [];
    open.delete(key);
    closed.set(key, clock.monotonicMs());
    for (const [old, atMs] of closed) {
      // In the order in which they were closed.
      if (closed.size <= FRAMES_MAX && clock.monotonicMs() - atMs < LATE_MS) break;
      closed.delete(old);
    }
    onFrame(copies);
  }

  return {
    take(copy) {
      const key = Buffer.from(copy.phy).toString("latin1");
      const copies = open.get(key);
      if (copies !== undefined) {
        open.set(key, withCopy(copies, copy));
        return undefined;
      }
      const closedMs = closed.get(key);
      if (closedMs !== undefined && copy.heardMs - closedMs < LATE_MS) return "late-copy";
      if (open.size >= FRAMES_MAX) return "too-many-frames";
      open.set(key, [copy]);
      const timer = clock.after(WINDOW_MS, () => {
        timers.delete(timer);
        close(key);
      });
      timers.add(timer);
      return undefined;
    },
    size: () => open.size,
    stop() {
      for (const timer of timers) timer.stop();
      timers.clear();
      open.clear();
    },
  };
}
