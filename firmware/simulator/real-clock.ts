// The simulator's one door to real time and real timers.

export interface RealClock {
  unixMs(): number;
  monotonicMs(): number;
  after(delayMs: number, run: () => void): () => void;
}

export const realClock: RealClock = {
  unixMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    const handle = setTimeout(run, delayMs);
    return () => clearTimeout(handle);
  },
};
