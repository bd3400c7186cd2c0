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
  const lines = new Set<string>();
  for (const error of Value.Errors(schema, value) as unknown as Iterable<SchemaError>) {
    for (const line of lineOf(error, schema, suggest)) lines.add(line);
    if (lines.size >= PROBLEMS_MAX) break;
  }
  return [...lines];
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
  readonly anyOf?: readonly { readonly const?: unknown }[];
  readonly const?: unknown;
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
