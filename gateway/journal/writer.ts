// The one writer: takes a batch, commits it whole, and says of every entry what became of it.
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { decodeUplink, KIND_BACKLOG } from "../../protocol/wire.ts";
import { isPlausibleWallTime } from "../clock.ts";
import { unpackBacklog } from "../domain/backlog.ts";
import { ackContextAt } from "../domain/dedupe.ts";
import type { CheckedFrame } from "../domain/record.ts";
import { stampOf } from "../domain/stamp.ts";
import type { Entry, EntryOutcome, StateChange } from "./changes.ts";
import { decide, decideSamples, type NewRow } from "./decide.ts";
import {
  applyStaged,
  type DeviceTable,
  deviceRow,
  dropStaged,
  loadDeviceTable,
  type Staged,
  stage,
} from "./device-table.ts";
import { openWriterFile } from "./file.ts";
import { linkCode, qualityCode, recordOf, rowChecksum, type StoredRow } from "./row.ts";

/** SQLite result codes (sqlite.org/rescode.html): the low byte of the extended code. */
const SQLITE_FULL = 13;
const SQLITE_IOERR = 10;
const SQLITE_BUSY = 5;

export type CommitResult =
  | { readonly kind: "committed"; readonly outcomes: readonly EntryOutcome[]; readonly newestId: number }
  | { readonly kind: "failed"; readonly reason: string; readonly retry: boolean };

export interface Writer {
  readonly epoch: string;
  newestId(): number;
  commit(entries: readonly Entry[]): CommitResult;
  close(): void;
}

/** What an entry came to before the commit: duplicates get their ack window only when all is durable. */
type Verdict =
  | { readonly kind: "stored"; readonly id: number; readonly deviceId: string; readonly sequence: number }
  | { readonly kind: "duplicate"; readonly deviceId: string; readonly sequence: number }
  | { readonly kind: "replay"; readonly deviceId: string; readonly sequence: number }
  | { readonly kind: "saved" };

/** The test seam `pagesMax` caps the file, so that a full disk can be had without one. */
export function createWriter(dir: string, options: { readonly pagesMax?: number | undefined } = {}): Writer {
  let open = openSession(dir, options.pagesMax);
  tryAgain(() => decodeAgain(open));

  function commit(entries: readonly Entry[]): CommitResult {
    const { db, table } = open;
    const firstId = open.nextId;
    const known = new Set(table.rows.keys());
    try {
      db.exec("BEGIN IMMEDIATE");
      const verdicts = entries.map((entry) =>
        "frame" in entry ? insert(open, entry.frame) : save(open, entry.change),
      );
      db.exec("COMMIT");
      applyStaged(table);
      return { kind: "committed", outcomes: verdicts.map((v) => outcomeOf(table, v)), newestId: open.nextId - 1 };
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      open.nextId = firstId;
      dropStaged(table);
      for (const deviceId of table.rows.keys()) if (!known.has(deviceId)) table.rows.delete(deviceId);
      return afterFailure(error);
    }
  }

  /** What waits to be decoded can wait for the next start: a disk that refuses must not stop this one. */
  function tryAgain(work: () => void): void {
    try {
      work();
    } catch (error) {
      if ((error as { errcode?: unknown }).errcode === undefined) throw error;
      open.db.close();
      open = openSession(dir, options.pagesMax);
    }
  }

  function afterFailure(error: unknown): CommitResult {
    const code = (Number((error as { errcode?: unknown }).errcode) || 0) & 0xff;
    const reason = error instanceof Error ? error.message : String(error);
    // After an I/O error the kernel may have dropped pages that SQLite believes written: begin again from the file.
    if (code === SQLITE_IOERR) {
      open.db.close();
      open = openSession(dir, options.pagesMax);
    }
    return { kind: "failed", reason, retry: code === SQLITE_FULL || code === SQLITE_IOERR || code === SQLITE_BUSY };
  }

  return {
    epoch: open.epoch,
    newestId: () => open.nextId - 1,
    commit,
    close() {
      open.db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      open.db.close();
    },
  };
}

interface Session {
  readonly db: DatabaseSync;
  readonly epoch: string;
  readonly table: DeviceTable;
  readonly sql: Statements;
  nextId: number;
}

type Statements = Record<
  "row" | "device" | "boot" | "undecoded" | "cursor" | "put" | "remove" | "setAside" | "deadLetter" | "act",
  StatementSync
>;

