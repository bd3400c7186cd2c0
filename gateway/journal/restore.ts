// A journal made of the pieces of a copy, in a folder that has none. It has a name of its own: nobody can take it for the one that
// was copied, and cursors of others that stand beyond what the copy holds fall back to its end.
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { GatewayError } from "../errors.ts";
import { JOURNAL_FILE, openWriterFile, rangeTable } from "./file.ts";
import type { StateTable, StateTables } from "./pieces.ts";
import { rowChecksum, type StoredRow } from "./row.ts";

/** The first range of a new file. */
const RANGE = 1;

export interface Restored {
  readonly rows: number;
  /** Rows whose own checksum does not fit; they are kept as they came, and passed by. */
  readonly damaged: number;
  readonly newestId: number;
}

/** Throws FILE_UNWRITABLE when there is a journal already; leaves nothing when it fails. */
export function restoreJournal(dir: string, tables: StateTables, batches: Iterable<readonly StoredRow[]>): Restored {
  if (existsSync(join(dir, JOURNAL_FILE))) {
    throw new GatewayError("FILE_UNWRITABLE", {
      path: join(dir, JOURNAL_FILE),
      reason: "there is a journal already: move this folder away first",
    });
  }
  const beside = join(dir, ".restoring");
  rmSync(beside, { recursive: true, force: true });
  mkdirSync(beside, { recursive: true, mode: 0o750 });
  try {
    const { db } = openWriterFile(beside);
    const restored = fill(db, tables, batches);
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    db.close();
    renameSync(join(beside, JOURNAL_FILE), join(dir, JOURNAL_FILE));
    return restored;
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}

function fill(db: DatabaseSync, tables: StateTables, batches: Iterable<readonly StoredRow[]>): Restored {
  const insert = db.prepare(
    `INSERT INTO ${rangeTable(RANGE)}(id, received_ms, time_ms, quality, device, sequence, link, frame, crc, boot, run_ms)
     VALUES(?,?,?,?,?,?,?,?,?,?,?)`,
  );
  let [rows, damaged, firstId, newestId] = [0, 0, 0, 0];
  db.exec("BEGIN IMMEDIATE");
  for (const batch of batches) {
    for (const r of batch) {
      // biome-ignore format: one line a row reads as the table does
      insert.run(r.id, r.received_ms, r.time_ms, r.quality, r.device, r.sequence, r.link, r.frame, r.crc, r.boot, r.run_ms);
      if (r.crc !== rowChecksum(r)) damaged++;
      if (rows === 0) firstId = r.id;
      newestId = r.id;
      rows++;
    }
  }
  for (const [table, lines] of Object.entries(tables)) putTable(db, table as StateTable, lines);
  // Where nothing was left to copy the ids go on all the same.
  newestId = Math.max(newestId, newestKnown(tables));
  db.prepare("UPDATE range SET first_id = ? WHERE range = ?").run(rows === 0 ? newestId + 1 : firstId, RANGE);
  db.prepare("UPDATE cursor SET id = ? WHERE id > ?").run(newestId, newestId);
  // Devices are summed up again from the rows: the rows may go further than the state.
  db.exec("DELETE FROM mark WHERE name = 'summarised'");
  db.exec("COMMIT");
  return { rows, damaged, newestId };
}

function newestKnown(tables: StateTables): number {
  return Math.max(0, ...tables.cursor.map((one) => Number(one["id"])));
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
