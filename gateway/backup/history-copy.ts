// The history's file in the copy: whole, once a day. What came since is in the journal's pieces, which reach further back; a spare
// compacts it from there. SQLite's own backup takes it page by page while it is in use.
import { createHash } from "node:crypto";
import { existsSync, renameSync, rmSync } from "node:fs";
import { copyFile, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { GatewayError } from "../errors.ts";
import { sumsWith } from "./contents.ts";
import { HISTORY_FILE, makeFolder, partOf, wornReason, writePiece } from "./folder.ts";

/** Sums of the history in the copy, one a line: the one that is being put there, then the one before. */
const SUMS_FILE = "history.sum";
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
    await syncFile(part);
    const sum = await largeSum(part);
    const before = (await sumsIn(folder)) ?? [];
    await writePiece(folder, SUMS_FILE, Buffer.from(`${sumsWith(sum, before).join("\n")}\n`));
    await rename(part, path);
  } catch (cause) {
    await rm(part, { force: true }).catch(() => undefined);
    // That of the sums says what the disk said.
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError("FILE_UNWRITABLE", { path, reason: cause instanceof Error ? cause.message : "" }, { cause });
  } finally {
    db.close();
  }
}

/** SHA-256 of a large file. */
async function largeSum(path: string): Promise<string> {
  const file = await open(path, "r");
  try {
    const hash = createHash("sha256");
    for await (const bytes of file.createReadStream({ autoClose: false })) hash.update(bytes as Buffer);
    return hash.digest("hex");
  } finally {
    await file.close();
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function sumsIn(folder: string): Promise<readonly string[] | undefined> {
  const text = await readFile(join(folder, SUMS_FILE), "latin1").catch(() => undefined);
  return text?.split("\n").filter((line) => line !== "");
}

/** What is wrong with the history in the copy; undefined when nothing is, or there never was one. Throws FILE_UNREADABLE. */
export async function historyFault(folder: string, isListed: boolean): Promise<string | undefined> {
  const path = join(folder, HISTORY_FILE);
  const sums = await sumsIn(folder);
  if (!existsSync(path)) return isListed || sums !== undefined ? "it is missing" : undefined;
  try {
    if (sums === undefined) return (await isDatabaseWhole(path)) ? undefined : "it is cut, or no database";
    return sums.includes(await largeSum(path)) ? undefined : "its checksum does not fit";
  } catch (cause) {
    const worn = wornReason(cause);
    if (worn !== undefined) return worn;
    throw new GatewayError("FILE_UNREADABLE", { path }, { cause });
  }
}

/** Of a copy without sums: its head, and whether it is as long as that says (SQLite file format, section 1.3). */
async function isDatabaseWhole(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const head = Buffer.alloc(32);
    await file.read(head, 0, head.length, 0);
    const pageBytes = head.readUInt16BE(16) === 1 ? 65_536 : head.readUInt16BE(16);
    const isNamed = head.toString("latin1", 0, 16) === "SQLite format 3\0";
    return isNamed && (await file.stat()).size >= pageBytes * head.readUInt32BE(28);
  } finally {
    await file.close();
  }
}

export interface LaidHistory {
  /** Puts it in its place, for the journal of this name whose rows end before `endId`. Throws FILE_UNWRITABLE. */
  put(journalName: string, endId: number): void;
  /** Removes what was laid and not put in its place. */
  drop(): void;
}

/** Lays the copy's history beside its place. Undefined when the copy has none, or none that can be used; then nothing is left. */
export async function layHistory(folder: string, dataDir: string): Promise<LaidHistory | undefined> {
  const from = join(folder, HISTORY_FILE);
  if (!existsSync(from)) return undefined;
  const path = join(dataDir, HISTORY_FILE);
  const beside = `${path}.restoring`;
  const drop = () => {
    for (const tail of ["", "-wal", "-shm", "-journal"]) rmSync(`${beside}${tail}`, { force: true });
  };
  try {
    await copyFile(from, beside);
  } catch (cause) {
    drop();
    throw new GatewayError("FILE_UNWRITABLE", { path: beside, reason: (cause as Error).message }, { cause });
  }
  if (!isHistory(beside)) {
    drop();
    return undefined;
  }
  const put = (journalName: string, endId: number) => {
    try {
      nameHistory(beside, journalName, endId);
      // A history without its journal is left by nobody but a restore that was broken off, or is worth keeping.
      if (existsSync(path)) renameSync(path, `${path}.before-restore`);
      for (const tail of ["-wal", "-shm"]) rmSync(`${path}${tail}`, { force: true });
      renameSync(beside, path);
    } catch (cause) {
      throw new GatewayError("FILE_UNWRITABLE", { path, reason: (cause as Error).message }, { cause });
    }
  };
  return { put, drop };
}

function isHistory(path: string): boolean {
  try {
    const db = new DatabaseSync(path);
    try {
      db.prepare("SELECT journal FROM epoch").all();
      db.prepare("SELECT value FROM meta WHERE key = 'covered'").all();
      return db.prepare("PRAGMA quick_check(1)").get()?.["quick_check"] === "ok";
    } finally {
      db.close();
    }
  } catch {
    return false;
  }
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