function openSession(dir: string, pagesMax: number | undefined): Session {
  const { db, epoch } = openWriterFile(dir);
  if (pagesMax !== undefined) db.exec(`PRAGMA max_page_count=${pagesMax}`);
  const sql: Statements = {
    row: db.prepare(
      "INSERT INTO journal(id, received_ms, time_ms, quality, device, sequence, link, frame, crc) VALUES(?,?,?,?,?,?,?,?,?)",
    ),
    device: db.prepare("INSERT INTO device(device_id) VALUES(?) RETURNING device"),
    boot: db.prepare("INSERT OR REPLACE INTO boot(device, boot, started_ms, sequence) VALUES(?,?,?,?)"),
    undecoded: db.prepare("INSERT INTO undecoded(id) VALUES(?)"),
    cursor: db.prepare("INSERT INTO cursor(name, id) VALUES(?,?) ON CONFLICT(name) DO UPDATE SET id = excluded.id"),
    put: db.prepare(
      "INSERT INTO document(kind, key, json) VALUES(?,?,?) ON CONFLICT(kind, key) DO UPDATE SET json = excluded.json",
    ),
    remove: db.prepare("DELETE FROM document WHERE kind = ? AND key = ?"),
    setAside: db.prepare("INSERT OR IGNORE INTO set_aside(id, cursor, error, at_ms) VALUES(?,?,?,?)"),
    deadLetter: db.prepare("INSERT OR IGNORE INTO dead_letter(sink, id, code, message, at_ms) VALUES(?,?,?,?,?)"),
    act: db.prepare("INSERT INTO act(at_ms, actor, action, object, result, origin, detail) VALUES(?,?,?,?,?,?,?)"),
  };
  const newest = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'journal'").get() as
    | { seq: number }
    | undefined;
  return { db, epoch, table: loadDeviceTable(db), sql, nextId: (newest?.seq ?? 0) + 1 };
}

function insert(open: Session, asked: CheckedFrame): Verdict {
  const frame = { ...asked, receivedMs: Math.round(asked.receivedMs) };
  const { deviceId } = frame;
  const device = deviceRow(open.table, deviceId, (id) => (open.sql.device.get(id) as { device: number }).device);
  const staged = stage(open.table, deviceId, device);
  const backlog = frame.header === undefined ? undefined : unpackBacklog(frame.frame);
  const decision = decide(staged, frame, backlog);
  if (decision.kind !== "insert") return { kind: decision.kind, deviceId, sequence: decision.sequence };
  insertRows(open, staged, decision.rows, frame);
  const id = open.nextId - 1;
  if (backlog !== undefined) keepBoot(open, staged, backlog.boot);
  else if (frame.header !== undefined && isBacklogKind(frame.frame)) open.sql.undecoded.run(id);
  return { kind: "stored", id, deviceId, sequence: decision.sequence };
}

function insertRows(
  open: Session,
  staged: Staged,
  rows: readonly NewRow[],
  { receivedMs, link }: Pick<CheckedFrame, "receivedMs" | "link">,
): void {
  for (const { sequence, placing, frame } of rows) {
    const row = {
      id: open.nextId++,
      received_ms: receivedMs,
      time_ms: placing.timeMs,
      quality: qualityCode(placing.quality),
      device: staged.device.number,
      sequence,
      link: linkCode(link),
      frame,
    };
    const crc = rowChecksum(row);
    // biome-ignore format: one line a row reads as the table does
    open.sql.row.run(row.id, row.received_ms, row.time_ms, row.quality, row.device, row.sequence, row.link, row.frame, crc);
  }
}

function keepBoot(open: Session, staged: Staged, boot: number): void {
  const start = staged.boots.get(boot);
  if (start === undefined || start === staged.device.boots.get(boot)) return;
  open.sql.boot.run(staged.device.number, boot, start.startedMs, start.sequence);
}

/** Version 1, kind 3. */
function isBacklogKind(frame: Uint8Array): boolean {
  return ((frame[0] as number) & 15) === KIND_BACKLOG;
}

/** Backlog frames that an earlier version could not read: what this one can read in them becomes records now. */
function decodeAgain(open: Session): void {
  const { db, table } = open;
  const waiting = db
    .prepare(
      "SELECT j.*, d.device_id FROM undecoded u JOIN journal j USING(id) JOIN device d USING(device) ORDER BY id",
    )
    .all() as unknown as (StoredRow & { device_id: string })[];
  for (const row of waiting) {
    const record = recordOf(row);
    const backlog = record.damaged === true ? undefined : unpackBacklog(record.frame);
    const header = stampOf(decodeUplink(record.frame));
    const device = table.rows.get(record.deviceId);
    if (backlog === undefined || header === undefined || device === undefined) continue;
    const frame = { ...record, header, clockTrusted: isPlausibleWallTime(record.receivedMs) };
    const staged = stage(table, record.deviceId, device);
    db.exec("BEGIN IMMEDIATE");
    insertRows(open, staged, decideSamples(staged, frame, backlog, record.sequence), frame);
    keepBoot(open, staged, backlog.boot);
    db.prepare("DELETE FROM undecoded WHERE id = ?").run(row.id);
    db.exec("COMMIT");
    applyStaged(table);
  }
}

function save(open: Session, change: StateChange): Verdict {
  const { sql } = open;
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
  return { kind: "saved" };
}

function outcomeOf(table: DeviceTable, verdict: Verdict): EntryOutcome {
  if (verdict.kind === "saved") return { outcome: "saved" };
  const window = table.rows.get(verdict.deviceId)?.window;
  const ack = window === undefined || verdict.sequence === 0 ? undefined : ackContextAt(window, verdict.sequence);
  if (verdict.kind === "stored") return { outcome: "stored", id: verdict.id, ack };
  return { outcome: verdict.kind, ack: ack ?? { baseSequence: 0, bitmap: 0, after: 0 } };
}
