// What held when, as spans between samples that agree. Samples may come in any order: the same ones give the same spans.

/** [fromMs, toMs, value], in the order of time; neighbours differ. */
export type Span<V extends number> = readonly [fromMs: number, toMs: number, value: V];
export type Spans<V extends number> = readonly Span<V>[];

/** More changes than an outage has; the oldest fall off. */
const SPANS_MAX = 64;

/** The series with one sample more. */
export function withSpan<V extends number>(spans: Spans<V>, atMs: number, value: V): Spans<V> {
  let at = spans.length - 1;
  while (at >= 0 && (spans[at] as Span<V>)[0] > atMs) at--;
  const before = spans[at];
  const after = spans[at + 1];
  const put = (from: number, count: number, ...made: Span<V>[]) => {
    const next = [...spans.slice(0, from), ...made, ...spans.slice(from + count)];
    return next.length > SPANS_MAX ? next.slice(next.length - SPANS_MAX) : next;
  };
  if (before !== undefined && before[2] === value) {
    return atMs <= before[1] ? spans : put(at, 1, [before[0], atMs, value]);
  }
  if (before !== undefined && atMs <= before[1]) {
    // It says otherwise than the samples around it: they are taken apart.
    const left: Span<V>[] = atMs > before[0] ? [[before[0], atMs - 1, before[2]]] : [];
    const right: Span<V>[] = atMs < before[1] ? [[atMs + 1, before[1], before[2]]] : [];
    return joined(put(at, 1, ...left, [atMs, atMs, value], ...right));
  }
  if (after !== undefined && after[2] === value) return put(at + 1, 1, [atMs, after[1], value]);
  return put(at + 1, 0, [atMs, atMs, value]);
}

/** Neighbours of the same kind become one: where a span of one sample gave way at its very moment. */
function joined<V extends number>(spans: Spans<V>): Spans<V> {
  const next: Span<V>[] = [];
  for (const span of spans) {
    const last = next[next.length - 1];
    if (last !== undefined && last[2] === span[2]) next[next.length - 1] = [last[0], span[1], last[2]];
    else next.push(span);
  }
  return next;
}

/** Forgets what lies ahead of a moment: it came from a clock that was wrong. */
export function spansUntil<V extends number>(spans: Spans<V>, untilMs: number): Spans<V> {
  const last = spans[spans.length - 1];
  if (last === undefined || last[1] <= untilMs) return spans;
  return spans.filter(([fromMs]) => fromMs <= untilMs).map(([from, to, value]) => [from, Math.min(to, untilMs), value]);
}
