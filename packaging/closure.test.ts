import { expect, test } from "vitest";
import { closureOf, placesOf, plainOf } from "./closure.ts";

const TREE: Record<string, string> = {
  "a/main.ts": 'import { x } from "./x.ts";\nimport "../b/side.ts";\nimport type { T } from "@scope/pack/sub.js";',
  "a/x.ts": 'export {\n  y,\n} from "./deep/y.ts";\nimport { readFileSync } from "node:fs";',
  "a/deep/y.ts": 'const worker = new URL("../worker.ts", import.meta.url);',
  "a/worker.ts": 'const late = await import("plain");',
  "b/side.ts": "",
  "b/unused.ts": 'import "never";',
};

test("follows imports, side effects, late imports and workers, and nothing else", () => {
  expect(closureOf(["a/main.ts"], (path) => TREE[path] as string)).toEqual({
    files: ["a/deep/y.ts", "a/main.ts", "a/worker.ts", "a/x.ts", "b/side.ts"],
    packages: ["@scope/pack", "plain"],
  });
});

test("what is installed is plain, line for line, and finds its own files", () => {
  const text = [
    'import type { T } from "./types.ts";',
    'import { x, type Y } from "./x.ts";',
    'import data from "./data.json" with { type: "json" };',
    "export const y: Y = x as T;",
    'export const late = async (): Promise<unknown> => import("../late.ts");',
    'export const worker = new URL("./worker.ts", import.meta.url);',
    'export const said = "main.ts";',
  ].join("\n");
  const plain = plainOf(text).split("\n");
  expect(plain[0]?.trim()).toBe("");
  expect(plain.slice(1).map((line) => line.replace(/\s+/g, " "))).toEqual([
    'import { x, } from "./x.js";',
    'import data from "./data.json" with { type: "json" };',
    "export const y = x ;",
    'export const late = async () => import("../late.js");',
    'export const worker = new URL("./worker.js", import.meta.url);',
    'export const said = "main.ts";',
  ]);
});

test("takes what packages depend on, the nearest one of several, and optional ones only where they are", () => {
  const locked = {
    "node_modules/a": { dependencies: { b: "1" }, optionalDependencies: { gone: "1" } },
    "node_modules/b": {},
    "node_modules/a/node_modules/b": { dependencies: { c: "1" } },
    "node_modules/c": { peerDependencies: { a: "1" } },
    "node_modules/unused": {},
  };
  expect(placesOf(["a"], locked)).toEqual(["node_modules/a", "node_modules/a/node_modules/b", "node_modules/c"]);
});

test("a package that is needed and not there is an error", () => {
  expect(() => placesOf(["a"], { "node_modules/a": { dependencies: { b: "1" } } })).toThrow(
    "b is not in the lock file",
  );
});
