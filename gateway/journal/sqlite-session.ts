// One connection of the writer in SQLite: its statements, where the log ends, and how records go into it.
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { defineView, openRange, openWriterFile, rangeTable } from "./file.ts";
import type { StoredRow } from "./row.ts";
import { markOf, newestIn, type RangeRow } from "./sqlite-reader.ts";
import type { Loss, OwnChange, Position, StoreChange, StoreRecord } from "./store.ts";

const SQL = {
  begin: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  device: "INSERT INTO device(device, device_id) VALUES(?,?)",
  boot: "INSERT OR REPLACE INTO boot(device, boot, started_ms, sequence) VALUES(?,?,?,?)",
  undecoded: "INSERT INTO undecoded(id) VALUES(?)",
  decoded: "DELETE FROM undecoded WHERE id = ?",
  summary: `INSERT INTO device_state(device, json, crc) VALUES(?,?,?)
    ON CONFLICT(device) DO UPDATE SET json = excluded.json, crc = excluded.crc`,
  cursor: "INSERT INTO cursor(name, id) VALUES(?,?) ON CONFLICT(name) DO UPDATE SET id = excluded.id",
  put: "INSERT INTO document(kind, key, json) VALUES(?,?,?) ON CONFLICT(kind, key) DO UPDATE SET json = excluded.json",
  remove: "DELETE FROM document WHERE kind = ? AND key = ?",
  setAside: "INSERT OR IGNORE INTO set_aside(id, cursor, error, at_ms) VALUES(?,?,?,?)",
  deadLetter: "INSERT OR IGNORE INTO dead_letter(sink, id, code, message, at_ms) VALUES(?,?,?,?,?)",
  act: "INSERT INTO act(at_ms, actor, action, object, result, origin, detail) VALUES(?,?,?,?,?,?,?)",
  mark: "INSERT INTO mark(name, value) VALUES(?,?) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
  fence: "SELECT value FROM mark WHERE name = 'fence'",
} as const;

type Statements = Record<keyof typeof SQL, StatementSync>;

export interface Session {
  readonly db: DatabaseSync;
  readonly name: string;
  readonly sql: Statements;
  insert: StatementSync;
  range: number;
  next: Position;
}

export function openSession(dir: string, pagesMax: number | undefined): Session {
  const { db, epoch } = openWriterFile(dir);
  if (pagesMax !== undefined) db.exec(`PRAGMA max_page_count=${pagesMax}`);
  const sql = Object.fromEntries(Object.entries(SQL).map(([key, text]) => [key, db.prepare(text)])) as Statements;
  const open = openRangeOf(db);
  return { db, name: epoch, sql, insert: insertInto(db, open.range), range: open.range, next: nextOf(db, open) };
}

function openRangeOf(db: DatabaseSync): RangeRow {
  return db.prepare("SELECT * FROM range ORDER BY range DESC LIMIT 1").get() as unknown as RangeRow;
}

function nextOf(db: DatabaseSync, open: RangeRow): Position {
  return { row: newestIn(db, open) + 1, change: markOf(db, "change") + 1 };
}

function insertInto(db: DatabaseSync, range: number): StatementSync {
  return db.prepare(
    `INSERT INTO ${rangeTable(range)}(id, received_ms, time_ms, quality, device, sequence, link, frame, crc, boot, run_ms)
     VALUES(?,?,?,?,?,?,?,?,?,?,?)`,
  );
}

export function fenceOf(session: Session): number {
  return (session.sql.fence.get()?.["value"] as number | undefined) ?? 0;
}

/** After a failure, or another writer: where the log ends now. */
export function refresh(session: Session): void {
  const open = openRangeOf(session.db);
  if (open.range !== session.range) session.insert = insertInto(session.db, open.range);
  session.range = open.range;
  session.next = nextOf(session.db, open);
}

/** Rows of a backlog that could be read only later have the run time at which it came: not the newest alone is looked at. */
const NEWEST_ROWS = 1_000;

