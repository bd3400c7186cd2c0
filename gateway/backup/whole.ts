// One file, whole or not there, for its owner alone.
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import { GatewayError } from "../errors.ts";

/** Throws FILE_UNWRITABLE. */
export function writeFileWhole(path: string, bytes: Uint8Array): void {
  try {
    const file = openSync(`${path}.part`, "w", 0o600);
    writeSync(file, bytes);
    fsyncSync(file);
    closeSync(file);
    renameSync(`${path}.part`, path);
  } catch (cause) {
    throw new GatewayError("FILE_UNWRITABLE", { path, reason: cause instanceof Error ? cause.message : "" }, { cause });
  }
}
