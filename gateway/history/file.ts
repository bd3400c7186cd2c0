// history.db: its tables, keys and settings. Keys begin with the hour: what is written together lies together, and what
// grows old is dropped from one end (facts: an index by device would touch a page for every device and hour).
import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { invariant } from "../errors.ts";
import { DAY_MS, HOUR_MS } from "./row.ts";

export const HISTORY_FILE = "history.db";
const APPLICATION_ID = 0x57414b48;
const SCHEMA_VERSION = 1;

// Tables with a rowid hold four times as much of a blob in a page as those without.
const SCHEMA = `
CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE epoch(journal TEXT NOT NULL) STRICT;
CREATE TABLE device(device INTEGER PRIMARY KEY, device_id TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE chunk(key INTEGER PRIMARY KEY, rows INTEGER NOT NULL, newest_id INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE rollup(key INTEGER PRIMARY KEY, hours BLOB NOT NULL, quarters BLOB NOT NULL) STRICT;
CREATE TABLE latest(device INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, id INTEGER NOT NULL, time_ms INTEGER NOT NULL,
  frame BLOB NOT NULL) STRICT;
`;

/** From the first statement on: what opens and closes the file beside us may hold it for a moment. */
const BUSY_MS = 5_000;
const EVERY_CONNECTION = `
PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=1000; PRAGMA journal_size_limit=8388608;
PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0;
PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;
`;

/** Devices that a file can tell apart. */
export const DEVICES_MAX = 2 ** 20;
/** Chunks of one device and hour. */
export const GENERATIONS_MAX = 2 ** 10;

/** Of the first generation; the others follow it. `hourMs` is a whole hour. */
export function chunkKey(hourMs: number, device: number): number {
  return ((hourMs / HOUR_MS) * DEVICES_MAX + device) * GENERATIONS_MAX;
}

export function hourOfKey(key: number): number {
  return Math.floor(key / (DEVICES_MAX * GENERATIONS_MAX)) * HOUR_MS;
}

export function deviceOfKey(key: number): number {
  return Math.floor(key / GENERATIONS_MAX) % DEVICES_MAX;
}

export function rollupKey(dayMs: number, device: number): number {
  return (dayMs / DAY_MS) * DEVICES_MAX + device;
}

export function dayOfRollupKey(key: number): number {
  return Math.floor(key / DEVICES_MAX) * DAY_MS;
}

/** Opens the one writing connection; makes the file when it is not there. Throws what SQLite throws. */
export function openHistoryFile(dir: string): DatabaseSync {
  const db = new DatabaseSync(`${dir}/${HISTORY_FILE}`, { timeout: BUSY_MS });
  try {
    const version = versionOf(db);
    if (version === 0)
      db.exec(`PRAGMA page_size=4096; PRAGMA auto_vacuum=NONE; PRAGMA application_id=${APPLICATION_ID};`);
    db.exec(EVERY_CONNECTION);
    if (version === 0) db.exec(`BEGIN IMMEDIATE; ${SCHEMA} PRAGMA user_version=${SCHEMA_VERSION}; COMMIT`);
    const found = versionOf(db);
    if (found !== SCHEMA_VERSION) throw new Error(`history.db is of version ${found}, not ${SCHEMA_VERSION}`);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

/** Which file stands under the name: another one, or none, when it was moved, deleted or written over from a copy. */
export function historyFileMark(dir: string): string | undefined {
  const found = statSync(`${dir}/${HISTORY_FILE}`, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.dev} ${found.ino}`;
}

function versionOf(db: DatabaseSync): number {
  return (db.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
}

/** A reading connection; the file is there. */
export function openHistoryReader(dir: string): DatabaseSync {
  const db = new DatabaseSync(`${dir}/${HISTORY_FILE}`, { readOnly: true, timeout: BUSY_MS });
  db.exec("PRAGMA cache_size=-16000; PRAGMA mmap_size=0; PRAGMA cell_size_check=ON;");
  return db;
}

/** What the file says of itself: whole numbers by name. */
export const META = [
  /** Every journal row up to this id is in history. */
  "covered",
  /** Days before this one (milliseconds) have rollups. */
  "foldedDay",
  /** Chunks of days before this one have been dropped. */
  "prunedDay",
  /** Rows ever taken, and of them: dropped with their age, taken too late for raw, damaged in the journal. */
  "rows",
  "droppedRows",
  "lateRows",
  "damagedRows",
  "droppedRollups",
] as const;
export type MetaKey = (typeof META)[number];
export type Meta = Record<MetaKey, number>;

export function readMeta(db: DatabaseSync): Meta {
  const meta = Object.fromEntries(META.map((key) => [key, 0])) as Meta;
  for (const row of db.prepare("SELECT key, value FROM meta").all() as { key: MetaKey; value: number }[]) {
    invariant(META.includes(row.key), "history knows its own numbers");
    meta[row.key] = row.value;
  }
  return meta;
}
