import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { flatten } from "./flatten.ts";
import { squeeze } from "./squeeze.ts";

/** What a program says, in order. */
function said(code: string): unknown[] {
  const words: unknown[] = [];
  runInNewContext(code, {
    say: (word: unknown) => void words.push(word),
    E: { half: 0.5, CRC32: (x: number) => x * 2 },
  });
  return JSON.parse(JSON.stringify(words)) as unknown[];
}

const PROGRAMS: readonly (readonly [string, string])[] = [
  [
    "options of a function with one call",
    `function open(o) { var n = o.from; return { next: () => n += o.step, at: () => n }; }
     var counter = open({ from: 4, step: 3, unused: 1 }); counter.next(); counter.next(); say(counter.at());`,
  ],
  [
    "a function that is given nothing and a variable",
    "var n = say(1) || 7; function tell(x) { say(x === undefined ? 0 : x); } tell(undefined); tell(n);",
  ],
  ["an option that is missing", "function open(o) { say(o.a); say(o.b); } open({ a: 1 });"],
  [
    "options in the order in which they are made",
    `function one(x) { say(x); return x; } function take(o) { if (o.b > 9) return; say(o.b - o.a); }
     take({ b: one(5), a: one(2) });`,
  ],
  [
    "an option that does something and is not used",
    "function one(x) { say(x); return x; } function take(o) { if (o.a > 9) return; say(o.a); } take({ a: one(1), b: one(2) });",
  ],
  ["an object that leaves", "function open(o) { say(o); say(o.a); } open({ a: 1, b: 2 });"],
  [
    "an object whose keys are counted",
    "var o = { a: 1, b: 2 }; for (var k in o) say(k); say('a' in o); say(o[['b'][0]]);",
  ],
  [
    "an object that is changed",
    "function make() { var o = { a: 1 }; return { up: () => { o.a = o.a + 1; }, get: () => o.a }; } var m = make(); m.up(); say(m.get());",
  ],
  ["a method that asks for this", "var o = { a: 2, f: function () { return this.a; } }; say(o.f());"],
  [
    "a factory with two calls",
    "function make(n) { var at = n; return { up: () => ++at }; } var a = make(1), b = make(5); a.up(); say(a.up()); say(b.up());",
  ],
  [
    "a factory called by a function with two calls",
    "function inner() { var n = 0; return { up: () => ++n }; } function outer() { var i = inner(); return i.up; } var f = outer(), g = outer(); f(); say(f()); say(g());",
  ],
  [
    "a function called in a loop",
    "function f(n) { var x; if (n > 1) x = n; say(x); var g = () => x; return g; } for (var i = 0; i < 3; i++) { f(i); }",
  ],
  [
    "a guard at the head",
    "function main(x) { if (x === undefined) return; var y = x + 1; function tell() { say(y); } tell(); } main(undefined); say(1);",
  ],
  [
    "a guard that lets pass",
    "function main(x) { var z = x * 2; if (z > 9) return; function tell() { say(y); } var y = z + 1; tell(); } main(say(2) || 3);",
  ],
  [
    "a late object",
    `var device; function changed() { var now = device; if (now !== undefined) now.tell(3); else say("none"); }
     function create(o) { return { tell: (x) => say(x + o.plus), start: () => changed() }; }
     changed(); var made = create({ plus: 4 }); made.start(); device = made; changed();`,
  ],
  [
    "a value that changes between the call and its use",
    "var n = 1; function set(x) { n = x; return x; } function f(a, b) { return a - b; } say(f(n, set(5))); function g(a) { n = 9; return a; } say(g(n));",
  ],
  [
    "names that are the same in different scopes",
    "function a(x) { var y = x + 1; return b(y) + y; } function b(x) { var y = x * 2; return y; } say(a(1)); say(a(2)); var y = 7; say(y);",
  ],
  ["what a program changes of the engine", "var half = E.half; E.half = 3; say(half); say(E.half); say(E.CRC32(2));"],
  [
    "flags that nobody sets",
    "var is = false; function off() { is = false; } function f(x) { if (is && x) say(1); else say(2); } off(); f(1); f(0);",
  ],
  [
    "parameters that are always the same",
    "function log(out, x) { out(x); } function go() { log(say, 1); log(say, 2); } go(); go();",
  ],
  [
    "a parameter that is set",
    "function down(n, by) { while (n > 0) n -= by; return n; } say(down(7, 2)); say(down(7, 2));",
  ],
];

describe.each(PROGRAMS)("%s", (_, code) => {
  test("is the same taken apart", () => expect(said(flatten(code))).toEqual(said(code)));

  test("is the same in the shortest form", async () => {
    expect(said(await squeeze(code, ["CRC32", "half", "say"]))).toEqual(said(code));
  });
});

describe("taken apart", () => {
  test("options and results of a factory leave no object", () => {
    const code = flatten(`function open(o) { var n = o.from; return { next: () => n += o.step, at: () => n }; }
      var c = open({ from: say(4), step: 3 }); c.next(); c.next(); say(c.at());`);
    expect(code).not.toMatch(/[{,](from|step|next|at):|\.(from|step|next|at)\b/);
  });

  test("what an object would keep for one function more is passed to it", () => {
    const code = flatten(
      "function f(o) { if (o.a) return 1; return o.b; } say(f({ a: say(0), b: 2 })); say(f({ a: say(1), b: 3 }));",
    );
    expect(code).not.toMatch(/\.a|\.b/);
  });

  test("functions come before what calls them", () => {
    const code = flatten("function f() { var n = 0; function g() { n++; say(n); } g(); g(); } f();");
    expect(code.indexOf("function g")).toBeLessThan(code.indexOf("g();"));
  });
});
