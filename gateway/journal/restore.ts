// A journal made of the pieces of a copy, in a folder that has none. It has a name of its own: nobody can take it for the one that
// was copied; no id is given twice, also none of a row that the copy lacks. One that was set back in time as a whole file is given
// another name in its place.
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { GatewayError } from "../errors.ts";
import { JOURNAL_FILE, lockFolder, nameJournal, openRange, openWriterFile, rangeTable } from "./file.ts";
import type { StateTable, StateTables } from "./pieces.ts";
import { rowChecksum, type StoredRow } from "./row.ts";
import { settleLog } from "./settle.ts";
import { openSession } from "./sqlite-session.ts";

/** The first range of a new file. */
const RANGE = 1;

export interface Restored {
  readonly rows: number;
  /** Rows whose own checksum does not fit; they are kept as they came, and passed by. */
  readonly damaged: number;
  /** No row that comes now has this id or a lower one. */
  readonly endId: number;
  /** The random name of the new journal. */
  readonly name: string;
}

export interface CopiedJournal {
  readonly tables: StateTables;
  /** The newest row that the state knows of, whether it is in the copy or not. */
  readonly lastId: number;
  /** Rows in order. */
  readonly batches: Iterable<readonly StoredRow[]>;
}

/** Throws FILE_UNWRITABLE when there is a journal in `dir`, or what is left of one. */
export function refuseJournalIn(dir: string): void {
  for (const name of [JOURNAL_FILE, `${JOURNAL_FILE}-wal`]) {
    const path = join(dir, name);
    if (!existsSync(path)) continue;
    throw new GatewayError("FILE_UNWRITABLE", {
      path,
      reason: "there is a journal already: move this folder away first",
    });
  }
}

/**
 * `beforeVisible` is called when all of it is on disk and before it stands under its name: what must be there with the journal.
 * Killed anywhere, there is no journal, and it can be done again. Throws FILE_UNWRITABLE when there is one.
 */
export function restoreJournal(dir: string, copied: CopiedJournal, beforeVisible: (made: Restored) => void): Restored {
  refuseJournalIn(dir);
  const beside = join(dir, ".restoring");
  rmSync(beside, { recursive: true, force: true });
  mkdirSync(beside, { recursive: true, mode: 0o750 });
  try {
    const { db, epoch } = openWriterFile(beside);
    const restored = { ...fill(db, copied), name: epoch };
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    db.close();
    beforeVisible(restored);
    renameSync(join(beside, JOURNAL_FILE), join(dir, JOURNAL_FILE));
    syncFolder(dir);
    return restored;
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    // SQLite's own words: the disk is full, or fails.
    throw new GatewayError("FILE_UNWRITABLE", { path: dir, reason: (cause as Error).message }, { cause });
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}

/**
 * Gives the journal in `dir` another name; undefined when there is none. Done twice it has one more. Throws DATA_IN_USE,
 * JOURNAL_UNUSABLE.
 */
export function renameJournal(dir: string): Pick<Restored, "name" | "endId"> | undefined {
  if (!existsSync(join(dir, JOURNAL_FILE))) return undefined;
  try {
    const lock = lockFolder(dir);
    try {
      const { db, next } = openSession(dir, undefined);
      settleLog(db, dir);
      const name = nameJournal(db);
      db.close();
      return { name, endId: next.row - 1 };
    } finally {
      lock.close();
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayError(reason === "DATA_IN_USE" ? reason : "JOURNAL_UNUSABLE", { dir, reason }, { cause });
  }
}

function syncFolder(dir: string): void {
  const folder = openSync(dir, "r");
  fsyncSync(folder);
  closeSync(folder);
}

function fill(db: DatabaseSync, { tables, lastId, batches }: CopiedJournal): Omit<Restored, "name"> {
  const insert = db.prepare(
    `INSERT INTO ${rangeTable(RANGE)}(id, received_ms, time_ms, quality, device, sequence, link, frame, crc, boot, run_ms)
     VALUES(?,?,?,?,?,?,?,?,?,?,?)`,
  );
  let [rows, damaged, firstId, newestId, runMs] = [0, 0, 0, 0, 0];
  db.exec("BEGIN IMMEDIATE");
  for (const batch of batches) {
    for (const r of batch) {
      // biome-ignore format: one line a row reads as the table does
      insert.run(r.id, r.received_ms, r.time_ms, r.quality, r.device, r.sequence, r.link, r.frame, r.crc, r.boot, r.run_ms);
      if (r.crc !== rowChecksum(r)) damaged++;
      if (rows === 0) firstId = r.id;
      newestId = r.id;
      runMs = Math.max(runMs, r.run_ms);
      rows++;
    }
  }
  for (const [table, lines] of Object.entries(tables)) putTable(db, table as StateTable, lines);
  // Cursors may have passed rows that the copy lacks: whoever came now under such an id would be passed by.
  const endId = Math.max(newestId, lastId, ...tables.cursor.map((one) => Number(one["id"])));
  closeAt(db, { rows, firstId, newestId, endId, runMs });
  db.exec(`DELETE FROM undecoded WHERE id NOT IN (SELECT id FROM ${rangeTable(RANGE)})`);
  // Devices are summed up again from their rows; what is known of one that has none stays.
  db.exec(`DELETE FROM mark WHERE name = 'summarised';
    DELETE FROM device_state WHERE device IN (SELECT DISTINCT device FROM ${rangeTable(RANGE)} WHERE sequence > 0)`);
  db.exec("COMMIT");
  return { rows, damaged, endId };
}

interface Ends {
  readonly rows: number;
  readonly firstId: number;
  readonly newestId: number;
  readonly endId: number;
  readonly runMs: number;
}

/** The range of the rows that are there; where ids were used that are not, the next range begins behind them. */
function closeAt(db: DatabaseSync, { rows, firstId, newestId, endId, runMs }: Ends): void {
  db.prepare("UPDATE range SET first_id = ? WHERE range = ?").run(rows === 0 ? endId + 1 : firstId, RANGE);
  if (rows === 0 || newestId === endId) return;
  const close = "UPDATE range SET last_id = ?, closed_run_ms = ? WHERE range = ?";
  db.prepare(close).run(newestId, runMs, RANGE);
  openRange(db, RANGE + 1, endId + 1, runMs);
}

function putTable(db: DatabaseSync, table: StateTable, lines: StateTables[StateTable]): void {
  const first = lines[0];
  if (first === undefined) return;
  const known = new Set(
    db
      .prepare(`PRAGMA table_info(${table})`)
      .all()
      .map((one) => one["name"]),
  );
  // Names of columns come from a file: only those of this form are taken.
  const columns = Object.keys(first).filter((name) => known.has(name));
  const marks = columns.map(() => "?").join(",");
  const insert = db.prepare(`INSERT OR REPLACE INTO ${table}(${columns.join(",")}) VALUES(${marks})`);
  for (const line of lines) insert.run(...columns.map((name) => line[name] ?? null));
}
