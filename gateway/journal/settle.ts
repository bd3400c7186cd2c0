// After an I/O error, also one of a process that is gone, what is read may be there in memory only: the kernel takes a page for
// clean also when writing it failed, and no later sync writes it. So what the log beside the file holds is written once more as
// it is, and synchronised, before anybody is told of it, and before it changes the file: a file that is half changed is only
// mended from a log that is on the disk. It takes no room, so that a start on a full disk goes on.
import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { JOURNAL_FILE } from "./file.ts";

const CHUNK_BYTES = 1024 * 1024;
/** SQLite's word for it (sqlite.org/rescode.html). */
const IOERR = 10;

/** Throws as SQLite does, with `errcode`. */
export function settleLog(db: DatabaseSync, dir: string): void {
  // Nobody else appends meanwhile, or begins the log anew.
  db.exec("BEGIN IMMEDIATE");
  try {
    rewrite(`${dir}/${JOURNAL_FILE}-wal`);
  } catch (cause) {
    throw Object.assign(new Error("the log cannot be written", { cause }), { errcode: IOERR });
  } finally {
    db.exec("ROLLBACK");
  }
}

/** The same bytes in the same places. No lock of SQLite's is on this file, so none goes when it is closed. */
function rewrite(path: string): void {
  const file = openSync(path, "r+");
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let at = 0; ; ) {
      const length = readSync(file, chunk, 0, CHUNK_BYTES, at);
      if (length === 0) break;
      for (let done = 0; done < length; ) done += writeSync(file, chunk, done, length - done, at + done);
      at += length;
    }
    fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
}
