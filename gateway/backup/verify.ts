// Whether a copy can be restored from, and what would be missing: every piece is opened, its rows are counted and follow each other.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GatewayError } from "../errors.ts";
import { openRows, openState, type StateTables } from "../journal/pieces.ts";
import { rowChecksum, type StoredRow } from "../journal/row.ts";
import { type Listing, listingOf, namesIn, type RowsName, readPiece } from "./folder.ts";

export interface CopyReport {
  /** The newest state that is whole; undefined: nothing can be restored. */
  readonly stateLastId: number | undefined;
  readonly rows: number;
  readonly firstId: number | undefined;
  readonly lastId: number | undefined;
  /** Newest time of receipt, milliseconds since 1970. */
  readonly newestMs: number | undefined;
  /** Runs of row ids between the first and the last that are in no piece. */
  readonly gaps: readonly { readonly fromId: number; readonly toId: number }[];
  /** Pieces that are not whole, with what is wrong. */
  readonly damaged: readonly { readonly name: string; readonly why: string }[];
  readonly damagedRows: number;
}

interface WholeState {
  readonly lastId: number;
  readonly tables: StateTables;
}

async function newestState(folder: string, listing: Listing, damaged: { name: string; why: string }[]) {
  let found: WholeState | undefined;
  for (const { name } of [...listing.states].reverse()) {
    const state = openState(await readPiece(folder, name));
    if ("damaged" in state) damaged.push({ name, why: state.damaged });
    else found ??= { lastId: state.head.lastId, tables: state.tables };
  }
  return found;
}

/** The rows of one piece; undefined, and noted, when it is damaged or holds other rows than its name says. */
async function rowsOf(folder: string, named: RowsName, damaged: { name: string; why: string }[]) {
  const piece = openRows(await readPiece(folder, named.name));
  const why =
    "damaged" in piece
      ? piece.damaged
      : piece.head.firstId !== named.firstId || piece.head.lastId !== named.lastId
        ? "it holds other rows than its name says"
        : undefined;
  if (why !== undefined) damaged.push({ name: named.name, why });
  return "damaged" in piece || why !== undefined ? undefined : piece.rows;
}

export interface WholeCopy {
  readonly report: CopyReport;
  readonly state: WholeState | undefined;
  /** Pieces that are whole and hold rows that count. */
  readonly pieces: readonly RowsName[];
}

/** Reads the whole copy, one piece at a time: a copy can be larger than the memory. */
export async function readCopy(folder: string): Promise<WholeCopy> {
  const listing = listingOf(await namesIn(folder));
  const damaged: { name: string; why: string }[] = [];
  const state = await newestState(folder, listing, damaged);
  const gaps: { fromId: number; toId: number }[] = [];
  const pieces: RowsName[] = [];
  let [rows, damagedRows] = [0, 0];
  let firstId: number | undefined;
  let lastId: number | undefined;
  let newestMs: number | undefined;
  for (const named of listing.rows) {
    const fresh = freshOf((await rowsOf(folder, named, damaged)) ?? [], lastId ?? 0, state?.lastId ?? 0);
    const [first, last] = [fresh[0], fresh.at(-1)];
    if (first === undefined || last === undefined) continue;
    if (lastId !== undefined && first.id > lastId + 1) gaps.push({ fromId: lastId + 1, toId: first.id - 1 });
    firstId ??= first.id;
    lastId = last.id;
    rows += fresh.length;
    pieces.push(named);
    for (const row of fresh) {
      if (row.crc !== rowChecksum(row)) damagedRows++;
      newestMs = Math.max(newestMs ?? 0, row.received_ms);
    }
  }
  // Only where the journal had rows left: an empty tail is no gap.
  if (state !== undefined && lastId !== undefined && lastId < state.lastId)
    gaps.push({ fromId: lastId + 1, toId: state.lastId });
  const report = { stateLastId: state?.lastId, rows, firstId, lastId, newestMs, gaps, damaged, damagedRows };
  return { report, state, pieces };
}

/** Pieces may lie over each other after a copy that was killed: each row counts once, and only through the state's last one. */
function freshOf(rows: readonly StoredRow[], afterId: number, throughId: number): readonly StoredRow[] {
  return rows.filter(({ id }) => id > afterId && id <= throughId);
}

/** The rows of these pieces through `throughId`, in order, each once; a piece at a time. */
export function* rowsIn(
  folder: string,
  pieces: readonly RowsName[],
  throughId: number,
): Generator<readonly StoredRow[]> {
  let lastId = 0;
  for (const { name } of pieces) {
    const opened = openRows(readFileSync(join(folder, name)));
    if ("damaged" in opened)
      throw new GatewayError("FILE_UNREADABLE", { path: join(folder, name), reason: opened.damaged });
    const fresh = freshOf(opened.rows, lastId, throughId);
    lastId = fresh.at(-1)?.id ?? lastId;
    yield fresh;
  }
}

export function isWhole(report: CopyReport): boolean {
  return report.stateLastId !== undefined && report.damaged.length === 0 && report.damagedRows === 0;
}
