// A copy's folder: pieces by their names, each written beside, synchronised and renamed, so that whatever else reads the folder
// (another machine, a tape) never sees half of one.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "../errors.ts";

const DIGITS = 15;
const MODE = 0o600;

/** What stands beside the pieces: what anybody may see, and what is sealed. */
export const PLAIN_FILE = "files.json";
export const SEALED_FILE = "secrets.sealed";
export const BESIDE = [PLAIN_FILE, SEALED_FILE] as const;
export const HISTORY_FILE = "history.db";

export interface RowsName {
  readonly name: string;
  readonly firstId: number;
  readonly lastId: number;
}

export interface StateName {
  readonly name: string;
  readonly lastId: number;
}

export interface Listing {
  /** In the order of their rows. */
  readonly rows: readonly RowsName[];
  /** Pieces of rows that turned out damaged; the next copy writes their rows again. */
  readonly aside: readonly RowsName[];
  /** The newest last. */
  readonly states: readonly StateName[];
}

const pad = (id: number) => String(id).padStart(DIGITS, "0");

export function rowsName(firstId: number, lastId: number): string {
  return `rows-${pad(firstId)}-${pad(lastId)}.piece`;
}

export function stateName(lastId: number): string {
  return `state-${pad(lastId)}.piece`;
}

export function listingOf(names: readonly string[]): Listing {
  const rows: RowsName[] = [];
  const aside: RowsName[] = [];
  const states: StateName[] = [];
  for (const name of [...names].sort()) {
    const match = /^(rows|state)-(?:(\d{15})-)?(\d{15})\.piece(\.damaged)?$/.exec(name);
    if (match === null) continue;
    const lastId = Number(match[3]);
    const isAside = match[4] !== undefined;
    if (match[1] === "state" && match[2] === undefined && !isAside) states.push({ name, lastId });
    else if (match[1] === "rows" && match[2] !== undefined)
      (isAside ? aside : rows).push({ name, firstId: Number(match[2]), lastId });
  }
  return { rows, aside, states };
}

/** The runs of rows in these pieces. */
export function spansOf(rows: readonly RowsName[]): { readonly fromId: number; readonly toId: number }[] {
  return rows.map(({ firstId, lastId }) => ({ fromId: firstId, toId: lastId }));
}

/** The folder of one journal below the place where copies are kept. */
export function folderOf(place: string, journalName: string): string {
  return join(place, journalName);
}

export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new GatewayError("FILE_UNREADABLE", { path: folder }, { cause });
  }
}

export async function readPiece(folder: string, name: string): Promise<Uint8Array> {
  try {
    return await readFile(join(folder, name));
  } catch (cause) {
    throw new GatewayError("FILE_UNREADABLE", { path: join(folder, name) }, { cause });
  }
}

/** The same, for what cannot wait. */
export function readPieceNow(folder: string, name: string): Uint8Array {
  try {
    return readFileSync(join(folder, name));
  } catch (cause) {
    throw new GatewayError(
      "FILE_UNREADABLE",
      { path: join(folder, name), reason: (cause as Error).message },
      { cause },
    );
  }
}

/** How the kernel says that a disk does not give what lies there: that block is lost, and what else lies on the disk may be whole. */
const WORN = ["EIO", "ENODATA", "EUCLEAN", "EBADMSG"];

/** Undefined when it failed by something else. Takes what `readPiece` throws, and what Node does. */
export function wornReason(error: unknown): string | undefined {
  const cause = error instanceof GatewayError ? error.cause : error;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? "";
  return WORN.includes(code) ? `its disk does not give it (${code})` : undefined;
}

export type GivenPiece = { readonly bytes: Uint8Array } | { readonly worn: string };

/** Undefined when it has gone since the folder was listed, as what the journal drops does. Throws FILE_UNREADABLE. */
export async function givenPiece(folder: string, name: string): Promise<GivenPiece | undefined> {
  try {
    return { bytes: await readPiece(folder, name) };
  } catch (error) {
    const worn = wornReason(error);
    if (worn !== undefined) return { worn };
    if (((error as GatewayError).cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

export function sumOf(bytes: string | Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** SHA-256 of a small file that stands in the folder; undefined when there is none that can be read. */
export async function standingSum(folder: string, name: string): Promise<string | undefined> {
  try {
    return sumOf(await readFile(join(folder, name)));
  } catch {
    return undefined;
  }
}

/** Only the folder itself: one that is missing above it is a disk that is not there, and must not be made on another one. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** Whether two folders lie on one disk. */
export async function areOnOneDisk(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([stat(one), stat(other)]);
  return a.dev === b.dev;
}

const PART = /\.(\d+)\.part$/;

/** What is being written: by this process alone, a person's `waakvlam backup` may be at work in the same folder. */
export function partOf(path: string): string {
  return `${path}.${process.pid}.part`;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Half written, by a process that is gone. */
export function isAbandonedPart(name: string): boolean {
  const pid = Number(PART.exec(name)?.[1] ?? Number.NaN);
  return !Number.isNaN(pid) && pid !== process.pid && !isRunning(pid);
}

/** Removes what processes that are gone left half written. */
export async function sweepParts(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) if (isAbandonedPart(name)) await removePiece(folder, name);
}

/** Throws FILE_UNWRITABLE; then nothing of that name has changed. */
export async function writePiece(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const path = join(folder, name);
  const part = partOf(path);
  try {
    await makeFolder(folder);
    const file = await open(part, "w", MODE);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
    const directory = await open(folder, "r");
    await directory.sync();
    await directory.close();
  } catch (cause) {
    await rm(part, { force: true }).catch(() => undefined);
    throw new GatewayError("FILE_UNWRITABLE", { path, reason: cause instanceof Error ? cause.message : "" }, { cause });
  }
}

/** So that the next copy writes these rows again. Throws FILE_UNWRITABLE. */
export async function setPieceAside(folder: string, name: string): Promise<void> {
  const path = join(folder, name);
  try {
    await rename(path, `${path}.damaged`);
  } catch (cause) {
    throw new GatewayError("FILE_UNWRITABLE", { path, reason: cause instanceof Error ? cause.message : "" }, { cause });
  }
}

export async function removePiece(folder: string, name: string): Promise<void> {
  await rm(join(folder, name), { force: true });
}
