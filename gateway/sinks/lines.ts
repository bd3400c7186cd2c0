// Journal rows as line protocol, one line a row, its fields in the order of the dictionary. Every number is a float, so that
// no field ever changes its type.
import { hasIdentity, isTold, type JournalRecord } from "../domain/record.ts";
import { measurementOf } from "./dictionary.ts";
import { valuesOf } from "./values.ts";

/** Where a device stood when it took a sample: late ones are not of the point to which it has moved since. */
export interface LineContext {
  pointOf(deviceId: string, atMs: number): string | undefined;
}

/** What a person told names its point itself. */
export function pointOfRow(record: JournalRecord, { pointOf }: LineContext): string | undefined {
  return isTold(record) ? record.deviceId : pointOf(record.deviceId, record.timeMs);
}

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
 * The time of a line, in nanoseconds: the sample's milliseconds, and below them its number on the device. So a record is a
 * point of its own, and overwrites itself when it comes again, also as another row after a restored copy. A row without a
 * number of its own has its id there.
 */
export function lineTimestamp(record: Pick<JournalRecord, "id" | "sequence" | "timeMs" | "damaged">): string {
  const below = hasIdentity(record) ? record.sequence : record.id;
  return `${Math.round(record.timeMs)}${String(below % 1_000_000).padStart(6, "0")}`;
}

/** The line of a row, without its line feed. */
export function lineOf(record: JournalRecord, context: LineContext): string {
  const { measurement, values } = valuesOf(record);
  const fields = measurementOf(measurement).fields.flatMap(({ name, type }) => {
    const value = values.get(name);
    if (typeof value === "number" && type === "float") return [`${name}=${float(value)}`];
    return typeof value === "string" && type === "string" ? [`${name}=${text(value)}`] : [];
  });
  const point = tag(pointOfRow(record, context) ?? "unknown");
  const device = isTold(record) ? "" : `device=${tag(record.deviceId || "unknown")},`;
  const tags = `${device}link=${record.link},point=${point}`;
  return `${measurement},${tags} ${fields.join(",")} ${lineTimestamp(record)}`;
}
