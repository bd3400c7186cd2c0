// Looks at the copy in a process of its own: a disk that is gone in a bad way answers no call, and a process can be left behind.
// It says one JSON line a step, so that what was done in time counts.
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  areOnOneDisk,
  folderOf,
  HISTORY_FILE,
  isAbandonedPart,
  listingOf,
  namesIn,
  readPiece,
} from "../backup/folder.ts";
import { openOutsideSource } from "../journal/copy-source.ts";
import { openState } from "../journal/pieces.ts";

export type CopyLine =
  | { readonly step: "place"; readonly exists: false }
  | { readonly step: "place"; readonly exists: true; readonly writable: boolean; readonly sameDisk: boolean }
  | {
      readonly step: "copy";
      readonly folder: string;
      /** When the newest state that is whole was written; undefined when there is none. */
      readonly newestMs?: number;
      /** States that are newer than it, and not whole. */
      readonly damaged: readonly string[];
      /** Files that writers which are gone have left half written. */
      readonly parts: number;
      /** Where the data have one; of the copy's, when it was written. */
      readonly history?: { readonly writtenMs: number | undefined };
    }
  | { readonly step: "failed"; readonly reason: string };

function say(line: CopyLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function isWritable(dir: string): boolean {
  try {
    accessSync(dir, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The name of the journal, after which its copy is called; undefined while there is none to be read. */
function journalNameIn(dataDir: string): string | undefined {
  try {
    const source = openOutsideSource(dataDir);
    source.close();
    return source.epoch;
  } catch {
    return undefined;
  }
}

function historyIn(folder: string, dataDir: string): { writtenMs: number | undefined } | undefined {
  if (!existsSync(join(dataDir, HISTORY_FILE))) return undefined;
  const found = statSync(join(folder, HISTORY_FILE), { throwIfNoEntry: false });
  return { writtenMs: found?.isFile() === true ? found.mtimeMs : undefined };
}

async function lookAt(folder: string, dataDir: string): Promise<void> {
  const names = await namesIn(folder);
  const damaged: string[] = [];
  let newestMs: number | undefined;
  for (const { name } of [...listingOf(names).states].reverse()) {
    if (newestMs !== undefined) break;
    if ("damaged" in openState(await readPiece(folder, name))) damaged.push(name);
    else newestMs = statSync(join(folder, name)).mtimeMs;
  }
  const parts = names.filter(isAbandonedPart).length;
  const history = historyIn(folder, dataDir);
  const newest = newestMs === undefined ? {} : { newestMs };
  say({ step: "copy", folder, damaged, parts, ...newest, ...(history === undefined ? {} : { history }) });
}

const [dir = "", dataDir = ""] = process.argv.slice(2);
try {
  if (statSync(dir, { throwIfNoEntry: false }) === undefined) say({ step: "place", exists: false });
  else {
    const sameDisk = await areOnOneDisk(dir, dataDir).catch(() => false);
    say({ step: "place", exists: true, writable: isWritable(dir), sameDisk });
    const name = journalNameIn(dataDir);
    if (name !== undefined) await lookAt(folderOf(dir, name), dataDir);
  }
} catch (error) {
  say({ step: "failed", reason: error instanceof Error ? error.message : String(error) });
}
