// What history.db holds after whatever order of rows, repeats, late samples, clocks and disks.
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HISTORY_FIELD_NAMES } from "../../protocol/index.ts";
import { NOON_MS, temporaryFolder } from "../../tests/fixtures.ts";
import { randomOf, samplesOfDevice } from "../../tests/history-samples.ts";
import { CHUNK_ROWS_MAX, codesOf } from "./chunk.ts";
import { chunkKey, HISTORY_FILE, openHistoryReader } from "./file.ts";
import type { FieldSeries, Series } from "./messages.ts";
import { createHistoryReader } from "./query.ts";
import { byPlace, DAY_MS, type DeviceRecord, dayOf, HOUR_MS, isStray, placedMs } from "./row.ts";
import { fieldSeries } from "./series.ts";
import { type HistoryStore, openStore } from "./store.ts";
import { addCodes, emptySummary } from "./summary.ts";

const JOURNAL = { epoch: "one", newestId: 1_000_000 };
const DAY = dayOf(NOON_MS);
const KEEP = { rawDays: 90, rollupYears: 5 };
let folder: ReturnType<typeof temporaryFolder>;
let store: HistoryStore;

beforeEach(() => {
  folder = temporaryFolder();
  store = openStore(folder.path, JOURNAL);
});
afterEach(() => {
  store.close();
  folder.remove();
});

/** Samples of some devices from `startMs`, ids in the order of receipt. */
function recordsOf(devices: number, count: number, startMs = DAY): DeviceRecord[] {
  const rows = Array.from({ length: devices }, (_, d) => {
    const next = samplesOfDevice({ seed: d + 1, startMs, intervalS: 300 });
    return Array.from({ length: count }, () => ({ deviceId: `dev-${d}`, ...next() }));
  });
  const all = rows.flat().sort((a, b) => a.receivedMs - b.receivedMs);
  return all.map((row, i) => ({ ...row, id: i + 1 }));
}

function take(rows: readonly DeviceRecord[], throughId = Math.max(0, ...rows.map((row) => row.id))): void {
  store.absorb({ rows, throughId, damaged: 0 });
}

function ask<T>(question: (reader: ReturnType<typeof createHistoryReader>) => T): T {
  const db = openHistoryReader(folder.path);
  try {
    return question(createHistoryReader(db, () => 0));
  } finally {
    db.close();
  }
}

function samples(deviceId: string, tail: readonly DeviceRecord[] = []) {
  const source = { deviceId, fromMs: 0, toMs: 8e12, tail };
  return ask((reader) => reader.samples({ kind: "samples", source, limit: 100_000 })).rows;
}

function series(
  deviceId: string,
  part: { fromMs: number; toMs: number; points: number; tail?: readonly DeviceRecord[] },
): Series {
  const { tail = [], ...range } = part;
  return ask((reader) =>
    reader.series({ kind: "series", sources: [{ deviceId, fromMs: 0, toMs: 8e12, tail }], ...range }),
  );
}

/** The same, from the rows themselves. */
function naive(rows: readonly DeviceRecord[], deviceId: string, told: Series): readonly FieldSeries[] {
  const summary = emptySummary(told.steps);
  const mine = rows.filter((row) => row.deviceId === deviceId && !isStray(row)).sort(byPlace);
  addCodes(summary, { fromMs: told.fromMs, stepMs: told.stepMs, count: told.steps }, codesOf(mine));
  return fieldSeries(deviceId, summary, undefined);
}

const plain = (rows: readonly object[]) =>
  rows.map((row) => {
    const { deviceId: _, frame, ...rest } = row as DeviceRecord;
    return { ...rest, frame: Buffer.from(frame).toString("hex") };
  });
const ofDevice = (rows: readonly DeviceRecord[], deviceId: string) =>
  rows.filter((row) => row.deviceId === deviceId).sort(byPlace);

function fold(nowMs: number): void {
  for (let i = 0; store.foldOnce(nowMs); i++) expect(i).toBeLessThan(10_000);
}

