// The rules hold in the tree, and each of them catches what it is there for.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { PROBLEM_CODES } from "../../gateway/api/problems.ts";
import { ERROR_CODES } from "../../gateway/errors.ts";
import {
  checkBans,
  checkImports,
  checkPlaces,
  checkShape,
  checkTests,
  type Offence,
  type SourceFile,
} from "./rules.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TEXTS = /\.(ts|tsx|mjs|json|md|css|html|toml|yml)$|^\.ci\/run$/;
const FILES: SourceFile[] = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .split("\n")
  .filter((path) => TEXTS.test(path) && path !== "package-lock.json")
  .flatMap((path) => {
    try {
      return [{ path, text: readFileSync(`${ROOT}/${path}`, "utf8") }];
    } catch {
      return [];
    }
  });

function lines(offences: readonly Offence[]): string[] {
  return offences.map((offence) => `${offence.path}: ${offence.what}`);
}

describe("the tree", () => {
  test("imports run downwards only", () => expect(lines(checkImports(FILES))).toEqual([]));
  test("files and functions keep to their sizes, names and folders to theirs", () =>
    expect(lines(checkShape(FILES))).toEqual([]));
  test("time, randomness, environment and output enter by their doors", () =>
    expect(lines(checkBans(FILES))).toEqual([]));
  test("no test is skipped, left alone or asleep", () => expect(lines(checkTests(FILES))).toEqual([]));
  test("names no place of a machine", () => expect(lines(checkPlaces(FILES))).toEqual([]));

  test("every top folder and only those that the architecture names", () => {
    const tops = new Set(FILES.filter((file) => file.path.includes("/")).map((file) => file.path.split("/")[0]));
    expect([...tops].sort()).toEqual([
      ".ci",
      "dashboards",
      "docs",
      "firmware",
      "gateway",
      "packaging",
      "protocol",
      "tests",
    ]);
    for (const top of ["protocol", "firmware", "gateway", "dashboards", "packaging", "tests", "docs"]) {
      expect(
        FILES.some((file) => file.path === `${top}/README.md`),
        `${top}/README.md`,
      ).toBe(true);
    }
  });

  test("every command of package.json works in a fresh clone, and standard output is its own", () => {
    const { scripts } = JSON.parse(FILES.find((file) => file.path === "package.json")?.text ?? "{}") as {
      scripts: Record<string, string>;
    };
    const bare = Object.entries(scripts).filter(([, words]) => !/^node \.ci\/setup\.mjs( --\w+)? && /.test(words));
    expect(bare).toEqual([]);
    const setup = FILES.find((file) => file.path === ".ci/setup.mjs")?.text ?? "";
    expect(setup).toContain("process.stderr.write");
    expect(setup).not.toMatch(/process\.stdout|console\.|"inherit"/);
  });

  test("the gateway's README lists every error code and no other", () => {
    const readme = FILES.find((file) => file.path === "gateway/README.md")?.text ?? "";
    const listed = [...readme.matchAll(/^\| `([A-Z_0-9]+)` \|/gm)].map((match) => match[1]);
    expect(listed.sort()).toEqual([...ERROR_CODES, ...Object.keys(PROBLEM_CODES)].sort());
  });
});

describe("each rule catches what it is there for", () => {
  const planted = (path: string, text: string): SourceFile[] => [{ path, text }];
  test.each([
    ["an import upwards", checkImports(planted("gateway/domain/x.ts", 'import { a } from "../engine/engine.ts";'))],
    ["an import sideways", checkImports(planted("gateway/api/x.ts", 'import { a } from "../ingress/mqtt.ts";'))],
    ["an import across", checkImports(planted("firmware/device/x.ts", 'import { a } from "../../gateway/app.ts";'))],
    [
      "device code that leaves its folders",
      checkImports(planted("firmware/device/x.ts", 'import { a } from "../../protocol/index.ts";')),
    ],
    [
      "product code that imports tests",
      checkImports(planted("gateway/x.ts", 'import { a } from "../tests/fixtures.ts";')),
    ],
    ["a long file", checkShape(planted("gateway/x.ts", "\n".repeat(401)))],
    ["a long function", checkShape(planted("gateway/x.ts", `function f() {\n${"  a();\n".repeat(70)}}\n`))],
    ["a folder without a thing", checkShape(planted("gateway/utils/x.ts", ""))],
    ["a name in capitals", checkShape(planted("gateway/MyThing.ts", ""))],
    ["the wall clock", checkBans(planted("gateway/x.ts", "const t = Date.now();"))],
    ["a timer", checkBans(planted("gateway/x.ts", "setTimeout(f, 1);"))],
    ["chance", checkBans(planted("gateway/x.ts", "Math.random();"))],
    ["the environment", checkBans(planted("gateway/x.ts", "process.env.A;"))],
    ["the console", checkBans(planted("gateway/x.ts", 'console.log("a");'))],
    ["a default export", checkBans(planted("gateway/x.ts", "export default 1;"))],
    ["a lonely test", checkTests(planted("gateway/x.test.ts", "test.only('a', f);"))],
    ["a sleep", checkTests(planted("gateway/x.test.ts", "setTimeout(f, 1);"))],
    ["a place", checkPlaces(planted("README.md", `see ${["", "work", "main"].join("/")} for more`))],
  ])("%s", (_, offences) => expect(offences).toHaveLength(1));
});
