// When to sample: on whole intervals, each device at its own moment within them, so that a region does not speak at once.

/**
 * Seconds until the next sample. `nowS` is Unix time when it is known, else seconds since boot; `phase` is the device's own, any
 * whole number. Pure.
 */
export function nextSampleInS(nowS: number, intervalS: number, phase: number): number {
  const waitS = intervalS - ((nowS + phase) % intervalS);
  // A moment that has all but passed would give two samples in a second.
  return waitS < 1 ? waitS + intervalS : waitS;
}
