// The writer's file over days, jumps of the wall clock, a disk that fills up, and stops that are not clean.
import { existsSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkedFrame, NOON_MS, temporaryFolder } from "../../tests/fixtures.ts";
import type { EntryOutcome } from "./changes.ts";
import { type OpenWriter, openWriter, type WriterOptions } from "./open-writer.ts";
import { RESERVE_FILE } from "./space.ts";
import { SUMMARY_ROWS } from "./upkeep.ts";

const DAY_MS = 86_400_000;
const MB = 1024 * 1024;
let folder: ReturnType<typeof temporaryFolder>;
let writer: OpenWriter;
let nowMs: number;
let monotonicMs: number;
let freeBytes: number;
let sequence: number;

async function open(options: Partial<WriterOptions> = {}): Promise<void> {
  const clock = { nowMs: () => nowMs, monotonicMs: () => monotonicMs };
  const space = () => ({ freeBytes, totalBytes: 100_000 * MB });
  writer = await openWriter({ dir: folder.path, lowWaterMb: 100, reserveMb: 0, ...options }, { clock, space });
  openedMs = monotonicMs;
}
let openedMs = 0;

beforeEach(async () => {
  folder = temporaryFolder();
  [nowMs, monotonicMs, freeBytes, sequence] = [NOON_MS, 5_000, 10_000 * MB, 0];
  await open();
});
afterEach(async () => {
  await writer.close();
  folder.remove();
});

async function append(count: number): Promise<EntryOutcome[]> {
  const entries = Array.from({ length: count }, () => {
    const frame = checkedFrame({ sequence: sequence++ & 0xffff, time: Math.max(0, Math.floor(nowMs / 1000)) });
    return { frame: { ...frame, receivedMs: nowMs }, afterOpenMs: monotonicMs - openedMs };
  });
  const result = await writer.commit(entries);
  if (result.kind === "failed") throw new Error(result.reason);
  return [...result.outcomes];
}

async function day(rows = 10): Promise<void> {
  await append(rows);
  monotonicMs += DAY_MS;
  nowMs += DAY_MS;
  await writer.upkeep.round();
}

async function read(cursor: string, id = writer.newestId()): Promise<void> {
  writer.upkeep.noteUse(cursor);
  await writer.commit([{ change: { cursor: { name: cursor, id } } }]);
}

async function spans(): Promise<[number, number][]> {
  return (await writer.store.ranges()).map(({ firstId, lastId }) => [firstId, lastId]);
}

/** As a kill does: nothing is finished. */
async function crash(options: Partial<WriterOptions> = {}): Promise<void> {
  await writer.store.close();
  monotonicMs = 50;
  await open(options);
}

describe("days", () => {
  test("are kept for a week when all have read them, and go one by one after it", async () => {
    await read("engine", 1_000);
    for (let i = 0; i < 7; i++) await day();
    expect((await spans()).length).toBe(8);
    await day();
    expect(await spans()).toEqual([...Array.from({ length: 7 }, (_, i) => [i * 10 + 11, i * 10 + 20]), [81, 80]]);
    expect(writer.upkeep.state()).toMatchObject({ oldestId: 11, gapRows: 0 });
    expect(await writer.store.gaps(10)).toEqual([]);
  });

  test("wait for a sink that is behind as long as there is room", async () => {
    await read("sink:a", 0);
    for (let i = 0; i < 12; i++) await day();
    await read("engine");
    await writer.upkeep.round();
    expect((await spans())[0]).toEqual([1, 10]);
    await read("sink:a");
    await writer.upkeep.round();
    expect((await spans())[0]?.[0]).toBeGreaterThan(40);
  });

  test("do not wait for the cursor of a sink that is gone: nobody has asked for it since an hour after the start", async () => {
    await read("sink:gone", 3);
    await crash();
    await read("engine", 1_000);
    for (let i = 0; i < 10; i++) await day();
    expect((await spans())[0]?.[0]).toBeGreaterThan(1);
  });

  test("do not wait for a sink that has left, and wait again when it is back", async () => {
    await read("engine", 1_000);
    await read("sink:a", 0);
    for (let i = 0; i < 10; i++) await day();
    expect((await spans())[0]).toEqual([1, 10]);
    writer.upkeep.noteLeft("sink:a");
    await day();
    const left = (await spans())[0];
    expect(left?.[0]).toBeGreaterThan(30);
    writer.upkeep.noteUse("sink:a");
    for (let i = 0; i < 3; i++) await day();
    expect([(await spans())[0], writer.upkeep.state().gapRows]).toEqual([left, 0]);
  });

  test("turn by the time that the gateway has run, over stops that are not clean", async () => {
    for (let i = 0; i < 4; i++) {
      await append(5);
      monotonicMs += DAY_MS / 2;
      await append(5);
      await crash();
      await writer.upkeep.round();
    }
    expect(await spans()).toEqual([
      [1, 20],
      [21, 40],
      [41, 40],
    ]);
  });
});

describe("a wall clock", () => {
  test.each([
    ["in 1970", 10_000],
    ["in 2038", Date.UTC(2038, 0, 19, 3, 14, 8)],
    ["far ahead", Date.UTC(2150, 0, 1)],
  ])(
    "that jumps to where it is %s and back opens no range, makes nothing old and keeps the order",
    async (_, wrongMs) => {
      await read("engine", 0);
      for (let i = 0; i < 20; i++) {
        nowMs = i % 2 === 0 ? wrongMs + i * 1_000 : NOON_MS + i * 1_000;
        monotonicMs += 60_000;
        await append(2);
        await read("engine");
        await writer.upkeep.round();
      }
      expect(await spans()).toEqual([[1, 40]]);
      const rows = await writer.store.read(writer.taken.epoch, 1, 100);
      if (rows.outcome !== "rows") throw new Error(rows.outcome);
      const runs = rows.rows.map((row) => row.run_ms);
      expect(runs).toEqual([...runs].sort((a, b) => a - b));
      expect(runs.at(-1)).toBe(20 * 60_000);
      expect(new Set(rows.rows.map((row) => row.sequence)).size).toBe(40);
      expect(rows.rows.map((row) => row.received_ms).filter((ms) => Math.abs(ms - wrongMs) < 30_000)).toHaveLength(20);
    },
  );
});

