// Whether a value has the form of a registry: every problem, each with its place, row by row, so that the words fit the row.
import type { TSchema } from "typebox";
import { Compile, type Validator } from "typebox/compile";
import { ASSET_TYPES, NOUNS, type Noun, type Registry, RegistrySchema } from "../../protocol/index.ts";
import { nearest } from "../../protocol/nearest.ts";
import { fromVersion1, REGISTRY_1, type Registry1, ROWS_1 } from "./version-1.ts";

/** All that is wrong with a value by a schema: `capacity/day must be <= 2039`. */
export type ListProblems = (
  schema: TSchema,
  value: unknown,
  suggest?: (word: string, known: readonly string[]) => string | undefined,
) => string[];

type Row = Readonly<Record<string, unknown>>;

const SHOWN_CHARS_MAX = 60;

/** What a row is called by in a problem: the id that it has, or its first one. */
const NAMED_BY = ["pointId", "assetId", "deviceId", "id"] as const;
const NAMED_FIRST: { readonly [N in Noun]?: string } = {
  assets: "assetId",
  devices: "deviceId",
  assignments: "assetId",
};

export function placeOf(noun: Noun, index: number, row: unknown): string {
  const keys = [NAMED_FIRST[noun] ?? "", ...NAMED_BY];
  const key = isRow(row) ? keys.find((one) => typeof row[one] === "string") : undefined;
  const name = key === undefined ? "" : ` (${shown((row as Row)[key])})`;
  return `${noun}/${index}${name}`;
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function valueAt(row: unknown, path: string): unknown {
  let at: unknown = row;
  for (const part of path.split("/")) at = isRow(at) || Array.isArray(at) ? (at as Row)[part] : undefined;
  return at;
}

/** Of a value that does not fit, as much as says which. */
function shown(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text;
}

/** A word that is none of the choices is most often one that was typed wrong. */
function withHint(line: string, row: unknown): string {
  const found = /^(\S+) must be one of (.+)$/.exec(line);
  const value = found === null ? undefined : valueAt(row, found[1] ?? "");
  if (found === null || typeof value !== "string") return line;
  const near = nearest(value, (found[2] ?? "").split(", "));
  return `${line}, not ${shown(value)}${near === undefined ? "" : `: did you mean ${near}?`}`;
}

function schemaOf(noun: Noun, row: unknown): TSchema | string {
  if (noun !== "assets") return RegistrySchema.properties[noun].items as TSchema;
  const type = isRow(row) ? row["type"] : undefined;
  const schema = ASSET_TYPES[type as keyof typeof ASSET_TYPES];
  if (typeof type === "string" && Object.hasOwn(ASSET_TYPES, type)) return schema;
  const known = Object.keys(ASSET_TYPES);
  const near = typeof type === "string" ? nearest(type, known) : undefined;
  const is = type === undefined ? "" : `, not ${shown(type)}`;
  return `type must be one of ${known.join(", ")}${is}${near === undefined ? "" : `: did you mean ${near}?`}`;
}

function rowProblems(place: string, row: unknown, schema: TSchema | string, listProblems: ListProblems): string[] {
  if (typeof schema === "string") return [`${place}/${schema}`];
  return listProblems(schema, row, nearest).map((line) => {
    const told = withHint(line, row);
    return told.startsWith("the file ") ? `${place} ${told.slice("the file ".length)}` : `${place}/${told}`;
  });
}

function listsOf(value: Row, nouns: readonly string[], top: readonly string[]): string[] {
  const known = [...top, ...nouns];
  const unknown = Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const near = nearest(key, known);
      return `${key} is not a known key${near === undefined ? "" : `: did you mean ${near}?`}`;
    });
  const missing = nouns.filter((noun) => value[noun] === undefined).map((noun) => `the list ${noun} is missing`);
  const others = nouns
    .filter((noun) => value[noun] !== undefined && !Array.isArray(value[noun]))
    .map((noun) => `${noun} must be a list`);
  return [...unknown, ...missing, ...others];
}

