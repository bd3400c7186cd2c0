// The writing side of history.db: takes rows of the journal into chunks, makes rollups of days that are over, and drops what
// is too old. Each call is one transaction: all of it or nothing, and the same again is nothing more.
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { PLAUSIBLE_MS_MIN } from "../clock.ts";
import { CHUNK_ROWS_MAX, codesOf, decodeChunk, encodeChunk, isFault } from "./chunk.ts";
import {
  chunkKey,
  DEVICES_MAX,
  dayOfRollupKey,
  deviceOfKey,
  GENERATIONS_MAX,
  historyFileMark,
  hourOfKey,
  META,
  type Meta,
  openHistoryFile,
  readMeta,
  rollupKey,
} from "./file.ts";
import { hourCodes } from "./hour.ts";
import { splitReport } from "./report-codes.ts";
import { decodeRollup, encodeRollup, QUARTER_MS, QUARTERS, QUARTERS_IN_HOUR } from "./rollup.ts";
import { byPlace, DAY_MS, type DeviceRecord, dayOf, type HistoryRow, HOUR_MS, hourOf, placedMs } from "./row.ts";
import { addCodes, addSummary, coarser, emptySummary, type Summary } from "./summary.ts";

/** Days and devices that one step folds: some tens of milliseconds. */
const FOLD_DEVICES_MAX = 50;
/** A day is folded when it has been over for so long: devices that were cut off have sent most of it. */
const FOLD_AFTER_MS = 6 * HOUR_MS;
/** Raw rows of the newest days stay, whatever the configuration and the clock say. */
const RAW_DAYS_MIN = 3;
/** With leap days. */
const YEAR_MS = 365.25 * DAY_MS;

export interface Batch {
  readonly rows: readonly DeviceRecord[];
  /** Every row up to this id is in `rows`, or was taken before. */
  readonly throughId: number;
  /** Rows that the journal gave as damaged: counted, and not believed. */
  readonly damaged: number;
}

export interface Retention {
  readonly rawDays: number;
  readonly rollupYears: number;
}

export interface StoreState extends Meta {
  readonly bytes: number;
  readonly freeBytes: number;
}

export interface HistoryStore {
  state(): StoreState;
  /** Whether the name still leads to the file that is open: what is written to another is gone at the end. */
  isThere(): boolean;
  absorb(batch: Batch): void;
  /** One bounded step of making rollups; true when there is more to do. */
  foldOnce(nowMs: number): boolean;
  /** One bounded step of dropping what is too old, at most to the end of the oldest day; true when the day has more. */
  pruneOnce(nowMs: number, retention: Retention): boolean;
  close(): void;
  /** Lets go of a file that failed, as it is. */
  abandon(): void;
}

type Sql = Record<
  "meta" | "device" | "chunks" | "putChunk" | "rollup" | "putRollup" | "latest" | "nextChunk" | "nextRollup",
  StatementSync
>;

interface Session {
  readonly db: DatabaseSync;
  readonly sql: Sql;
  readonly devices: Map<string, number>;
  meta: Meta;
}

/**
 * Opens history for the journal of this epoch; in another epoch ids begin anew. Throws what SQLite throws. The test seam
 * `pagesMax` caps the file, so that a full disk can be had without one.
 */
export function openStore(
  dir: string,
  journal: { readonly epoch: string; readonly newestId: number },
  options: { readonly pagesMax?: number } = {},
): HistoryStore {
  const open = openSession(dir);
  const mark = historyFileMark(dir);
  if (options.pagesMax !== undefined) open.db.exec(`PRAGMA max_page_count=${options.pagesMax}`);
  takeEpoch(open, journal);
  return {
    state: () => ({ ...open.meta, ...sizesOf(open.db) }),
    isThere: () => historyFileMark(dir) === mark,
    absorb: (batch) => transact(open, () => absorb(open, batch)),
    foldOnce: (nowMs) => transact(open, () => foldOnce(open, nowMs)),
    pruneOnce: (nowMs, retention) => transact(open, () => pruneOnce(open, nowMs, retention)),
    close: () => {
      try {
        open.db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      } catch (error) {
        // A disk that refuses: what is committed stands in the log beside the file, and is read from there.
        if ((error as { errcode?: number }).errcode === undefined) throw error;
      }
      open.db.close();
    },
    abandon: () => open.db.close(),
  };
}

