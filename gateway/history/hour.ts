// What a summary needs of one device and hour, from all its chunks and what is in none yet.
import { type ChunkCodes, codesOf, decodeChunk, decodeCodes, isFault } from "./chunk.ts";
import { byPlace, type HistoryRow } from "./row.ts";

export interface HourCodes {
  /** In the order of time, so that the last is the last; undefined when there is nothing. */
  readonly codes: ChunkCodes | undefined;
  /** Chunks that could not be read. */
  readonly damaged: number;
}

export function hourCodes(bodies: readonly Uint8Array[], tail: readonly HistoryRow[] = []): HourCodes {
  const [only] = bodies;
  if (bodies.length === 1 && only !== undefined && tail.length === 0) {
    const codes = decodeCodes(only);
    return isFault(codes) ? { codes: undefined, damaged: 1 } : { codes, damaged: 0 };
  }
  const rows = [...tail];
  let damaged = 0;
  for (const body of bodies) {
    const chunk = decodeChunk(body);
    if (isFault(chunk)) damaged++;
    else for (const row of chunk) rows.push(row);
  }
  return { codes: rows.length === 0 ? undefined : codesOf(rows.sort(byPlace)), damaged };
}
