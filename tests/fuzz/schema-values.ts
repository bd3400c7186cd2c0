// Values that a JSON schema (2020-12, as OpenAPI 3.1 has it) allows, and now and then one that it does not.
import fc, { type Arbitrary } from "fast-check";

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly maxLength?: number;
  readonly maxItems?: number;
}

export interface SchemaWorld {
  readonly schemas: Readonly<Record<string, Schema>>;
  /** Words that mean something here: identities, moments, keys. */
  readonly words: readonly string[];
  /** What is known of a property or parameter by its name. */
  readonly known: Readonly<Record<string, readonly unknown[]>>;
  /** Of so many values one is anything at all. */
  readonly oddOneIn: number;
}

const DEPTH_MAX = 8;
const ITEMS_MAX = 3;
const ODD: Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    "",
    " ",
    "__proto__",
    "constructor",
    "../../etc/passwd",
    "%00",
    "\u0000",
    "💧",
    "x".repeat(5_000),
  ),
  fc.constantFrom<unknown>(-1, 0, 1e308, -1e308, 2 ** 53, 0.1, "1", "NaN", [], {}, [[]], true, "0x10", "1e3"),
  fc.jsonValue({ maxDepth: 2 }),
);

function textOf({ pattern, maxLength = 60 }: Schema, { words }: SchemaWorld): Arbitrary<unknown> {
  const form = pattern === undefined ? undefined : new RegExp(pattern, "u");
  const fitting = words.filter((word) => word.length <= maxLength && (form?.test(word) ?? true));
  if (form === undefined)
    return fc.oneof(fc.constantFrom("a", ...fitting), fc.string({ maxLength: Math.min(60, maxLength) }));
  const made = fc.stringMatching(form, { maxLength: Math.min(60, maxLength) });
  return fitting.length === 0
    ? made
    : fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...fitting) }, { weight: 1, arbitrary: made });
}

function objectOf(schema: Schema, world: SchemaWorld, depth: number): Arbitrary<unknown> {
  const { properties = {}, required = [], patternProperties = {} } = schema;
  const parts = Object.fromEntries(
    Object.entries(properties).map(([name, one]) => [name, namedFor(name, one, world, depth + 1)]),
  );
  const whole = fc.record(parts, { requiredKeys: [...required].filter((name) => name in parts) });
  const more = Object.values(patternProperties)[0];
  if (more === undefined) return whole;
  const names = fc.constantFrom(...world.words);
  return fc
    .tuple(whole, fc.dictionary(names, anyFor(more, world, depth + 1), { maxKeys: 2 }))
    .map(([a, b]) => ({ ...b, ...a }));
}

function rightOf(schema: Schema, world: SchemaWorld, depth: number): Arbitrary<unknown> {
  if (schema.$ref !== undefined) return anyFor(world.schemas[schema.$ref.split("/").at(-1) ?? ""] ?? {}, world, depth);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map((one) => anyFor(one, world, depth + 1)));
  if (schema.allOf !== undefined) {
    const parts = schema.allOf.map((one) => anyFor(one, world, depth + 1));
    return fc.tuple(...parts).map((all) => Object.assign({}, ...all) as unknown);
  }
  const { exclusiveMinimum = -1_000, minimum = exclusiveMinimum, maximum = 1_000_000 } = schema;
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case "object":
      return objectOf(schema, world, depth);
    case "array":
      return fc.array(anyFor(schema.items ?? {}, world, depth + 1), {
        maxLength: Math.min(ITEMS_MAX, schema.maxItems ?? ITEMS_MAX),
      });
    case "integer":
      return fc.integer({ min: Math.max(minimum, -(2 ** 31)), max: Math.min(maximum, 2 ** 31 - 1) });
    case "number":
      return fc.oneof(fc.double({ min: minimum, max: maximum, noNaN: true }), fc.constantFrom(minimum, maximum));
    case "boolean":
      return fc.boolean();
    case "string":
      return textOf(schema, world);
    case "null":
      return fc.constant(null);
    default:
      return ODD;
  }
}

/** A value for this schema. */
export function anyFor(schema: Schema, world: SchemaWorld, depth = 0): Arbitrary<unknown> {
  if (depth > DEPTH_MAX) return ODD;
  const right = rightOf(schema, world, depth);
  return fc.oneof({ weight: world.oddOneIn - 1, arbitrary: right }, { weight: 1, arbitrary: ODD });
}

/** The same for a property or a parameter of this name: mostly one that is there. */
export function namedFor(name: string, schema: Schema, world: SchemaWorld, depth = 0): Arbitrary<unknown> {
  const any = anyFor(schema, world, depth);
  const known = Object.hasOwn(world.known, name) ? (world.known[name] ?? []) : [];
  return known.length === 0
    ? any
    : fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: any });
}
