// Two light beams in a door, A outside and B inside: A, both, B is a person in; B, both, A is one out. Counts only.
import type { DigitalInput, EdgeWatch } from "../hal.ts";

/** A passage that takes longer has ended somewhere else. */
const PASSAGE_S = 3;
/** A beam blocked for so long is blocked by a thing, not by a person. */
const BLOCKED_S = 30;
const ENTRIES_MODULO = 16376;
const OCCUPANCY_MAX = 2039;

/** Which beams are interrupted: bit 0 is A, bit 1 is B. */
export type Beams = 0 | 1 | 2 | 3;

/**
 * Pure: the way of a passage, two bits a step, the latest lowest, at most three steps; 0 is an empty doorway. Back to the beam
 * before: the person hesitates, and the step is taken back.
 */
export function stepPath(path: number, beams: number): number {
  if ((path & 3) === beams) return path;
  if (path > 3 && ((path >> 2) & 3) === beams) return path >> 2;
  return path > 15 ? path : path * 4 + beams;
}

/** Pure: 1 for a way in (A, both, B), −1 for a way out (B, both, A), also with the middle missed; 0 for turning back. */
export function directionOf(path: number): number {
  return path === 30 || path === 6 ? 1 : path === 45 || path === 9 ? -1 : 0;
}

export interface DoorCounterOptions {
  readonly watchA: EdgeWatch;
  readonly watchB: EdgeWatch;
  /** True while the beam arrives, that is, while nobody stands in it. */
  readonly beamA: DigitalInput;
  readonly beamB: DigitalInput;
  readonly uptime: () => number;
  readonly delay: (ms: number, run: () => void) => () => void;
}

export interface DoorCounter {
  /** Calls `done` exactly once, later. Never throws. While a beam is stuck the counts say nothing. */
  sample(done: (isStuck: boolean, occupancy: number, entries: number) => void): void;
  /** Goes on from what was counted before a restart, as it stands in a report; a reason there counts as none. */
  restore(occupancy: number, entries: number): void;
  /** A recount: so many people are inside. */
  setOccupancy(people: number): void;
}

export function createDoorCounter(options: DoorCounterOptions): DoorCounter {
  const uptime = options.uptime;
  let inside = 0;
  let entries = 0;
  let path = 0;
  let startedS = 0;
  let beams = 0;
  let blockedS = 0;

  function step(mask: number, isHigh: boolean, timeS: number): void {
    if (!beams) blockedS = uptime();
    beams = isHigh ? beams & ~mask : beams | mask;
    const isLate = timeS - startedS > PASSAGE_S;
    if (beams) {
      if (!path || isLate) {
        path = 0;
        startedS = timeS;
      }
      path = stepPath(path, beams);
      return;
    }
    const direction = isLate ? 0 : directionOf(path);
    path = 0;
    inside = Math.max(0, Math.min(inside + direction, OCCUPANCY_MAX));
    if (direction > 0) entries = (entries + 1) % ENTRIES_MODULO;
  }

  options.watchA((isHigh, timeS) => step(1, isHigh, timeS));
  options.watchB((isHigh, timeS) => step(2, isHigh, timeS));

  return {
    sample: (done) => {
      options.delay(1, () => {
        // An edge can be missed under load: the levels themselves are asked as well.
        if (options.beamA() && options.beamB()) beams = path = 0;
        done(beams > 0 && uptime() - blockedS > BLOCKED_S, inside, entries);
      });
    },
    restore: (people, before) => {
      if (people <= OCCUPANCY_MAX) inside += people;
      entries = (entries + before) % ENTRIES_MODULO;
    },
    setOccupancy: (people) => {
      inside = Math.min(people, OCCUPANCY_MAX);
    },
  };
}
