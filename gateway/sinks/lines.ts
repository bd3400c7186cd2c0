// Journal rows as line protocol: one line a row. Every number is a float, so that no field ever changes its type.
import { decodeUplink } from "../../protocol/index.ts";
import type { JournalRecord } from "../domain/record.ts";

/** Where a device stands, for the tags. */
export interface LineContext {
  pointOf(deviceId: string): string | undefined;
}

const QUALITY = { synced: 0, estimated: 1, suspect: 2 } as const;

function tag(text: string): string {
  return text.replace(/[,= \\]/g, "\\$&");
}

function text(value: string): string {
  return `"${value.replace(/["\\]/g, "\\$&")}"`;
}

function float(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/**
 * The time of a line, in nanoseconds: the sample's milliseconds, and the row's id below them. Every row is a point of its
 * own, and sent again it overwrites itself.
 */
export function lineTimestamp(record: Pick<JournalRecord, "id" | "timeMs">): string {
  return `${Math.round(record.timeMs)}${String(record.id % 1_000_000).padStart(6, "0")}`;
}

type Fields = [name: string, value: string][];

function pushValue(fields: Fields, name: string, value: unknown): void {
  if (typeof value === "number") fields.push([name, float(value)]);
  // A word or a reason goes beside the number, never into its field: types are for good.
  else if (typeof value === "string") fields.push([`${name}_word`, text(value)]);
}

/** The line of a row, without its line feed. A row that cannot be decoded is a line as well: nothing is lost unseen. */
export function lineOf(record: JournalRecord, context: LineContext): string {
  const decoded = record.damaged === true ? undefined : decodeUplink(record.frame);
  const fields: Fields = [
    ["row", float(record.id)],
    ["sequence", float(record.sequence & 0xffff)],
    ["quality", float(QUALITY[record.timeQuality])],
    ["delay_s", float(Math.round((record.receivedMs - record.timeMs) / 1000))],
  ];
  if (decoded?.kind === "report") {
    pushValue(fields, "phase", decoded.value.phase);
    for (const group of ["power", "battery", "occupancy", "environment", "supplies"] as const) {
      const values = decoded.value[group] as Readonly<Record<string, unknown>> | undefined;
      const prefix = group === "supplies" ? "supplies_" : "";
      for (const [name, value] of Object.entries(values ?? {})) pushValue(fields, `${prefix}${name}`, value);
    }
  } else if (decoded?.kind === "info") {
    for (const [name, value] of Object.entries(decoded.value)) {
      if (name !== "sequence" && name !== "time") pushValue(fields, name, value);
    }
  } else if (decoded?.kind === "event") {
    pushValue(fields, "event", decoded.value.event);
    pushValue(fields, "argument", decoded.value.argument);
  } else if (decoded?.kind === "backlog") {
    // Its samples are rows of their own, and reports.
    fields.push(["samples", float(decoded.value.reports.length)], ["thinned", float(decoded.value.thinned ? 1 : 0)]);
  } else fields.push(["bytes", float(record.frame.length)]);
  const measurement = decoded === undefined || decoded.kind === "fault" ? "undecoded" : decoded.kind;
  const point = context.pointOf(record.deviceId) ?? "unknown";
  const tags = `device=${tag(record.deviceId || "unknown")},link=${record.link},point=${tag(point)}`;
  const body = fields.map(([name, value]) => `${name}=${value}`).join(",");
  return `${measurement},${tags} ${body} ${lineTimestamp(record)}`;
}
