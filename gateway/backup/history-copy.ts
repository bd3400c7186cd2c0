// The history's file in the copy: whole, once a day. What came since is in the journal's pieces, which reach further back; a spare
// compacts it from there. SQLite's own backup takes it page by page while it is in use.
import { existsSync, renameSync, rmSync } from "node:fs";
import { copyFile, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { GatewayError } from "../errors.ts";
import { makeFolder, partOf } from "./folder.ts";

export const HISTORY_FILE = "history.db";
/** Pages at a time: some milliseconds of a slow disk. */
const PAGES_AT_ONCE = 200;

/** Whether there is a history and none in the copy: its disk may be another one since the last day. */
export function lacksHistory(dataDir: string, folder: string): boolean {
  return existsSync(join(dataDir, HISTORY_FILE)) && !existsSync(join(folder, HISTORY_FILE));
}

/** Throws FILE_UNWRITABLE; then the copy of the day before is still there. */
export async function copyHistory(dataDir: string, folder: string): Promise<void> {
  const from = join(dataDir, HISTORY_FILE);
  if (!existsSync(from)) return;
  const path = join(folder, HISTORY_FILE);
  const part = partOf(path);
  const db = new DatabaseSync(from, { readOnly: true, timeout: 5_000 });
  try {
    await makeFolder(folder);
    // One view of the file: a compaction meanwhile would begin the copy anew, and a large one would never end.
    db.exec("BEGIN");
    db.prepare("SELECT count(*) FROM meta").get();
    await backup(db, part, { rate: PAGES_AT_ONCE });
    const file = await open(part, "r");
    await file.sync();
    await file.close();
    await rename(part, path);
  } catch (cause) {
    await rm(part, { force: true }).catch(() => undefined);
    throw new GatewayError("FILE_UNWRITABLE", { path, reason: cause instanceof Error ? cause.message : "" }, { cause });
  } finally {
    db.close();
  }
}

/** Lays the copy's history beside its place; gives the call that puts it there. Undefined when the copy has none. */
export async function layHistory(
  folder: string,
  dataDir: string,
): Promise<((journalName: string, endId: number) => void) | undefined> {
  const from = join(folder, HISTORY_FILE);
  if (!existsSync(from)) return undefined;
  const path = join(dataDir, HISTORY_FILE);
  const beside = `${path}.restoring`;
  await copyFile(from, beside);
  return (journalName, endId) => {
    nameHistory(beside, journalName, endId);
    // A history without its journal is left by nobody but a restore that was broken off, or is worth keeping.
    if (existsSync(path)) renameSync(path, `${path}.before-restore`);
    for (const tail of ["-wal", "-shm"]) rmSync(`${path}${tail}`, { force: true });
    renameSync(beside, path);
  };
}

/**
 * From now on it is that of the journal of this name, in which rows keep their ids: what it has of them it need not take again, and
 * would double in places. Throws what SQLite throws.
 */
export function nameHistory(path: string, journalName: string, endId: number): void {
  const db = new DatabaseSync(path);
  try {
    db.exec("PRAGMA synchronous=FULL; BEGIN IMMEDIATE; DELETE FROM epoch");
    db.prepare("INSERT INTO epoch(journal) VALUES(?)").run(journalName);
    db.prepare("UPDATE meta SET value = min(value, ?) WHERE key = 'covered'").run(endId);
    db.exec("COMMIT");
  } finally {
    db.close();
  }
}
