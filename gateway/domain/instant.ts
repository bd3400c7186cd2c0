// Moments as JSON writes them.

/** RFC 3339 in UTC, ending in Z, from milliseconds since 1970. */
export function toInstant(ms: number): string {
  return new Date(Math.round(ms)).toISOString();
}
