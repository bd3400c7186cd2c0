// Serialisers of answers. The library's own looks through every named schema for every answer of every route, which was most of
// what the gateway took to start; here it gets the schemas that an answer names, and the same answer is made once.
import { type SerializerFactory, SerializerSelector } from "@fastify/fast-json-stringify-compiler";

type Schemas = Readonly<Record<string, unknown>>;
type Compile = ReturnType<SerializerFactory>;

/** For Fastify's `schemaController`. `named`: the schemas that were added to it, by their `$id`. */
export const buildSerializer: SerializerFactory = (named = {}, options = {}) => {
  const made = new Map<string, ReturnType<Compile>>();
  return (route) => {
    const key = JSON.stringify(route.schema);
    const known = made.get(key);
    if (known !== undefined) return known;
    const compile = SerializerSelector()(schemasBehind(route.schema, named as Schemas), options);
    const fresh = compile(route);
    made.set(key, fresh);
    return fresh;
  };
};

/** Those that `schema` names, and those that they name: by the `$id` of a whole named schema, as all references here are. */
export function schemasBehind(schema: unknown, named: Schemas): Schemas {
  const found: Record<string, unknown> = {};
  const open = [schema];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (typeof part !== "object" || part === null) continue;
    const { $ref } = part as { readonly $ref?: unknown };
    const name = typeof $ref === "string" ? ($ref.split("#")[0] as string) : "";
    if (name !== "" && named[name] !== undefined && found[name] === undefined) {
      found[name] = named[name];
      open.push(named[name]);
    }
    for (const inner of Object.values(part)) if (inner !== undefined) open.push(inner);
  }
  return found;
}
