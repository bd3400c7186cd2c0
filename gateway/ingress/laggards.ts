// Readers that hold up the others. The broker delivers so many messages at once, and one is under way until the socket of every
// reader has taken it: a frozen reader keeps a place for each, and when all places are kept nobody is told of an alert. So when
// half of them are taken, whoever has taken nothing for a while is closed. Less than that, and a slow line harms nobody.
import type { Duplex } from "node:stream";
import type { Clock } from "../clock.ts";

export const DELIVERIES_AT_ONCE = 2_000;
export const UNDER_WAY_MAX = DELIVERIES_AT_ONCE / 2;
/**
 * A laggard is closed between one and two of these after half of the places were taken: an alert has a second. A slow line that is
 * given thousands of states at once may be cut by it too; when it comes back it gets them at its own pace and keeps no places.
 */
export const LOOK_MS = 300;

export interface Reader {
  readonly conn: Duplex;
  close(): void;
}

export interface Laggards {
  /** Something is delivered to it. */
  reads(reader: Reader): void;
  /** A message goes out; the function is called when all have taken it. */
  began(): () => void;
  /** A listener to every topic. A message that nobody wants is through within the call, and then the next that waits is: without
   *  a pause between them, thousands that wait for a reader that went away would overflow the stack. */
  pass(message: unknown, taken: () => void): void;
  stop(): void;
}

export function createLaggards(clock: Clock): Laggards {
  /** Whoever reads: one that is full of answers keeps no place. */
  const readers = new Set<Reader>();
  /** Whose socket was full at the last look, and has not been empty since. */
  const full = new Set<Reader>();
  let underWay = 0;
  let isStopped = false;
  let looking: { stop(): void } | undefined;

  function look(): void {
    looking = undefined;
    if (isStopped) return;
    if (underWay <= UNDER_WAY_MAX) {
      full.clear();
      return;
    }
    for (const reader of readers) {
      if (!reader.conn.writableNeedDrain) continue;
      if (full.has(reader)) reader.close();
      else full.add(reader);
    }
    looking = clock.after(LOOK_MS, lookAfterSockets);
  }
  /** Timers come before sockets: after a long turn of the loop, one that has room again has not been asked yet. */
  function lookAfterSockets(): void {
    setImmediate(look);
  }

  const ended = () => {
    underWay--;
  };
  return {
    reads(reader) {
      if (readers.has(reader)) return;
      readers.add(reader);
      reader.conn.on("drain", () => full.delete(reader));
      reader.conn.once("close", () => {
        readers.delete(reader);
        full.delete(reader);
      });
    },
    began() {
      underWay++;
      // The first look only tells who is full, and what was published in this turn is not written yet.
      if (underWay > UNDER_WAY_MAX && !isStopped) looking ??= clock.after(LOOK_MS, lookAfterSockets);
      return ended;
    },
    pass(_message, taken) {
      if (underWay > DELIVERIES_AT_ONCE) setImmediate(taken);
      else taken();
    },
    stop() {
      isStopped = true;
      looking?.stop();
    },
  };
}
