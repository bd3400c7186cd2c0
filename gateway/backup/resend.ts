// From which sequence on each device has to send again: the first one of its last days that the copy lacks. A hole counts as well as
// the end: a device that was sending its history has told the lost machine of old samples after it had told it of new ones.

import { RESEND_REACH } from "../domain/downlink-queue.ts";

/** A device keeps 72 hours (promise 2); a little more costs nothing, and what lies before is no longer on it. */
const BACK_MS = 76 * 3_600_000;

export interface HeldRow {
  /** The device's number in the journal. */
  readonly device: number;
  /** Extended; 0 for a frame whose header could not be read. */
  readonly sequence: number;
  readonly time_ms: number;
}

export interface ResendPlan {
  /** Takes a row of the copy, in any order. */
  add(row: HeldRow): void;
  /** By the number of the device: the extended sequence to begin at. */
  from(): Map<number, number>;
}

interface Held {
  newestMs: number;
  readonly sequences: number[];
  readonly times: number[];
}

function firstMissing({ newestMs, sequences, times }: Held): number {
  const isRecent = (_: number, i: number) => (times[i] as number) >= newestMs - BACK_MS;
  const recent = sequences.filter(isRecent).sort((a, b) => a - b);
  const floor = Math.max(0, (recent.at(-1) as number) - RESEND_REACH);
  // A copy that does not reach back so far knows nothing of what the device had before: all of it is asked for.
  if (recent.length === sequences.length) return floor;
  const older = sequences.reduce((most, sequence, i) => (isRecent(sequence, i) ? most : Math.max(most, sequence)), 0);
  let next = Math.min(recent[0] as number, older + 1);
  for (const sequence of recent) {
    if (sequence > next) break;
    next = sequence + 1;
  }
  return Math.max(next, floor);
}

export function createResendPlan(): ResendPlan {
  const held = new Map<number, Held>();
  return {
    add({ device, sequence, time_ms }) {
      if (sequence === 0) return;
      let one = held.get(device);
      if (one === undefined) {
        one = { newestMs: 0, sequences: [], times: [] };
        held.set(device, one);
      }
      one.newestMs = Math.max(one.newestMs, time_ms);
      one.sequences.push(sequence);
      one.times.push(time_ms);
    },
    from: () => new Map([...held].map(([device, one]) => [device, firstMissing(one)])),
  };
}