describe("rows", () => {
  test.each([1, 2, 3, 4, 5])("come back as they were, in any slices, repeated and out of order (seed %i)", (seed) => {
    const random = randomOf(seed);
    const rows = recordsOf(3, 400);
    for (let at = 0; at < rows.length; ) {
      const size = 1 + Math.floor(random() * 300);
      const slice = rows.slice(at, at + size);
      // What a crash before the cursor repeats, shuffled.
      const again = rows.slice(Math.max(0, at - 50), at);
      take([...slice, ...again].sort(() => random() - 0.5));
      at += size;
    }
    for (const deviceId of ["dev-0", "dev-1", "dev-2"]) {
      expect(plain(samples(deviceId))).toEqual(plain(ofDevice(rows, deviceId)));
    }
    expect(store.state()).toMatchObject({ rows: 1_200, covered: 1_200 });
  });

  test("that come again under the ids of another journal are known by themselves", () => {
    const rows = recordsOf(2, 100);
    take(rows);
    store.close();
    store = openStore(folder.path, { epoch: "two", newestId: 150 });
    expect(store.state().covered).toBe(0);
    take(rows.slice(50).map((row) => ({ ...row, id: row.id - 50 })));
    expect(store.state()).toMatchObject({ rows: 200, covered: 150 });
    expect(plain(samples("dev-0"))).toEqual(plain(ofDevice(rows, "dev-0")));
  });

  test("of a journal that was put back to an earlier state begin behind its newest", () => {
    take(recordsOf(1, 100));
    store.close();
    store = openStore(folder.path, { ...JOURNAL, newestId: 60 });
    expect(store.state().covered).toBe(60);
  });

  test("that are more than a chunk holds go on in another", () => {
    const next = samplesOfDevice({ seed: 1, startMs: DAY, intervalS: 1 });
    const rows = Array.from({ length: CHUNK_ROWS_MAX + 300 }, (_, i) => {
      const row = next();
      return { ...row, deviceId: "dev-0", id: i + 1, timeMs: DAY + i, receivedMs: DAY + i };
    });
    take(rows.slice(0, 4_000));
    take(rows.slice(4_000));
    expect(plain(samples("dev-0"))).toEqual(plain(rows));
  });

  test("beside a chunk that is damaged are kept, and the damage is told", () => {
    const rows = recordsOf(1, 12);
    take(rows.slice(0, 6));
    const db = new DatabaseSync(`${folder.path}/${HISTORY_FILE}`);
    db.exec("UPDATE chunk SET body = x'01020304050607'");
    db.close();
    take(rows.slice(6));
    const source = { deviceId: "dev-0", fromMs: 0, toMs: 8e12, tail: [] };
    const found = ask((reader) => reader.samples({ kind: "samples", source, limit: 100 }));
    expect([found.rows.length, found.damaged]).toEqual([6, 1]);
    expect(series("dev-0", { fromMs: DAY, toMs: DAY + DAY_MS, points: 100 }).damaged).toBe(1);
  });

  test("whose time cannot be right are kept under their receipt, and in no series", () => {
    const [row] = recordsOf(1, 1) as [DeviceRecord];
    const stray = { ...row, timeMs: Date.UTC(2019, 0, 1), timeQuality: "suspect" as const };
    take([stray]);
    expect(placedMs(stray)).toBe(row.receivedMs);
    expect(plain(samples("dev-0"))).toEqual(plain([stray]));
    expect(series("dev-0", { fromMs: DAY, toMs: DAY + DAY_MS, points: 10 }).series).toEqual([]);
  });

  test("of a gateway whose clock was never set stay, whatever their age", () => {
    const rows = recordsOf(1, 20, 600_000);
    take([...rows, ...recordsOf(1, 2_000, DAY).map((row) => ({ ...row, id: row.id + 20 }))]);
    fold(DAY + 400 * DAY_MS);
    for (let i = 0; i < 300; i++) store.pruneOnce(DAY + 400 * DAY_MS, KEEP);
    expect(plain(samples("dev-0")).slice(0, 20)).toEqual(plain(rows));
  });

  test("on a disk that is full are not there, and are there when it has space", () => {
    store.close();
    store = openStore(folder.path, JOURNAL, { pagesMax: 24 });
    const rows = recordsOf(20, 300);
    let failed = 0;
    for (let at = 0; at < rows.length; at += 500) {
      try {
        take(rows.slice(at, at + 500));
      } catch (error) {
        expect((error as { errcode?: number }).errcode).toBe(13);
        failed++;
        break;
      }
    }
    expect(failed).toBe(1);
    const { covered } = store.state();
    expect(samples("dev-3").length).toBe(rows.filter((row) => row.deviceId === "dev-3" && row.id <= covered).length);
    store.close();
    store = openStore(folder.path, JOURNAL);
    expect(store.state().covered).toBe(covered);
    take(rows.filter((row) => row.id > covered));
    expect(plain(samples("dev-3"))).toEqual(plain(ofDevice(rows, "dev-3")));
  });
});

