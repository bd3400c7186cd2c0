// Files that must be whole or not there: written beside, synced, renamed, and the folder synced as well.
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { GatewayError } from "../errors.ts";

/** Throws FILE_UNWRITABLE; then the old file is still in force. */
export function writeWhole(path: string, text: string, mode: number): void {
  const beside = `${path}.new`;
  try {
    const file = openSync(beside, "w", mode);
    writeSync(file, text);
    fsyncSync(file);
    closeSync(file);
    renameSync(beside, path);
    const folder = openSync(dirname(path), "r");
    fsyncSync(folder);
    closeSync(folder);
  } catch (cause) {
    throw new GatewayError("FILE_UNWRITABLE", { path, reason: cause instanceof Error ? cause.message : "" }, { cause });
  }
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
