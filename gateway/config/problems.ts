// All that is wrong with a value, each with its path, in words that say what to do.
import type { TSchema } from "typebox";
import { Settings } from "typebox/system";
import { Value } from "typebox/value";

const PROBLEMS_MAX = 50;

// Without it the validator stops at its eighth complaint, and the next try finds the next eight.
Settings.Set({ maxErrors: 1_000 });

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message: string;
}

type Suggest = (key: string, known: readonly string[]) => string | undefined;

/** `points/3/capacity must be <= 2039`: one line a problem, the first fifty. Empty when the value fits. */
export function listProblems(schema: TSchema, value: unknown, suggest: Suggest = () => undefined): string[] {
  if (Value.Check(schema, value)) return [];
  const errors = [...(Value.Errors(schema, value) as unknown as Iterable<SchemaError>)];
  const chosen = errors.flatMap((error) => taggedAt(error, schema, value, suggest) ?? []);
  const lines = new Set<string>();
  for (const error of errors) {
    const { instancePath } = error;
    const of = chosen.find(({ path }) => instancePath === path || instancePath.startsWith(`${path}/`));
    for (const line of of?.lines ?? lineOf(error, schema, suggest)) lines.add(line);
  }
  // Complaints that nothing is said of can use up the most that there are.
  if (lines.size === 0) return ["the file has more wrong keys than can be told of one by one"];
  return [...lines].slice(0, PROBLEMS_MAX);
}

interface Tagged {
  readonly path: string;
  readonly lines: readonly string[];
}

/**
 * Of a choice between forms that a field tells apart (`shape`): what is wrong with the one that was meant. Undefined for other errors,
 * and where nothing was meant that could be looked into.
 */
function taggedAt(error: SchemaError, schema: TSchema, value: unknown, suggest: Suggest): Tagged | undefined {
  if (error.keyword !== "anyOf") return undefined;
  const path = error.instancePath;
  const place = path.replace(/^\//, "");
  const forms = schemaAt(schema, place)?.anyOf ?? [];
  const tag = Object.keys(forms[0]?.properties ?? {}).find((key) =>
    forms.every((form) => form.properties?.[key]?.const !== undefined),
  );
  const said = valueAt(value, place);
  if (tag === undefined || typeof said !== "object" || said === null || Array.isArray(said)) return undefined;
  const word = (said as Readonly<Record<string, unknown>>)[tag];
  if (word === undefined) return { path, lines: [`${place} misses ${tag}`] };
  const words = forms.map((form) => form.properties?.[tag]?.const);
  const form = forms[words.indexOf(word)];
  if (form === undefined) return { path, lines: [`${place}/${tag} must be one of ${words.join(", ")}`] };
  // Below it a path is one of the form; what it misses is told of at the form itself.
  const lines = listProblems(form as TSchema, said, suggest).map((line) =>
    line.startsWith("the file ") ? line.replace("the file", place) : `${place}/${line}`,
  );
  return { path, lines };
}

function valueAt(value: unknown, place: string): unknown {
  let at = value;
  for (const part of place.split("/").filter((one) => one !== ""))
    at = typeof at === "object" && at !== null ? (at as Readonly<Record<string, unknown>>)[part] : undefined;
  return at;
}

function lineOf(error: SchemaError, schema: TSchema, suggest: Suggest): string[] {
  const path = error.instancePath.replace(/^\//, "");
  const where = path === "" ? "the file" : path;
  if (error.keyword === "additionalProperties") {
    const keys = (error.params["additionalProperties"] as string[] | undefined) ?? [];
    return keys.map((key) => {
      const near = suggest(key, knownKeys(schema, path));
      return `${path === "" ? key : `${path}/${key}`} is not a known key${near === undefined ? "" : `: did you mean ${near}?`}`;
    });
  }
  // Below an additionalProperties or a union these repeat what another line says.
  if (error.keyword === "boolean") return [];
  if (error.keyword === "const") {
    const only = schemaAt(schema, path)?.const;
    return only === undefined ? [] : [`${where} must be ${only}`];
  }
  if (error.keyword === "pattern") {
    // Said as what it is ("16 digits"), and not as what the key is for, which is a sentence.
    const what = schemaAt(schema, path)?.description;
    if (what !== undefined && !what.endsWith(".")) return [`${where} must be ${what}`];
  }
  if (error.keyword === "anyOf") return [`${where} must be one of ${choices(schema, path)}`];
  if (error.keyword === "required") {
    const keys = (error.params["requiredProperties"] as string[] | undefined) ?? [];
    return [`${where} misses ${keys.join(", ")}`];
  }
  return [`${where} ${error.message}`];
}

interface Loose {
  readonly properties?: Readonly<Record<string, Loose>>;
  readonly items?: Loose;
  readonly anyOf?: readonly Loose[];
  readonly const?: unknown;
  readonly description?: string;
}

function schemaAt(schema: TSchema, path: string): Loose | undefined {
  let at: Loose | undefined = schema as Loose;
  for (const part of path.split("/").filter((one) => one !== "")) {
    at = at?.properties?.[part] ?? at?.items;
  }
  return at;
}

function knownKeys(schema: TSchema, path: string): string[] {
  return Object.keys(schemaAt(schema, path)?.properties ?? {});
}

function choices(schema: TSchema, path: string): string {
  const constants = (schemaAt(schema, path)?.anyOf ?? []).map((one) => one.const).filter((one) => one !== undefined);
  return constants.length === 0 ? "the allowed forms" : constants.join(", ");
}
