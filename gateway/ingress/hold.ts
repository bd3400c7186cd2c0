// Back-pressure: while the journal is far behind, who publishes is not read. Held is a connection from its first publish on, as
// the bytes of it come and before they are read, so what is taken in meanwhile is at most what was being read already: one chunk
// of 64 KiB of the connection that brought the journal there, and what others sent before their sign-in was over, 42 packets.
// Who only reads is never held. Of one that is held PINGREQs lie behind its publish and are not read either: after one and a
// half times its keep-alive it is closed, its client connects again, and is held again at its first publish. Nothing is lost by
// it, for nothing of it was acknowledged; until then no device is cut off that has nothing to send.
import type { Clock } from "../clock.ts";

/** Above this many rows waiting for the journal who publishes is held; at the low mark they are let go. */
const PENDING_HIGH = 20_000;
const PENDING_LOW = 10_000;
/** Rows that end in an error are no commit: how often it is looked without one. */
const LOOK_MS = 250;

/** One connection. */
export interface Publisher {
  hold(held: boolean): void;
  /** Whether bytes of a publish have come that nobody read. */
  hasUnreadPublish(): boolean;
}

export interface Hold {
  publishCame(publisher: Publisher): void;
  /** Holds who publishes from now on, or lets them go. */
  set(held: boolean, all: Iterable<Publisher>): void;
  left(publisher: Publisher): void;
}

export function createHold(): Hold {
  let isHeld = false;
  /** The longest held first; at most one for each connection. */
  const waiting = new Set<Publisher>();
  function hold(publisher: Publisher): void {
    if (waiting.has(publisher)) return;
    waiting.add(publisher);
    publisher.hold(true);
  }
  return {
    publishCame(publisher) {
      if (isHeld) hold(publisher);
    },
    set(held, all) {
      isHeld = held;
      if (held) {
        // Not read for reasons of their own: the gate would open at the end of those.
        for (const publisher of all) if (publisher.hasUnreadPublish()) hold(publisher);
        return;
      }
      for (const publisher of waiting) {
        waiting.delete(publisher);
        publisher.hold(false);
        // It is read at once, and may have brought the journal up to the mark again: the others wait on, and are the first then.
        if (isHeld) return;
      }
    },
    left: (publisher) => void waiting.delete(publisher),
  };
}

export interface HoldDeps {
  readonly clock: Clock;
  readonly journal: { health(): { readonly pendingRows: number }; onCommitted(listener: () => void): () => void };
  hold(held: boolean): void;
}

/** `check` is called before each publish is taken. */
export function holdWhenBehind({ clock, journal, hold }: HoldDeps): { check(): void; stop(): void } {
  let looking: { stop(): void } | undefined;
  // Never while a publish is taken: connections that are let go are read at once, also the one that it came from.
  const look = () => {
    if (looking === undefined || journal.health().pendingRows > PENDING_LOW) return;
    looking.stop();
    looking = undefined;
    hold(false);
  };
  const unsubscribe = journal.onCommitted(look);
  return {
    check: () => {
      if (looking !== undefined || journal.health().pendingRows <= PENDING_HIGH) return;
      looking = clock.every(LOOK_MS, look);
      hold(true);
    },
    stop: () => {
      unsubscribe();
      looking?.stop();
    },
  };
}
