// The rows of one device and one hour as one compressed blob: columns of differences, then deflate. Without loss, whatever
// a frame holds. Shipped: a change of the layout is a new format number.
//
// format u8 · CRC-32 of the rest u32 · deflateRaw of: rows, how many are kept as bytes and where, mask of columns, columns,
// bytes. A column is its first value and, when its bit in the mask is set, what follows as differences from the value
// expected; a column in which all is as expected costs its first value alone.
import { FRAME_BYTES_MAX } from "../../protocol/wire.ts";
import type { TimeQuality } from "../domain/record.ts";
import { type Column, putColumns, sealed, type Trend, takeColumn, takeMask, unsealed } from "./columns.ts";
import { GROUP_OF, joinReport, REPORT_FIELDS, type ReportCodes, splitReport } from "./report-codes.ts";
import type { HistoryRow } from "./row.ts";
import { type ByteSource, createByteSink, createByteSource, Damage } from "./varint.ts";

/** Rows of one chunk: an hour at one a second, with room; what is beyond goes to another generation. */
export const CHUNK_ROWS_MAX = 4_096;
/** 20 columns of a few bytes, or a whole frame kept as it is. */
const PAYLOAD_BYTES_MAX = CHUNK_ROWS_MAX * (FRAME_BYTES_MAX + 64);

/** What people told is not here: the layout has two links. */
const LINKS: readonly HistoryRow["link"][] = ["mqtt", "lorawan"];
const QUALITIES: readonly TimeQuality[] = ["synced", "estimated", "suspect"];

export interface ChunkFault {
  readonly fault: string;
}

const ROW_TRENDS: readonly Trend[] = ["same", "up", "steady", "same", "same"];
const REPORT_TRENDS: readonly Trend[] = ["same", "same", "same", "same", "same"];

function rowColumns(rows: readonly HistoryRow[]): Column[] {
  const values = [
    rows.map((row, i) => row.id - (rows[i - 1]?.id ?? 0)),
    rows.map((row) => row.sequence),
    rows.map((row) => row.timeMs),
    rows.map((row) => row.receivedMs - row.timeMs),
    rows.map((row) => LINKS.indexOf(row.link) + 2 * QUALITIES.indexOf(row.timeQuality)),
  ];
  return values.map((column, i) => ({ trend: ROW_TRENDS[i] as Trend, values: column }));
}

interface Split {
  readonly row: HistoryRow;
  readonly report: ReportCodes;
}

function reportColumns(splits: readonly Split[]): Column[] {
  const values = [
    // What the frame says again is zero, mostly.
    splits.map(({ row, report }) => (report.sequence - (row.sequence % 65_536) + 65_536) % 65_536),
    splits.map(({ row, report }) => report.time - Math.floor(row.timeMs / 1000)),
    splits.map(({ report }) => report.flags),
    splits.map(({ report }) => report.phase),
    splits.map(({ report }) => report.groups),
  ];
  const head = values.map((column, i) => ({ trend: REPORT_TRENDS[i] as Trend, values: column }));
  const fields = REPORT_FIELDS.map((_, i): Column => {
    const group = 1 << (GROUP_OF[i] as number);
    const present = splits.filter(({ report }) => (report.groups & group) !== 0);
    return { trend: "same", values: present.map(({ report }) => report.codes[i] as number) };
  });
  return [...head, ...fields];
}

/** Rows of one device, in their order, at most CHUNK_ROWS_MAX. */
export function encodeChunk(rows: readonly HistoryRow[]): Uint8Array {
  const out = createByteSink();
  const splits: Split[] = [];
  const kept: { readonly at: number; readonly frame: Uint8Array }[] = [];
  rows.forEach((row, at) => {
    const report = splitReport(row.frame);
    if (report === undefined) kept.push({ at, frame: row.frame });
    else splits.push({ row, report });
  });
  out.put(rows.length);
  out.put(kept.length);
  for (const [i, { at }] of kept.entries()) out.put(at - (kept[i - 1]?.at ?? 0));
  putColumns(out, rowColumns(rows));
  putColumns(out, reportColumns(splits));
  for (const { frame } of kept) out.put(frame.length);
  for (const { frame } of kept) out.putBytes(frame);
  return sealed(out.bytes());
}

/** The rows of a chunk, or why it cannot be read. Never throws; time and memory are bounded by CHUNK_ROWS_MAX. */
export function decodeChunk(blob: Uint8Array): HistoryRow[] | ChunkFault {
  return guarded(() => takeRows(createByteSource(unsealed(blob, PAYLOAD_BYTES_MAX))));
}

/** The same of rows that are in no chunk yet. */
export function codesOf(rows: readonly HistoryRow[]): ChunkCodes {
  const splits = rows.flatMap((row) => {
    const report = splitReport(row.frame);
    return report === undefined ? [] : [{ row, report }];
  });
  const columns = reportColumns(splits).map((column) => column.values as number[]);
  return {
    timesMs: splits.map(({ row }) => row.timeMs),
    receivedMs: splits.map(({ row }) => row.receivedMs),
    phases: columns[REPORT_TRENDS.length - 2] as number[],
    groups: columns[REPORT_TRENDS.length - 1] as number[],
    fields: columns.slice(REPORT_TRENDS.length),
  };
}

