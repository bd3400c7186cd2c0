// Work over a batch in slices, with a turn of the event loop between them: frames, alerts and screens do not wait for a sink.

/** About a millisecond of lines or events on a small box. */
export const SLICE_ROWS = 25;

export async function inSlices<T, R>(items: readonly T[], of: (item: T) => R): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) {
    if (results.length > 0 && results.length % SLICE_ROWS === 0) await new Promise((resolve) => setImmediate(resolve));
    results.push(of(item));
  }
  return results;
}
