import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { flatten } from "./flatten.ts";

function said(code: string): unknown[] {
  const words: unknown[] = [];
  runInNewContext(code, { say: (word: unknown) => void words.push(word) });
  return JSON.parse(JSON.stringify(words)) as unknown[];
}

/** Each calls `f` from one place, in a function that has no functions of its own. */
const GONE: readonly (readonly [string, string])[] = [
  [
    "in a branch",
    "function f(x) { var y = x + 1; say(y); say(y); } function main(x) { if (x) f(x); else say(0); say(x); } main(1); main(0);",
  ],
  [
    "in the middle of a chain of branches",
    "function f(x) { var y = x; say(y + y); } function main(x) { if (x > 2) say(2); else if (x > 1) f(x); else say(0); } main(3); main(2); main(0);",
  ],
  [
    "that returns from amidst, for a variable",
    "function f(x) { if (x > 1) return 5; say(x); return x + 1; } function main(x) { var y = f(x); say(y); say(y); } main(1); main(2);",
  ],
  [
    "that returns from amidst, for what is there already",
    "function f(x) { if (x > 2) { say(7); return x; } else if (x > 1) { say(8); } say(x); return 1; } function main(x) { var y = 4; y = f(x); say(y); } main(1); main(2); main(3);",
  ],
  [
    "that returns nothing from amidst",
    "function f(x) { if (x > 1) { say(3); return; } say(x); say(x); } function main(x) { say(0); f(x); say(9); } main(1); main(2);",
  ],
  [
    "of whose ways one has no value",
    "function f(x) { if (x > 1) return say(2); say(x); } function main(x) { var y = f(x); say(y === undefined); say(y); } main(1); main(2);",
  ],
  [
    "ahead of a question",
    "function f(x) { say(x); return x > 1; } function main(x) { if (!f(x)) return; say(9); } main(1); main(2);",
  ],
  [
    "ahead of what else its statement does",
    "function f(x) { say(x); return x; } function main(x) { var r = f(x) + x; say(r); say(r); } main(1); main(2);",
  ],
  [
    "of which only the way that returns does something",
    "function f(x) { if (x > 1) return; say(x); } function main(x) { f(x); say(5); } main(1); main(2);",
  ],
];

const KEPT: readonly (readonly [string, string])[] = [
  [
    "after something else",
    "var n = 1; function f() { n = 5; return n; } function main() { var r = n + f(); say(r); say(r); } main(); main();",
  ],
  [
    "in one branch of an expression",
    "function f(x) { say(x); return 1; } function main(x) { var r = x && f(x); say(r); } main(0); main(2);",
  ],
  [
    "that returns from a loop",
    "function f(x) { while (true) { if (x > 3) return x; x++; } } function main(x) { var y = f(x); say(y); say(y); } main(1); main(4);",
  ],
  [
    "whose ways meet again",
    "function f(x) { if (x > 1) { if (x > 2) return 7; say(1); } say(x); return 3; } function main(x) { var y = f(x); say(y); say(y); } main(1); main(2); main(3);",
  ],
];

describe("a call from one place", () => {
  test.each(GONE)("%s goes there", (_, code) => {
    const flat = flatten(code);
    expect(flat).not.toMatch(/\bf\(/);
    expect(said(flat)).toEqual(said(code));
  });

  test.each(KEPT)("%s does the same", (_, code) => expect(said(flatten(code))).toEqual(said(code)));

  test("after something that it changes stays", () => {
    expect(flatten(KEPT[0]?.[1] as string)).toMatch(/\+f\(/);
  });
});
