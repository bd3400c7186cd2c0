// Data that the installer set back to those from before an upgrade. As after a restore the journal goes by another name from then on:
// under the same one a copy would mix both times, and LoRaWAN would use counters a second time.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { renameJournal } from "../journal/restore.ts";
import { writeWhole } from "../registry/file.ts";
import { HISTORY_FILE } from "./folder.ts";
import { nameHistory } from "./history-copy.ts";
import { RESTORED_FILE, readRestored } from "./restore.ts";

export interface SetBack {
  /** The name that the journal has now. */
  readonly name: string;
  /** Why history could not be given it too: it takes rows anew that it has, and knows most of them. */
  readonly historyFailure: string | undefined;
}

/**
 * Before the journal is opened; undefined when the data were not set back. Killed anywhere, the next start does all of it once
 * more. Throws DATA_IN_USE, JOURNAL_UNUSABLE, FILE_UNREADABLE, FILE_UNWRITABLE.
 */
export function takeUpSetBack(dataDir: string): SetBack | undefined {
  const { setBack, ...mark } = readRestored(dataDir) ?? {};
  if (setBack !== true) return undefined;
  const renamed = renameJournal(dataDir);
  if (renamed === undefined) return undefined;
  const { name, endId } = renamed;
  const historyFailure = nameHistoryIn(dataDir, name, endId);
  // Devices are still to be asked.
  writeWhole(join(dataDir, RESTORED_FILE), JSON.stringify(mark), 0o600);
  return { name, historyFailure };
}

/** A history that cannot be opened stops nothing. */
function nameHistoryIn(dataDir: string, name: string, endId: number): string | undefined {
  const path = join(dataDir, HISTORY_FILE);
  if (!existsSync(path)) return undefined;
  try {
    nameHistory(path, name, endId);
    return undefined;
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}
