// The device's clock: seconds since boot always run; Unix time is an offset to them, set only by acks that answer a frame
// just sent, and moved far only when two of them agree (protocol section 1.2). Pure.

/** An ack that answers a frame sent longer ago says nothing of now. */
export const ANSWER_S_MAX = 30;
/** A larger step needs a second ack that agrees. */
export const STEP_S_MAX = 60;
const AGREE_S = 5;

export interface ClockState {
  /** Unix seconds minus seconds since boot; 0 until the first agreement. */
  readonly offsetS: number;
  /** An offset that one ack has proposed; 0 for none. */
  readonly proposedS: number;
}

export const CLOCK_UNSET: ClockState = { offsetS: 0, proposedS: 0 };

/** One ack: `unixS` as it says (0: it does not know), `uptimeS` now, `answerS` how long ago the frame it answers was sent. */
export function stepClock(clock: ClockState, unixS: number, uptimeS: number, answerS: number): ClockState {
  const offset = unixS - uptimeS;
  if (!unixS || answerS > ANSWER_S_MAX) return clock;
  const isNear = clock.offsetS && Math.abs(offset - clock.offsetS) <= STEP_S_MAX;
  if (isNear || Math.abs(offset - clock.proposedS) <= AGREE_S) return { offsetS: offset, proposedS: 0 };
  return { offsetS: clock.offsetS, proposedS: offset };
}
