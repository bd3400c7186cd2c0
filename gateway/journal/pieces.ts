// The pieces of which a copy of the journal is made: runs of rows, and the rest of the file as it was at one moment. Each says
// in its first line what it holds, and the checksum of all that follows: a piece that is not whole is not a piece.
import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { NamedRow, StoredRow } from "./row.ts";
import { createSqliteReader, newestIn, type RangeRow } from "./sqlite-reader.ts";

/** Rows of one piece: some 400 kB of text before it is packed. */
export const PIECE_ROWS_MAX = 5_000;
/** No piece becomes longer than this when it is unpacked: one that does is damaged. */
const UNPACKED_BYTES_MAX = 512 * 1024 * 1024;
const HEAD_BYTES_MAX = 200;

/** Tables that are small and change all the time, whole in every state. Rows have pieces of their own. */
const STATE_TABLES = [
  "device",
  "cursor",
  "document",
  "set_aside",
  "dead_letter",
  "act",
  "undecoded",
  "boot",
  "device_state",
  "gap",
  "mark",
] as const;
/** Of what only ever grows, the newest so many: a state must stay small enough to be made every few minutes. */
const GROWING_ROWS_MAX = 10_000;
const GROWING: Readonly<Partial<Record<string, string>>> = {
  act: "id",
  dead_letter: "at_ms",
  set_aside: "id",
  gap: "gap",
};
export type StateTable = (typeof STATE_TABLES)[number];
export type StateTables = Readonly<Record<StateTable, readonly Readonly<Record<string, string | number | null>>[]>>;

export interface Piece {
  readonly kind: "rows" | "state";
  /** First and last row; in a state, one more than the newest row it knows of, and that row. */
  readonly firstId: number;
  readonly lastId: number;
  readonly bytes: Uint8Array;
}

export interface PieceHead {
  readonly kind: Piece["kind"];
  readonly firstId: number;
  readonly lastId: number;
}

type RowLine = readonly [
  id: number,
  receivedMs: number,
  timeMs: number,
  quality: number,
  device: number,
  sequence: number,
  link: number,
  frame: string,
  crc: number,
  boot: number,
  runMs: number,
];

function sealed(kind: Piece["kind"], firstId: number, lastId: number, value: unknown): Piece {
  const body = deflateRawSync(JSON.stringify(value));
  const sum = createHash("sha256").update(body).digest("hex");
  const head = Buffer.from(`waakvlam-${kind} 1 ${firstId} ${lastId} ${sum}\n`);
  return { kind, firstId, lastId, bytes: Buffer.concat([head, body]) };
}

/** What cannot be opened, and why; `isNewer` where a newer version could. */
export interface Damage {
  readonly damaged: string;
  readonly isNewer?: true;
}

export type Opened = { readonly head: PieceHead; readonly value: unknown } | Damage;

function opened(bytes: Uint8Array): Opened {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = all.subarray(0, HEAD_BYTES_MAX).indexOf(10);
  const match = /^waakvlam-(rows|state) (\d+) (\d+) (\d+) ([0-9a-f]{64})$/.exec(
    all.toString("latin1", 0, Math.max(0, end)),
  );
  if (match === null) return { damaged: "it does not begin as a piece does" };
  if (match[2] !== "1") return { damaged: `its form ${match[2]} is of a newer version`, isNewer: true };
  const body = all.subarray(end + 1);
  if (createHash("sha256").update(body).digest("hex") !== match[5]) return { damaged: "its checksum does not fit" };
  try {
    const text = inflateRawSync(body, { maxOutputLength: UNPACKED_BYTES_MAX }).toString("utf8");
    const head = { kind: match[1] as Piece["kind"], firstId: Number(match[3]), lastId: Number(match[4]) };
    return { head, value: JSON.parse(text) as unknown };
  } catch (error) {
    return { damaged: error instanceof Error ? error.message : String(error) };
  }
}

/** Rows from `fromId` on as a piece, at most `limit`; undefined when there are none. */
export function rowsPiece(db: DatabaseSync, fromId: number, limit: number): Piece | undefined {
  const rows: NamedRow[] = createSqliteReader(db).rows(fromId, Math.min(limit, PIECE_ROWS_MAX));
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const lines = rows.map(
    (r): RowLine => [
      r.id,
      r.received_ms,
      r.time_ms,
      r.quality,
      r.device,
      r.sequence,
      r.link,
      Buffer.from(r.frame).toString("base64"),
      r.crc,
      r.boot,
      r.run_ms,
    ],
  );
  return sealed("rows", first.id, last.id, lines);
}

/** All but the rows, in one view of the file: it fits the rows up to `lastId` of the piece. */
export function statePiece(db: DatabaseSync): Piece {
  db.exec("BEGIN");
  try {
    const open = db.prepare("SELECT * FROM range ORDER BY range DESC LIMIT 1").get() as unknown as RangeRow;
    const newest = newestIn(db, open);
    const tables = Object.fromEntries(STATE_TABLES.map((table) => [table, tableOf(db, table)]));
    // No table, and no list either: a version that knows nothing of it passes it by.
    const rows = {
      ranges: createSqliteReader(db)
        .ranges()
        .map(({ firstId, lastId }) => [firstId, lastId]),
    };
    return sealed("state", newest + 1, newest, { ...tables, rows });
  } finally {
    db.exec("COMMIT");
  }
}

function tableOf(db: DatabaseSync, table: StateTable): unknown[] {
  const order = GROWING[table];
  if (order === undefined) return db.prepare(`SELECT * FROM ${table}`).all();
  return db.prepare(`SELECT * FROM ${table} ORDER BY ${order} DESC LIMIT ${GROWING_ROWS_MAX}`).all().reverse();
}

export type OpenedRows = { readonly head: PieceHead; readonly rows: readonly StoredRow[] } | Damage;

export function openRows(bytes: Uint8Array): OpenedRows {
  const found = opened(bytes);
  if ("damaged" in found) return found;
  if (found.head.kind !== "rows") return { damaged: "it is not one of rows" };
  const rows = (found.value as readonly RowLine[]).map(
    ([id, received_ms, time_ms, quality, device, sequence, link, frame, crc, boot, run_ms]): StoredRow => {
      const bytesOf = new Uint8Array(Buffer.from(frame, "base64"));
      return { id, received_ms, time_ms, quality, device, sequence, link, frame: bytesOf, crc, boot, run_ms };
    },
  );
  return { head: found.head, rows };
}

export type OpenedState =
  | {
      readonly head: PieceHead;
      readonly tables: StateTables;
      /** First and last row of each range that the journal had; undefined in states of versions that did not tell. */
      readonly ranges: readonly (readonly [firstId: number, lastId: number])[] | undefined;
    }
  | Damage;

export function openState(bytes: Uint8Array): OpenedState {
  const found = opened(bytes);
  if ("damaged" in found) return found;
  if (found.head.kind !== "state") return { damaged: "it is not a state" };
  const { rows, ...tables } = found.value as StateTables & { rows?: { ranges: [number, number][] } };
  const missing = STATE_TABLES.filter((table) => !Array.isArray(tables[table]));
  if (missing.length > 0) return { damaged: `it lacks ${missing.join(", ")}` };
  return { head: found.head, tables, ranges: rows?.ranges };
}
