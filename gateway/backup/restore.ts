// A data folder out of a copy. It carries a mark that tells the gateway at its next start what it must ask of the devices.
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { toInstant } from "../domain/instant.ts";
import { GatewayError } from "../errors.ts";
import { openRows, type StateTables } from "../journal/pieces.ts";
import { refuseJournalIn, restoreJournal } from "../journal/restore.ts";
import type { StoredRow } from "../journal/row.ts";
import { writeWhole } from "../registry/file.ts";
import { LORAWAN_KEYS_FILE } from "../registry/lorawan-keys.ts";
import { isContents, readContents } from "./contents.ts";
import { type FileAside, makeDirs, placeFiles, readFiles } from "./files.ts";
import { givenPiece, HISTORY_FILE, listingOf, namesIn, SEALED_FILE } from "./folder.ts";
import { layHistory } from "./history-copy.ts";
import { createResendPlan, type ResendPlan } from "./resend.ts";
import { lorawanOf, readSheet } from "./sheet.ts";
import { type CopyReport, readCopy, rowsIn } from "./verify.ts";

/** In the data folder until the gateway has taken it up. */
export const RESTORED_FILE = "restored.json";

export interface RestoredMark {
  readonly version: 1;
  readonly atMs: number;
  /** By device id: the sequence from which on it has to send again, as it counts itself (modulo 65,536). */
  readonly resendFrom: Readonly<Record<string, number>>;
  /** The data are whole, of an earlier time, and under the name that they had then. */
  readonly setBack?: true;
}

export interface RestoreOptions {
  readonly folder: string;
  readonly dataDir: string;
  readonly passphrase?: string | undefined;
  /** What was typed from the recovery sheet. */
  readonly sheet?: string | undefined;
  readonly nowMs: number;
}

export interface RestoreResult {
  readonly report: CopyReport;
  readonly rows: number;
  /** Whether the history of long ago is back. */
  readonly history: boolean;
  /** The copy had one that cannot be used: it is left out, and begins anew with the journal's rows. */
  readonly historyDamaged: boolean;
  readonly keys: "sealed" | "sheet" | "none";
  readonly aside: readonly FileAside[];
}

/**
 * Makes `dataDir` where it is not there. Throws COPY_UNUSABLE, SHEET_INVALID, PASSPHRASE_NEEDED, PASSPHRASE_WRONG,
 * FILE_UNREADABLE, and FILE_UNWRITABLE (also when there is a journal already), the first five before anything is written. What is damaged in the copy is left out and
 * stands in the report: the devices send it again.
 */
export async function restoreCopy(options: RestoreOptions): Promise<RestoreResult> {
  const { folder, dataDir, passphrase, sheet, nowMs } = options;
  // First of all: nothing of a machine that works may change.
  refuseJournalIn(dataDir);
  // Without its keys a spare believes no device; and what is placed once cannot be placed again.
  if (passphrase === undefined && sheet === undefined && existsSync(join(folder, SEALED_FILE)))
    throw new GatewayError("PASSPHRASE_NEEDED", { path: join(folder, SEALED_FILE) });
  const { report, state, pieces } = await readCopy(folder);
  if (state === undefined) {
    const problems = report.damaged.map(({ name, why }) => `${name}: ${why}`);
    throw new GatewayError("COPY_UNUSABLE", { path: folder, problems: [...problems, "no state in it is whole"] });
  }
  const typed = sheet === undefined ? undefined : readSheet(sheet);
  if (typed?.kind === "faults") throw new GatewayError("SHEET_INVALID", { problems: typed.faults });
  const files = readFiles(folder, passphrase);
  makeDirs(dataDir);
  const aside = placeFiles(files, dataDir);
  if (typed !== undefined) {
    const own = typed.keys.filter((one) => lorawanOf(one) === undefined);
    const lorawan = Object.fromEntries(typed.keys.map(lorawanOf).filter((one) => one !== undefined));
    const keys = Object.fromEntries(own.map(({ deviceId, key }) => [deviceId, key]));
    writeWhole(join(dataDir, "keys.json"), `${JSON.stringify({ version: 1, keys })}\n`, 0o600);
    if (own.length < typed.keys.length)
      writeWhole(join(dataDir, LORAWAN_KEYS_FILE), `${JSON.stringify({ version: 1, keys: lorawan })}\n`, 0o600);
  }
  const isHistoryDamaged = report.damaged.some(({ name }) => name === HISTORY_FILE);
  const history = isHistoryDamaged ? undefined : await layHistory(folder, dataDir);
  const plan = createResendPlan();
  const { tables, lastId } = state;
  const batches = planned(rowsIn(folder, pieces, lastId), plan);
  try {
    const { rows } = restoreJournal(dataDir, { tables, lastId, batches }, ({ name, endId }) => {
      history?.put(name, endId);
      // Before the journal is there: a gateway that starts on it must ask.
      const mark: RestoredMark = { version: 1, atMs: nowMs, resendFrom: namedFrom(tables, plan) };
      writeWhole(join(dataDir, RESTORED_FILE), JSON.stringify(mark), 0o600);
    });
    const hasKeys = existsSync(join(dataDir, "keys.json"));
    const keys = typed !== undefined ? "sheet" : hasKeys ? "sealed" : "none";
    const historyDamaged = history === undefined && existsSync(join(folder, HISTORY_FILE));
    return { report, rows, history: history !== undefined, historyDamaged, keys, aside };
  } finally {
    history?.drop();
  }
}

