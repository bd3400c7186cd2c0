// The columns of a noun's table, from its schema: a quantity a column, `connection.ceeA`; what is a list is one cell.
import type { TSchema } from "typebox";
import { ASSET_TYPES, type Noun, RegistrySchema } from "../../protocol/index.ts";
import { numberText, parseNumber, type Separator } from "./csv.ts";

type Kind = "text" | "number" | "integer" | "place" | "boolean" | "words" | "memberships" | "rows" | "json";

export interface Column {
  /** `connection.ceeA`. */
  readonly name: string;
  readonly kind: Kind;
  /** Of a list of rows of numbers: their fields. */
  readonly fields: readonly string[];
}

interface Loose {
  readonly type?: string;
  readonly const?: unknown;
  readonly anyOf?: readonly Loose[];
  readonly properties?: Readonly<Record<string, Loose>>;
  readonly items?: Loose;
}

const PLACES = ["lat", "lon"];

function columnsOf(schema: Loose, before: string): Column[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, one]) => columnOf(one, `${before}${key}`, key));
}

function columnOf(schema: Loose, name: string, key: string): Column[] {
  const column = (kind: Kind, fields: readonly string[] = []): Column[] => [{ name, kind, fields }];
  if (schema.properties !== undefined) return columnsOf(schema, `${name}.`);
  const choices = schema.anyOf;
  // One form or another: the columns of all of them.
  if (choices?.every((one) => one.properties !== undefined)) return merged(choices, `${name}.`);
  if (choices !== undefined) return column(choices.every((one) => typeof one.const === "number") ? "number" : "text");
  if (schema.type === "array") return listColumn(schema.items ?? {}, column);
  if (schema.type === "number") return column(PLACES.includes(key) ? "place" : "number");
  if (schema.type === "integer" || schema.type === "boolean") return column(schema.type);
  return column(schema.type === "string" || typeof schema.const === "string" ? "text" : "json");
}

function listColumn(item: Loose, column: (kind: Kind, fields?: readonly string[]) => Column[]): Column[] {
  const fields = Object.entries(item.properties ?? {});
  if (fields.length === 0) return column(item.anyOf !== undefined || item.type === "string" ? "words" : "json");
  if (fields.every(([, one]) => one.type === "number" || one.type === "integer"))
    return column(
      "rows",
      fields.map(([key]) => key),
    );
  return column(item.properties?.["id"] !== undefined ? "memberships" : "json");
}

function merged(schemas: readonly Loose[], before: string): Column[] {
  const byName = new Map<string, Column>();
  for (const schema of schemas) {
    for (const one of columnsOf(schema, before)) if (!byName.has(one.name)) byName.set(one.name, one);
  }
  return [...byName.values()];
}

/** RD New beside the degrees of a point: either will do. */
export const RD_COLUMNS = ["rdX", "rdY"] as const;

export function columnsOfNoun(noun: Noun): readonly Column[] {
  if (noun === "assets") return merged(Object.values(ASSET_TYPES) as readonly Loose[], "");
  const columns = columnsOf(RegistrySchema.properties[noun].items as TSchema as Loose, "");
  if (noun !== "points") return columns;
  const rd = RD_COLUMNS.map((name): Column => ({ name, kind: "number", fields: [] }));
  const after = columns.findIndex((one) => one.name === "location.lon") + 1;
  return [...columns.slice(0, after), ...rd, ...columns.slice(after)];
}

export type CellRead = { readonly value: unknown } | { readonly fault: string };

const YES = ["true", "ja", "yes", "1"];
const NO = ["false", "nee", "no", "0"];

export function parseCell(text: string, { kind, fields }: Column): CellRead {
  switch (kind) {
    case "text":
      return { value: text };
    case "number":
      return parseNumber(text);
    case "place":
      return parseNumber(text, true);
    case "integer":
      return /^[+-]?\d+$/.test(text) ? { value: Number(text) } : { fault: "is not a whole number" };
    case "boolean": {
      const word = text.toLowerCase();
      if (!YES.includes(word) && !NO.includes(word)) return { fault: "is neither yes nor no: write true or false" };
      return { value: YES.includes(word) };
    }
    case "words":
      return { value: text.split(/[\s|]+/) };
    case "memberships":
      return parseMemberships(text);
    case "rows":
      return parseRows(text, fields);
    case "json":
      try {
        return { value: JSON.parse(text) };
      } catch {
        return { fault: "is not JSON" };
      }
  }
}

const MEMBERSHIP_FORM = "cannot be read: write ID, ID from DAY, or ID from DAY until DAY, and a bar (|) between two";

/** `wijdemeren until 2027-01-01 | hilversum from 2027-01-01`. */
function parseMemberships(text: string): CellRead {
  const form = /^(\S+)(?:\s+from\s+(\S+))?(?:\s+until\s+(\S+))?$/;
  const value: Record<string, string>[] = [];
  for (const part of text.split("|")) {
    const [whole, id, from, until] = form.exec(part.trim()) ?? [];
    if (whole === undefined || id === undefined) return { fault: MEMBERSHIP_FORM };
    value.push({ id, ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) });
  }
  return { value };
}

/** `0:0 50:60.5 100:200`: the fields in their order. */
function parseRows(text: string, fields: readonly string[]): CellRead {
  const form = fields.join(":");
  const value: Record<string, number>[] = [];
  for (const part of text.split(/\s+/)) {
    const numbers = part.split(":").map((one) => parseNumber(one));
    const found = numbers.map((one) => ("value" in one ? one.value : undefined));
    if (found.length > fields.length || found.includes(undefined))
      return { fault: `has ${part}, and each part is ${form}, as in 0:0 50:60.5` };
    value.push(Object.fromEntries(found.map((one, i) => [fields[i] ?? "", one as number])));
  }
  return { value };
}

export function cellOf(value: unknown, { kind, fields }: Column, separator: Separator): string {
  if (value === undefined) return "";
  if (typeof value === "number") return numberText(value, separator, kind === "place");
  switch (kind) {
    case "words":
      return (value as string[]).join(" ");
    case "memberships":
      return (value as { id: string; from?: string; until?: string }[])
        .map(({ id, from, until }) => {
          return `${id}${from === undefined ? "" : ` from ${from}`}${until === undefined ? "" : ` until ${until}`}`;
        })
        .join(" | ");
    case "rows":
      return (value as Record<string, number>[])
        .map((row) =>
          fields.flatMap((field) => (row[field] === undefined ? [] : [numberText(row[field], separator)])).join(":"),
        )
        .join(" ");
    case "json":
      return JSON.stringify(value);
    default:
      return String(value);
  }
}
