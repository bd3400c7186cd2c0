// The 16 bits of a counter on the air made whole again (LoRaWAN 1.0.2 §4.3.1.5). No limit to a gap: a device that nobody heard for days
// of an outage is taken with the counter that it has by then; only what it would be after 65,536 unheard frames is lost.

export interface CounterGuess {
  /** What the frame's counter is when it is the next or a later one; or the last one once more. */
  readonly counter: number;
  readonly isRepeat: boolean;
}

/** `next`: one more than the highest counter seen, 0 when none was. */
export function wholeCounter(next: number, low: number): CounterGuess {
  if (next > 0 && low === ((next - 1) & 0xffff)) return { counter: next - 1, isRepeat: true };
  return { counter: next + ((low - next) & 0xffff), isRepeat: false };
}

/** Counters that the frame can have when it is none of those to come: a replay, or a device that began anew. */
export function pastCounters(next: number, low: number): readonly number[] {
  const { counter, isRepeat } = wholeCounter(next, low);
  const behind = isRepeat ? counter : counter - 0x1_0000;
  return [...new Set([behind, low])].filter((one) => one >= 0 && one < next && one !== counter);
}
