// The watchdog is fed only when samples are taken: an interval that the engine removed stops the board, and it starts anew.

/** A sample may be late by so many intervals, and by this at least. */
const LATE_INTERVALS = 3;
const LATE_S_MIN = 180;

/** Pure: whether sampling goes on. The tick that asks this has run itself. Times are seconds since boot. */
export function isAlive(sampledS: number, intervalS: number, nowS: number): boolean {
  return nowS - sampledS <= Math.max(LATE_S_MIN, LATE_INTERVALS * intervalS);
}

/** Pure: flags of the engine after which nothing can be relied on: memory was refused, or a call was cut off. */
export function isFatal(flags: readonly string[]): boolean {
  return /MEMORY|CALLBACK/.test(flags.join());
}