/** Run time by the newest rows there are, or by the mark where those are long ago. */
export function runMsOf({ db }: Session): number {
  const ranges = db.prepare("SELECT range FROM range ORDER BY range DESC").all() as unknown as { range: number }[];
  for (const { range } of ranges) {
    const newest = `SELECT run_ms FROM ${rangeTable(range)} ORDER BY id DESC LIMIT ${NEWEST_ROWS}`;
    const { ms } = db.prepare(`SELECT max(run_ms) AS ms FROM (${newest})`).get() as { ms: number | null };
    if (ms !== null) return Math.max(ms, markOf(db, "run_ms"));
  }
  return markOf(db, "run_ms");
}

/** Within a transaction. */
export function putRecords(session: Session, records: readonly StoreRecord[], lastChange: number): void {
  let changes = 0;
  for (const record of records) {
    if ("row" in record) putRow(session.insert, record.row);
    else {
      putChange(session.sql, record.change);
      changes++;
    }
  }
  // Rows count themselves: only changes need a page more.
  if (changes > 0) session.sql.mark.run("change", lastChange);
}

function putRow(insert: StatementSync, r: StoredRow): void {
  // biome-ignore format: one line a row reads as the table does
  insert.run(r.id, r.received_ms, r.time_ms, r.quality, r.device, r.sequence, r.link, r.frame, r.crc, r.boot, r.run_ms);
}

function putChange(sql: Statements, change: StoreChange): void {
  if (change.own !== undefined) putOwn(sql, change.own);
  if (change.cursor !== undefined) sql.cursor.run(change.cursor.name, change.cursor.id);
  for (const put of change.put ?? []) sql.put.run(put.kind, put.key, put.json);
  for (const gone of change.remove ?? []) sql.remove.run(gone.kind, gone.key);
  for (const row of change.setAside ?? []) sql.setAside.run(row.id, row.cursor, row.error, row.atMs);
  for (const dead of change.deadLetters ?? []) {
    sql.deadLetter.run(dead.sink, dead.id, dead.code, dead.message, dead.atMs);
  }
  for (const act of change.acts ?? []) {
    sql.act.run(act.atMs, act.actor, act.action, act.object, act.result, act.origin, act.detail);
  }
}

function putOwn(sql: Statements, own: OwnChange): void {
  for (const { device, deviceId } of own.devices ?? []) sql.device.run(device, deviceId);
  for (const { device, boot, startedMs, sequence } of own.boots ?? []) sql.boot.run(device, boot, startedMs, sequence);
  for (const id of own.undecoded ?? []) sql.undecoded.run(id);
  for (const id of own.decoded ?? []) sql.decoded.run(id);
  for (const { device, json } of own.summaries?.devices ?? []) sql.summary.run(device, json, crc32(json));
  if (own.summaries !== undefined) sql.mark.run("summarised", own.summaries.throughId);
  if (own.runMs !== undefined) sql.mark.run("run_ms", own.runMs);
}

/** Within a transaction. */
export function turnRange(session: Session, runMs: number): void {
  const { db, next } = session;
  const open = openRangeOf(db);
  if (next.row === open.first_id) return;
  db.prepare("UPDATE range SET last_id = ?, closed_run_ms = ? WHERE range = ?").run(next.row - 1, runMs, open.range);
  openRange(db, open.range + 1, next.row, runMs);
}

/** Within a transaction. A range that is gone leaves nothing that points at it. */
export function dropRanges({ db }: Session, throughId: number, loss: Loss | undefined): void {
  const ended = "SELECT range, last_id FROM range WHERE last_id IS NOT NULL AND last_id <= ? ORDER BY range";
  const rows = db.prepare(ended).all(throughId) as unknown as { range: number; last_id: number }[];
  const last = rows.at(-1);
  if (last !== undefined) {
    db.exec("DROP VIEW journal");
    for (const { range } of rows) db.exec(`DROP TABLE ${rangeTable(range)}`);
    db.prepare("DELETE FROM range WHERE range <= ?").run(last.range);
    db.prepare("DELETE FROM undecoded WHERE id <= ?").run(last.last_id);
    defineView(db);
  }
  if (loss !== undefined) {
    const { fromId, toId, rows: lost, why, atMs } = loss;
    const sql = "INSERT INTO gap(from_id, to_id, rows, why, at_ms) VALUES(?,?,?,?,?)";
    db.prepare(sql).run(fromId, toId, lost, why, atMs);
  }
}
