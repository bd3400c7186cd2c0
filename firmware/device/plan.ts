// When to sample: on whole intervals, each device at its own moment within them, so that a region does not speak at once.

/** Seconds until the next sample. `nowS` is Unix time when it is known, else seconds since boot. */
export function nextSampleInS(nowS: number, intervalS: number, phaseS: number): number {
  const into = (nowS - phaseS) % intervalS;
  const waitS = intervalS - (into < 0 ? into + intervalS : into);
  // A moment that has all but passed would give two samples in a second.
  return waitS < 1 ? waitS + intervalS : waitS;
}

/** A device's own moment within the interval, from its name. */
export function phaseOf(deviceId: string, intervalS: number): number {
  let hash = 7;
  for (let i = 0; i < deviceId.length; i++) hash = (hash * 31 + deviceId.charCodeAt(i)) % 65521;
  return hash % intervalS;
}
