// Files that must be whole or not there: written beside, synced, renamed, and the folder synced as well.
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { GatewayError } from "../errors.ts";

export const TORN = "it is torn, or was written by something else";

/** Throws FILE_UNWRITABLE; then the old file is still in force. */
export function writeWhole(path: string, text: string | Uint8Array, mode: number): void {
  const beside = `${path}.new`;
  try {
    const file = openSync(beside, "w", mode);
    try {
      // All of it: a single write may take less on a disk that is nearly full, and says so only by a number.
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
    syncFolder(dirname(path));
  } catch (cause) {
    rmSync(beside, { force: true });
    throw new GatewayError("FILE_UNWRITABLE", { path, reason: cause instanceof Error ? cause.message : "" }, { cause });
  }
}

/** What was renamed in it is so after a power cut as well. */
export function syncFolder(dir: string): void {
  const folder = openSync(dir, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** What is there, and is not what was written. */
export function tornFile(path: string, cause?: unknown): GatewayError {
  return new GatewayError("FILE_UNREADABLE", { path, reason: TORN }, { cause });
}

/** The text of a file, undefined when there is none. Throws FILE_UNREADABLE. */
export function readWhole(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new GatewayError("FILE_UNREADABLE", { path }, { cause });
  }
}
