// Whether a copy can be restored from, and what would be missing: every piece is opened, its rows are counted and follow each other.
import { join } from "node:path";
import { GatewayError } from "../errors.ts";
import { openRows, openState, type StateTables } from "../journal/pieces.ts";
import { rowChecksum, type StoredRow } from "../journal/row.ts";
import { CONTENTS_FILE, type Contents, holesIn, isContents, mergedOf, readContents, type Span } from "./contents.ts";
import { parseBundle } from "./files.ts";
import {
  BESIDE,
  givenPiece,
  HISTORY_FILE,
  type Listing,
  listingOf,
  namesIn,
  type RowsName,
  readPieceNow,
  SEALED_FILE,
  setPieceAside,
  spansOf,
  sumOf,
} from "./folder.ts";
import { historyFault } from "./history-copy.ts";
import { looksSealed } from "./sealing.ts";

export interface DamagedPiece {
  readonly name: string;
  readonly why: string;
  /** Rows that a copy writes again where the journal still has them. */
  readonly isRows?: true;
  /** Its disk does not give it: in another reader, or put in again, it may. */
  readonly isWorn?: true;
}

export interface CopyReport {
  /** The newest state that is whole; undefined: nothing can be restored. */
  readonly stateLastId: number | undefined;
  readonly rows: number;
  readonly firstId: number | undefined;
  readonly lastId: number | undefined;
  /** Newest time of receipt, milliseconds since 1970. */
  readonly newestMs: number | undefined;
  /** Whether the copy says what belongs to it: one of an earlier version does not, and its gaps may be the journal's. */
  readonly listed: boolean;
  /** Runs of row ids that are in no piece: of those that the journal had; where none are listed, between the first and the last. */
  readonly gaps: readonly Span[];
  /** Pieces and files that are not whole or not there, with what is wrong. */
  readonly damaged: readonly DamagedPiece[];
  readonly damagedRows: number;
}

interface WholeState {
  readonly lastId: number;
  readonly tables: StateTables;
  readonly ranges: readonly (readonly [number, number])[] | undefined;
}

async function newestState(folder: string, listing: Listing, damaged: DamagedPiece[]) {
  let found: WholeState | undefined;
  for (const { name } of [...listing.states].reverse()) {
    const given = await givenPiece(folder, name);
    if (given === undefined) continue;
    if ("worn" in given) {
      damaged.push({ name, why: given.worn, isWorn: true });
      continue;
    }
    const state = openState(given.bytes);
    if ("damaged" in state) damaged.push({ name, why: state.damaged });
    else found ??= { lastId: state.head.lastId, tables: state.tables, ranges: state.ranges };
  }
  return found;
}

/** The rows of one piece; undefined, and noted, when it is damaged or holds other rows than its name says. */
async function rowsOf(folder: string, named: RowsName, damaged: DamagedPiece[]) {
  const given = await givenPiece(folder, named.name);
  if (given === undefined) return undefined;
  if ("worn" in given) {
    damaged.push({ name: named.name, why: given.worn, isWorn: true });
    return undefined;
  }
  const piece = openRows(given.bytes);
  if ("damaged" in piece) {
    damaged.push({ name: named.name, why: piece.damaged, ...(piece.isNewer ? {} : { isRows: true }) });
    return undefined;
  }
  if (piece.head.firstId === named.firstId && piece.head.lastId === named.lastId) return piece.rows;
  damaged.push({ name: named.name, why: "it holds other rows than its name says", isRows: true });
  return undefined;
}

/** What stands beside the pieces. */
async function checkBeside(folder: string, files: Contents["files"], damaged: DamagedPiece[]): Promise<void> {
  const names = await namesIn(folder);
  for (const name of BESIDE) {
    if (files[name] !== undefined && !names.includes(name)) damaged.push({ name, why: "it is missing" });
  }
  for (const name of BESIDE.filter((one) => names.includes(one))) {
    const given = await givenPiece(folder, name);
    // No copy is one without its registry, and a disk that was pulled out since shows here.
    if (given === undefined || ("worn" in given && name !== SEALED_FILE))
      throw new GatewayError("FILE_UNREADABLE", { path: join(folder, name), reason: given?.worn ?? "it has gone" });
    if ("worn" in given) {
      damaged.push({ name, why: given.worn, isWorn: true });
      continue;
    }
    const { bytes } = given;
    const isRight = files[name]?.includes(sumOf(bytes)) ?? true;
    const isForm = name === SEALED_FILE ? looksSealed(bytes) : parseBundle(Buffer.from(bytes).toString()) !== undefined;
    if (!isForm) damaged.push({ name, why: "it is cut, or something else" });
    else if (!isRight) damaged.push({ name, why: "its checksum does not fit" });
  }
  const why = await historyFault(folder, files[HISTORY_FILE] !== undefined);
  if (why !== undefined) damaged.push({ name: HISTORY_FILE, why });
}

