// A journal row as named values, the same for every form in which it leaves the gateway.

import { Value } from "typebox/value";
import { decodeUplink, type Entry, EntrySchema } from "../../protocol/index.ts";
import { isTold, type JournalRecord } from "../domain/record.ts";
import { TIME_QUALITIES } from "./dictionary.ts";

export interface RowValues {
  /** The measurement of the dictionary. */
  readonly measurement: "report" | "event" | "info" | "backlog" | "entry" | "undecoded";
  readonly values: ReadonlyMap<string, number | string>;
}

type Values = Map<string, number | string>;

/** A word or a reason goes beside the number, never into its field: types are for good. */
function put(values: Values, name: string, value: unknown): void {
  if (typeof value === "number") values.set(name, value);
  else if (typeof value === "string") values.set(`${name}_word`, value);
}

/** A row that cannot be decoded has values as well: nothing is lost unseen. */
export function valuesOf(record: JournalRecord): RowValues {
  const values: Values = new Map<string, number | string>([
    ["row", record.id],
    ["sequence", record.sequence & 0xffff],
    ["quality", TIME_QUALITIES[record.timeQuality]],
    ["delay_s", Math.round((record.receivedMs - record.timeMs) / 1000)],
  ]);
  if (isTold(record)) return entryValues(record, values);
  const decoded = record.damaged === true ? undefined : decodeUplink(record.frame);
  switch (decoded?.kind) {
    case "report":
      put(values, "phase", decoded.value.phase);
      for (const group of ["power", "battery", "occupancy", "environment", "supplies"] as const) {
        const prefix = group === "supplies" ? "supplies_" : "";
        for (const [name, value] of Object.entries(decoded.value[group] ?? {})) put(values, `${prefix}${name}`, value);
      }
      return { measurement: "report", values };
    case "info":
      for (const [name, value] of Object.entries(decoded.value)) {
        if (name !== "sequence" && name !== "time") put(values, name, value);
      }
      return { measurement: "info", values };
    case "event":
      put(values, "event", decoded.value.event);
      put(values, "argument", decoded.value.argument);
      return { measurement: "event", values };
    case "backlog":
      values.set("samples", decoded.value.reports.length);
      values.set("thinned", decoded.value.thinned ? 1 : 0);
      return { measurement: "backlog", values };
    default:
      values.set("bytes", record.frame.length);
      return { measurement: "undecoded", values };
  }
}

/** The entry of a row that a person told; undefined when it is none by the schema. */
export function entryOf({ frame }: Pick<JournalRecord, "frame">): Entry | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(frame).toString("utf8"));
    return Value.Check(EntrySchema, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Without who told it, and without free words. */
function entryValues(record: JournalRecord, values: Values): RowValues {
  const entry = entryOf(record);
  if (entry === undefined) {
    values.set("bytes", record.frame.length);
    return { measurement: "undecoded", values };
  }
  put(values, "entry", entry.entryId);
  put(values, "via", entry.via);
  const prefix = entry.statement.kind === "supplies" ? "supplies_" : "";
  for (const [name, value] of Object.entries(entry.statement)) {
    if (name === "kind") put(values, name, value);
    else if (name === "deliveryId") put(values, "delivery", value);
    else if (name !== "text") put(values, `${prefix}${name}`, value);
  }
  return { measurement: "entry", values };
}
