// Looks into the journal in a process of its own, read-only and beside a gateway that runs: what SQLite does in one call
// cannot be interrupted, a process can. It says one JSON line a step, so that what was done in time counts.
import type { DatabaseSync } from "node:sqlite";
import { openReaderFile } from "../journal/file.ts";
import { recordOf, type StoredRow } from "../journal/row.ts";

/** Of the newest rows, so many are looked at. */
const ROWS_CHECKED_MAX = 20_000;
const FAULTS_MAX = 10;

export type ProbeLine =
  | {
      readonly step: "open";
      readonly newestId: number;
      readonly cursors: readonly { readonly name: string; readonly id: number }[];
      readonly setAside: number;
      readonly deadLetters: readonly { readonly sink: string; readonly count: number }[];
    }
  | { readonly step: "rows"; readonly checkedRows: number; readonly damagedRows: number }
  | { readonly step: "file"; readonly quickCheck: readonly string[] }
  | { readonly step: "failed"; readonly reason: string };

function say(line: ProbeLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function open(db: DatabaseSync): number {
  const newest = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'journal'").get()?.["seq"];
  const newestId = Number(newest ?? 0);
  const cursors = db.prepare("SELECT name, id FROM cursor ORDER BY name").all() as { name: string; id: number }[];
  const setAside = Number(db.prepare("SELECT count(*) AS n FROM set_aside").get()?.["n"] ?? 0);
  const deadLetters = db.prepare("SELECT sink, count(*) AS count FROM dead_letter GROUP BY sink").all();
  say({ step: "open", newestId, cursors, setAside, deadLetters: deadLetters as { sink: string; count: number }[] });
  return newestId;
}

function checkRows(db: DatabaseSync, newestId: number): void {
  const rows = db
    .prepare(
      "SELECT j.*, d.device_id FROM journal j LEFT JOIN device d ON d.device = j.device WHERE j.id > ? ORDER BY j.id",
    )
    .iterate(newestId - ROWS_CHECKED_MAX);
  let checkedRows = 0;
  let damagedRows = 0;
  for (const row of rows) {
    checkedRows++;
    if (recordOf(row as unknown as StoredRow & { device_id: string | null }).damaged === true) damagedRows++;
  }
  say({ step: "rows", checkedRows, damagedRows });
}

function checkFile(db: DatabaseSync): void {
  const lines = db.prepare(`PRAGMA quick_check(${FAULTS_MAX})`).all();
  say({ step: "file", quickCheck: lines.map((line) => String(line["quick_check"])) });
}

try {
  const db = openReaderFile(process.argv[2] ?? "");
  const newestId = open(db);
  checkRows(db, newestId);
  checkFile(db);
  db.close();
} catch (error) {
  say({ step: "failed", reason: error instanceof Error ? error.message : String(error) });
}