export interface WholeCopy {
  readonly report: CopyReport;
  readonly state: WholeState | undefined;
  /** Pieces that are whole and hold rows that count. */
  readonly pieces: readonly RowsName[];
}

interface ReadRows {
  readonly pieces: readonly RowsName[];
  readonly figures: Pick<CopyReport, "rows" | "firstId" | "lastId" | "newestMs" | "damagedRows">;
  /** Between the first row and the last. */
  readonly between: readonly Span[];
}

async function readRows(
  folder: string,
  listing: Listing,
  throughId: number,
  damaged: DamagedPiece[],
): Promise<ReadRows> {
  const between: Span[] = [];
  const pieces: RowsName[] = [];
  let [rows, damagedRows] = [0, 0];
  let firstId: number | undefined;
  let lastId: number | undefined;
  let newestMs: number | undefined;
  for (const named of listing.rows) {
    const fresh = freshOf((await rowsOf(folder, named, damaged)) ?? [], lastId ?? 0, throughId);
    const [first, last] = [fresh[0], fresh.at(-1)];
    if (first === undefined || last === undefined) continue;
    if (lastId !== undefined && first.id > lastId + 1) between.push({ fromId: lastId + 1, toId: first.id - 1 });
    firstId ??= first.id;
    lastId = last.id;
    rows += fresh.length;
    pieces.push(named);
    for (const row of fresh) {
      if (row.crc !== rowChecksum(row)) damagedRows++;
      newestMs = Math.max(newestMs ?? 0, row.received_ms);
    }
  }
  return { pieces, figures: { rows, firstId, lastId, newestMs, damagedRows }, between };
}

/** Reads the whole copy, one piece at a time: a copy can be larger than the memory. Throws FILE_UNREADABLE. */
export async function readCopy(folder: string): Promise<WholeCopy> {
  const listing = listingOf(await namesIn(folder));
  const damaged: DamagedPiece[] = [];
  const state = await newestState(folder, listing, damaged);
  const throughId = state?.lastId ?? 0;
  const { pieces, figures, between } = await readRows(folder, listing, throughId, damaged);
  // A version that keeps no list leaves another's as it was: what it says is of before.
  const contents = state !== undefined && state.ranges === undefined ? undefined : await readContents(folder);
  if (contents !== undefined && "damaged" in contents) damaged.push({ name: CONTENTS_FILE, why: contents.damaged });
  // A state that tells of the journal's rows was never written without it.
  else if (contents === undefined && state?.ranges !== undefined)
    damaged.push({ name: CONTENTS_FILE, why: "it is missing" });
  await checkBeside(folder, isContents(contents) ? contents.files : {}, damaged);
  const listedRows = isContents(contents) ? contents.rows : state?.ranges?.map(([fromId, toId]) => ({ fromId, toId }));
  const oldestId = isContents(contents) ? contents.oldestId : 0;
  const gaps = listedRows === undefined ? [...between] : missingOf(listedRows, pieces, oldestId, throughId);
  // Only where the journal had rows left: an empty tail is no gap.
  if (listedRows === undefined && figures.lastId !== undefined && figures.lastId < throughId)
    gaps.push({ fromId: figures.lastId + 1, toId: throughId });
  const report = { stateLastId: state?.lastId, ...figures, listed: listedRows !== undefined, gaps, damaged };
  return { report, state, pieces };
}

/** What of these runs is in no piece, of the rows from `fromId` through `throughId`. */
function missingOf(expected: readonly Span[], pieces: readonly RowsName[], fromId: number, throughId: number): Span[] {
  const covered = mergedOf(spansOf(pieces));
  return mergedOf(expected).flatMap((run) =>
    holesIn(covered, { fromId: Math.max(run.fromId, fromId), toId: Math.min(run.toId, throughId) }),
  );
}

/** Sets aside what of the rows is damaged, so that the next copy writes it again. Throws FILE_UNWRITABLE. */
export async function setDamagedAside(folder: string, { damaged }: CopyReport): Promise<void> {
  for (const { name, isRows } of damaged) if (isRows) await setPieceAside(folder, name);
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
    const opened = openRows(readPieceNow(folder, name));
    if ("damaged" in opened)
      throw new GatewayError("FILE_UNREADABLE", { path: join(folder, name), reason: opened.damaged });
    const fresh = freshOf(opened.rows, lastId, throughId);
    lastId = fresh.at(-1)?.id ?? lastId;
    yield fresh;
  }
}

/** Whether all can be restored from it that the journal had when it was made. */
export function isWhole({ stateLastId, damaged, damagedRows, listed, gaps }: CopyReport): boolean {
  return stateLastId !== undefined && damaged.length === 0 && damagedRows === 0 && !(listed && gaps.length > 0);
}
