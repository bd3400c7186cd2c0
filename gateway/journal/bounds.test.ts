// The lists beside the rows: their oldest go by age and by number, and are counted.
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NOON_MS, temporaryFolder } from "../../tests/fixtures.ts";
import { AGED_AT_ONCE_MAX, TRIM_MS, type Trim } from "./bounds.ts";
import type { StateChange } from "./changes.ts";
import { type OpenWriter, openWriter } from "./open-writer.ts";

const YEAR_MS = 365.25 * 86_400_000;
let folder: ReturnType<typeof temporaryFolder>;
let writer: OpenWriter;
let nowMs: number;
let monotonicMs: number;

beforeEach(async () => {
  folder = temporaryFolder();
  [nowMs, monotonicMs] = [NOON_MS, 0];
  const clock = { nowMs: () => nowMs, monotonicMs: () => monotonicMs };
  const space = () => ({ freeBytes: 1e11, totalBytes: 1e11 });
  writer = await openWriter({ dir: folder.path, reserveMb: 0, keepActsYears: 2 }, { clock, space });
});
afterEach(async () => {
  await writer.close();
  folder.remove();
});

async function save(change: StateChange): Promise<void> {
  const result = await writer.commit([{ change }]);
  expect(result.kind).toBe("committed");
}

async function note(count: number): Promise<void> {
  const act = { actor: "a", action: "sign-in", object: "", result: "done", origin: "", detail: "" };
  const acts = Array.from({ length: count }, () => ({ ...act, atMs: nowMs }));
  await save({ acts });
}

function inFile<T>(sql: string): T[] {
  const db = new DatabaseSync(`${folder.path}/journal.db`, { readOnly: true });
  try {
    return db.prepare(sql).all() as T[];
  } finally {
    db.close();
  }
}

const ids = (list: string) => inFile<{ id: number }>(`SELECT id FROM ${list} ORDER BY id`).map(({ id }) => id);
const dropped = () => {
  const marks = inFile<{ name: string; value: number }>("SELECT * FROM mark WHERE name GLOB '*_*'");
  return Object.fromEntries(marks.filter(({ name }) => /^(over|aged)_/.test(name)).map((one) => [one.name, one.value]));
};

async function pass(ms: number): Promise<void> {
  [nowMs, monotonicMs] = [nowMs + ms, monotonicMs + TRIM_MS];
  await writer.upkeep.round();
}

describe("lists beside the rows", () => {
  test("acts go when they are older than is kept, and their numbers never come again", async () => {
    await note(3);
    await pass(YEAR_MS);
    await note(2);
    expect(ids("act")).toEqual([1, 2, 3, 4, 5]);
    await pass(YEAR_MS + 1);
    expect(ids("act")).toEqual([4, 5]);
    await pass(3 * YEAR_MS);
    expect(ids("act")).toEqual([]);
    await note(1);
    expect(ids("act")).toEqual([6]);
    expect(dropped()).toEqual({ aged_act: 5 });
  });

  test("a wall clock that is years ahead for an hour costs a bounded part of them", async () => {
    await note(AGED_AT_ONCE_MAX + 40);
    await pass(10 * YEAR_MS);
    nowMs -= 10 * YEAR_MS;
    await pass(0);
    expect(ids("act").length).toBe(40);
    // And within the hour nothing more.
    nowMs += 10 * YEAR_MS;
    await writer.upkeep.round();
    expect(ids("act").length).toBe(40);
  });

  test("beyond their most the oldest go before their time, a bounded number at once, and are counted", async () => {
    const at = { atMs: nowMs };
    await note(10);
    await save({ setAside: [4, 5, 6].map((id) => ({ id, cursor: "engine", error: "x", ...at })) });
    const dead = ["a", "b"].flatMap((sink) => [7, 8, 9].map((id) => ({ sink, id, code: "x", message: "", ...at })));
    await save({ deadLetters: dead });
    const trim = { beforeMs: 0, agedMax: 100, overMax: 4, rowsMax: 2 };
    const trims: Trim[] = (["act", "set_aside", "dead_letter"] as const).map((list) => ({ ...trim, list }));
    const { epoch } = writer.taken;
    expect((await writer.store.trim(epoch, trims)).outcome).toBe("durable");
    expect(ids("act")).toEqual([5, 6, 7, 8, 9, 10]);
    expect(ids("set_aside")).toEqual([5, 6]);
    expect(ids("dead_letter")).toEqual([9, 9]);
    expect((await writer.store.trim(epoch, trims)).outcome).toBe("durable");
    expect(ids("act")).toEqual([9, 10]);
    expect((await writer.store.trim(epoch, trims)).outcome).toBe("durable");
    expect(dropped()).toEqual({ over_act: 8, over_dead_letter: 4, over_set_aside: 1 });
    expect((await writer.store.trim(epoch - 1, trims)).outcome).toBe("fenced");
  });
});
