// The reading half of the journal in SQLite, over any connection: the writer's own, or one that only reads.
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import type { Act, ActsAsked, NumberedAct } from "./changes.ts";
import { rangeTable } from "./file.ts";
import type { NamedRow } from "./row.ts";
import type { BootRow, Loss, Range, SetAsideRow, SummaryRow, WriterState } from "./store.ts";

/** Prepared statements that are kept, one a range. */
const STATEMENTS_MAX = 64;
const ACT_COLUMNS = "at_ms AS atMs, actor, action, object, result, origin, detail";

export interface SqliteReader {
  rows(fromId: number, limit: number): NamedRow[];
  documents(kind: string): { key: string; json: string }[];
  cursor(name: string): number;
  cursors(): Map<string, number>;
  setAside(limit: number): SetAsideRow[];
  deadLetters(sink: string, limit: number): Record<string, unknown>[];
  acts(limit: number): Act[];
  actsOn(asked: ActsAsked): NumberedAct[];
  gaps(limit: number): Loss[];
  lostRows(): number;
  /** Acts, and notes on rows, that went before their time because there were too many. */
  droppedEarly(): number;
  ranges(): Range[];
  writerState(): WriterState;
}

export function createSqliteReader(db: DatabaseSync): SqliteReader {
  const listed = db.prepare("SELECT range FROM range WHERE last_id IS NULL OR last_id >= ? ORDER BY range");
  const statements = new Map<number, StatementSync>();
  const all = <T>(sql: string, ...values: (string | number)[]): T[] => db.prepare(sql).all(...values) as T[];

  function statementOf(range: number): StatementSync {
    const found = statements.get(range);
    if (found !== undefined) return found;
    if (statements.size >= STATEMENTS_MAX) statements.clear();
    const made = db.prepare(
      `SELECT j.*, d.device_id FROM ${rangeTable(range)} j LEFT JOIN device d ON d.device = j.device
       WHERE j.id >= ? ORDER BY j.id LIMIT ?`,
    );
    statements.set(range, made);
    return made;
  }

  function rowsOf(fromId: number, limit: number): NamedRow[] {
    const found: NamedRow[] = [];
    for (const { range } of listed.all(fromId) as unknown as { range: number }[]) {
      const rows = statementOf(range).all(fromId, limit - found.length) as unknown as NamedRow[];
      if (found.length === 0 && rows.length >= limit) return rows;
      for (const row of rows) found.push(row);
      if (found.length >= limit) break;
    }
    return found;
  }

  return {
    rows(fromId, limit) {
      if (db.isTransaction) return rowsOf(fromId, limit);
      // One view of the file for the list and the tables: a range may be dropped meanwhile.
      db.exec("BEGIN");
      try {
        return rowsOf(fromId, limit);
      } finally {
        db.exec("COMMIT");
      }
    },
    documents: (kind) => all("SELECT key, json FROM document WHERE kind = ? ORDER BY key", kind),
    cursor: (name) => all<{ id: number }>("SELECT id FROM cursor WHERE name = ?", name)[0]?.id ?? 0,
    cursors: () => {
      const rows = all<{ name: string; id: number }>("SELECT name, id FROM cursor");
      return new Map(rows.map(({ name, id }) => [name, id]));
    },
    setAside: (limit) => all("SELECT id, cursor, error, at_ms AS atMs FROM set_aside ORDER BY id DESC LIMIT ?", limit),
    deadLetters: (sink, limit) => {
      const sql = "SELECT id, code, message, at_ms AS atMs FROM dead_letter WHERE sink = ? ORDER BY id DESC LIMIT ?";
      return all(sql, sink, limit);
    },
    acts: (limit) => all(`SELECT ${ACT_COLUMNS} FROM act ORDER BY id DESC LIMIT ?`, limit),
    actsOn: ({ action, object, beforeId = Number.MAX_SAFE_INTEGER, limit }) => {
      // Through at most the rows that the log may have (bounds.ts), from the newest back: an index would cost every act.
      const sql = `SELECT id, ${ACT_COLUMNS} FROM act WHERE id < ? AND action = ? AND object = ? ORDER BY id DESC LIMIT ?`;
      return all(sql, beforeId, action, object, limit);
    },
    gaps: (limit) => {
      const columns = "from_id AS fromId, to_id AS toId, rows, why, at_ms AS atMs";
      return all(`SELECT ${columns} FROM gap ORDER BY gap DESC LIMIT ?`, limit);
    },
    lostRows: () => all<{ n: number }>("SELECT coalesce(sum(rows), 0) AS n FROM gap")[0]?.n ?? 0,
    droppedEarly: () =>
      all<{ n: number }>("SELECT coalesce(sum(value), 0) AS n FROM mark WHERE name GLOB 'over_*'")[0]?.n ?? 0,
    ranges: () => rangesOf(db),
    writerState: () => writerStateOf(db),
  };
}

function rangesOf(db: DatabaseSync): Range[] {
  const rows = db.prepare("SELECT * FROM range ORDER BY range").all() as unknown as RangeRow[];
  return rows.map((row) => ({
    firstId: row.first_id,
    lastId: row.last_id ?? newestIn(db, row),
    openedRunMs: row.opened_run_ms,
    closedRunMs: row.closed_run_ms ?? undefined,
  }));
}

export interface RangeRow {
  readonly range: number;
  readonly first_id: number;
  readonly opened_run_ms: number;
  readonly last_id: number | null;
  readonly closed_run_ms: number | null;
}

/** One less than its first id when the range is empty. */
export function newestIn(db: DatabaseSync, { range, first_id }: RangeRow): number {
  const { id } = db.prepare(`SELECT max(id) AS id FROM ${rangeTable(range)}`).get() as { id: number | null };
  return Math.max(id ?? 0, first_id - 1);
}

export function markOf(db: DatabaseSync, name: string): number {
  return (db.prepare("SELECT value FROM mark WHERE name = ?").get(name)?.["value"] as number | undefined) ?? 0;
}

function writerStateOf(db: DatabaseSync): WriterState {
  const all = <T>(sql: string): T[] => db.prepare(sql).all() as T[];
  const rows = all<SummaryRow & { crc: number }>("SELECT device, json, crc FROM device_state");
  const isSound = rows.every((row) => row.crc === crc32(row.json));
  return {
    devices: all("SELECT device, device_id AS deviceId FROM device"),
    boots: all<BootRow>("SELECT device, boot, started_ms AS startedMs, sequence FROM boot"),
    undecoded: all<{ id: number }>("SELECT id FROM undecoded ORDER BY id").map(({ id }) => id),
    summarisedId: isSound ? markOf(db, "summarised") : 0,
    summaries: isSound ? rows : undefined,
  };
}
