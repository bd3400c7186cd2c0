// What a writer that is gone has left in its log is in the file before the next one says anything of it.
import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryFolder } from "../../tests/fixtures.ts";
import { settleLog } from "./settle.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import type { RecordStore } from "./store.ts";

let folder: ReturnType<typeof temporaryFolder>;
const open: { close(): unknown }[] = [];
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
  folder.remove();
});

const logBytes = () => statSync(`${folder.path}/journal.db-wal`).size;

function store(): RecordStore {
  const made = openSqliteStore({ dir: folder.path });
  open.push(made);
  return made;
}

async function leaveBehind(): Promise<void> {
  const first = store();
  const { epoch, next } = await first.takeOver();
  const change = { put: [{ kind: "proof", key: "a", json: "1" }] };
  expect((await first.append(epoch, next, [{ change }])).outcome).toBe("durable");
  expect(logBytes()).toBeGreaterThan(0);
}

test("a take-over finds the log settled, and all of it there", async () => {
  await leaveBehind();
  const second = store();
  expect((await second.documents("proof")).map(({ json }) => json)).toEqual(["1"]);
  // Somebody asked: so it was settled before the answer.
  expect(logBytes()).toBe(0);
  expect((await second.takeOver()).epoch).toBe(2);
});

test("a log that cannot be written is an I/O error, and nothing of it is in the file", async () => {
  await leaveBehind();
  const db = new DatabaseSync(`${folder.path}/journal.db`);
  open.push(db);
  const before = logBytes();
  let said: unknown;
  try {
    settleLog(db, `${folder.path}/elsewhere`);
  } catch (error) {
    said = error;
  }
  expect(said).toMatchObject({ errcode: 10 });
  expect(db.isTransaction).toBe(false);
  expect(logBytes()).toBe(before);
  settleLog(db, folder.path);
  expect(logBytes()).toBe(0);
});
