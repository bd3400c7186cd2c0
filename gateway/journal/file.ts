// The journal's file: schema, settings and how a connection is opened (SQLite ≥ 3.51.3: earlier WAL resets can corrupt).
import { randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { invariant } from "../errors.ts";

export const JOURNAL_FILE = "journal.db";
const LOCK_FILE = "journal.lock.db";
const APPLICATION_ID = 0x5741414b;
/** Form of the file (SQLite user_version): an older program refuses a newer one. */
export const JOURNAL_VERSION = 2;

// No index on the journal: one would cost ten times the writes. Ids never restart, also when the table was emptied.
const SCHEMA = `
CREATE TABLE journal(id INTEGER PRIMARY KEY AUTOINCREMENT, received_ms INTEGER NOT NULL, time_ms INTEGER NOT NULL,
  quality INTEGER NOT NULL, device INTEGER NOT NULL, sequence INTEGER NOT NULL, link INTEGER NOT NULL,
  frame BLOB NOT NULL, crc INTEGER NOT NULL) STRICT;
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
/** A file of version 1 holds backlog frames as they came (version 1, kind 3 in the first byte). */
const FROM_1_TO_2 = `
${SCHEMA_2}
INSERT INTO undecoded SELECT id FROM journal WHERE sequence > 0 AND substr(frame, 1, 1) = x'13' ORDER BY id;
`;

const EVERY_CONNECTION = `
PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=1000; PRAGMA journal_size_limit=8388608;
PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0; PRAGMA busy_timeout=5000;
PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;
`;

/** Throws a plain Error whose message is an error code of the gateway; the worker passes it on. */
export function lockFolder(dir: string): DatabaseSync {
  const lock = new DatabaseSync(`${dir}/${LOCK_FILE}`);
  try {
    // The lock lives as long as the process: a crash leaves nothing behind.
    lock.exec("PRAGMA busy_timeout=0; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (cause) {
    lock.close();
    throw new Error("DATA_IN_USE", { cause });
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
  const db = new DatabaseSync(`${dir}/${JOURNAL_FILE}`);
  const version = (db.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
  if (version === 0) {
    db.exec(`PRAGMA page_size=4096; PRAGMA auto_vacuum=NONE; PRAGMA application_id=${APPLICATION_ID};`);
    db.exec(EVERY_CONNECTION);
    db.exec(`BEGIN IMMEDIATE; ${SCHEMA} ${SCHEMA_2} PRAGMA user_version=${JOURNAL_VERSION};`);
    db.prepare("INSERT INTO meta(key, value) VALUES('epoch', ?)").run(randomBytes(8).toString("hex"));
    db.exec("COMMIT");
  } else {
    db.exec(EVERY_CONNECTION);
    if (version === 1) db.exec(`BEGIN IMMEDIATE; ${FROM_1_TO_2} PRAGMA user_version=2; COMMIT`);
  }
  const found = (db.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
  if (found !== JOURNAL_VERSION) {
    db.close();
    throw new Error("JOURNAL_VERSION");
  }
  const epoch = db.prepare("SELECT value FROM meta WHERE key = 'epoch'").get() as { value: string };
  return { db, epoch: epoch.value };
}

/** Opens a reading connection. Its transactions are single statements: an open reader would keep the WAL from resetting. */
export function openReaderFile(dir: string): DatabaseSync {
  const db = new DatabaseSync(`${dir}/${JOURNAL_FILE}`, { readOnly: true });
  db.exec("PRAGMA cache_size=-16000; PRAGMA mmap_size=0; PRAGMA busy_timeout=5000; PRAGMA cell_size_check=ON;");
  return db;
}

function assertSqliteVersion(): void {
  const [major = 0, minor = 0, patch = 0] = (process.versions["sqlite"] ?? "0").split(".").map(Number);
  const number = major * 1_000_000 + minor * 1_000 + patch;
  invariant(number >= 3_051_003, "SQLite is older than 3.51.3");
}
