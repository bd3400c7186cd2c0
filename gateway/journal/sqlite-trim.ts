// Bounds of the lists in SQLite: within a transaction, the oldest first, counted in `mark`.
import type { DatabaseSync } from "node:sqlite";
import type { List, Trim } from "./bounds.ts";
import { markOf } from "./sqlite-reader.ts";

const KEYS: Readonly<Record<List, string>> = { act: "id", set_aside: "id", dead_letter: "sink, id" };

export function trimLists(db: DatabaseSync, trims: readonly Trim[]): void {
  for (const trim of trims) {
    const { list, beforeMs, rowsMax, agedMax, overMax } = trim;
    const { n } = db.prepare(`SELECT count(*) AS n FROM ${list}`).get() as { n: number };
    const oldest = `(${KEYS[list]}) IN (SELECT ${KEYS[list]} FROM ${list} ORDER BY id LIMIT ?)`;
    const over = Math.min(overMax, Math.max(0, n - rowsMax));
    if (over > 0) count(db, overMark(list), db.prepare(`DELETE FROM ${list} WHERE ${oldest}`).run(over).changes);
    const aged = db.prepare(`DELETE FROM ${list} WHERE ${oldest} AND at_ms < ?`).run(agedMax, beforeMs).changes;
    count(db, `aged_${list}`, aged);
  }
}

function overMark(list: List): string {
  return `over_${list}`;
}

function count(db: DatabaseSync, mark: string, more: number | bigint): void {
  if (Number(more) === 0) return;
  const sql = "INSERT INTO mark(name, value) VALUES(?,?) ON CONFLICT(name) DO UPDATE SET value = excluded.value";
  db.prepare(sql).run(mark, markOf(db, mark) + Number(more));
}