function* planned(batches: Iterable<readonly StoredRow[]>, plan: ResendPlan): Generator<readonly StoredRow[]> {
  for (const batch of batches) {
    for (const row of batch) plan.add(row);
    yield batch;
  }
}

function namedFrom(tables: StateTables, plan: ResendPlan): Record<string, number> {
  const from = plan.from();
  const named: Record<string, number> = {};
  for (const line of tables.device) {
    const sequence = from.get(Number(line["device"]));
    if (sequence !== undefined) named[String(line["device_id"])] = sequence & 0xffff;
  }
  return named;
}

/** The mark of a restore that the gateway has not taken up yet. Throws FILE_UNREADABLE. */
export function readRestored(dataDir: string): RestoredMark | undefined {
  const path = join(dataDir, RESTORED_FILE);
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8")) as RestoredMark;
  } catch (cause) {
    throw new GatewayError("FILE_UNREADABLE", { path }, { cause });
  }
}

export function forgetRestored(dataDir: string): void {
  rmSync(join(dataDir, RESTORED_FILE), { force: true });
}

/**
 * The folder of the journal whose copy it is: `place` itself, or the one folder below it that has a state. Throws COPY_UNUSABLE,
 * COPY_UNNAMED, FILE_UNREADABLE.
 */
export async function copyFolderIn(place: string): Promise<string> {
  const found = foldersIn(place);
  const [only] = found;
  if (only === undefined)
    throw new GatewayError("COPY_UNUSABLE", { path: place, problems: ["there is no copy in it"] });
  if (found.length === 1) return only;
  const dated = await Promise.all(found.map(async (folder) => ({ folder, newestMs: await newestMsOf(folder) })));
  const problems = dated
    .toSorted((a, b) => (b.newestMs ?? 0) - (a.newestMs ?? 0))
    .map(
      ({ folder, newestMs }) =>
        `${folder}: ${newestMs === undefined ? "no rows" : `rows up to ${toInstant(newestMs)}`}`,
    );
  throw new GatewayError("COPY_UNNAMED", { path: place, problems });
}

/** Root's alone on a disk of its own, and no copy. */
const DISK_FOLDER = "lost+found";

function foldersIn(place: string): readonly string[] {
  const has = (folder: string) => readdirSync(folder).some((name) => name.startsWith("state-"));
  const found: string[] = [];
  let refused: unknown;
  try {
    if (has(place)) return [place];
    for (const entry of readdirSync(place, { withFileTypes: true })) {
      if (!entry.isDirectory() || entry.name === DISK_FOLDER) continue;
      try {
        if (has(join(place, entry.name))) found.push(join(place, entry.name));
      } catch (error) {
        refused = error;
      }
    }
  } catch (error) {
    refused = error;
  }
  // What others keep beside the copies, and for themselves, hides none.
  if (found.length === 0 && refused !== undefined)
    throw new GatewayError("FILE_UNREADABLE", { path: place }, { cause: refused });
  return found;
}

/** When the newest row of a copy was received; undefined when it has none, or does not tell. */
async function newestMsOf(folder: string): Promise<number | undefined> {
  const contents = await readContents(folder);
  if (isContents(contents)) return contents.newest?.receivedMs;
  const last = listingOf(await namesIn(folder)).rows.at(-1);
  const given = last === undefined ? undefined : await givenPiece(folder, last.name);
  const piece = given === undefined || "worn" in given ? undefined : openRows(given.bytes);
  return piece === undefined || "damaged" in piece ? undefined : piece.rows.at(-1)?.received_ms;
}
