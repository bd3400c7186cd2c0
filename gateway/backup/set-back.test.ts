import { cpSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkedFrame, temporaryFolder } from "../../tests/fixtures.ts";
import { systemClock } from "../clock.ts";
import { openStore } from "../history/store.ts";
import { keepStart, readKept } from "../ingress/lorawan/network/store.ts";
import { type Journal, openJournal } from "../journal/journal.ts";
import { copyOnce } from "./copier.ts";
import { folderOf } from "./folder.ts";
import { readRestored, restoreCopy } from "./restore.ts";
import { takeUpSetBack } from "./set-back.ts";
import { isWhole, readCopy } from "./verify.ts";

const NOW_MS = 1_790_000_000_000;
const MARK = { version: 1, atMs: 0, resendFrom: {}, setBack: true };
let folder = temporaryFolder();
let journal: Journal;
let [data, place] = ["", ""];
const open = () => openJournal({ dir: data, clock: systemClock, reserveMb: 0 });

beforeEach(async () => {
  folder = temporaryFolder();
  [data, place] = [join(folder.path, "data"), folder.path];
  journal = await open();
});
afterEach(async () => {
  await journal.close();
  folder.remove();
});

async function append(from: number, to: number, deviceId = "alm-01-d1"): Promise<void> {
  for (let i = from; i <= to; i++)
    await journal.append(
      checkedFrame({ deviceId, sequence: i, time: NOW_MS / 1000 + i, receivedMs: NOW_MS + i * 1000 }),
    );
}

/** As an upgrade keeps the data, another version goes on with them, and the way back lays the kept ones in their place. */
async function goBack(meanwhile: () => Promise<void>): Promise<void> {
  await journal.close();
  cpSync(data, `${data}.before`, { recursive: true });
  journal = await open();
  await meanwhile();
  await journal.close();
  renameSync(data, `${data}.of`);
  renameSync(`${data}.before`, data);
  writeFileSync(join(data, "restored.json"), JSON.stringify(MARK));
}

function historyOf(): { readonly journal: unknown; readonly covered: unknown } {
  const db = new DatabaseSync(join(data, "history.db"));
  const [{ journal: name } = {}] = db.prepare("SELECT journal FROM epoch").all();
  const [{ value } = {}] = db.prepare("SELECT value FROM meta WHERE key = 'covered'").all();
  db.close();
  return { journal: name, covered: value };
}

/** A history that has the rows up to this one. */
function coverHistory(throughId: number): void {
  const store = openStore(data, { epoch: journal.epoch, newestId: throughId });
  store.absorb({ rows: [], throughId, damaged: 0 });
  store.close();
}

test("data that were set back go by another name, history with them, and nothing else of them changes", async () => {
  await append(1, 20);
  coverHistory(18);
  const before = journal.epoch;
  await goBack(() => append(21, 60));
  const taken = takeUpSetBack(data);
  expect(taken).toMatchObject({ historyFailure: undefined });
  expect(takeUpSetBack(data)).toBeUndefined();
  journal = await open();
  expect(journal.epoch).toBe(taken?.name);
  expect(journal.epoch).not.toBe(before);
  expect(historyOf()).toEqual({ journal: journal.epoch, covered: 18 });
  expect((await journal.read(0, 100)).map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  // Devices are asked as after a restore, once the gateway runs.
  expect(readRestored(data)).toEqual({ version: 1, atMs: 0, resendFrom: {} });
});

test("killed at any step, the next start gives both the same name, and history has no row that the journal lacks", async () => {
  await append(1, 5);
  coverHistory(9);
  await goBack(async () => undefined);
  // All of it was done, and the mark was not yet written anew.
  const first = takeUpSetBack(data);
  writeFileSync(join(data, "restored.json"), JSON.stringify(MARK));
  // History was not yet reached.
  const db = new DatabaseSync(join(data, "history.db"));
  db.exec("UPDATE epoch SET journal = 'before'; UPDATE meta SET value = 9 WHERE key = 'covered'");
  db.close();
  const second = takeUpSetBack(data);
  expect(second?.name).not.toBe(first?.name);
  journal = await open();
  expect(historyOf()).toEqual({ journal: journal.epoch, covered: 5 });
});

test("a history that cannot be opened stops nothing, and a restored journal keeps the name that it has", async () => {
  await append(1, 2);
  const { epoch } = journal;
  await goBack(async () => writeFileSync(join(`${data}.before`, "history.db"), "no database".repeat(100)));
  expect(takeUpSetBack(data)?.historyFailure).toMatch(/not a database/);
  const { setBack: _, ...restored } = MARK;
  writeFileSync(join(data, "restored.json"), JSON.stringify(restored));
  const text = readFileSync(join(data, "restored.json"), "utf8");
  expect(takeUpSetBack(data)).toBeUndefined();
  expect(readFileSync(join(data, "restored.json"), "utf8")).toBe(text);
  journal = await open();
  expect(journal.epoch).not.toBe(epoch);
});

test("while another gateway runs on the data they keep their name", async () => {
  await append(1, 2);
  writeFileSync(join(data, "restored.json"), JSON.stringify(MARK));
  expect(() => takeUpSetBack(data)).toThrow(expect.objectContaining({ code: "DATA_IN_USE" }));
  expect(readRestored(data)).toEqual(MARK);
});

test("the copy of what comes after lies in a folder of its own, whole, and without a row of the other time", async () => {
  await append(1, 20);
  const first = folderOf(place, journal.epoch);
  await copyOnce(journal, first, []);
  await goBack(async () => {
    await append(21, 60);
    await copyOnce(journal, first, []);
  });
  takeUpSetBack(data);
  journal = await open();
  await append(1, 10, "alm-77-d1");
  const second = folderOf(place, journal.epoch);
  expect(existsSync(second)).toBe(false);
  await copyOnce(journal, second, []);
  expect(isWhole((await readCopy(second)).report)).toBe(true);
  expect(readdirSync(first).length).toBeGreaterThan(0);
  const spare = join(folder.path, "spare");
  expect((await restoreCopy({ folder: second, dataDir: spare, nowMs: NOW_MS })).rows).toBe(30);
});

test("LoRaWAN takes the data for a copy: it knows that counters were used that it does not know of", async () => {
  await keepStart(journal, new Map());
  expect((await readKept(journal)).isCopy).toBe(false);
  await goBack(async () => undefined);
  takeUpSetBack(data);
  journal = await open();
  expect((await readKept(journal)).isCopy).toBe(true);
});
