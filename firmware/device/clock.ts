// The device's clock: seconds since boot always run; Unix time is an offset to them, set only by acks that answer a frame
// just sent, and moved far only when two of them agree (protocol section 1.2).

/** An ack that answers a frame sent longer ago says nothing of now. */
export const ANSWER_S_MAX = 30;
/** A larger step needs a second ack that agrees. */
export const STEP_S_MAX = 60;
const AGREE_S = 5;

export interface Clock {
  /** Unix seconds minus seconds since boot; 0 until the first agreement. */
  offsetS(): number;
  /** One ack: `unixS` as it says (0: it does not know), `uptimeS` now, `answerS` how long ago the frame it answers was sent. */
  heard(unixS: number, uptimeS: number, answerS: number): void;
}

export function createClock(): Clock {
  let offsetS = 0;
  /** An offset that one ack has proposed; 0 for none. */
  let proposedS = 0;

  return {
    offsetS: () => offsetS,
    heard: (unixS, uptimeS, answerS) => {
      const heardS = unixS - uptimeS;
      if (!unixS || answerS > ANSWER_S_MAX) return;
      const isNear = offsetS && Math.abs(heardS - offsetS) <= STEP_S_MAX;
      if (isNear || Math.abs(heardS - proposedS) <= AGREE_S) {
        offsetS = heardS;
        proposedS = 0;
      } else proposedS = heardS;
    },
  };
}
