// When the mains were there and when not.
import { type Span, type Spans, spansUntil, withSpan } from "./spans.ts";

/** 1 when they are lost. */
export type MainsSpan = Span<0 | 1>;
export type MainsSeries = Spans<0 | 1>;
export const withMains = withSpan<0 | 1>;
export const mainsUntil = spansUntil<0 | 1>;

/** Since when they are lost, by the newest sample; undefined when they are there, or nobody knows. */
export function mainsLostSince(spans: MainsSeries): number | undefined {
  const last = spans[spans.length - 1];
  return last?.[2] === 1 ? last[0] : undefined;
}
