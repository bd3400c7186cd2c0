// Two light beams in a door, A outside and B inside: A, both, B is a person in; B, both, A is one out. Counts only.
import type { Quantity } from "../../protocol/wire.ts";
import type { DigitalInput, EdgeWatch } from "../hal.ts";

/** A passage that takes longer has ended somewhere else. */
const PASSAGE_S = 3;
/** A beam blocked for so long is blocked by a thing, not by a person. */
const BLOCKED_S = 30;
const ENTRIES_MODULO = 16376;
const OCCUPANCY_MAX = 2039;

/** Which beams are interrupted: bit 0 is A, bit 1 is B. */
export type Beams = 0 | 1 | 2 | 3;

export interface Passage {
  /** The beams seen since the doorway was last empty, oldest first, at most three that differ. */
  readonly path: string;
  readonly startedS: number;
}

export const EMPTY_PASSAGE: Passage = { path: "", startedS: 0 };

export interface PassageStep {
  readonly passage: Passage;
  readonly result: "in" | "out" | "turned" | "lost" | undefined;
}

/** Pure: one change of the beams. */
export function stepPassage(passage: Passage, beams: Beams, timeS: number): PassageStep {
  const late = passage.path !== "" && timeS - passage.startedS > PASSAGE_S;
  if (beams === 0) {
    if (passage.path === "") return { passage: EMPTY_PASSAGE, result: undefined };
    if (late) return { passage: EMPTY_PASSAGE, result: "lost" };
    const isIn = passage.path === "132" || passage.path === "12";
    const isOut = passage.path === "231" || passage.path === "21";
    return { passage: EMPTY_PASSAGE, result: isIn ? "in" : isOut ? "out" : "turned" };
  }
  if (passage.path === "" || late)
    return { passage: { path: `${beams}`, startedS: timeS }, result: late ? "lost" : undefined };
  const steps = passage.path.length;
  const last = passage.path[steps - 1];
  if (last === `${beams}`) return { passage: passage, result: undefined };
  // Back to the beam before: the person hesitates, and the step is taken back.
  if (steps > 1 && passage.path[steps - 2] === `${beams}`) {
    return { passage: { path: passage.path.substr(0, steps - 1), startedS: passage.startedS }, result: undefined };
  }
  if (steps >= 3) return { passage: passage, result: undefined };
  return { passage: { path: `${passage.path}${beams}`, startedS: passage.startedS }, result: undefined };
}

export interface DoorSample {
  readonly occupancy: Quantity;
  readonly entries: Quantity;
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
  /** Calls `done` exactly once, later. Never throws. */
  sample(done: (sample: DoorSample) => void): void;
  /** A recount: so many people are inside. */
  setOccupancy(people: number): void;
}

export function createDoorCounter(options: DoorCounterOptions): DoorCounter {
  let passage = EMPTY_PASSAGE;
  let inside = 0;
  let entries = 0;
  let beams: Beams = 0;
  let blockedSince = -1;

  function step(mask: number, interrupted: boolean, timeS: number): void {
    beams = (interrupted ? beams | mask : beams & ~mask) as Beams;
    if (beams === 0) blockedSince = -1;
    else if (blockedSince < 0) blockedSince = options.uptime();
    const next = stepPassage(passage, beams, timeS);
    passage = next.passage;
    if (next.result === "in") {
      inside = Math.min(inside + 1, OCCUPANCY_MAX);
      entries = (entries + 1) % ENTRIES_MODULO;
    } else if (next.result === "out") inside = Math.max(inside - 1, 0);
  }

  options.watchA((isHigh, timeS) => {
    step(1, !isHigh, timeS);
  });
  options.watchB((isHigh, timeS) => {
    step(2, !isHigh, timeS);
  });

  function isBlocked(): boolean {
    return blockedSince >= 0 && options.uptime() - blockedSince > BLOCKED_S;
  }

  return {
    sample: (done) => {
      options.delay(1, () => {
        // An edge can be missed under load: the levels themselves are asked as well.
        try {
          if (options.beamA() && options.beamB() && beams !== 0) {
            beams = 0;
            blockedSince = -1;
            passage = EMPTY_PASSAGE;
          }
        } catch {
          beams = 0;
        }
        done(isBlocked() ? { occupancy: "stuck", entries: "stuck" } : { occupancy: inside, entries: entries });
      });
    },
    setOccupancy: (people) => {
      inside = Math.min(Math.max(people, 0), OCCUPANCY_MAX);
    },
  };
}
