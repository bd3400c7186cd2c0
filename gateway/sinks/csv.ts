// Journal rows as CSV (RFC 4180): one kind of record a table, columns and units from the dictionary, in an order that stays.
import type { RecordKind } from "../../protocol/index.ts";
import { toInstant } from "../domain/instant.ts";
import { isTold, type JournalRecord } from "../domain/record.ts";
import { measurementOf } from "./dictionary.ts";
import { type LineContext, pointOfRow } from "./lines.ts";
import { valuesOf } from "./values.ts";

const MEASUREMENTS = {
  samples: "report",
  events: "event",
  info: "info",
  undecoded: "undecoded",
  entries: "entry",
} as const;
/** Before the fields of the dictionary. */
const HEADS = ["sampled_at", "received_at", "point", "device", "link"] as const;

/** A number as it is; a text in quotes, and such that a spreadsheet does not take it for a formula. */
function cell(value: number | string | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n']/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

/** `fuelLevelPct [%]`; without the line end. */
export function csvHeader(kind: RecordKind): string {
  const fields = measurementOf(MEASUREMENTS[kind]).fields;
  return [...HEADS, ...fields.map(({ name, unit }) => (unit === "" ? name : `${name} [${unit}]`))].map(cell).join(",");
}

/** Undefined for a row of another kind; without the line end. */
export function csvLine(record: JournalRecord, kind: RecordKind, context: LineContext): string | undefined {
  const { measurement, values } = valuesOf(record);
  if (measurement !== MEASUREMENTS[kind]) return undefined;
  const heads = [
    toInstant(record.timeMs),
    toInstant(record.receivedMs),
    pointOfRow(record, context) ?? "unknown",
    isTold(record) ? undefined : record.deviceId || "unknown",
    record.link,
  ];
  return [...heads, ...measurementOf(measurement).fields.map(({ name }) => values.get(name))].map(cell).join(",");
}
