import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bundleWith, SubsetError } from "./bundle.ts";
import { type Asked, createKeeper, type Inputs, sumOf } from "./kept.ts";

const ASKED = { entry: "firmware/boards/one.ts", keepsNames: false };
let root: string;

function put(path: string, text: string): string {
  const whole = join(root, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, text);
  return whole;
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "waakvlam-kept-"));
  put("package-lock.json", "{}");
  put("node_modules/.package-lock.json", "{}");
  put("firmware/types/espruino.d.ts", "declare const E: object;");
  put("firmware/build/pass.ts", "pass");
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function inputsOf(...paths: string[]): Inputs {
  return new Map(paths.map((path) => [path, sumOf(readFileSync(path))]));
}

/** Keeps a program of two files; gives what is found after `change`. */
function foundAfter(change: () => void): string | undefined {
  createKeeper(root).keep(ASKED, inputsOf(put(ASKED.entry, "entry"), put("protocol/part.ts", "part")), "program");
  change();
  return createKeeper(root).find(ASKED);
}

test("a program is found while all that it was made of is as it was, and only under what was asked", () => {
  const asWas = () => {
    put("protocol/other.ts", "no part of it");
    put("firmware/build/pass.test.ts", "a test makes no program");
  };
  expect(foundAfter(asWas)).toBe("program");
  expect(createKeeper(root).find({ ...ASKED, keepsNames: true })).toBeUndefined();
  expect(createKeeper(root).find({ ...ASKED, entry: "firmware/boards/two.ts" })).toBeUndefined();
});

test.each([
  ["its entry is another", () => put(ASKED.entry, "another")],
  ["a file that it imports is another", () => put("protocol/part.ts", "another")],
  ["a file that it imports is gone", () => rmSync(join(root, "protocol/part.ts"))],
  ["a pass of the builder is another", () => put("firmware/build/pass.ts", "another")],
  ["the builder has a pass more", () => put("firmware/build/deep/more.ts", "more")],
  ["a tool is to be another", () => put("package-lock.json", '{"a":1}')],
  ["a tool that is installed is another", () => put("node_modules/.package-lock.json", '{"a":1}')],
  ["nobody can tell what is installed", () => rmSync(join(root, "node_modules/.package-lock.json"))],
  ["the engine has other names", () => put("firmware/types/espruino.d.ts", "declare const F: object;")],
  ["what was kept is torn", () => damage((text) => text.slice(0, -9))],
  ["what was kept was changed", () => damage((text) => text.replace("program", "progrom"))],
])("a program is made again when %s", (_, change) => {
  expect(foundAfter(() => void change())).toBeUndefined();
});

function damage(change: (text: string) => string): void {
  const folder = join(root, ".cache/bundles");
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    writeFileSync(path, change(readFileSync(path, "utf8")));
  }
}

test("what counts is what was read, and the builder that ran: not what lies there when it is kept", () => {
  const keeper = createKeeper(root);
  const entry = put(ASKED.entry, "entry");
  const inputs = inputsOf(entry);
  expect(keeper.find(ASKED)).toBeUndefined();
  put(ASKED.entry, "saved meanwhile");
  keeper.keep(ASKED, inputs, "program");
  expect(createKeeper(root).find(ASKED)).toBeUndefined();
  put(ASKED.entry, "entry");
  expect(createKeeper(root).find(ASKED)).toBe("program");
  put("firmware/build/pass.ts", "saved meanwhile");
  keeper.keep(ASKED, inputs, "program");
  expect(createKeeper(root).find(ASKED)).toBeUndefined();
});

test("one name of a file is not that of two entries", () => {
  createKeeper(root).keep(ASKED, inputsOf(put(ASKED.entry, "entry")), "program");
  expect(createKeeper(root).find({ ...ASKED, entry: "firmware/boards+one.ts" })).toBeUndefined();
});

test("an entry from outside the project, and a folder that cannot be written, keep nothing and are no fault", () => {
  const outside = { ...ASKED, entry: join(tmpdir(), "elsewhere.ts") };
  createKeeper(root).keep(outside, inputsOf(put(ASKED.entry, "entry")), "program");
  expect(createKeeper(root).find(outside)).toBeUndefined();
  put(".cache", "a file where the folder would be");
  expect(foundAfter(() => undefined)).toBeUndefined();
});

describe("bundling", () => {
  const kept: [Asked, Inputs, string][] = [];
  const empty = { find: () => undefined, keep: (...one: (typeof kept)[number]) => void kept.push(one) };

  test("keeps what it made with every file that it read, and makes nothing that is there", async () => {
    const part = put("part.ts", "export const part: number = 3;");
    const asked = { entry: put("entry.ts", `import { part } from "${part}";\nprint(part);`), keepsNames: false };
    const { code } = await bundleWith(empty, asked);
    expect(code).toContain("print(3)");
    expect(kept.splice(0)).toEqual([[asked, inputsOf(asked.entry, part), code]]);
    const there = await bundleWith({ ...empty, find: () => "print(4)" }, asked);
    expect([there.code, kept]).toEqual(["print(4)", []]);
  });

  test("keeps nothing that an engine would not run right", async () => {
    const asked = { entry: put("entry.ts", "print(new Map());"), keepsNames: false };
    await expect(bundleWith(empty, asked)).rejects.toThrow(SubsetError);
    expect(kept).toEqual([]);
  });
});
