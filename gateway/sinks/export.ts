// Rows out of a record as text, a page at a time: memory holds one page, whatever the record holds.
import type { RecordKind } from "../../protocol/index.ts";
import type { JournalRecord } from "../domain/record.ts";
import { csvHeader, csvLine } from "./csv.ts";
import { type LineContext, lineOf } from "./lines.ts";

const PAGE_ROWS = 500;

/** What is exported from: the journal, or whatever keeps older rows too, in the order of their ids. */
export interface ExportSource {
  read(afterId: number, limit: number): Promise<readonly JournalRecord[]>;
}

export type ExportFormat = "csv" | "line";

export interface ExportQuery {
  readonly format: ExportFormat;
  /** Of a CSV; line protocol has all kinds. */
  readonly kind: RecordKind;
  /** By the time of the sample: from this moment on … */
  readonly fromMs: number;
  /** … and before this one. */
  readonly toMs: number;
  /** All of them when empty. */
  readonly devices: readonly string[];
}

export interface ExportPage {
  /** Whole lines with their ends. */
  readonly text: string;
  readonly rows: number;
}

export async function* exportPages(
  source: ExportSource,
  query: ExportQuery,
  context: LineContext,
): AsyncGenerator<ExportPage> {
  const { format, kind, fromMs, toMs } = query;
  const devices = new Set(query.devices);
  const isWanted = ({ timeMs, deviceId }: JournalRecord) => {
    return timeMs >= fromMs && timeMs < toMs && (devices.size === 0 || devices.has(deviceId));
  };
  // RFC 4180 ends lines with CR LF; line protocol with LF.
  const end = format === "csv" ? "\r\n" : "\n";
  if (format === "csv") yield { text: csvHeader(kind) + end, rows: 0 };
  let afterId = 0;
  for (;;) {
    const page = await source.read(afterId, PAGE_ROWS);
    const last = page[page.length - 1];
    if (last === undefined) return;
    afterId = last.id;
    const lines = page.filter(isWanted).flatMap((row) => {
      const line = format === "csv" ? csvLine(row, kind, context) : lineOf(row, context);
      return line === undefined ? [] : [line + end];
    });
    if (lines.length > 0) yield { text: lines.join(""), rows: lines.length };
  }
}