/** Times, and the raw codes of every field, of the reports in a chunk: all that a summary needs, without the frames. */
export interface ChunkCodes {
  readonly timesMs: readonly number[];
  readonly receivedMs: readonly number[];
  readonly phases: readonly number[];
  readonly groups: readonly number[];
  /** By the index of REPORT_FIELDS: codes of the reports that have its group. */
  readonly fields: readonly (readonly number[])[];
}

export function decodeCodes(blob: Uint8Array): ChunkCodes | ChunkFault {
  return guarded(() => {
    const input = createByteSource(unsealed(blob, PAYLOAD_BYTES_MAX));
    const { size, isKept, times, delays, reports } = takeParts(input);
    const ofReport = (_: number, i: number) => isKept[i] !== 1;
    const hasKept = reports.flags.length < size;
    const timesMs = hasKept ? times.filter(ofReport) : times;
    const waits = hasKept ? delays.filter(ofReport) : delays;
    const receivedMs = waits.map((delay, i) => delay + (timesMs[i] as number));
    return { timesMs, receivedMs, phases: reports.phases, groups: reports.groups, fields: reports.fields };
  });
}

function guarded<T>(take: () => T): T | ChunkFault {
  try {
    return take();
  } catch (error) {
    if (error instanceof Damage) return { fault: error.message };
    throw error;
  }
}

export function isFault(value: object): value is ChunkFault {
  return "fault" in value;
}

function takeParts(input: ByteSource) {
  const size = input.take();
  const keptSize = input.take();
  if (size > CHUNK_ROWS_MAX || keptSize > size) throw new Damage("too many rows");
  const isKept = takePlaces(input, size, keptSize);
  const mask = takeMask(input, ROW_TRENDS.length);
  const columns = ROW_TRENDS.map((trend, i) => takeColumn(input, size, trend, mask[i] === true));
  const [idSteps, sequences, times, delays, marks] = columns as [number[], number[], number[], number[], number[]];
  return {
    size,
    keptSize,
    isKept,
    idSteps,
    sequences,
    times,
    delays,
    marks,
    reports: takeReports(input, size - keptSize),
  };
}

function takeRows(input: ByteSource): HistoryRow[] {
  const { size, keptSize, isKept, idSteps, sequences, times, delays, marks, reports } = takeParts(input);
  const report = reportsInTurn(reports);
  const lengths = Array.from({ length: keptSize }, () => input.take());
  const rows: HistoryRow[] = [];
  let [id, keptAt] = [0, 0];
  for (let i = 0; i < size; i++) {
    id += idSteps[i] as number;
    const mark = marks[i] as number;
    const [sequence, timeMs] = [sequences[i] as number, times[i] as number];
    const [link, timeQuality] = [LINKS[mark & 1], QUALITIES[mark >> 1]];
    if (link === undefined || timeQuality === undefined) throw new Damage("no such link or quality");
    const frame = isKept[i] === 1 ? input.takeBytes(lengths[keptAt++] as number) : joinReport(report(sequence, timeMs));
    rows.push({ id, sequence, receivedMs: timeMs + (delays[i] as number), timeMs, timeQuality, link, frame });
  }
  if (!input.isAtEnd()) throw new Damage("bytes behind the end");
  return rows;
}

function takePlaces(input: ByteSource, size: number, count: number): Uint8Array {
  const isKept = new Uint8Array(size);
  let at = 0;
  for (let i = 0; i < count; i++) {
    at += input.take();
    if (at >= size || isKept[at] === 1) throw new Damage("no place, or one taken twice");
    isKept[at] = 1;
  }
  return isKept;
}

interface ReportColumns {
  readonly sequences: readonly number[];
  readonly times: readonly number[];
  readonly flags: readonly number[];
  readonly phases: readonly number[];
  readonly groups: readonly number[];
  readonly fields: readonly (readonly number[])[];
}

function takeReports(input: ByteSource, count: number): ReportColumns {
  const mask = takeMask(input, REPORT_TRENDS.length + REPORT_FIELDS.length);
  const head = REPORT_TRENDS.map((trend, i) => takeColumn(input, count, trend, mask[i] === true));
  const [sequences, times, flags, phases, groups] = head as [number[], number[], number[], number[], number[]];
  const fields = REPORT_FIELDS.map((field, i) => {
    const group = 1 << (GROUP_OF[i] as number);
    const present = groups.filter((one) => (one & group) !== 0).length;
    const values = takeColumn(input, present, "same", mask[REPORT_TRENDS.length + i] === true);
    if (values.some((value) => value < 0 || value >= 2 ** field.bits)) throw new Damage("a code out of range");
    return values;
  });
  return { sequences, times, flags, phases, groups, fields };
}

/** Gives the next report at each call, from what its row says. */
function reportsInTurn({ sequences, times, flags, phases, groups, fields }: ReportColumns) {
  const next = fields.map(() => 0);
  let at = 0;
  return (sequence: number, timeMs: number): ReportCodes => {
    const present = groups[at] as number;
    const codes = fields.map((values, i) => {
      if ((present & (1 << (GROUP_OF[i] as number))) === 0) return 0;
      next[i] = (next[i] as number) + 1;
      return values[(next[i] as number) - 1] as number;
    });
    const report = {
      sequence: (((sequences[at] as number) + sequence) % 65_536) & 65_535,
      time: (times[at] as number) + Math.floor(timeMs / 1000),
      flags: (flags[at] as number) & 255,
      phase: (phases[at] as number) & 15,
      groups: present & 255,
      codes,
    };
    at++;
    return report;
  };
}
