// The device's clock: seconds since boot always run; Unix time is an offset to them, set only by acks that answer a frame
// just sent, and moved far only when two of them agree (protocol section 1.2).

/** An ack that answers a frame sent longer ago says nothing of now. */
export const ANSWER_S_MAX = 30;
/** A larger step needs a second ack that agrees. */
export const STEP_S_MAX = 60;
const AGREE_S = 5;

export interface ClockState {
  /** Unix seconds minus seconds since boot; undefined until the first agreement. */
  readonly offsetS: number | undefined;
  /** An offset that one ack has proposed. */
  readonly proposedS: number | undefined;
}

export const CLOCK_UNSET: ClockState = { offsetS: undefined, proposedS: undefined };

export interface ClockStep {
  readonly clock: ClockState;
  readonly reason: "no-time" | "too-old" | "adjusted" | "proposed" | "agreed";
}

/** One ack: `unixS` as it says, `uptimeS` now, `answerS` how long ago the frame it answers was sent. */
export function stepClock(clock: ClockState, unixS: number, uptimeS: number, answerS: number): ClockStep {
  if (unixS === 0) return { clock: clock, reason: "no-time" };
  if (answerS > ANSWER_S_MAX) return { clock: clock, reason: "too-old" };
  const offset = unixS - uptimeS;
  if (clock.offsetS !== undefined && Math.abs(offset - clock.offsetS) <= STEP_S_MAX) {
    return { clock: { offsetS: offset, proposedS: undefined }, reason: "adjusted" };
  }
  if (clock.proposedS !== undefined && Math.abs(offset - clock.proposedS) <= AGREE_S) {
    return { clock: { offsetS: offset, proposedS: undefined }, reason: "agreed" };
  }
  return { clock: { offsetS: clock.offsetS, proposedS: offset }, reason: "proposed" };
}

/** Time and flag of a sample taken at `uptimeS`. */
export function stampOf(clock: ClockState, uptimeS: number): { time: number; clockSynced: boolean } {
  if (clock.offsetS === undefined) return { time: Math.floor(uptimeS), clockSynced: false };
  return { time: Math.floor(uptimeS + clock.offsetS), clockSynced: true };
}
