import { expect, test } from "vitest";
import { describeOffence, findOffences } from "./subset.ts";

test.each([
  ["a captured for-let", "for (let i = 0; i < 3; i++) { later(() => i); }", "captures the loop variable i"],
  ["a captured for-of", "for (const x of list) { later(function () { return x; }); }", "captures the loop variable x"],
  ["an optional in a regular expression", "const r = /ab?c/;", "silently never matches"],
  ["a counted regular expression", "const r = /a{2}/;", "silently never matches"],
  ["a group without capture", "const r = /(?:ab)/;", "silently never matches"],
  ["a word boundary", "const r = /\\bab/;", "silently never matches"],
  ["a multiline flag", "const r = /ab/m;", "silently never matches"],
  ["a Map", "const m = new Map();", "Map (not there)"],
  ["a Symbol", "const s = Symbol();", "Symbol (not there)"],
  ["Number.isInteger", "Number.isInteger(1);", "Number.isInteger (not there)"],
  ["Array.from", "Array.from(list);", "Array.from (not there)"],
  ["Math.trunc", "Math.trunc(1);", "Math.trunc (not there)"],
  ["flat", "list.flat();", ".flat (not there)"],
  ["setting a length", "list.length = 0;", "setting length"],
  ["extending Error", "class E2 extends Error {}", "extends Error"],
  ["a class field", "class A { b = []; }", "a class field"],
  ["async", "async function f() {}", "async"],
  ["a generator", "function* f() {}", "a generator"],
  ["a label", "a: for (;;) { break a; }", "a label"],
  ["a tagged template", "tag`x`;", "a tagged template"],
  ["a BigInt", "const a = 1n;", "a BigInt"],
  ["a case after default", "switch (a) { default: b(); case 1: c(); }", "a case after default"],
  ["split with a limit", "text.split(',', 2);", "split with a limit"],
  ["JSON with a reviver", "JSON.parse(text, f);", "JSON.parse with a second argument"],
  ["instanceof String", "a instanceof String;", "instanceof String"],
])("%s fails the build, with its line and what to write instead", (_, code, what) => {
  const offences = findOffences(`\n${code}`, "x.ts");
  expect(offences.map((one) => one.what).join("; ")).toContain(what);
  expect(describeOffence(offences[0] as (typeof offences)[number])).toMatch(/^x\.ts:2: .* Write .+ instead\.$/);
});

test.each([
  ["a constant within the body", "for (let i = 0; i < 3; i++) { const j = i; later(() => j); }"],
  ["a plain regular expression", "const r = /^[a-z]+(x|y)*$/i;"],
  ["a property called Map", "const a = { Map: 1 }; a.Map;"],
  ["a type called Map", "type A = Map<string, number>; const a = 1;"],
])("%s passes", (_, code) => expect(findOffences(code, "x.ts")).toEqual([]));
