// One step of a copy: the rows since the last one, then the state that fits them, then what nobody needs any more goes. Killed
// anywhere, the copy is the one before or the one after: a state counts only when its rows are there, and it is written last.
import { GatewayError } from "../errors.ts";
import {
  type Listing,
  listingOf,
  namesIn,
  removePiece,
  rowsName,
  stateName,
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
  // Room first: on a full disk nothing could be written, and what the journal has dropped would stay for ever.
  await sweepParts(folder);
  await tidy(folder, source.oldestId());
  const before = listingOf(await namesIn(folder));
  let nextId = Math.max((before.rows.at(-1)?.lastId ?? 0) + 1, source.oldestId());
  let [rows, bytes] = [0, 0];
  while (nextId <= state.lastId) {
    const piece = await source.rowsPiece(nextId, Math.min(ROWS_AT_ONCE, state.lastId - nextId + 1));
    if (piece === undefined) break;
    await writePiece(folder, rowsName(piece.firstId, piece.lastId), piece.bytes);
    rows += piece.lastId - piece.firstId + 1;
    bytes += piece.bytes.length;
    nextId = piece.lastId + 1;
  }
  for (const { name, bytes: text } of files) {
    await writePiece(folder, name, text);
    bytes += text.length;
  }
  await writePiece(folder, stateName(state.lastId), state.bytes);
  await tidy(folder, source.oldestId());
  return { lastId: state.lastId, rows, bytes: bytes + state.bytes.length };
}

/** A journal that was put back gives the ids of rows in the copy a second time: the copy would become one of two histories. */
function refuseAhead(folder: string, { rows, states }: Listing, newestId: number): void {
  const copiedId = Math.max(rows.at(-1)?.lastId ?? 0, states.at(-1)?.lastId ?? 0);
  if (copiedId <= newestId) return;
  const reason =
    `${folder} goes up to row ${copiedId} and the journal to row ${newestId}: older data was put back. ` +
    "Move that folder away, and a new copy begins";
  throw new GatewayError("COPY_AHEAD", { path: folder, reason });
}

/** Rows that the journal has dropped, and states beyond those that are kept. */
async function tidy(folder: string, oldestId: number): Promise<void> {
  const { rows, states } = listingOf(await namesIn(folder));
  for (const { name, lastId } of rows) if (lastId < oldestId) await removePiece(folder, name);
  for (const { name } of states.slice(0, -STATES_KEPT)) await removePiece(folder, name);
}
