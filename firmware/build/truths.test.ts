import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { openTree, print } from "./tree.ts";
import { shortenTruths } from "./truths.ts";
import { shortenVariables } from "./variables.ts";

function shortened(code: string): string {
  const ast = openTree(code);
  shortenTruths(ast);
  return print(ast);
}

function said(code: string): unknown[] {
  const words: unknown[] = [];
  runInNewContext(code, { say: (word: unknown) => void words.push(String(word)) });
  return words;
}

const SHORTENED: readonly (readonly [string, string, string])[] = [
  [
    "a flag that begins down",
    "var up = !1; function f() { if (up) say(1); else say(2); up = !0; } f(); f();",
    "var up;",
  ],
  [
    "what goes to such a flag",
    "var up = !1; function f(x) { up = (x & 4) > 0; } f(7); if (up) say(1); f(3); say(up ? 1 : 2);",
    "up=x&4",
  ],
  [
    "what goes to such a parameter",
    "function f(is) { say(is ? 1 : 2); } f((6 & say.length) > 0); f((1 & 3) > 0);",
    "f(1&3)",
  ],
  [
    "a result",
    "function f(x) { if (x > 1) { return !1; } say(x); return !0; } if (f(1)) say(8); if (!f(2)) say(9);",
    "return;",
  ],
  [
    "the last result",
    "function f(x) { if (x > 1) return !0; say(x); return !1; } if (f(1) || f(3)) say(8);",
    "say(x);}",
  ],
  [
    "a result that is handed on",
    "var f = x => !!x, g = x => f(x) && x; if (g(say.length)) say(2); if (!g(0)) say(3);",
    "x=>x",
  ],
];

const KEPT: readonly (readonly [string, string])[] = [
  ["a flag that is told", "var up = !1; function f() { say(up); up = !0; } f(); f();"],
  ["a flag that is compared", "var up = !1; if (up === false) say(1);"],
  ["a flag that is counted with", "var up = !1; function f() { return 1 + up; } say(f()); up = !0; say(f());"],
  ["a flag whose setting is told", "var up = !1; say(up = !1); if (up) say(1);"],
  ["a flag that leaves with another", "var up = !1, other; other = up; say(other); if (up) say(1);"],
  [
    "a result that is told",
    "function f(x) { if (x > 1) return !1; return !0; } say(f(1)); say(f(2)); if (f(1)) say(3);",
  ],
  [
    "a result of a function that leaves",
    "function f(x) { if (x > 1) return !1; return !0; } say([1, 2].map(f)); if (f(1)) say(3);",
  ],
  ["a result that is one of two", "function f(x) { return x > 1; } say(f(2) && 5); say(f(1) && 5); say(!!f(1));"],
  ["a mask that can be less than nothing", "function f(x) { return (x & -8) > 0; } if (f(-9)) say(1); else say(2);"],
  [
    "a flag within a function",
    "function f(x) { for (var i = 0; i < 2; i++) { var up = !1; if (up) say(i); up = !0; } } f(1);",
  ],
];

describe("where only the truth is asked for", () => {
  test.each(SHORTENED)("%s is shorter", (_, code, part) => {
    const short = shortened(code);
    expect(short).toContain(part);
    expect(said(short)).toEqual(said(code));
  });

  test.each(KEPT)("%s stays", (_, code) => {
    const short = shortened(code);
    expect(short).toBe(print(openTree(code)));
    expect(said(short)).toEqual(said(code));
  });
});

test("an arrow without parameters gets one that hides nothing", () => {
  const code = "var n = 3; global = { f: () => n, g: () => () => n + 1 }; say(global.f(7)); say(global.g(7)(8));";
  const short = shortenVariables(code, []);
  expect(short).not.toContain("()=>");
  expect(said(short)).toEqual(["3", "4"]);
});