export interface Shaped {
  /** Of the rows that have their form. */
  readonly registry: Registry;
  readonly problems: readonly string[];
  /** Where each of those rows stood. */
  readonly indices: Readonly<Partial<Record<Noun, readonly number[]>>>;
  /** Ids of rows that have not: who refers to them need not be wrong. */
  readonly unsure: ReadonlySet<string>;
  /** False when so little has its form that nothing more can be said. */
  readonly isWhole: boolean;
}

export const EMPTY_REGISTRY: Registry = {
  version: 2,
  municipalities: [],
  organisations: [],
  points: [],
  assets: [],
  assignments: [],
  devices: [],
  contacts: [],
  processes: [],
};

function broken(problems: readonly string[]): Shaped {
  return { registry: EMPTY_REGISTRY, problems, indices: {}, unsure: new Set(), isWhole: false };
}

let compiled: Validator | undefined;

/** Compiled, since a gateway that runs waits for it: fifteen times as fast as row by row. */
function isRegistry(value: unknown): value is Registry {
  compiled ??= Compile(RegistrySchema as TSchema) as Validator;
  return compiled.Check(value);
}

/** The registry that a value is, of either version. */
export function shapeOf(value: unknown, listProblems: ListProblems): Shaped {
  if (!isRow(value)) return broken(["the file must be an object with the version and the lists of a registry"]);
  if (value["version"] === 1) return shapeOf1(value, listProblems);
  if (value["version"] !== 2) {
    const is = value["version"] === undefined ? "and there is none" : `not ${shown(value["version"])}`;
    return broken([`version must be 2 or 1, ${is}`]);
  }
  if (isRegistry(value)) return { registry: value, problems: [], indices: {}, unsure: new Set(), isWhole: true };
  const problems = listsOf(value, NOUNS, ["version"]);
  const lists: Partial<Record<Noun, unknown[]>> = {};
  const indices: Partial<Record<Noun, number[]>> = {};
  const unsure = new Set<string>();
  for (const noun of NOUNS) {
    const list = value[noun];
    if (!Array.isArray(list)) continue;
    const { maxItems = Number.POSITIVE_INFINITY } = RegistrySchema.properties[noun] as { readonly maxItems?: number };
    if (list.length > maxItems) problems.push(`${noun} has ${list.length} rows, at most ${maxItems}`);
    const found = list.map((row, i) => rowProblems(placeOf(noun, i, row), row, schemaOf(noun, row), listProblems));
    problems.push(...found.flat());
    indices[noun] = list.flatMap((_, i) => (found[i]?.length === 0 ? [i] : []));
    lists[noun] = indices[noun].map((i) => list[i]);
    for (const row of list.filter((_, i) => found[i]?.length !== 0)) {
      for (const key of NAMED_BY) if (isRow(row) && typeof row[key] === "string") unsure.add(row[key]);
    }
  }
  const isWhole = NOUNS.every((noun) => lists[noun] !== undefined);
  return { registry: { ...EMPTY_REGISTRY, ...lists } as Registry, problems, indices, unsure, isWhole };
}

function shapeOf1(value: Row, listProblems: ListProblems): Shaped {
  const nouns = Object.keys(ROWS_1) as (keyof typeof ROWS_1)[];
  const problems = listsOf(value, nouns, ["version", "profile"]);
  for (const noun of nouns) {
    const list = value[noun];
    if (!Array.isArray(list)) continue;
    list.forEach((row, i) => {
      problems.push(...rowProblems(placeOf(noun, i, row), row, ROWS_1[noun], listProblems));
    });
  }
  if (problems.length === 0) problems.push(...listProblems(REGISTRY_1, value, nearest));
  if (problems.length > 0) return broken(problems);
  const registry = fromVersion1(value as Registry1);
  return { registry, problems: [], indices: {}, unsure: new Set(), isWhole: true };
}

const ROW_OF = new RegExp(`(?<![/\\w)])(${NOUNS.join("|")})/(\\d+)(?![\\w-])`, "g");

/** A problem with other words for its rows: what stood at another place, or in another file. */
export function relabel(problem: string, label: (noun: Noun, index: number) => string): string {
  return problem.replace(ROW_OF, (_, noun: Noun, index: string) => label(noun, Number(index)));
}