describe("series", () => {
  test("of samples, quarters and hours are those of the rows, with what is in no chunk yet", () => {
    const rows = recordsOf(2, 4 * 288);
    const kept = rows.filter((row) => row.id % 7 !== 0 || row.timeMs > DAY + 3 * DAY_MS);
    const cut = kept.findIndex((row) => row.timeMs > DAY + 3 * DAY_MS);
    const late = rows.filter((row) => row.id % 7 === 0 && row.timeMs <= DAY + 3 * DAY_MS);
    take(kept.slice(0, cut));
    fold(DAY + 3 * DAY_MS);
    expect(store.state().foldedDay).toBe(DAY + 2 * DAY_MS);
    // Late rows of folded days, some of them not compacted yet; ids go on.
    const after = late.map((row, i) => ({ ...row, id: 10_000 + i }));
    const tail = [...kept.slice(cut), ...after.slice(200)].map((row, i) => ({ ...row, id: 20_000 + i }));
    take(after.slice(0, 200));
    const all = [...kept.slice(0, cut), ...after.slice(0, 200), ...tail];
    for (const [points, resolution] of [
      [500, "sample"],
      [90, "quarter"],
      [20, "hour"],
      [1, "hour"],
    ] as const) {
      const told = series("dev-1", {
        fromMs: DAY + 5 * 60_000,
        toMs: DAY + 4 * DAY_MS,
        points,
        tail: tail.filter((row) => row.deviceId === "dev-1"),
      });
      expect(told.resolution).toBe(resolution);
      expect(told.steps).toBeLessThanOrEqual(points);
      // The last of a step is the last that came to it, when a rollup and late rows meet: all else is exact.
      const bare = (list: readonly FieldSeries[]) => list.map(({ last: _, words: __, ...rest }) => rest);
      const expected = naive(all, "dev-1", told).map((one) => one);
      if (resolution === "sample") expect(told.series).toEqual(expected);
      else expect(bare(told.series)).toEqual(bare(expected));
    }
  });

  test("have nulls where nothing came, and tell reasons as reasons", () => {
    const rows = recordsOf(1, 288).filter((row) => row.timeMs < DAY + 6 * HOUR_MS || row.timeMs >= DAY + 12 * HOUR_MS);
    take(rows);
    const { series: told } = series("dev-0", { fromMs: DAY, toMs: DAY + DAY_MS, points: 24 });
    const fuel = told.find((one) => one.field === "power.fuelLevelPct");
    expect(fuel?.mean?.map((mean) => mean === null)).toEqual(Array.from({ length: 24 }, (_, h) => h >= 6 && h < 12));
    expect(fuel?.count.slice(5, 7)).toEqual([12, 0]);
    expect(told.every((one) => HISTORY_FIELD_NAMES.includes(one.field))).toBe(true);
    expect(told.find((one) => one.field === "power.mains")?.words[0]).toEqual({ step: 0, word: "lost", count: 12 });
  });

  test("of a folded day follow a late row, also of a device that was folded before its day was done", () => {
    const rows = recordsOf(60, 288);
    take(rows);
    expect(store.foldOnce(DAY + 2 * DAY_MS)).toBe(true);
    const late = { ...(rows[0] as DeviceRecord), id: 900_000, sequence: 99_999 };
    take([late]);
    fold(DAY + 2 * DAY_MS);
    const told = series(late.deviceId, { fromMs: DAY, toMs: DAY + DAY_MS, points: 24 });
    expect(told.series).toEqual(naive([...rows, late], late.deviceId, told));
  });

  test("of a folded day whose chunk is damaged by now stay as they were, and late rows are added", () => {
    const rows = recordsOf(2, 288);
    take(rows);
    fold(DAY + 2 * DAY_MS);
    const db = new DatabaseSync(`${folder.path}/${HISTORY_FILE}`);
    const from = chunkKey(DAY + 5 * HOUR_MS, 0);
    const damaged = db.prepare("UPDATE chunk SET body = x'01020304050607' WHERE key >= ? AND key < ?");
    expect(damaged.run(from, chunkKey(DAY + 6 * HOUR_MS, 0)).changes).toBe(2);
    db.close();
    const mine = ofDevice(rows, "dev-0");
    // Of the damaged hour and of others, the same one twice.
    const late = [65, 66, 130, 130].map((at, i) => {
      const sequence = 99_000 + (i === 3 ? 2 : i);
      return { ...(mine[at] as DeviceRecord), id: 900_000 + i, sequence };
    });
    take(late);
    const bare = (list: readonly FieldSeries[]) => list.map(({ last: _, words: __, ...rest }) => rest);
    for (const deviceId of ["dev-0", "dev-1"]) {
      const told = series(deviceId, { fromMs: DAY, toMs: DAY + DAY_MS, points: 24 });
      expect(bare(told.series)).toEqual(bare(naive([...rows, ...late.slice(0, 3)], deviceId, told)));
    }
    expect(store.state().rows).toBe(rows.length + 3);
  });
});

