// What belongs to a copy, so that a piece or a file that is gone is missed: its runs of rows, and the sums of what stands beside them.
// Written after the rows and before everything else: killed in between, what it lists of files is the one before or the one after.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "../errors.ts";
import { sumOf, wornReason, writePiece } from "./folder.ts";

export const CONTENTS_FILE = "contents.piece";
/** Sums of one file that count: the one that is being written, and those of steps that were ended before. */
const SUMS_MAX = 4;

export interface Span {
  readonly fromId: number;
  readonly toId: number;
}

export interface RowMark {
  readonly id: number;
  readonly receivedMs: number;
  readonly crc: number;
}

export interface Contents {
  /** The oldest row that the journal keeps: what is before it may be gone. */
  readonly oldestId: number;
  /** The runs of rows in its pieces. Not the pieces: of those there can be hundreds of thousands. */
  readonly rows: readonly Span[];
  /** The newest row of the journal, by which it is known again; undefined when it had none. */
  readonly newest?: RowMark;
  /** SHA-256 in hexadecimal of each file that has to stand there: one of them, or any where there are none. */
  readonly files: Readonly<Record<string, readonly string[]>>;
}

/** Undefined in a copy that no step of this version has written to. */
export type ReadContents = Contents | { readonly damaged: string } | undefined;

export function isContents(read: ReadContents): read is Contents {
  return read !== undefined && !("damaged" in read);
}

/** Throws FILE_UNREADABLE. */
export async function readContents(folder: string): Promise<ReadContents> {
  let text: string;
  try {
    text = await readFile(join(folder, CONTENTS_FILE), "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    const worn = wornReason(cause);
    if (worn !== undefined) return { damaged: worn };
    throw new GatewayError("FILE_UNREADABLE", { path: join(folder, CONTENTS_FILE) }, { cause });
  }
  const match = /^waakvlam-contents (\d+) ([0-9a-f]{64})\n/.exec(text);
  if (match === null) return { damaged: "it does not begin as it should" };
  if (match[1] !== "1") return { damaged: `its form ${match[1]} is of a newer version` };
  const body = text.slice(match[0].length);
  if (sumOf(body) !== match[2]) return { damaged: "its checksum does not fit" };
  return JSON.parse(body) as Contents;
}

/** Throws FILE_UNWRITABLE; then the one before is in force. */
export async function writeContents(folder: string, contents: Contents): Promise<void> {
  const body = JSON.stringify(contents);
  await writePiece(folder, CONTENTS_FILE, Buffer.from(`waakvlam-contents 1 ${sumOf(body)}\n${body}`));
}

/** The sums that count while a file is replaced: its own first. */
export function sumsWith(sum: string, before: readonly string[]): readonly string[] {
  return [...new Set([sum, ...before])].slice(0, SUMS_MAX);
}

/** Runs that touch or lie over each other as one; they come in the order of their first rows. */
export function mergedOf(spans: readonly Span[]): Span[] {
  const merged: { fromId: number; toId: number }[] = [];
  for (const { fromId, toId } of spans) {
    const last = merged.at(-1);
    if (last !== undefined && fromId <= last.toId + 1) last.toId = Math.max(last.toId, toId);
    else merged.push({ fromId, toId });
  }
  return merged;
}

/** What of the rows from `fromId` through `toId` is in none of these, which come in order and may lie over each other. */
export function holesIn(covered: readonly Span[], { fromId, toId }: Span): Span[] {
  const holes: Span[] = [];
  let nextId = fromId;
  for (const one of covered) {
    if (one.fromId > toId) break;
    if (one.fromId > nextId) holes.push({ fromId: nextId, toId: one.fromId - 1 });
    nextId = Math.max(nextId, one.toId + 1);
  }
  return nextId <= toId ? [...holes, { fromId: nextId, toId }] : holes;
}
