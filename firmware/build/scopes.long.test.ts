import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { createRandom } from "../simulator/random.ts";
import { openScopes } from "./scopes.ts";
import { openTree, print } from "./tree.ts";
import { shortenVariables } from "./variables.ts";

/** What a program says, at once and later. */
function said(code: string): { words: unknown[]; globals: string[] } {
  const words: unknown[] = [];
  const later: (() => void)[] = [];
  const context: Record<string, unknown> = {
    say: (word: unknown) => void words.push(word),
    later: (run: () => void) => void later.push(run),
  };
  runInNewContext(code, context);
  for (const run of later) run();
  return { words, globals: Object.keys(context) };
}

const VALUES = ["", "=1", '="word"', "=new Uint8Array(3)", "=[7]", "={a:1}"];

/** Many functions over many variables, of which some are called while the variables are still being set. */
function programOf(seed: number): string {
  const random = createRandom(seed);
  const one = (count: number): number => Math.floor(random.next() * count);
  const lines: string[] = ["var size=3;"];
  const functions = 24 + one(16);
  const perGroup = 25;
  for (let i = 0; i < functions; i++) {
    const group = i % 3;
    const names = Array.from({ length: 3 }, () => `v${group * perGroup + one(perGroup)}`);
    const call = i > 3 && one(2) ? `f${one(i)}(x+1);` : "";
    const body = `${names[0]}=[x,${names[1]}].join();${call}return say([${names[1]},${names[2]}].join())`;
    lines.push(one(2) ? `function f${i}(x){${body}}` : `var f${i}=x=>{${body}};`);
  }
  for (let i = 0; i < 3 * perGroup; i++) {
    lines.push(`var v${i}${one(4) ? VALUES[one(VALUES.length)] : "=size+2"};`);
    if (one(40) === 0) lines.push(`f${one(functions)}(${i});`);
  }
  for (let i = 0; i < functions; i++) lines.push(`later(()=>f${i}(${one(9)}));`, `later(()=>f${i}(9));`);
  return lines.join("\n");
}

describe("functions in scopes of their own", () => {
  test.each(Array.from({ length: 40 }, (_, i) => i + 1))("say what they said at the root, of seed %i", (seed) => {
    const code = programOf(seed);
    expect(said(shortenVariables(code, [])).words).toEqual(said(code).words);
  });

  test("take their variables out of the root", () => {
    const code = programOf(3);
    const ast = openTree(code);
    expect(openScopes(ast).length).toBeGreaterThan(0);
    expect(said(print(ast)).globals.length).toBeLessThan(said(code).globals.length - 20);
  });

  test("stay at the root where few names are needed", () => {
    const ast = openTree("var a=1;function f(){say(a++)}function g(){say(a--)}f();later(g);later(f)");
    const before = print(ast);
    expect(openScopes(ast)).toEqual([]);
    expect(said(print(ast))).toEqual(said(before));
  });

  test("are left where they need a `this`, are made, or have properties", () => {
    const lines = Array.from({ length: 60 }, (_, i) => `var v${i}=${i};`);
    const all = Array.from({ length: 60 }, (_, i) => `v${i}++`).join(";");
    lines.push(`function Made(){this.a=1;${all}}function f(){${all}}f.b=2;later(()=>say(new Made().a+f.b+v3))`);
    const code = lines.join("\n");
    expect(said(shortenVariables(code, [])).words).toEqual([7]);
  });
});