describe("retention", () => {
  test("drops the oldest hours one by one, never those of the newest days, and counts them", () => {
    take(recordsOf(2, 10 * 288));
    fold(DAY + 11 * DAY_MS);
    const rawGone = { rawDays: 3, rollupYears: 5 };
    for (let i = 0; i < 6 * 24 + 10; i++) store.pruneOnce(DAY + 400 * DAY_MS, rawGone);
    const left = samples("dev-0");
    const newestDay = dayOf(left[left.length - 1]?.timeMs ?? 0);
    expect(dayOf(left[0]?.timeMs ?? 0)).toBe(newestDay - 3 * DAY_MS);
    expect(store.state().droppedRows + 2 * left.length).toBe(2 * 10 * 288);
    // What is gone as samples is told as quarters.
    const told = series("dev-0", { fromMs: DAY, toMs: DAY + DAY_MS, points: 500 });
    expect([told.resolution, told.steps]).toEqual(["quarter", 96]);
    expect(told.series).toEqual(naive(recordsOf(2, 10 * 288), "dev-0", told));
  });

  test("of a row whose day is gone adds it to what is known of the day", () => {
    const rows = recordsOf(1, 10 * 288);
    take(rows);
    fold(DAY + 11 * DAY_MS);
    while (store.pruneOnce(DAY + 400 * DAY_MS, { rawDays: 3, rollupYears: 5 }))
      expect(store.state().droppedRows).toBeGreaterThan(0);
    const late = { ...(rows[5] as DeviceRecord), id: 900_000, sequence: 99_999 };
    take([late]);
    expect(store.state().lateRows).toBe(1);
    const told = series("dev-0", { fromMs: DAY, toMs: DAY + DAY_MS, points: 24 });
    const total = told.series[0]?.count.reduce((sum, one) => sum + one, 0);
    expect(total).toBe(289);
  });

  test("drops rollups day by day when they are years old", () => {
    take(recordsOf(2, 2 * 288));
    fold(DAY + 3 * DAY_MS);
    store.pruneOnce(DAY + 400 * DAY_MS, { rawDays: 3_000, rollupYears: 1 });
    expect(store.state().droppedRollups).toBe(2);
    store.pruneOnce(DAY + 401 * DAY_MS, { rawDays: 3_000, rollupYears: 1 });
    expect(store.state().droppedRollups).toBeGreaterThan(2);
  });

  test.each([
    ["1970", 0],
    ["a week back", DAY + 3 * DAY_MS],
    ["the day to which samples are gone", DAY + 6 * DAY_MS],
  ])("what is kept as rollups alone is told whatever the clock says: %s", (_, nowMs) => {
    const rows = recordsOf(1, 10 * 288);
    take(rows);
    fold(DAY + 11 * DAY_MS);
    for (let i = 0; i < 6 * 24 + 10; i++) store.pruneOnce(DAY + 11 * DAY_MS, { rawDays: 5, rollupYears: 5 });
    expect(store.state().prunedDay).toBe(DAY + 6 * DAY_MS);
    for (const clockMs of [nowMs, DAY + 11 * DAY_MS]) {
      fold(clockMs);
      const told = series("dev-0", { fromMs: DAY, toMs: DAY + 10 * DAY_MS, points: 12 });
      expect(told.series).toEqual(naive(rows, "dev-0", told));
    }
  });

  test("a clock that was years ahead and came back costs nothing but work", () => {
    const rows = recordsOf(1, 3 * 288);
    take(rows.slice(0, 288));
    fold(DAY + 4_000 * DAY_MS);
    take(rows.slice(288));
    fold(DAY + 4 * DAY_MS);
    const told = series("dev-0", { fromMs: DAY, toMs: DAY + 3 * DAY_MS, points: 12 });
    expect(told.series).toEqual(naive(rows, "dev-0", told));
  });
});
