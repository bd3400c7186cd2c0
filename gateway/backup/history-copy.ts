// The history's file in the copy: whole, once a day. What came since is in the journal's pieces, which reach further back; a spare
// compacts it from there. SQLite's own backup takes it page by page while it is in use.
import { existsSync } from "node:fs";
import { copyFile, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { GatewayError } from "../errors.ts";
import { makeFolder } from "./folder.ts";

export const HISTORY_FILE = "history.db";
/** Pages at a time: some milliseconds of a slow disk. */
const PAGES_AT_ONCE = 200;

/** Throws FILE_UNWRITABLE; then the copy of the day before is still there. */
export async function copyHistory(dataDir: string, folder: string): Promise<void> {
  const from = join(dataDir, HISTORY_FILE);
  if (!existsSync(from)) return;
  const path = join(folder, HISTORY_FILE);
  const part = `${path}.part`;
  const db = new DatabaseSync(from, { readOnly: true, timeout: 5_000 });
  try {
    await makeFolder(folder);
    await rm(part, { force: true });
    await backup(db, part, { rate: PAGES_AT_ONCE });
    const file = await open(part, "r");
    await file.sync();
    await file.close();
    await rename(part, path);
  } catch (cause) {
    throw new GatewayError("FILE_UNWRITABLE", { path, reason: cause instanceof Error ? cause.message : "" }, { cause });
  } finally {
    db.close();
  }
}

/** Whether there was one to put back. */
export async function restoreHistory(folder: string, dataDir: string): Promise<boolean> {
  const from = join(folder, HISTORY_FILE);
  if (!existsSync(from)) return false;
  await copyFile(from, join(dataDir, HISTORY_FILE));
  return true;
}
