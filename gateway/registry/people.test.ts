import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryFolder } from "../../tests/fixtures.ts";
import { addPerson, listPeople, openPeople, removePerson } from "./people.ts";

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

test("people sign in with their own password only", async () => {
  await addPerson(folder.path, { name: "a", role: "viewer" }, "a-long-password");
  await addPerson(folder.path, { name: "b", role: "admin" }, "another-password");
  await expect(addPerson(folder.path, { name: "a", role: "admin" }, "x")).rejects.toMatchObject({
    code: "PERSON_EXISTS",
  });
  expect(readFileSync(join(folder.path, "people.json"), "utf8")).not.toContain("password");
  const people = openPeople(folder.path);
  expect(await people.verify("a", "a-long-password")).toEqual({ name: "a", role: "viewer" });
  expect(await people.verify("a", "another-password")).toBeUndefined();
  expect(await people.verify("nobody", "a-long-password")).toBeUndefined();
  expect(removePerson(folder.path, "a")).toBe(true);
  people.reload();
  expect(await people.verify("a", "a-long-password")).toBeUndefined();
  expect(listPeople(folder.path)).toEqual([{ name: "b", role: "admin" }]);
});

test.each(["{", "{}", "null", "[]", '{"people":{}}', '{"people":[null]}', '{"people":[{"name":"a","role":"admin"}]}'])(
  "a file that is not what we wrote is told of so: %s",
  (text) => {
    writeFileSync(join(folder.path, "people.json"), text);
    const wanted = {
      code: "FILE_UNREADABLE",
      detail: expect.objectContaining({ reason: expect.stringMatching(/torn/) }),
    };
    for (const look of [listPeople, openPeople])
      expect(() => look(folder.path)).toThrowError(expect.objectContaining(wanted));
  },
);
