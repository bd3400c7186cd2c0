// A file system that cannot be written for a moment (a kernel that remounts it after an error, a person who mends it): the writer
// goes on by itself when it can be.
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { checkedFrame, temporaryFolder } from "../../tests/fixtures.ts";
import { openReaderFile } from "./file.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { createWriter } from "./writer.ts";

test("a file that could not be written is written again as soon as it can be", async (context) => {
  const folder = temporaryFolder();
  const files = ["journal.db", "journal.db-wal"].map((name) => `${folder.path}/${name}`);
  const isSet = (flag: string) => spawnSync("chattr", [flag, ...files]).status === 0;
  const store = openSqliteStore({ dir: folder.path });
  try {
    const writer = await createWriter(store);
    const commit = (sequence: number) => writer.commit([{ frame: checkedFrame({ sequence }) }]);
    expect((await commit(1)).kind).toBe("committed");
    if (!isSet("+i"))
      context.skip("no file can be made immutable here (chattr, as root, on a file system that knows it)");
    // Somebody reads as well: the log is not gone when the writer's connection is.
    const reader = openReaderFile(folder.path);
    reader.prepare("SELECT count(*) FROM journal").get();
    for (let i = 0; i < 4; i++) expect(await commit(2)).toMatchObject({ kind: "failed", retry: true });
    isSet("-i");
    let result = await commit(2);
    for (let i = 0; i < 2 && result.kind === "failed"; i++) result = await commit(2);
    expect(result).toMatchObject({ kind: "committed", outcomes: [{ outcome: "stored" }] });
    reader.close();
  } finally {
    isSet("-i");
    await store.close();
    folder.remove();
  }
});
