import vm from "node:vm";
import { describe, expect, test } from "vitest";
import { outsideNames, shortenProperties } from "./names.ts";

/** What a program leaves in `result`. */
function run(code: string, globals: Record<string, unknown> = {}): unknown {
  const context = { result: undefined as unknown, ...globals };
  vm.runInNewContext(code, context);
  return context.result;
}

describe("own properties", () => {
  test("get short names, the most frequent the shortest, and the program does the same", () => {
    const code = `const state = { rarely: 1, often: 2 };
      class Counter { constructor() { this.often = state.often; } twice() { return this.often * 2 + state.rarely; } }
      result = new Counter().twice();`;
    const short = shortenProperties(code, []);
    expect(run(short)).toBe(run(code));
    expect(short).not.toMatch(/often|rarely|twice/);
    expect(short).toContain("state.a");
  });

  test("a shorthand keeps the variable that it stands for", () => {
    const code = "function make(level) { return { level }; } result = make(7).level;";
    const short = shortenProperties(code, []);
    expect(run(short)).toBe(7);
    expect(short).toMatch(/a: level/);
  });

  test("the same program always gets the same names", () => {
    const code = "result = { one: 1, two: 2, three: 3 }; result.two = result.one;";
    expect(shortenProperties(code, [])).toBe(shortenProperties(code, []));
  });

  test("a short name is never one that is there already, nor a word of the language", () => {
    const names = Array.from({ length: 2000 }, (_, i) => `name${i}`);
    const code = `const b = "b", o = { ${names.map((name, i) => `${name}: ${i}`).join(",")} };
      o[b] = "mine"; result = [${names.map((name) => `o.${name}`).join(",")}].join() + o["do"] + o.b;`;
    const short = shortenProperties(code, ["zz"]);
    expect(run(short)).toBe(`${names.map((_, i) => i).join()}undefinedmine`);
    expect(short).not.toMatch(/o\.(do|if|in|of|as|zz)\b/);
  });
});

describe("kept are", () => {
  test("names of the standard library", () => {
    const code = 'const given = [3, 1, 2]; result = given.slice(1).concat(given.length).join("/");';
    expect(run(shortenProperties(code, []))).toBe("1/2/3");
  });

  test("names that stand anywhere as text: a key may come from it", () => {
    const code =
      'const field = "fuelLevelPct"; const part = { fuelLevelPct: 5 }; result = part[field] + part.fuelLevelPct;';
    expect(run(shortenProperties(code, []))).toBe(10);
    const template = "const key = `level`; const part = { level: 5 }; result = part[key];";
    expect(run(shortenProperties(template, []))).toBe(5);
    const quoted = 'const part = { "odd": 1, even: 2 }; result = part.odd + part["odd"];';
    expect(run(shortenProperties(quoted, []))).toBe(2);
  });

  test("names from outside", () => {
    const code = "result = E.kickWatchdog() + JSON.parse(text).deviceId;";
    const globals = { E: { kickWatchdog: () => "kicked " }, text: '{"deviceId":"a"}' };
    expect(run(shortenProperties(code, ["kickWatchdog", "deviceId"]), globals)).toBe("kicked a");
  });

  test("what a file declares of the board, and what stands in its JSON", () => {
    const source = `declare const process: { memory(): { free: number } };
      declare function open(o: { path: string }): { close(): void };
      /** The settings.
       * @json */
      export interface Settings { readonly wifi: { readonly ssid: string }; readonly [other: string]: unknown }
      interface Own { mine: number }`;
    expect(outsideNames(source, "x.ts").sort()).toEqual(["close", "free", "memory", "path", "ssid", "wifi"]);
    expect(outsideNames(source, "x.d.ts")).toContain("mine");
  });
});

test.each([
  ["a template", "`name${i}`"],
  ["a sum", '"name" + i'],
])("a key made of parts by %s fails the build", (_, key) => {
  expect(() => shortenProperties(`const o = {}; let i = 1; result = o[${key}];`, [])).toThrow("made of parts");
});