function openSession(dir: string): Session {
  const db = openHistoryFile(dir);
  const sql: Sql = {
    meta: db.prepare("INSERT INTO meta(key, value) VALUES(?,?) ON CONFLICT(key) DO UPDATE SET value = excluded.value"),
    device: db.prepare("INSERT INTO device(device_id) VALUES(?) RETURNING device"),
    chunks: db.prepare("SELECT key, body FROM chunk WHERE key >= ? AND key < ? ORDER BY key"),
    putChunk: db.prepare("INSERT OR REPLACE INTO chunk(key, rows, newest_id, body) VALUES(?,?,?,?)"),
    rollup: db.prepare("SELECT quarters FROM rollup WHERE key = ?"),
    putRollup: db.prepare("INSERT OR REPLACE INTO rollup(key, hours, quarters) VALUES(?,?,?)"),
    latest: db.prepare(
      `INSERT INTO latest(device, sequence, id, time_ms, frame) VALUES(?,?,?,?,?) ON CONFLICT(device) DO UPDATE SET
       sequence = excluded.sequence, id = excluded.id, time_ms = excluded.time_ms, frame = excluded.frame
       WHERE excluded.sequence >= sequence`,
    ),
    nextChunk: db.prepare("SELECT key FROM chunk WHERE key >= ? ORDER BY key LIMIT 1"),
    nextRollup: db.prepare("SELECT key FROM rollup ORDER BY key LIMIT 1"),
  };
  const known = db.prepare("SELECT device_id, device FROM device").all() as { device_id: string; device: number }[];
  return { db, sql, devices: new Map(known.map((one) => [one.device_id, one.device])), meta: readMeta(db) };
}

/** Ids of another journal mean nothing here; rows that come again are known by themselves. */
function takeEpoch(open: Session, { epoch, newestId }: { readonly epoch: string; readonly newestId: number }): void {
  const known = open.db.prepare("SELECT journal FROM epoch").get() as { journal: string } | undefined;
  if (known?.journal === epoch && open.meta.covered <= newestId) return;
  transact(open, () => {
    open.meta.covered = known?.journal === epoch ? newestId : 0;
    open.db.exec("DELETE FROM epoch; UPDATE latest SET sequence = 0");
    open.db.prepare("INSERT INTO epoch(journal) VALUES(?)").run(epoch);
  });
}

function transact<T>(open: Session, work: () => T): T {
  const before = { ...open.meta };
  const known = open.devices.size;
  open.db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    for (const key of META) if (open.meta[key] !== before[key]) open.sql.meta.run(key, open.meta[key]);
    open.db.exec("COMMIT");
    return result;
  } catch (error) {
    if (open.db.isTransaction) open.db.exec("ROLLBACK");
    open.meta = before;
    for (const id of [...open.devices.keys()].slice(known)) open.devices.delete(id);
    throw error;
  }
}

function sizesOf(db: DatabaseSync): { readonly bytes: number; readonly freeBytes: number } {
  const of = (pragma: string) => Object.values(db.prepare(`PRAGMA ${pragma}`).get() ?? {})[0] as number;
  return { bytes: of("page_count") * of("page_size"), freeBytes: of("freelist_count") * of("page_size") };
}

function absorb(open: Session, { rows, throughId, damaged }: Batch): void {
  const fresh = rows.filter((row) => row.id > open.meta.covered);
  const hours = new Map<number, HistoryRow[]>();
  for (const row of fresh) {
    const key = chunkKey(hourOf(placedMs(row)), deviceNumber(open, row.deviceId));
    const found = hours.get(key);
    if (found === undefined) hours.set(key, [row]);
    else found.push(row);
  }
  const stale = new Map<number, { readonly dayMs: number; readonly device: number; readonly rows: HistoryRow[] }>();
  for (const [key, taken] of [...hours].sort(([a], [b]) => a - b)) {
    const [device, dayMs] = [deviceOfKey(key), dayOf(hourOfKey(key))];
    keepLatest(open, device, taken);
    if (dayMs < open.meta.prunedDay) {
      open.meta.lateRows += taken.length;
      addToRollup(open, device, dayMs, taken);
      continue;
    }
    const added = putRows(open, key, taken);
    open.meta.rows += added.length;
    // A day that is being folded has rollups of some devices already.
    const at = rollupKey(dayMs, device);
    if (dayMs < open.meta.foldedDay || open.sql.rollup.get(at) !== undefined)
      stale.set(at, { dayMs, device, rows: [...(stale.get(at)?.rows ?? []), ...added] });
  }
  for (const { dayMs, device, rows: added } of stale.values()) foldDevice(open, device, dayMs, added);
  open.meta.damagedRows += throughId > open.meta.covered ? damaged : 0;
  open.meta.covered = Math.max(open.meta.covered, throughId);
}

