// Chance from a seed: the same seed gives the same points, weather and faults.

export interface Random {
  /** 0 … 1, uniform. */
  next(): number;
  between(low: number, high: number): number;
  normal(mean: number, sd: number): number;
  chance(share: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** A seed for what must not depend on how often this one was asked. */
  seed(): number;
}

/** The finaliser of MurmurHash3 over 32 bits. */
function mixed(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export function createRandom(seed: number): Random {
  let count = mixed(seed + 1);
  const next = () => {
    count = (count + 0x9e3779b9) | 0;
    return mixed(count) / 4_294_967_296;
  };
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    normal: (mean, sd) => mean + sd * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    chance: (share) => next() < share,
    pick: <T>(from: readonly T[]) => from[Math.floor(next() * from.length)] as T,
    seed: () => Math.floor(next() * 4_294_967_296),
  };
}

/** Noise that is a function of its argument: smooth between whole numbers, about −1 … 1, mean 0. */
export function noiseAt(seed: number, x: number): number {
  const whole = Math.floor(x);
  const at = (n: number) => mixed(mixed(seed) ^ Math.imul(n, 0x27d4eb2f)) / 2_147_483_648 - 1;
  const share = (1 - Math.cos(Math.PI * (x - whole))) / 2;
  return at(whole) * (1 - share) + at(whole + 1) * share;
}
