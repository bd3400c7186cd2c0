import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../tests/fixtures.ts";
import { parseConfig, readConfig } from "./config.ts";
import { createReread } from "./reread.ts";

const folder = temporaryFolder();
const path = join(folder.path, "waakvlam.toml");
const write = (text: string) => writeFileSync(path, text);
beforeEach(() => write("[log]\nlevel = 'warn'\n"));
afterAll(() => folder.remove());

describe("the configuration read again", () => {
  test("is that of the file of the start, also where another one would be found now", () => {
    const inForce = readConfig(path);
    const reread = createReread(path, () => join(folder.path, "other.toml"));
    write("[log]\nlevel = 'error'\n");
    expect(reread(inForce).log.level).toBe("error");
    rmSync(path);
    expect(() => reread(inForce)).toThrowError(expect.objectContaining({ code: "FILE_UNREADABLE", detail: { path } }));
  });

  test("without any key is refused where the one in force has some, and only there", () => {
    const inForce = readConfig(path);
    const reread = createReread(path, () => undefined);
    for (const text of ["", "# all of it is gone\n"]) {
      write(text);
      const problems = [expect.stringMatching(/^no key stands in it/)];
      expect(() => reread(inForce)).toThrowError(
        expect.objectContaining({ code: "CONFIG_INVALID", detail: { path, problems } }),
      );
    }
    const empty = readConfig(path);
    expect(reread(empty)).toEqual(empty);
    write("[log]\nlevel = 'info'\n");
    expect(reread(inForce)).toEqual(empty);
  });

  test("is the one in force until there is a file, and then always that of the file", () => {
    const inForce = parseConfig({}, { path: "defaults", baseDir: folder.path });
    let found: string | undefined;
    const reread = createReread(undefined, () => found);
    expect(reread(inForce)).toBe(inForce);
    found = path;
    const next = reread(inForce);
    expect(next.log.level).toBe("warn");
    found = undefined;
    rmSync(path);
    expect(() => reread(next)).toThrowError(expect.objectContaining({ code: "FILE_UNREADABLE" }));
  });
});
