import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { shortenLoops } from "./loops.ts";
import { openTree, print } from "./tree.ts";

function shortened(code: string): string {
  const ast = openTree(code);
  shortenLoops(ast, new Set());
  return print(ast);
}

function said(code: string): unknown[] {
  const words: unknown[] = [];
  runInNewContext(code, { say: (word: unknown) => void words.push(word) });
  return JSON.parse(JSON.stringify(words)) as unknown[];
}

const ROW = "var row = [3, 1].concat([4]); var codes = new Uint8Array(row.length);";

const SHORTENED: readonly (readonly [string, string, string])[] = [
  ["only elements are asked for", `${ROW} for (var i = 0; i < row.length; i++) say(row[i] & 3);`, " of "],
  [
    "the first thing is to name the element",
    `${ROW} for (var i = 0; i < row.length; i++) { var one = row[i]; if (one < 2) continue; say(one + one); }`,
    " of ",
  ],
  [
    "the counter is a key",
    `${ROW} for (var i = 0; i < row.length; i++) codes[i] = row[i]; say([].slice.call(codes));`,
    " in ",
  ],
  [
    "the counter is a number too",
    `${ROW} for (var i = 0; i < row.length; i++) { codes[i] = i + row[i]; say(i); say(i ? 1 : 2); say(2 * i); say(\`\${i}\`); }`,
    " in ",
  ],
  [
    "a list becomes longer by lists that stay as they are",
    "var row = [1]; var more = [2, 3]; if (more.length) row = row.concat(more); var all = row; for (var i = 0; i < all.length; i++) say(all[i]);",
    " of ",
  ],
  [
    "a function gets such a list in every call",
    `${ROW} function f(list) { for (var i = 0; i < list.length; i++) say(list[i]); } f(row); f(row);`,
    " of ",
  ],
  [
    "a typed list is filled",
    "var text = 'abc'; var out = new Uint8Array(text.length); for (var i = 0; i < out.length; i++) out[i] = text.charCodeAt(i); say(out[2]);",
    " in ",
  ],
];

const KEPT: readonly (readonly [string, string])[] = [
  [
    "the list grows",
    "var list = [1]; for (var i = 0; i < list.length; i++) { say(list[i]); if (i < 3) list.push(i); }",
  ],
  [
    "an element goes",
    "var list = [1, 2, 3]; for (var i = 0; i < list.length; i++) { say(list[i]); list.splice(i, 1); }",
  ],
  ["an element is set", "var list = [1, 2]; for (var i = 0; i < list.length; i++) { list[i] = 5; say(list[i]); }"],
  ["the list has holes", "var list = [1, , 3]; for (var i = 0; i < list.length; i++) say(i);"],
  ["the list leaves", "var list = [1, 2]; say(list); for (var i = 0; i < list.length; i++) say(list[i]);"],
  ["the list is a text", "var list = 'ab'; for (var i = 0; i < list.length; i++) say(list[i]);"],
  [
    "the variable gets another list",
    "var list = [1, 2]; for (var i = 0; i < list.length; i++) { say(list[i]); if (i < 1) list = [3]; }",
  ],
  [
    "the counter is asked for afterwards",
    "var list = [1, 2]; for (var i = 0; i < list.length; i++) say(list[i]); say(i);",
  ],
  ["the counter is set", "var list = [1, 2, 3]; for (var i = 0; i < list.length; i++) { say(list[i]); i++; }"],
  ["it begins later", "var list = [1, 2, 3]; for (var i = 1; i < list.length; i++) say(list[i]);"],
  [
    "a function keeps the counter",
    "var list = [1, 2], all = []; for (var i = 0; i < list.length; i++) { all.push(() => i); say(list[i]); } say(all[0]());",
  ],
  [
    "one call gives a list that changes",
    "var still = [1], open = [2]; function f(list) { for (var i = 0; i < list.length; i++) { say(list[i]); if (i < 2) open.push(i); } } f(still); f(open);",
  ],
];

describe("a loop over a list", () => {
  test.each(SHORTENED)("is short where %s", (_, code, word) => {
    const short = shortened(code);
    expect(short).toContain(word);
    expect(short).not.toMatch(/\.length;/);
    expect(said(short)).toEqual(said(code));
  });

  test.each(KEPT)("stays as it is where %s", (_, code) => {
    const short = shortened(code);
    expect(short).not.toMatch(/for\(var \w+ (of|in)/);
    expect(said(short)).toEqual(said(code));
  });
});
