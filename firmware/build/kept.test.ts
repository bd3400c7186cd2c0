import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createKeeper } from "./kept.ts";

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
  put("firmware/types/espruino.d.ts", "declare const E: object;");
  put("firmware/build/pass.ts", "pass");
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Keeps a program of two files; gives what is found after `change`. */
function foundAfter(change: () => void): string | undefined {
  const inputs = [put(ASKED.entry, "entry"), put("protocol/part.ts", "part")];
  createKeeper(root).keep(ASKED, inputs, "program");
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
  ["the builder has a pass more", () => put("firmware/build/more.ts", "more")],
  ["a tool is another", () => put("package-lock.json", '{"a":1}')],
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

test("an entry from outside the project, and a folder that cannot be written, keep nothing and are no fault", () => {
  const outside = { ...ASKED, entry: join(tmpdir(), "elsewhere.ts") };
  createKeeper(root).keep(outside, [put(ASKED.entry, "entry")], "program");
  expect(createKeeper(root).find(outside)).toBeUndefined();
  put(".cache", "a file where the folder would be");
  expect(foundAfter(() => undefined)).toBeUndefined();
});
