import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { shortenVariables } from "./variables.ts";

function said(code: string): unknown[] {
  const words: unknown[] = [];
  runInNewContext(code, { say: (...all: unknown[]) => void words.push(all) });
  return words;
}

const later = "var f=0;function later(ms,run){say(ms,run);return ms+run}";

describe("what stands in many places", () => {
  const CASES: readonly (readonly [string, string, string, number])[] = [
    ["a long number", Array.from({ length: 6 }, (_, i) => `say(65535&${i});`).join(""), "65535", 1],
    ["one that is no more than its name", Array.from({ length: 20 }, () => "say(12);").join(""), "12", 20],
    ["a long key stays", `say(${Array.from({ length: 6 }, (_, i) => `{65535:${i}}`)});`, "65535", 6],
    ["the first argument", `${later}${Array.from({ length: 9 }, (_, i) => `say(later(7,${i}));`).join("")}`, "(7,", 1],
    ["too few of them", `${later}${Array.from({ length: 4 }, (_, i) => `say(later(7,${i}));`).join("")}`, "(7,", 4],
    ["more arguments stay", `${later}${Array.from({ length: 9 }, () => "later(7,1,2);").join("")}`, "(7,", 9],
  ];
  test.each(CASES)("%s", (_, code, text, count) => {
    const short = shortenVariables(code, []);
    expect(short.split(text).length - 1).toBe(count);
    expect(said(short)).toEqual(said(code));
  });

  test("a number that stands first is named once, whatever else is called with it", () => {
    const code = `${later}${Array.from({ length: 9 }, (_, i) => `later(1,${i});later(f++,1);`).join("")}later(1);`;
    expect(said(shortenVariables(code, []))).toEqual(said(code));
  });
});