describe("a disk that is low", () => {
  test("costs read days first, then days that a sink has not read, counted; never the last 72 hours", async () => {
    for (let i = 0; i < 6; i++) await day();
    await read("engine");
    await read("sink:a", 14);
    freeBytes = 50 * MB;
    await writer.upkeep.round();
    expect(await spans()).toEqual([
      [31, 40],
      [41, 50],
      [51, 60],
      [61, 60],
    ]);
    expect((await writer.store.gaps(10)).map(({ fromId, toId, rows, why }) => [fromId, toId, rows, why])).toEqual([
      [21, 30, 10, "disk low, not read by sink:a"],
      [15, 20, 6, "disk low, not read by sink:a"],
    ]);
    expect(writer.upkeep.state()).toMatchObject({ lowWater: true, gapRows: 16, oldestId: 31 });
    await crash();
    expect(writer.upkeep.state()).toMatchObject({ lowWater: true, gapRows: 16, oldestId: 31 });
  });

  test("and everything dropped: ids go on, and what was stored is known", async () => {
    await day();
    const again = sequence - 3;
    for (let i = 0; i < 4; i++) {
      monotonicMs += DAY_MS;
      await writer.upkeep.round();
    }
    freeBytes = 0;
    await writer.upkeep.round();
    expect(await spans()).toEqual([[11, 10]]);
    await crash();
    [sequence, nowMs] = [again, NOON_MS];
    expect((await append(4)).map((one) => one.outcome)).toEqual(["duplicate", "duplicate", "duplicate", "stored"]);
    expect(writer.newestId()).toBe(11);
  });
});

describe("a disk that is full", () => {
  test("is refused while all there is may not go, and nothing of a refused batch counts", async () => {
    await writer.close();
    await open({ pagesMax: 60 });
    const { stored, reason } = await fill();
    expect(reason).toMatch(/full/);
    expect(await writer.upkeep.makeRoom()).toBe(false);
    expect(writer.newestId()).toBe(stored);
    expect(await spans()).toEqual([[1, stored]]);
  });

  test("costs younger days when all have read them and one keeps them, counted: the newest rows go on being stored", async () => {
    await day(100);
    await read("engine");
    await read("history");
    await writer.close();
    await open({ pagesMax: 60 });
    await read("history", 100);
    const { stored } = await fill();
    expect(await writer.upkeep.makeRoom()).toBe(true);
    expect((await append(10)).map((one) => one.outcome)).toEqual(Array.from({ length: 10 }, () => "stored"));
    expect(writer.newestId()).toBe(stored + 10);
    expect((await writer.store.gaps(10)).map(({ fromId, toId, why }) => [fromId, toId, why])).toEqual([
      [1, 100, "disk full, read by all"],
    ]);
  });

  test("gets the reserve back, which is made again when there is room", async () => {
    await writer.close();
    await open({ reserveMb: 4 });
    const path = `${folder.path}/${RESERVE_FILE}`;
    expect(existsSync(path)).toBe(false);
    for (let i = 0; i < 3; i++) await writer.upkeep.round();
    expect(existsSync(path)).toBe(true);
    expect(await writer.upkeep.makeRoom()).toBe(true);
    expect(existsSync(path)).toBe(false);
    freeBytes = 101 * MB;
    await writer.upkeep.round();
    expect(existsSync(path)).toBe(false);
    expect(await writer.upkeep.makeRoom()).toBe(false);
  });

  test("keeps the last room for saving and dropping once the reserve is gone", async () => {
    await writer.close();
    await open({ reserveMb: 4 });
    freeBytes = 0;
    expect(writer.upkeep.hasRoomForRows()).toBe(false);
    freeBytes = 4 * MB;
    expect(writer.upkeep.hasRoomForRows()).toBe(true);
    freeBytes = 10_000 * MB;
    await writer.upkeep.round();
    freeBytes = 0;
    expect(writer.upkeep.hasRoomForRows()).toBe(true);
    await writer.upkeep.makeRoom();
    expect(writer.upkeep.hasRoomForRows()).toBe(false);
  });

  async function fill(): Promise<{ stored: number; reason: string }> {
    for (let i = 0; i < 200; i++) {
      const before = sequence;
      try {
        await append(20);
      } catch (error) {
        sequence = before;
        return { stored: writer.newestId(), reason: (error as Error).message };
      }
    }
    throw new Error("it did not fill up");
  }
});

test("a start reads only what came after the devices were summarised", async () => {
  for (let rows = 0; rows <= SUMMARY_ROWS; rows += 1_000) {
    await append(1_000);
    await writer.upkeep.afterCommit();
  }
  const { summarisedId, newestId } = { summarisedId: writer.summarisedId(), newestId: writer.newestId() };
  expect(summarisedId).toBeGreaterThanOrEqual(SUMMARY_ROWS);
  await append(5);
  await crash();
  expect(writer.summarisedId()).toBe(summarisedId);
  sequence -= 6;
  expect((await append(7)).map((one) => one.outcome)).toEqual([
    ...Array.from({ length: 6 }, () => "duplicate"),
    "stored",
  ]);
  expect(writer.newestId()).toBe(newestId + 6);
});
