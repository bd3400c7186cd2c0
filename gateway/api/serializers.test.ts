// Answers are serialised with the schemas that they name, and nothing is left out of them.
import { SerializerSelector } from "@fastify/fast-json-stringify-compiler";
import { expect, test } from "vitest";
import { NAMED_SCHEMAS, withReferences } from "../../protocol/index.ts";
import { buildSerializer, schemasBehind } from "./serializers.ts";

const route = (schema: unknown) => ({ method: "GET", url: "/", httpStatus: "200", schema });
const NAMED = Object.fromEntries(
  NAMED_SCHEMAS.map((schema) => {
    const made = withReferences(schema, (name) => `${name}#`) as { readonly $id?: string };
    return [made.$id as string, made];
  }),
);

const TREE = {
  Tree: { $id: "Tree", type: "object", properties: { leaf: { $ref: "Leaf#" }, more: { $ref: "Forest#" } } },
  Forest: { $id: "Forest", type: "array", items: { $ref: "Tree#" } },
  Leaf: { $id: "Leaf", type: "object", properties: { name: { type: "string" } }, additionalProperties: false },
  Stone: { $id: "Stone", type: "object", properties: { tree: { $ref: "Tree#" } } },
};

test("behind a schema is what it names and what that names, also round in a circle, and nothing else", () => {
  const names = (schema: unknown) => Object.keys(schemasBehind(schema, TREE)).sort();
  expect(names({ type: "array", items: { $ref: "Tree#" } })).toEqual(["Forest", "Leaf", "Tree"]);
  expect(names({ anyOf: [{ $ref: "Leaf#/properties/name" }, { type: "null" }] })).toEqual(["Leaf"]);
  expect(names({ $ref: "#/definitions/own", definitions: { own: { $ref: "Stone" } } })).toEqual(
    Object.keys(TREE).sort(),
  );
  expect(names({ $ref: "Nothing#" })).toEqual([]);
  expect(names(undefined)).toEqual([]);
});

test("what is behind each schema of the interface is whole", () => {
  for (const schema of Object.values(NAMED)) {
    const text = JSON.stringify({ schema, behind: schemasBehind(schema, NAMED) });
    const named = new Set([...text.matchAll(/"\$ref":"(\w+)#/g)].map(([, name]) => name));
    const behind = Object.keys(schemasBehind({ allOf: [schema] }, NAMED));
    expect([...named].filter((name) => !behind.includes(name as string))).toEqual([]);
  }
});

test("answers read as those of the library's own serialiser, which is given all schemas", () => {
  const answer = { leaf: { name: "a", hidden: 1 }, more: [{ leaf: { name: "b" } }, { more: [] }], stray: true };
  const ours = buildSerializer(TREE, {});
  const theirs = SerializerSelector()(TREE, {});
  const either = { anyOf: [{ $ref: "Forest#" }, { $ref: "Tree#" }] };
  const cases: [schema: object, answer: unknown][] = [
    [{ $ref: "Tree#" }, answer],
    [{ type: "object", properties: { more: { $ref: "Forest#" } } }, answer],
    [either, { leaf: { name: "a" } }],
    [either, [{ leaf: { name: "a" } }]],
  ];
  for (const [schema, value] of cases) {
    const text = ours(route(schema))(value);
    expect(text).toBe(theirs(route(schema))(value));
    expect(text).toContain('{"name":');
    expect(text).not.toContain("hidden");
  }
});

test("the same answer is made once, another is another", () => {
  const compile = buildSerializer(NAMED, {});
  expect(compile(route({ $ref: "Problem#" }))).toBe(compile(route({ $ref: "Problem#" })));
  expect(compile(route({ $ref: "Problem#" }))).not.toBe(compile(route({ type: "array", items: { $ref: "Problem#" } })));
});
