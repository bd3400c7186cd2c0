// History beside a real journal: the newest minutes, restarts, and a writer that cannot write.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkedFrame, NOON_MS, temporaryFolder, waitFor } from "../../tests/fixtures.ts";
import { systemClock } from "../clock.ts";
import { GatewayError } from "../errors.ts";
import { type Journal, openJournal } from "../journal/journal.ts";
import { COMPACT_ROWS, createCompactor, HISTORY_CURSOR } from "./compactor.ts";
import { HISTORY_FILE } from "./file.ts";
import { type History, startHistory } from "./history.ts";
import type { StoreState } from "./store.ts";
import type { HistoryWriter } from "./writer.ts";

const HOUR_MS = 3_600_000;
let folder: ReturnType<typeof temporaryFolder>;
let journal: Journal;
let history: History;

async function open(): Promise<void> {
  journal = await openJournal({ dir: folder.path, clock: systemClock });
  history = await startHistory({
    dir: folder.path,
    journal,
    clock: systemClock,
    compactEveryMs: HOUR_MS,
    retention: { rawDays: 90, rollupYears: 5 },
  });
}

async function close(): Promise<void> {
  await history.stop();
  await journal.close();
}

beforeEach(async () => {
  folder = temporaryFolder();
  await open();
});
afterEach(async () => {
  await close();
  folder.remove();
});

async function append(from: number, to: number): Promise<void> {
  const minutes = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  await Promise.all(
    minutes.map((minute) =>
      journal.append(
        checkedFrame({ sequence: minute, time: NOON_MS / 1000 + minute * 60, receivedMs: NOON_MS + minute * 60_000 }),
      ),
    ),
  );
}

const range = { fromMs: NOON_MS, toMs: NOON_MS + 3 * HOUR_MS };
const sequences = async () => {
  const { rows } = await history.samples({ deviceId: "alm-01-d1", ...range, limit: 1_000 });
  return rows.map((row) => row.sequence % 65_536);
};
const span = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const state = () => history.state() as StoreState & { unseenRows: number; behindRows: number; failing?: string };
const seen = () => waitFor("history to have read the journal", () => state().unseenRows === 0);

test("what was stored a moment ago is told, before, during and after its compaction, and once", async () => {
  await append(1, 100);
  await seen();
  expect(state().behindRows).toBe(100);
  expect(await sequences()).toEqual(span(1, 100));
  const compaction = history.compact();
  const answers = await Promise.all(Array.from({ length: 20 }, sequences));
  await compaction;
  for (const answer of answers) expect(answer).toEqual(span(1, 100));
  expect(state()).toMatchObject({ behindRows: 0, rows: 100 });
  expect(await journal.cursor(HISTORY_CURSOR)).toBe(100);
  await append(101, 110);
  await seen();
  expect(await sequences()).toEqual(span(1, 110));
  const told = await history.series({ ...range, sensors: [{ deviceId: "alm-01-d1", ...range }], points: 3 });
  expect(told.series.find((one) => one.field === "power.loadKw")?.count).toEqual([59, 51, 0]);
});

test("pages follow each other without a gap or a repeat", async () => {
  await append(1, 95);
  await seen();
  await history.compact();
  await append(96, 130);
  await seen();
  const found: number[] = [];
  let after: Awaited<ReturnType<History["samples"]>>["next"];
  do {
    const page = await history.samples({ deviceId: "alm-01-d1", ...range, limit: 20, after });
    found.push(...page.rows.map((row) => row.sequence % 65_536));
    after = page.next;
  } while (after !== undefined);
  expect(found).toEqual(span(1, 130));
});

test("a restart goes on behind what is in history, whatever the cursor says", async () => {
  await append(1, 50);
  await seen();
  await history.compact();
  await append(51, 60);
  // As after a crash between the two: history has more than the cursor says.
  await journal.save({ cursor: { name: HISTORY_CURSOR, id: 20 } });
  await close();
  await open();
  expect(await journal.cursor(HISTORY_CURSOR)).toBe(50);
  await seen();
  await history.compact();
  expect(await sequences()).toEqual(span(1, 60));
  expect(state().rows).toBe(60);
});

