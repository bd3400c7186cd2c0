// The one writer: takes a batch, commits it whole, and says of every entry what became of it.
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { ackWindowAt } from "../domain/dedupe.ts";
import type { CheckedFrame } from "../domain/record.ts";
import type { Entry, EntryOutcome, StateChange } from "./changes.ts";
import { applyStaged, type DeviceTable, decide, deviceRow, dropStaged, loadDeviceTable } from "./device-table.ts";
import { openWriterFile } from "./file.ts";
import { linkCode, qualityCode, rowChecksum } from "./row.ts";

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
  | { readonly kind: "replay" }
  | { readonly kind: "saved" };

/** The test seam `pagesMax` caps the file, so that a full disk can be had without one. */
export function createWriter(dir: string, options: { readonly pagesMax?: number | undefined } = {}): Writer {
  let open = openSession(dir, options.pagesMax);

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
  "row" | "device" | "cursor" | "put" | "remove" | "setAside" | "deadLetter" | "act",
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

function insert(open: Session, frame: CheckedFrame): Verdict {
  const device = deviceRow(open.table, frame.deviceId, (id) => {
    return (open.sql.device.get(id) as { device: number }).device;
  });
  const decision = decide(open.table, device, frame);
  if (decision.kind === "replay") return { kind: "replay" };
  if (decision.kind === "duplicate") {
    return { kind: "duplicate", deviceId: frame.deviceId, sequence: decision.sequence };
  }
  const row = {
    id: open.nextId++,
    received_ms: Math.round(frame.receivedMs),
    time_ms: Math.round(decision.placing.timeMs),
    quality: qualityCode(decision.placing.quality),
    device: decision.device,
    sequence: decision.sequence,
    link: linkCode(frame.link),
    frame: frame.frame,
  };
  const crc = rowChecksum(row);
  // biome-ignore format: one line a row reads as the table does
  open.sql.row.run(row.id, row.received_ms, row.time_ms, row.quality, row.device, row.sequence, row.link, row.frame, crc);
  return { kind: "stored", id: row.id, deviceId: frame.deviceId, sequence: row.sequence };
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
  if (verdict.kind === "saved" || verdict.kind === "replay") return { outcome: verdict.kind };
  const window = table.rows.get(verdict.deviceId)?.window;
  const ack = window === undefined || verdict.sequence === 0 ? undefined : ackWindowAt(window, verdict.sequence);
  if (verdict.kind === "stored") return { outcome: "stored", id: verdict.id, ack };
  return { outcome: "duplicate", ack: ack ?? { baseSequence: 0, bitmap: 0 } };
}
