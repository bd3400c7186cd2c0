// What a writer that is gone has left in its log is written once more before the next one says anything of it.
import { readFileSync, statSync, utimesSync } from "node:fs";
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

const log = () => `${folder.path}/journal.db-wal`;
const LONG_AGO_S = 1_000_000_000;
/** Whether it was written since `leaveBehind`. */
const isWritten = () => statSync(log()).mtimeMs > LONG_AGO_S * 1_000;

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
  utimesSync(log(), LONG_AGO_S, LONG_AGO_S);
}

test("who asks is answered when the log was written, and all of it is there as it was", async () => {
  await leaveBehind();
  const before = readFileSync(log());
  const second = store();
  expect(isWritten()).toBe(false);
  expect((await second.documents("proof")).map(({ json }) => json)).toEqual(["1"]);
  expect(isWritten()).toBe(true);
  expect(readFileSync(log())).toEqual(before);
  expect((await second.takeOver()).epoch).toBe(2);
});

test("a log that cannot be written is an I/O error", async () => {
  await leaveBehind();
  const db = new DatabaseSync(`${folder.path}/journal.db`);
  open.push(db);
  let said: unknown;
  try {
    settleLog(db, `${folder.path}/elsewhere`);
  } catch (error) {
    said = error;
  }
  expect(said).toMatchObject({ errcode: 10 });
  expect([db.isTransaction, isWritten()]).toEqual([false, false]);
  settleLog(db, folder.path);
  expect(isWritten()).toBe(true);
});