test("where history.db is deleted under the gateway the journal keeps its rows, and a restart begins another from them", async () => {
  await append(1, 50);
  await seen();
  await history.compact();
  for (const end of ["", "-wal", "-shm"]) rmSync(join(folder.path, `${HISTORY_FILE}${end}`), { force: true });
  await append(51, 60);
  await seen();
  const reason = expect.stringMatching(/^history.db was moved or deleted/);
  await expect(history.compact()).rejects.toMatchObject({ code: "HISTORY_UNUSABLE", detail: { reason } });
  expect(state()).toMatchObject({ failing: reason, behindRows: 10 });
  expect(await journal.cursor(HISTORY_CURSOR)).toBe(50);
  await close();
  await open();
  await seen();
  await history.compact();
  expect(await sequences()).toEqual(span(1, 60));
  expect(state()).toMatchObject({ rows: 60, behindRows: 0 });
});

describe("on a file system that cannot be written for a while", () => {
  const files = () => ["", "-wal"].map((end) => join(folder.path, `${HISTORY_FILE}${end}`));
  const isSet = (flag: string) => spawnSync("chattr", [flag, ...files()]).status === 0;
  const refused = () => expect(history.compact()).rejects.toMatchObject({ code: "HISTORY_UNUSABLE" });

  test.for(["it goes on by itself when it can be", "a gateway stops as it should"])("%s", async (what, context) => {
    await append(1, 50);
    await seen();
    await history.compact();
    await append(51, 60);
    await seen();
    const isRefusing = isSet("+i");
    try {
      if (!isRefusing)
        context.skip("no file can be made immutable here (chattr, as root, on a file system that knows it)");
      for (let i = 0; i < 3; i++) await refused();
      if (what.startsWith("a gateway")) {
        await close();
        isSet("-i");
        await open();
        await seen();
      }
    } finally {
      isSet("-i");
    }
    await history.compact();
    expect(await sequences()).toEqual(span(1, 60));
    expect(state()).toMatchObject({ behindRows: 0, rows: 60 });
  });
});

test("many rows are compacted before their time", async () => {
  for (let at = 0; at < COMPACT_ROWS; at += 5_000) await append(at + 1, at + 5_000);
  await waitFor("an early compaction", () => state().behindRows === 0);
  expect(state().rows).toBe(COMPACT_ROWS);
});

test("a writer that refuses moves no cursor, and what it refused is still told and written later", async () => {
  await history.stop();
  let full = true;
  const calls: number[] = [];
  const shown = { covered: 0 } as StoreState;
  const writer: HistoryWriter = {
    opened: shown,
    absorb: async ({ rows, throughId }) => {
      calls.push(rows.length);
      if (full) throw new GatewayError("HISTORY_UNUSABLE", { reason: "database or disk is full" });
      return { kind: "done", state: { ...shown, covered: throughId }, more: false, tookMs: 1 };
    },
    fold: async () => ({ kind: "done", state: { ...shown, covered: 30 }, more: false, tookMs: 1 }),
    prune: async () => ({ kind: "done", state: shown, more: false, tookMs: 1 }),
    close: async () => {},
  };
  const retention = { rawDays: 90, rollupYears: 5 };
  const compactor = createCompactor({ writer, journal, clock: systemClock, compactEveryMs: HOUR_MS, retention });
  await compactor.start();
  await append(1, 30);
  await waitFor("the rows to be read", () => compactor.state().unseenRows === 0);
  await expect(compactor.compact()).rejects.toMatchObject({ code: "HISTORY_UNUSABLE" });
  expect([compactor.state().failing, await journal.cursor(HISTORY_CURSOR)]).toEqual(["database or disk is full", 0]);
  expect(compactor.tailOf("alm-01-d1")).toHaveLength(30);
  full = false;
  await waitFor("the next try", () => compactor.state().failing === undefined);
  expect(await journal.cursor(HISTORY_CURSOR)).toBe(30);
  expect(calls[calls.length - 1]).toBe(30);
  await compactor.stop();
  history = { ...history, stop: async () => {} };
});
