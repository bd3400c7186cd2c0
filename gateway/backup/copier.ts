// One step of a copy: the rows that it lacks, then the state that fits them, then what nobody needs any more goes. Killed
// anywhere, the copy is the one before or the one after: a state counts only when its rows are there, and it is written last.
import { GatewayError } from "../errors.ts";
import { openRows } from "../journal/pieces.ts";
import {
  type Contents,
  holesIn,
  isContents,
  mergedOf,
  type ReadContents,
  type RowMark,
  readContents,
  sumsWith,
  writeContents,
} from "./contents.ts";
import {
  BESIDE,
  HISTORY_FILE,
  type Listing,
  listingOf,
  namesIn,
  removePiece,
  rowsName,
  spansOf,
  standingSum,
  stateName,
  sumOf,
  sweepParts,
  writePiece,
} from "./folder.ts";

/** The states of this many copies are kept: one that turns out damaged is not the only one. */
export const STATES_KEPT = 3;
const ROWS_AT_ONCE = 5_000;

interface PieceBytes {
  readonly firstId: number;
  readonly lastId: number;
  readonly bytes: Uint8Array;
}

export interface CopySource {
  /** The oldest row that is kept. */
  oldestId(): number;
  rowsPiece(fromId: number, limit: number): Promise<PieceBytes | undefined>;
  statePiece(): Promise<PieceBytes>;
}

export interface CopiedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface Copied {
  /** The newest row that is in the copy. */
  readonly lastId: number;
  readonly rows: number;
  readonly bytes: number;
}

/**
 * Brings the copy in `folder` up to now. `files` stand beside it, and are those that have changed. Throws COPY_AHEAD, and then has
 * changed nothing; FILE_UNREADABLE, FILE_UNWRITABLE.
 */
export async function copyOnce(source: CopySource, folder: string, files: readonly CopiedFile[]): Promise<Copied> {
  // Before the state is made: another process may be at work in the same folder.
  const listed = listingOf(await namesIn(folder));
  const state = await source.statePiece();
  refuseAhead(folder, listed, state.lastId);
  const contents = await readContents(folder);
  if (isContents(contents)) await refuseOther(source, folder, contents);
  // Room first: on a full disk nothing could be written, and what the journal has dropped would stay for ever.
  await sweepParts(folder);
  await dropGone(folder, source.oldestId(), contents);
  const copied = await copyRows(source, folder, state.lastId);
  const newest = await markOf(source, state.lastId);
  const listing = await contentsOf(folder, source.oldestId(), contents, files);
  await writeContents(folder, { ...listing, ...(newest === undefined ? {} : { newest }) });
  for (const { name, bytes } of files) await writePiece(folder, name, bytes);
  await writePiece(folder, stateName(state.lastId), state.bytes);
  await tidy(folder, source.oldestId());
  const bytes = files.reduce((sum, one) => sum + one.bytes.length, copied.bytes + state.bytes.length);
  return { lastId: state.lastId, rows: copied.rows, bytes };
}

/** Rows through `lastId` that the journal has and the copy lacks: what is new, and pieces that were lost or set aside. */
async function copyRows(source: CopySource, folder: string, lastId: number): Promise<{ rows: number; bytes: number }> {
  const spans = spansOf(listingOf(await namesIn(folder)).rows);
  let [rows, bytes] = [0, 0];
  for (const hole of holesIn(spans, { fromId: source.oldestId(), toId: lastId })) {
    let nextId = hole.fromId;
    // Before rows that are there: the journal may have a hole there too, and would give a piece of what comes after it.
    if (hole.toId < lastId) nextId = (await source.rowsPiece(nextId, 1))?.firstId ?? lastId + 1;
    while (nextId <= hole.toId) {
      const piece = await source.rowsPiece(nextId, Math.min(ROWS_AT_ONCE, hole.toId - nextId + 1));
      if (piece === undefined) break;
      await writePiece(folder, rowsName(piece.firstId, piece.lastId), piece.bytes);
      rows += piece.lastId - piece.firstId + 1;
      bytes += piece.bytes.length;
      nextId = piece.lastId + 1;
    }
  }
  return { rows, bytes };
}

