// What a word that nobody knows was probably meant to be.

const DISTANCE_MAX = 3;
/** So few letters are the beginning of anything. */
const BEGINNING_MIN = 3;

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, swap));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** The one known word that begins with this one, else the nearest to it; undefined when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const longer = known.filter((candidate) => candidate.toLowerCase().startsWith(word.toLowerCase()));
  if (word.length >= BEGINNING_MIN && longer.length === 1) return longer[0];
  const ranked = known
    .map((candidate) => ({ candidate, far: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.far - b.far);
  const best = ranked[0];
  return best !== undefined && best.far <= Math.min(DISTANCE_MAX, Math.max(1, word.length - 1))
    ? best.candidate
    : undefined;
}
