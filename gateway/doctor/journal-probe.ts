// Looks into the journal, and whether history opens, in a process of its own, read-only and beside a gateway that runs: what SQLite does in one call
// cannot be interrupted, a process can. It says one JSON line a step, so that what was done in time counts.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { HISTORY_FILE, openHistoryReader, readMeta } from "../history/file.ts";
import { JOURNAL_VERSION, openReaderFile, versionOf } from "../journal/file.ts";
import { recordOf } from "../journal/row.ts";
import { createSqliteReader, type SqliteReader } from "../journal/sqlite-reader.ts";

/** Of the newest rows, so many are looked at. */
const ROWS_CHECKED_MAX = 20_000;
const PAGE_ROWS = 1_000;
const FAULTS_MAX = 10;

export type ProbeLine =
  | {
      readonly step: "open";
      readonly newestId: number;
      readonly cursors: readonly { readonly name: string; readonly id: number }[];
      readonly setAside: number;
      readonly deadLetters: readonly { readonly sink: string; readonly count: number }[];
      readonly gapRows: number;
      readonly lastGap?: { readonly why: string; readonly atMs: number };
      readonly droppedEarly: number;
    }
  | { readonly step: "history"; readonly covered: number }
  | { readonly step: "history"; readonly reason: string }
  | { readonly step: "version"; readonly version: number }
  | { readonly step: "rows"; readonly checkedRows: number; readonly damagedRows: number }
  | { readonly step: "file"; readonly quickCheck: readonly string[] }
  | { readonly step: "failed"; readonly reason: string };

function history(dir: string): void {
  if (!existsSync(join(dir, HISTORY_FILE))) return;
  try {
    const db = openHistoryReader(dir);
    const { covered } = readMeta(db);
    db.close();
    say({ step: "history", covered });
  } catch (error) {
    say({ step: "history", reason: reasonOf(error) });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function say(line: ProbeLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function open(db: DatabaseSync, reader: SqliteReader): number {
  const newestId = reader.ranges().at(-1)?.lastId ?? 0;
  const cursors = [...reader.cursors()].map(([name, id]) => ({ name, id }));
  const setAside = Number(db.prepare("SELECT count(*) AS n FROM set_aside").get()?.["n"] ?? 0);
  const deadLetters = db.prepare("SELECT sink, count(*) AS count FROM dead_letter GROUP BY sink").all();
  const [lastGap] = reader.gaps(1);
  say({
    step: "open",
    newestId,
    cursors: cursors.sort((a, b) => (a.name < b.name ? -1 : 1)),
    setAside,
    deadLetters: deadLetters as { sink: string; count: number }[],
    gapRows: reader.lostRows(),
    droppedEarly: reader.droppedEarly(),
    ...(lastGap === undefined ? {} : { lastGap: { why: lastGap.why, atMs: lastGap.atMs } }),
  });
  return newestId;
}

function checkRows(reader: SqliteReader, newestId: number): void {
  let fromId = Math.max(1, newestId - ROWS_CHECKED_MAX + 1);
  let checkedRows = 0;
  let damagedRows = 0;
  while (fromId <= newestId) {
    const rows = reader.rows(fromId, Math.min(PAGE_ROWS, newestId - fromId + 1));
    const last = rows.at(-1);
    if (last === undefined) break;
    checkedRows += rows.length;
    damagedRows += rows.filter((row) => recordOf(row).damaged === true).length;
    fromId = last.id + 1;
  }
  say({ step: "rows", checkedRows, damagedRows });
}

function checkFile(db: DatabaseSync): void {
  const lines = db.prepare(`PRAGMA quick_check(${FAULTS_MAX})`).all();
  say({ step: "file", quickCheck: lines.map((line) => String(line["quick_check"])) });
}

const dir = process.argv[2] ?? "";
try {
  history(dir);
  const db = openReaderFile(dir);
  const version = versionOf(db);
  if (version !== 0 && version !== JOURNAL_VERSION) say({ step: "version", version });
  else {
    const reader = createSqliteReader(db);
    checkRows(reader, open(db, reader));
    checkFile(db);
  }
  db.close();
} catch (error) {
  say({ step: "failed", reason: reasonOf(error) });
}