/** What the copy consists of once `files` are written to it. */
async function contentsOf(
  folder: string,
  oldestId: number,
  read: ReadContents,
  files: readonly CopiedFile[],
): Promise<Contents> {
  const names = await namesIn(folder);
  const before = isContents(read) ? read.files : undefined;
  const sums: Record<string, readonly string[]> = {};
  for (const name of BESIDE) {
    const changed = files.find((one) => one.name === name);
    const known = before?.[name];
    // Not of what is listed: it could be damaged by now.
    const standing = known === undefined && names.includes(name) ? await standingSum(folder, name) : undefined;
    const older = known ?? (standing === undefined ? [] : [standing]);
    if (changed !== undefined) sums[name] = sumsWith(sumOf(changed.bytes), older);
    else if (names.includes(name)) sums[name] = older;
  }
  // Its own sums stand beside it: it is copied beside the steps.
  if (names.includes(HISTORY_FILE)) sums[HISTORY_FILE] = [];
  return { oldestId, rows: mergedOf(spansOf(listingOf(names).rows)), files: sums };
}

/** A journal that was put back gives the ids of rows in the copy a second time: the copy would become one of two histories. */
function refuseAhead(folder: string, { rows, states }: Listing, newestId: number): void {
  const copiedId = Math.max(rows.at(-1)?.lastId ?? 0, states.at(-1)?.lastId ?? 0);
  if (copiedId > newestId)
    throw aheadIn(folder, `${folder} goes up to row ${copiedId} and the journal to row ${newestId}`);
}

/** The same, once the journal has grown past the copy: then the row that was its newest is another one. */
async function refuseOther(source: CopySource, folder: string, { newest }: Contents): Promise<void> {
  const now = newest === undefined ? undefined : await markOf(source, newest.id);
  if (newest === undefined || now === undefined) return;
  // Both: one that differs alone is a row that is damaged.
  if (now.crc === newest.crc || now.receivedMs === newest.receivedMs) return;
  throw aheadIn(folder, `row ${newest.id} in ${folder} is another one than in the journal`);
}

function aheadIn(folder: string, what: string): GatewayError {
  const reason = `${what}: older data was put back. Move that folder away, and a new copy begins`;
  return new GatewayError("COPY_AHEAD", { path: folder, reason });
}

/** Undefined when the journal has no row with this id. */
async function markOf(source: CopySource, id: number): Promise<RowMark | undefined> {
  const piece = await source.rowsPiece(id, 1);
  if (piece?.firstId !== id) return undefined;
  const opened = openRows(piece.bytes);
  const row = "damaged" in opened ? undefined : opened.rows[0];
  return row === undefined ? undefined : { id, receivedMs: row.received_ms, crc: row.crc };
}

/** Pieces that the journal has dropped all rows of, first from the list of what must be there. */
async function dropGone(folder: string, oldestId: number, contents: ReadContents): Promise<void> {
  const { rows } = listingOf(await namesIn(folder));
  if (isContents(contents) && rows.some(({ lastId }) => lastId < oldestId)) {
    // On a full disk it cannot be written before there is room: then that they are missing is told of until this step is done.
    await writeContents(folder, { ...contents, oldestId }).catch(() => undefined);
  }
  await tidy(folder, oldestId);
}

/** Rows that the journal has dropped, and states beyond those that are kept. */
async function tidy(folder: string, oldestId: number): Promise<void> {
  const { rows, aside, states } = listingOf(await namesIn(folder));
  for (const { name, lastId } of [...rows, ...aside]) if (lastId < oldestId) await removePiece(folder, name);
  for (const { name } of states.slice(0, -STATES_KEPT)) await removePiece(folder, name);
}
