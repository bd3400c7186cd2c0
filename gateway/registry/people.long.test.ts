// A flood of people who sign in: a hundred hashes that are slow by intent.
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryFolder } from "../../tests/fixtures.ts";
import { addPerson, openPeople, SIGN_INS_WAITING_MAX } from "./people.ts";

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

test("who comes when too many sign in at once is told so, and who waits is not forgotten", async () => {
  await addPerson(folder.path, { name: "a", role: "viewer" }, "a-long-password");
  const people = openPeople(folder.path);
  const tries = Array.from({ length: SIGN_INS_WAITING_MAX + 5 }, () => people.verify("a", "a-long-password"));
  const results = await Promise.allSettled(tries);
  const busy = results.filter((one) => one.status === "rejected");
  expect(busy).toHaveLength(3);
  for (const one of busy) expect(one.reason).toMatchObject({ code: "SIGN_IN_BUSY" });
  expect(results.filter((one) => one.status === "fulfilled" && one.value?.name === "a")).toHaveLength(102);
});
