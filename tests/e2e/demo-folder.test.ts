import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockFolder } from "../../gateway/journal/file.ts";
import { freshFolder } from "../demo/folder.ts";
import { temporaryFolder } from "../fixtures.ts";

let folder = temporaryFolder();
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

test("a folder that is new, empty or of a demo before is fresh", () => {
  const dir = join(folder.path, "deep", "demo");
  expect(freshFolder(dir, "elsewhere")).toBeUndefined();
  writeFileSync(join(dir, "credentials.json"), "{}");
  expect(freshFolder(dir, "elsewhere")).toBeUndefined();
  expect(readdirSync(dir)).toHaveLength(1);
  expect(freshFolder(folder.path, folder.path)).toBeUndefined();
  expect(existsSync(dir)).toBe(false);
});

test("a folder with somebody's files is left as it is", () => {
  writeFileSync(join(folder.path, "waakvlam.toml"), "mine");
  expect(freshFolder(folder.path, "elsewhere")).toContain("is not empty");
  expect(readdirSync(folder.path)).toEqual(["waakvlam.toml"]);
});

test("a folder in which a demo runs is left as it is", () => {
  expect(freshFolder(folder.path, folder.path)).toBeUndefined();
  mkdirSync(join(folder.path, "gateway"));
  writeFileSync(join(folder.path, "credentials.json"), "{}");
  const lock = lockFolder(join(folder.path, "gateway"));
  expect(freshFolder(folder.path, folder.path)).toContain("a demo runs in");
  expect(existsSync(join(folder.path, "credentials.json"))).toBe(true);
  lock.close();
  expect(freshFolder(folder.path, folder.path)).toBeUndefined();
});
