// What a writing process was told is stored, and whether a journal that is found holds it: once, whole, under the same id.
import { DatabaseSync } from "node:sqlite";
import { systemClock } from "../../../gateway/clock.ts";
import { type Journal, openJournal, READ_ROWS_MAX } from "../../../gateway/journal/journal.ts";
import { numbered, numberOf } from "./frames.ts";

export interface Told {
  /** Numbers, with the id where it was named. */
  readonly ids: Map<number, number | undefined>;
  /** The newest state that was saved; -1 before the first. */
  saved: number;
}

export function nothingTold(): Told {
  return { ids: new Map(), saved: -1 };
}

/** One line of the writer; what is torn off at its end was not told. */
export function tell(told: Told, line: string): void {
  const [first = "", second] = line.split(" ");
  if (first === "s") told.saved = Math.max(told.saved, Number(second));
  else if (first !== "" && told.ids.get(Number(first)) === undefined)
    told.ids.set(Number(first), second === undefined ? undefined : Number(second));
}

export interface Found {
  readonly lost: number;
  readonly twice: number;
  /** Rows that nobody sent, that are damaged, or that stand under another id; a file that does not open. */
  readonly damaged: number;
  readonly newestId: number;
  /** Why it does not open. */
  readonly refused?: string;
}

export interface Row {
  readonly id: number;
  readonly frame: Uint8Array;
  readonly damaged?: true;
}

export function judgeRows(rows: readonly Row[], told: Told): Found {
  const seen = new Map<number, number>();
  let [twice, damaged, newestId] = [0, 0, 0];
  for (const row of rows) {
    const number = numberOf(row.frame);
    if (row.id <= newestId || number === undefined || row.damaged === true) damaged++;
    newestId = Math.max(newestId, row.id);
    if (number === undefined) continue;
    if (seen.has(number)) twice++;
    seen.set(number, row.id);
  }
  let lost = 0;
  for (const [number, id] of told.ids) {
    const at = seen.get(number);
    if (at === undefined) lost++;
    else if (id !== undefined && at !== id) damaged++;
  }
  return { lost, twice, damaged, newestId };
}

export function refusedBy(told: Told, error: unknown): Found {
  const refused = error instanceof Error ? error.message : String(error);
  return { lost: told.ids.size, twice: 0, damaged: 1, newestId: 0, refused };
}

/** Reads the file with SQLite alone, as fast as states can be made: recovery, soundness of the file, and the rows. */
export function judgeFile(dir: string, told: Told): Found {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(`${dir}/journal.db`);
    const sound = db.prepare("PRAGMA quick_check").get()?.["quick_check"];
    if (sound !== "ok") throw new Error(`quick_check: ${sound}`);
    const tables = db
      .prepare(
        `SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'journal*'
         AND EXISTS (SELECT 1 FROM pragma_table_info(sqlite_schema.name) WHERE name = 'frame')`,
      )
      .all();
    const rows = tables.flatMap((table) => db?.prepare(`SELECT id, frame FROM "${table["name"]}"`).all() ?? []);
    return judgeRows(
      (rows as unknown as Row[]).sort((a, b) => a.id - b.id),
      told,
    );
  } catch (error) {
    return refusedBy(told, error);
  } finally {
    db?.close();
  }
}

async function rowsOf(journal: Journal): Promise<Row[]> {
  const rows: Row[] = [];
  for (;;) {
    const more = await journal.read(rows.at(-1)?.id ?? 0, READ_ROWS_MAX);
    if (more.length === 0) return rows;
    rows.push(...more);
  }
}

/** Numbers sent again, and new ones behind them, when a journal was opened after a fault. */
export interface Onward {
  readonly again: readonly number[];
  readonly next: readonly number[];
}

/** Opens it as the gateway does, reads it, and goes on writing: what is sent again is there once, and ids go on. */
export async function judgeJournal(dir: string, told: Told, onward: Onward): Promise<Found> {
  let journal: Journal | undefined;
  try {
    journal = await openJournal({ dir, clock: systemClock });
    const found = judgeRows(await rowsOf(journal), told);
    const [state] = await journal.documents("proof");
    const isStateLost = Number(state?.json ?? -1) < told.saved;
    const then: Told = { ids: new Map(told.ids), saved: told.saved };
    for (const number of [...onward.again, ...onward.next]) {
      const outcome = await journal.append(numbered(number));
      if (outcome.outcome === "replay") throw new Error(`${number} is refused after the fault`);
      tell(then, outcome.outcome === "stored" ? `${number} ${outcome.id}` : `${number}`);
      // An id that was told before stands for another record now.
      if (outcome.outcome === "stored" && outcome.id <= found.newestId) throw new Error(`id ${outcome.id} again`);
    }
    const after = judgeRows(await rowsOf(journal), then);
    return {
      lost: Math.max(found.lost, after.lost) + (isStateLost ? 1 : 0),
      twice: after.twice,
      damaged: Math.max(found.damaged, after.damaged),
      newestId: after.newestId,
    };
  } catch (error) {
    return refusedBy(told, error);
  } finally {
    await journal?.close();
  }
}
