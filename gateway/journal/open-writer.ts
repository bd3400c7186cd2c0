// Puts the writer together: the store in SQLite, the writer on it, and its upkeep.
import type { Clock } from "../clock.ts";
import { listBounds } from "./bounds.ts";
import { createReserve, measureSpace, type Space } from "./space.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import type { RecordStore } from "./store.ts";
import { createUpkeep, type Upkeep } from "./upkeep.ts";
import { createWriter, type Writer } from "./writer.ts";

const DAY_MS = 86_400_000;
const MB = 1024 * 1024;
export const KEEP_DAYS = 7;
export const RESERVE_MB = 64;

export interface WriterOptions {
  readonly dir: string;
  /** Test seam: caps the file at this many pages, as a full disk would. */
  readonly pagesMax?: number | undefined;
  /** Days of rows that are kept when all have read them; at least 3. */
  readonly keepDays?: number | undefined;
  /** Free space below which old rows are dropped early; by the size of the disk when left out. */
  readonly lowWaterMb?: number | undefined;
  readonly reserveMb?: number | undefined;
  /** Years of the log of acts. */
  readonly keepActsYears?: number | undefined;
}

export interface OpenWriter extends Writer {
  readonly store: RecordStore;
  readonly upkeep: Upkeep;
  close(): Promise<void>;
}

export async function openWriter(
  options: WriterOptions,
  deps: { readonly clock: Pick<Clock, "nowMs" | "monotonicMs">; readonly space?: () => Space },
): Promise<OpenWriter> {
  const { dir, pagesMax, keepDays = KEEP_DAYS, lowWaterMb, reserveMb = RESERVE_MB, keepActsYears } = options;
  const store = openSqliteStore({ dir, pagesMax });
  const writer = await createWriter(store);
  const upkeep = await createUpkeep({
    store,
    writer,
    clock: deps.clock,
    space: deps.space ?? (() => measureSpace(dir)),
    reserve: createReserve(dir, reserveMb * MB),
    keepMs: keepDays * DAY_MS,
    lists: listBounds(keepActsYears),
    lowBytes: lowWaterMb === undefined ? undefined : lowWaterMb * MB,
  });
  return {
    ...writer,
    store,
    upkeep,
    async close() {
      await upkeep.finish();
      await store.close();
    },
  };
}
