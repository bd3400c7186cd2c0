// When the mains were there and when not, as spans between samples that agree. Samples may come in any order: the same
// ones give the same spans.

/** [fromMs, toMs, 1 when lost], in the order of time; neighbours differ. */
export type MainsSpan = readonly [fromMs: number, toMs: number, lost: 0 | 1];
export type MainsSeries = readonly MainsSpan[];

/** More changes than an outage has; the oldest fall off. */
const SPANS_MAX = 64;

/** The series with one sample more. */
export function withMains(spans: MainsSeries, atMs: number, lost: 0 | 1): MainsSeries {
  let at = spans.length - 1;
  while (at >= 0 && (spans[at] as MainsSpan)[0] > atMs) at--;
  const before = spans[at];
  const after = spans[at + 1];
  const put = (from: number, count: number, ...made: MainsSpan[]) => {
    const next = [...spans.slice(0, from), ...made, ...spans.slice(from + count)];
    return next.length > SPANS_MAX ? next.slice(next.length - SPANS_MAX) : next;
  };
  if (before !== undefined && before[2] === lost) {
    return atMs <= before[1] ? spans : put(at, 1, [before[0], atMs, lost]);
  }
  if (before !== undefined && atMs <= before[1]) {
    // It says otherwise than the samples around it: they are taken apart.
    const left: MainsSpan[] = atMs > before[0] ? [[before[0], atMs - 1, before[2]]] : [];
    const right: MainsSpan[] = atMs < before[1] ? [[atMs + 1, before[1], before[2]]] : [];
    return joined(put(at, 1, ...left, [atMs, atMs, lost], ...right));
  }
  if (after !== undefined && after[2] === lost) return put(at + 1, 1, [atMs, after[1], lost]);
  return put(at + 1, 0, [atMs, atMs, lost]);
}

/** Neighbours of the same kind become one: where a span of one sample gave way at its very moment. */
function joined(spans: MainsSeries): MainsSeries {
  const next: MainsSpan[] = [];
  for (const span of spans) {
    const last = next[next.length - 1];
    if (last !== undefined && last[2] === span[2]) next[next.length - 1] = [last[0], span[1], last[2]];
    else next.push(span);
  }
  return next;
}

/** Forgets what lies ahead of a moment: it came from a clock that was wrong. */
export function mainsUntil(spans: MainsSeries, untilMs: number): MainsSeries {
  const last = spans[spans.length - 1];
  if (last === undefined || last[1] <= untilMs) return spans;
  return spans.filter(([fromMs]) => fromMs <= untilMs).map(([from, to, lost]) => [from, Math.min(to, untilMs), lost]);
}

/** Since when they are lost, by the newest sample; undefined when they are there, or nobody knows. */
export function mainsLostSince(spans: MainsSeries): number | undefined {
  const last = spans[spans.length - 1];
  return last?.[2] === 1 ? last[0] : undefined;
}