function deviceNumber(open: Session, deviceId: string): number {
  let device = open.devices.get(deviceId);
  if (device === undefined) {
    device = (open.sql.device.get(deviceId) as { device: number }).device;
    if (device >= DEVICES_MAX) throw new Error("more devices than history can tell apart");
    open.devices.set(deviceId, device);
  }
  return device;
}

interface StoredChunk {
  readonly key: number;
  readonly body: Uint8Array;
}

/** Puts rows with those of their device and hour; gives those that were new. */
function putRows(open: Session, key: number, taken: readonly HistoryRow[]): readonly HistoryRow[] {
  const stored = open.sql.chunks.all(key, key + GENERATIONS_MAX) as unknown as StoredChunk[];
  const chunks = stored.map((one) => ({ key: one.key, rows: decodeChunk(one.body) }));
  const known = new Set(chunks.flatMap(({ rows }) => (isFault(rows) ? [] : rows.map(identityOf))));
  let fresh = taken.filter((row) => {
    const identity = identityOf(row);
    const isNew = !known.has(identity);
    known.add(identity);
    return isNew;
  });
  const added = fresh;
  // A damaged chunk stays for who can mend it: what is new goes beside it.
  const last = chunks[chunks.length - 1];
  let [at, held] = last === undefined ? [key, []] : isFault(last.rows) ? [last.key + 1, []] : [last.key, last.rows];
  while (fresh.length > 0) {
    const room = CHUNK_ROWS_MAX - held.length;
    if (room > 0) {
      const rows = [...held, ...fresh.slice(0, room)].sort(byPlace);
      const newestId = rows.reduce((most, row) => Math.max(most, row.id), 0);
      open.sql.putChunk.run(at, rows.length, newestId, encodeChunk(rows));
      fresh = fresh.slice(room);
    }
    [at, held] = [at + 1, []];
    if (at >= key + GENERATIONS_MAX && fresh.length > 0) throw new Error("more rows in an hour than history can hold");
  }
  return added;
}

/** The same record: same number, same bytes. A record without a number is told apart by its receipt. */
function identityOf({ sequence, receivedMs, frame }: HistoryRow): string {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString("latin1");
  return `${sequence > 0 ? sequence : `-${receivedMs}`} ${bytes}`;
}

function keepLatest(open: Session, device: number, rows: readonly HistoryRow[]): void {
  let newest: HistoryRow | undefined;
  for (const row of rows) {
    if ((newest === undefined || row.sequence > newest.sequence) && splitReport(row.frame) !== undefined) newest = row;
  }
  if (newest === undefined) return;
  open.sql.latest.run(device, newest.sequence, newest.id, newest.timeMs, newest.frame);
}

/**
 * Makes the rollup of one device and day anew, from its chunks. Where one of them is damaged by now, a rollup that was made
 * before knows more than they do: it grows by the rows that were added.
 */
function foldDevice(open: Session, device: number, dayMs: number, added: readonly HistoryRow[] = []): void {
  const summary = emptySummary(QUARTERS);
  const steps = { fromMs: dayMs, stepMs: QUARTER_MS, count: QUARTERS };
  for (let hourMs = dayMs; hourMs < dayMs + DAY_MS; hourMs += HOUR_MS) {
    const key = chunkKey(hourMs, device);
    const stored = open.sql.chunks.all(key, key + GENERATIONS_MAX) as unknown as StoredChunk[];
    const { codes, damaged } = hourCodes(stored.map((one) => one.body));
    if (damaged > 0 && open.sql.rollup.get(rollupKey(dayMs, device)) !== undefined) {
      addToRollup(open, device, dayMs, added);
      return;
    }
    if (codes !== undefined) addCodes(summary, steps, codes);
  }
  putRollup(open, device, dayMs, summary);
}

function putRollup(open: Session, device: number, dayMs: number, summary: Summary): void {
  const hours = encodeRollup(coarser(summary, QUARTERS_IN_HOUR));
  open.sql.putRollup.run(rollupKey(dayMs, device), hours, encodeRollup(summary));
}

