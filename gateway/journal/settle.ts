// After an I/O error, also one of a process that is gone, what is read may be there in memory only: the kernel takes a page for
// clean also when writing it failed, and no later sync writes it. So what the log beside the file holds is written once more as
// it is, synchronised, and put into the file, before anybody is told of it. In this order: a file that is half changed is only
// mended from a log that is on the disk.
import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { JOURNAL_FILE } from "./file.ts";

const CHUNK_BYTES = 1024 * 1024;
/** Somebody may be reading all of the file: a look by the doctor ends after 20 s. */
const PATIENCE_MS = 30_000;
/** SQLite's words for it (sqlite.org/rescode.html). */
const BUSY = 5;
const IOERR = 10;

/** Throws as SQLite does, with `errcode`. */
export function settleLog(db: DatabaseSync, dir: string): void {
  // Nobody else appends meanwhile.
  db.exec("BEGIN IMMEDIATE");
  try {
    rewrite(`${dir}/${JOURNAL_FILE}-wal`);
  } catch (cause) {
    throw failure("the log cannot be written", IOERR, cause);
  } finally {
    db.exec("ROLLBACK");
  }
  const { timeout } = db.prepare("PRAGMA busy_timeout").get() as { timeout: number };
  db.exec(`PRAGMA busy_timeout=${PATIENCE_MS}`);
  const done = db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get() as { busy: number };
  db.exec(`PRAGMA busy_timeout=${timeout}`);
  if (done.busy !== 0) throw failure("the log cannot be put into the file", BUSY);
}

function failure(message: string, errcode: number, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { errcode });
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
