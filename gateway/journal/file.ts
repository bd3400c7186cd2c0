// The journal's file: schema, settings and how a connection is opened (SQLite ≥ 3.51.3: earlier WAL resets can corrupt).
import { randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { invariant } from "../errors.ts";

export const JOURNAL_FILE = "journal.db";
const LOCK_FILE = "journal.lock.db";
const APPLICATION_ID = 0x5741414b;
/** Form of the file (SQLite user_version): an older program refuses a newer one. */
export const JOURNAL_VERSION = 3;

const SCHEMA = `
CREATE TABLE device(device INTEGER PRIMARY KEY, device_id TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE cursor(name TEXT PRIMARY KEY, id INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE document(kind TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY(kind, key)) STRICT, WITHOUT ROWID;
CREATE TABLE set_aside(id INTEGER PRIMARY KEY, cursor TEXT NOT NULL, error TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;
CREATE TABLE dead_letter(sink TEXT NOT NULL, id INTEGER NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL,
  at_ms INTEGER NOT NULL, PRIMARY KEY(sink, id)) STRICT, WITHOUT ROWID;
CREATE TABLE act(id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
  object TEXT NOT NULL, result TEXT NOT NULL, origin TEXT NOT NULL, detail TEXT NOT NULL) STRICT;
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Backlog frames that no version could read yet, and when the boots of devices without a clock began. */
const SCHEMA_2 = `
CREATE TABLE undecoded(id INTEGER PRIMARY KEY) STRICT;
CREATE TABLE boot(device INTEGER NOT NULL, boot INTEGER NOT NULL, started_ms INTEGER NOT NULL, sequence INTEGER NOT NULL,
  PRIMARY KEY(device, boot)) STRICT, WITHOUT ROWID;
`;
/** Ranges of rows, what was lost of them, and what is known of every device. `mark` has the counters of the writer. */
const SCHEMA_3 = `
CREATE TABLE range(range INTEGER PRIMARY KEY, first_id INTEGER NOT NULL, opened_run_ms INTEGER NOT NULL, last_id INTEGER,
  closed_run_ms INTEGER) STRICT;
CREATE TABLE gap(gap INTEGER PRIMARY KEY, from_id INTEGER NOT NULL, to_id INTEGER NOT NULL, rows INTEGER NOT NULL,
  why TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;
CREATE TABLE device_state(device INTEGER PRIMARY KEY, json TEXT NOT NULL, crc INTEGER NOT NULL) STRICT;
CREATE TABLE mark(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;
/** A file of version 1 holds backlog frames as they came (version 1, kind 3 in the first byte). */
const FROM_1_TO_2 = `
${SCHEMA_2}
INSERT INTO undecoded SELECT id FROM journal WHERE sequence > 0 AND substr(frame, 1, 1) = x'13' ORDER BY id;
`;
/** A file of version 2 has all its rows in one table: it becomes the first range, which is closed. No row is moved. */
const FROM_2_TO_3 = `
${SCHEMA_3}
INSERT INTO range SELECT 1, 1, 0, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'journal'), 0), 0;
UPDATE range SET first_id = coalesce((SELECT min(id) FROM journal), last_id + 1);
ALTER TABLE journal RENAME TO journal_1;
ALTER TABLE journal_1 ADD COLUMN boot INTEGER NOT NULL DEFAULT 0;
ALTER TABLE journal_1 ADD COLUMN run_ms INTEGER NOT NULL DEFAULT 0;
`;

/** From the first statement on: what opens and closes the file beside us may hold it for a moment. */
const BUSY_MS = 5_000;
const EVERY_CONNECTION = `
PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=1000; PRAGMA journal_size_limit=8388608;
PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0;
PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;
`;

/** Result codes of SQLite (sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;

function codeOf(error: unknown): number {
  return (Number((error as { errcode?: unknown }).errcode) || 0) & 0xff;
}

/** True for what SQLite says of a disk without room. */
export function isFull(error: unknown): boolean {
  return codeOf(error) === SQLITE_FULL;
}

/** Throws what SQLite says, or a plain Error whose message is an error code of the gateway; the worker passes it on. */
export function lockFolder(dir: string): DatabaseSync {
  const lock = new DatabaseSync(`${dir}/${LOCK_FILE}`);
  try {
    // The lock lives as long as the process: a crash leaves nothing behind.
    lock.exec("PRAGMA busy_timeout=0; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (cause) {
    lock.close();
    throw codeOf(cause) === SQLITE_BUSY ? new Error("DATA_IN_USE", { cause }) : cause;
  }
  return lock;
}

export interface WriterFile {
  readonly db: DatabaseSync;
  /** A random name for this file: a restored copy can never pass for the original. */
  readonly epoch: string;
}

/** Opens the one writing connection; makes the file when it is not there. */
export function openWriterFile(dir: string): WriterFile {
  assertSqliteVersion();
  const db = new DatabaseSync(`${dir}/${JOURNAL_FILE}`, { timeout: BUSY_MS });
  const version = versionOf(db);
  if (version === 0) {
    db.exec(`PRAGMA page_size=4096; PRAGMA auto_vacuum=NONE; PRAGMA application_id=${APPLICATION_ID};`);
    db.exec(EVERY_CONNECTION);
    db.exec(`BEGIN IMMEDIATE; ${SCHEMA} ${SCHEMA_2} ${SCHEMA_3} PRAGMA user_version=${JOURNAL_VERSION};`);
    nameJournal(db);
    openRange(db, 1, 1, 0);
    db.exec("COMMIT");
  } else {
    db.exec(EVERY_CONNECTION);
    // Each step is one transaction: a crash leaves the version before, or the one after.
    if (version === 1) db.exec(`BEGIN IMMEDIATE; ${FROM_1_TO_2} PRAGMA user_version=2; COMMIT`);
    if (versionOf(db) === 2) rangesFrom2(db);
  }
  if (versionOf(db) !== JOURNAL_VERSION) {
    db.close();
    throw new Error("JOURNAL_VERSION");
  }
  const epoch = db.prepare("SELECT value FROM meta WHERE key = 'epoch'").get() as { value: string };
  return { db, epoch: epoch.value };
}

/** Gives it a random name that no journal has had. */
export function nameJournal(db: DatabaseSync): string {
  const name = randomBytes(8).toString("hex");
  db.prepare("INSERT OR REPLACE INTO meta(key, value) VALUES('epoch', ?)").run(name);
  return name;
}

/** 0: no journal yet, or no file of ours. */
export function versionOf(db: DatabaseSync): number {
  return (db.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
}

function rangesFrom2(db: DatabaseSync): void {
  db.exec(`BEGIN IMMEDIATE; ${FROM_2_TO_3}`);
  const { last_id } = db.prepare("SELECT last_id FROM range").get() as { last_id: number };
  openRange(db, 2, last_id + 1, 0);
  db.exec("PRAGMA user_version=3; COMMIT");
}

/** Makes the table of a new range, and `journal` again, in which people and proofs see all of them as one. */
export function openRange(db: DatabaseSync, range: number, firstId: number, runMs: number): void {
  // No index: one would cost ten times the writes. The writer gives the ids.
  db.exec(`CREATE TABLE ${rangeTable(range)}(id INTEGER PRIMARY KEY, received_ms INTEGER NOT NULL, time_ms INTEGER NOT NULL,
    quality INTEGER NOT NULL, device INTEGER NOT NULL, sequence INTEGER NOT NULL, link INTEGER NOT NULL,
    frame BLOB NOT NULL, crc INTEGER NOT NULL, boot INTEGER NOT NULL, run_ms INTEGER NOT NULL) STRICT`);
  db.prepare("INSERT INTO range(range, first_id, opened_run_ms) VALUES(?,?,?)").run(range, firstId, runMs);
  defineView(db);
}

export function rangeTable(range: number): string {
  return `journal_${range}`;
}

export function defineView(db: DatabaseSync): void {
  const ranges = db.prepare("SELECT range FROM range ORDER BY range").all() as unknown as { range: number }[];
  const columns = "id, received_ms, time_ms, quality, device, sequence, link, frame, crc, boot, run_ms";
  const parts = ranges.map(({ range }) => `SELECT ${columns} FROM ${rangeTable(range)}`);
  db.exec(`DROP VIEW IF EXISTS journal; CREATE VIEW journal AS ${parts.join(" UNION ALL ")}`);
}

/** Opens a reading connection. Its transactions are single statements: an open reader would keep the WAL from resetting. */
export function openReaderFile(dir: string): DatabaseSync {
  const db = new DatabaseSync(`${dir}/${JOURNAL_FILE}`, { readOnly: true, timeout: BUSY_MS });
  db.exec("PRAGMA cache_size=-16000; PRAGMA mmap_size=0; PRAGMA cell_size_check=ON;");
  return db;
}

function assertSqliteVersion(): void {
  const [major = 0, minor = 0, patch = 0] = (process.versions["sqlite"] ?? "0").split(".").map(Number);
  const number = major * 1_000_000 + minor * 1_000 + patch;
  invariant(number >= 3_051_003, "SQLite is older than 3.51.3");
}