/** For rows of a day whose chunks are gone or damaged: what is known of it grows by them. */
function addToRollup(open: Session, device: number, dayMs: number, rows: readonly HistoryRow[]): void {
  const steps = { fromMs: dayMs, stepMs: QUARTER_MS, count: QUARTERS };
  const summary = emptySummary(QUARTERS);
  addCodes(summary, steps, codesOf([...rows].sort(byPlace)));
  const stored = open.sql.rollup.get(rollupKey(dayMs, device)) as { quarters: Uint8Array } | undefined;
  const known = stored === undefined ? emptySummary(QUARTERS) : decodeRollup(stored.quarters);
  if (isFault(known)) return;
  addSummary(known, steps, summary, steps);
  putRollup(open, device, dayMs, known);
}

function foldOnce(open: Session, nowMs: number): boolean {
  const endMs = dayOf(nowMs - FOLD_AFTER_MS);
  const next = open.sql.nextChunk.get(chunkKey(open.meta.foldedDay, 0)) as { key: number } | undefined;
  const dayMs = next === undefined ? endMs : dayOf(hourOfKey(next.key));
  // A clock that was ahead has come back: what is there stays, and is made anew where rows are added. Not before the days whose
  // samples are gone: they are told by their rollups alone.
  if (open.meta.foldedDay > endMs + DAY_MS) open.meta.foldedDay = Math.max(endMs, open.meta.prunedDay);
  if (dayMs >= endMs) return false;
  const waiting = devicesToFold(open, dayMs);
  for (const device of waiting) foldDevice(open, device, dayMs);
  if (waiting.length < FOLD_DEVICES_MAX) open.meta.foldedDay = dayMs + DAY_MS;
  return true;
}

/** Devices with chunks of this day and no rollup of it yet. */
function devicesToFold(open: Session, dayMs: number): number[] {
  const [from, to] = [chunkKey(dayMs, 0), chunkKey(dayMs + DAY_MS, 0)];
  const found = open.db
    .prepare(
      `SELECT DISTINCT key / ${GENERATIONS_MAX} % ${DEVICES_MAX} AS device FROM chunk WHERE key >= ? AND key < ?
       EXCEPT SELECT key % ${DEVICES_MAX} FROM rollup WHERE key >= ? AND key < ? ORDER BY device LIMIT ?`,
    )
    .all(from, to, rollupKey(dayMs, 0), rollupKey(dayMs + DAY_MS, 0), FOLD_DEVICES_MAX);
  return found.map((row) => row["device"] as number);
}

function pruneOnce(open: Session, nowMs: number, { rawDays, rollupYears }: Retention): boolean {
  const { db, sql, meta } = open;
  const newest = db.prepare("SELECT max(key) AS key FROM chunk").get() as { key: number | null };
  const keepFromMs = dayOf(newest.key === null ? 0 : hourOfKey(newest.key)) - RAW_DAYS_MIN * DAY_MS;
  const rawEndMs = Math.min(dayOf(nowMs) - rawDays * DAY_MS, meta.foldedDay, keepFromMs);
  // Hours of a gateway whose clock was never set are few, and nobody knows how old they are: they stay.
  const oldest = sql.nextChunk.get(chunkKey(hourOf(PLAUSIBLE_MS_MIN), 0)) as { key: number } | undefined;
  if (oldest !== undefined && hourOfKey(oldest.key) < rawEndMs) {
    const hourMs = hourOfKey(oldest.key);
    const [from, to] = [chunkKey(hourMs, 0), chunkKey(hourMs + HOUR_MS, 0)];
    const gone = db.prepare("SELECT sum(rows) AS rows FROM chunk WHERE key >= ? AND key < ?").get(from, to);
    db.prepare("DELETE FROM chunk WHERE key >= ? AND key < ?").run(from, to);
    meta.droppedRows += Number(gone?.["rows"] ?? 0);
    meta.prunedDay = Math.max(meta.prunedDay, dayOf(hourMs) + DAY_MS);
    const next = sql.nextChunk.get(to) as { key: number } | undefined;
    return next !== undefined && dayOf(hourOfKey(next.key)) === dayOf(hourMs);
  }
  const rollup = sql.nextRollup.get() as { key: number } | undefined;
  if (rollup !== undefined && dayOfRollupKey(rollup.key) < dayOf(nowMs - rollupYears * YEAR_MS)) {
    const end = rollupKey(dayOfRollupKey(rollup.key) + DAY_MS, 0);
    meta.droppedRollups += Number(db.prepare("DELETE FROM rollup WHERE key < ?").run(end).changes);
  }
  return false;
}
