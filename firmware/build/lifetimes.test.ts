import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { lifetimesOf, overlap } from "./lifetimes.ts";
import { indexOf, openTree } from "./tree.ts";
import { shortenVariables } from "./variables.ts";

/** Whether two variables of the root may have one name. */
function canShare(code: string, one: string, other: string): boolean {
  const ast = openTree(code);
  const lives = lifetimesOf(ast, indexOf(ast));
  const [a, b] = [one, other].map((name) => [...lives].find(([binding]) => binding.name === name)?.[1]);
  if (a === undefined || b === undefined) throw new Error("no such variable");
  return !overlap(a, b);
}

function said(code: string): unknown[] {
  const words: unknown[] = [];
  const later: (() => void)[] = [];
  runInNewContext(code, {
    say: (word: unknown) => void words.push(word),
    later: (run: () => void) => void later.push(run),
  });
  for (const run of later) run();
  return words;
}

const APART: readonly (readonly [string, string])[] = [
  ["one is used up before the other is set", "var a = say(1); say(a + a); var b = say(2); later(() => say(b));"],
  ["one is used up by the other's value", "var a = [1]; var b = a.concat(a); later(() => say(b[0]));"],
  [
    "a function is called before, and never again",
    "function a(x) { return x + 1; } say(a(1)); var b = a(2); later(() => say(b));",
  ],
  [
    "only such a function asks for it",
    "var a = 4; function f(x) { return x + a; } say(f(1)); say(f(2)); var b = 3; later(() => say(b));",
  ],
  [
    "functions ask for it that run later",
    "var a = 1; say(a); say(a); function f() { say(b); } var b = 2; f(); later(f);",
  ],
];

const TOGETHER: readonly (readonly [string, string])[] = [
  ["a callback asks for it", "var a = say(1); later(() => say(a)); var b = 2; say(b); later(() => say(b));"],
  [
    "a function that leaves asks for it",
    "var a = 1; function f() { say(a); } later(f); var b = 2; later(() => say(b));",
  ],
  [
    "a function within asks for it",
    "var a = 1; function f() { return () => say(a); } later(f()); var b = 2; later(() => say(b));",
  ],
  [
    "functions that call each other ask for it",
    "var a = 1; function f(n) { return n ? g(n - 1) : a; } function g(n) { return n ? f(n - 1) : a; } var b = 2; say(f(3)); say(b); say(g(2));",
  ],
  ["the other is set before it is declared", "var a = 1; function f() { b = 3; } f(); say(a); var b; say(b);"],
  [
    "the other is touched before it is declared",
    "var a = 1; function f() { return b; } say(f()); say(a); var b = 2; say(f());",
  ],
  ["the other is declared in a branch", "var a = 1; say(a); if (a) { var b = 2; } say(b);"],
  ["it is used after that", "var a = 1; var b = 2; say(a); say(b);"],
];

describe("two variables of the root", () => {
  test.each(APART)("can have one name where %s", (_, code) => expect(canShare(code, "a", "b")).toBe(true));
  test.each(TOGETHER)("have two names where %s", (_, code) => expect(canShare(code, "a", "b")).toBe(false));

  test.each([...APART, ...TOGETHER])("do the same under their short names: %s", (_, code) => {
    expect(said(shortenVariables(code, []))).toEqual(said(code));
  });

  test("what only the beginning needs leaves its name", () => {
    const short = shortenVariables("var long = say(1); say(long); var other = say(2); later(() => say(other));", []);
    expect(short).toMatch(/^var (\w)=say\(1\);say\(\1\);var \1=say\(2\)/);
  });

  test("a guest at its root shares no name there", () => {
    const short = shortenVariables(
      "var long = say(1); say(long); var other = say(2); later(() => say(other));",
      [],
      true,
    );
    expect(new Set([...short.matchAll(/var (\w+)/g)].map((one) => one[1])).size).toBe(2);
  });
});
