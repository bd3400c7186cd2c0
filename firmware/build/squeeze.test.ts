import { describe, expect, test } from "vitest";
import { squeeze } from "./squeeze.ts";

const OUTSIDE = ["say", "length", "min", "on"];

describe("the shortest form", () => {
  test("names of the board are never hidden", async () => {
    const many = Array.from({ length: 90 }, (_, i) => `var name${i}=[${i}];`).join("");
    const uses = Array.from({ length: 90 }, (_, i) => `say(name${i},name${i});`).join("");
    const code = await squeeze(`${many}global.f=function(){${uses}}`, OUTSIDE);
    const declared = [...code.matchAll(/(?:var |,)([\w$]+)=\[/g)].map((one) => one[1]);
    expect(declared).toHaveLength(90);
    for (const name of ["E", "g", "D1", "A1", "Q"]) expect(declared).not.toContain(name);
  });

  test("what is quoted keeps its name", async () => {
    const code = await squeeze('var o={};o["word"]=say(1);o.other=say(2);say(o);say(o.other)', OUTSIDE);
    expect(code).toContain("word");
    expect(code).not.toContain("other");
  });

  test("a variable is declared before it is set", async () => {
    const code = await squeeze(
      "function f(a,b){var c=say(a);say(c+b);return c-b}function g(x){return say(f(x,say(x)))}global.g=g;global.h=x=>say(g(x)+1)",
      OUTSIDE,
    );
    expect(code).not.toMatch(/return[^;{}]*;var/);
  });

  test("a part of the engine that is called often has a short name, but not a method", async () => {
    const calls = "say(Math.min(1,say(2)));E.on(say(1),say);".repeat(12);
    const code = await squeeze(calls, OUTSIDE);
    expect(code.match(/Math\.min/g)).toHaveLength(1);
    expect(code.match(/E\.on/g)).toHaveLength(12);
  });

  test("functions that are the same become one", async () => {
    const body = "{for(var i=0;i<BYTES.length;i++)say(BYTES[i]);return i}";
    const code = await squeeze(
      `function one(BYTES)${body}function two(BYTES)${body}global.a=x=>one(x)+one(x+1);global.b=x=>two(x)+two(x+1)`,
      OUTSIDE,
    );
    expect(code.match(/for\(/g)).toHaveLength(1);
  });

  test("a guest at its root keeps its names and gets none", async () => {
    const code = await squeeze('global["x"]=(()=>{function long(a){say(a.key,a.key)}return long})()', undefined);
    expect(code).toMatch(/\.key/);
    expect(code).not.toMatch(/(^|;)var /);
  });
});
