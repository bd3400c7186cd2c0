import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkedFrame, temporaryFolder, waitFor } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { systemClock } from "../clock.ts";
import { summaryJson } from "../journal/device-summary.ts";
import { type Journal, openJournal } from "../journal/journal.ts";
import { openState } from "../journal/pieces.ts";
import { restoreJournal } from "../journal/restore.ts";
import { copyOnce } from "./copier.ts";
import { createFileCollector } from "./files.ts";
import { areOnOneDisk, listingOf, writePiece } from "./folder.ts";
import { readRestored, restoreCopy } from "./restore.ts";
import { startSchedule } from "./schedule.ts";
import { seal, unseal } from "./sealing.ts";
import { lorawanOf, lorawanRow, readSheet, sheetText } from "./sheet.ts";
import { isWhole, readCopy } from "./verify.ts";

const KEY = "0f".repeat(32);
const PASSPHRASE = "a passphrase for tests";
const NOW_MS = 1_790_000_000_000;
const NOTHING_NAMED = () => ({ plain: [], secret: [] });
let folder = temporaryFolder();
let journal: Journal;
const dirs = () => ({
  data: join(folder.path, "data"),
  copy: join(folder.path, "copy"),
  spare: join(folder.path, "spare"),
});

beforeEach(async () => {
  folder = temporaryFolder();
  journal = await openJournal({ dir: dirs().data, clock: systemClock, reserveMb: 0 });
});
afterEach(async () => {
  await journal.close();
  folder.remove();
});

async function append(from: number, to: number, deviceId = "alm-01-d1"): Promise<void> {
  for (let i = from; i <= to; i++) {
    await journal.append(
      checkedFrame({ deviceId, sequence: i, time: NOW_MS / 1000 + i, receivedMs: NOW_MS + i * 1000 }),
    );
  }
}

async function spareRows(): Promise<readonly { deviceId: string; sequence: number }[]> {
  const spare = await openJournal({ dir: dirs().spare, clock: systemClock, reserveMb: 0 });
  const rows = await spare.read(0, 5_000);
  await spare.close();
  expect(rows.every((row) => row.damaged !== true)).toBe(true);
  return rows;
}

/** The state in a copy. */
function stateIn(copy: string) {
  const [newest] = listingOf(readdirSync(copy)).states;
  const opened = openState(readFileSync(join(copy, newest?.name ?? "")));
  if ("damaged" in opened) throw new Error(opened.damaged);
  return opened;
}

describe("a copy", () => {
  test("is brought up to date by what is new, and a spare made of it goes on where it ends", async () => {
    const { copy, spare } = dirs();
    await append(1, 20);
    await journal.save({ cursor: { name: "engine", id: 18 }, put: [{ kind: "point", key: "a", json: "{}" }] });
    expect(await copyOnce(journal, copy, [])).toMatchObject({ lastId: 20, rows: 20 });
    await append(21, 25, "alm-02-d1");
    expect(await copyOnce(journal, copy, [])).toMatchObject({ lastId: 25, rows: 5 });
    const result = await restoreCopy({ folder: copy, dataDir: spare, nowMs: NOW_MS });
    expect(result).toMatchObject({ rows: 25, keys: "none" });
    expect(readRestored(spare)?.resendFrom).toEqual({ "alm-01-d1": 45_556, "alm-02-d1": 45_561 });
    const opened = await openJournal({ dir: spare, clock: systemClock, reserveMb: 0 });
    expect(opened.epoch).not.toBe(journal.epoch);
    expect(opened.newestId()).toBe(25);
    expect(await opened.cursor("engine")).toBe(18);
    expect(await opened.documents("point")).toEqual([{ key: "a", json: "{}" }]);
    // What it holds already is a duplicate, and what is new goes behind it.
    const record = (sequence: number) =>
      checkedFrame({ sequence, time: NOW_MS / 1000 + sequence, receivedMs: NOW_MS + sequence * 1_000 });
    expect((await opened.append(record(20))).outcome).toBe("duplicate");
    const next = await opened.append(record(21));
    expect(next).toMatchObject({ outcome: "stored", id: 26 });
    await opened.close();
  });

  test("killed between any two files it is the one before or the one after", async () => {
    const { copy, spare } = dirs();
    await append(1, 6);
    await copyOnce(journal, copy, []);
    await append(7, 12);
    const whole = await copyTo(join(folder.path, "whole"), copy);
    await copyOnce(journal, whole, []);
    const added = readdirSync(whole).filter((name) => !readdirSync(copy).includes(name));
    expect(added).toHaveLength(2);
    // Rows first, the state last: with the rows alone it is the copy before.
    const rows = added.find((name) => name.startsWith("rows-")) as string;
    await writePiece(copy, rows, readFileSync(join(whole, rows)));
    expect((await restoreCopy({ folder: copy, dataDir: spare, nowMs: NOW_MS })).rows).toBe(6);
    expect((await spareRows()).map(({ sequence }) => sequence & 0xffff)).toEqual([1, 2, 3, 4, 5, 6]);
    // And the next step completes it, each row once.
    await copyOnce(journal, copy, []);
    rmSync(spare, { recursive: true });
    expect((await restoreCopy({ folder: copy, dataDir: spare, nowMs: NOW_MS })).rows).toBe(12);
    expect(await spareRows()).toHaveLength(12);
  });

  test("says of each damaged piece what is wrong, falls back to the state before, and asks for what is missing", async () => {
    const { copy, spare } = dirs();
    await append(1, 5);
    await copyOnce(journal, copy, []);
    await append(6, 10);
    await copyOnce(journal, copy, []);
    await append(11, 15);
    await copyOnce(journal, copy, []);
    expect(isWhole((await readCopy(copy)).report)).toBe(true);
    const { rows, states } = listingOf(readdirSync(copy));
    flip(join(copy, (rows[1] as { name: string }).name));
    flip(join(copy, (states[2] as { name: string }).name));
    const { report } = await readCopy(copy);
    expect(isWhole(report)).toBe(false);
    expect(report).toMatchObject({ stateLastId: 10, rows: 5, gaps: [{ fromId: 6, toId: 10 }] });
    expect(report.damaged).toHaveLength(2);
    await restoreCopy({ folder: copy, dataDir: spare, nowMs: NOW_MS });
    // It does not reach back for three days: all that the device has is asked for.
    expect(readRestored(spare)?.resendFrom).toEqual({ "alm-01-d1": 45_541 });
  });

  test("that lacks its last rows gives none of their ids again: whoever has passed them would pass by what comes now", async () => {
    const { copy, spare } = dirs();
    await append(1, 4);
    await copyOnce(journal, copy, []);
    await append(5, 9);
    await journal.save({ cursor: { name: "engine", id: 9 } });
    await copyOnce(journal, copy, []);
    flip(join(copy, (listingOf(readdirSync(copy)).rows[1] as { name: string }).name));
    await restoreCopy({ folder: copy, dataDir: spare, nowMs: NOW_MS });
    const opened = await openJournal({ dir: spare, clock: systemClock, reserveMb: 0 });
    expect(await opened.cursor("engine")).toBe(9);
    const again = await opened.append(
      checkedFrame({ sequence: 5, time: NOW_MS / 1000 + 5, receivedMs: NOW_MS + 5_000 }),
    );
    expect(again).toMatchObject({ outcome: "stored", id: 10 });
    expect((await opened.read(0, 100)).map(({ id }) => id)).toEqual([1, 2, 3, 4, 10]);
    await opened.close();
  });

  test("keeps what is known of a device whose rows are long gone", async () => {
    const { copy, spare } = dirs();
    await append(1, 2);
    await copyOnce(journal, copy, []);
    const opened = stateIn(copy);
    // As after the retention has dropped its rows: past the first turn of its sequence.
    const device = [...opened.tables.device, { device: 7, device_id: "alm-09-d1" }];
    const nothing = { window: undefined, synced: undefined, latestS: 0, forgottenTo: 0 };
    const json = summaryJson({ ...nothing, timeline: [run(140_000)] });
    const device_state = [{ device: 7, json, crc: crc32(json) }];
    restoreJournal(
      spare,
      { tables: { ...opened.tables, device, device_state }, lastId: 2, batches: [] },
      () => undefined,
    );
    const made = await openJournal({ dir: spare, clock: systemClock, reserveMb: 0 });
    await made.append(checkedFrame({ deviceId: "alm-09-d1", sequence: 140_001 & 0xffff }));
    expect((await made.read(0, 10)).at(-1)).toMatchObject({ deviceId: "alm-09-d1", sequence: 140_001 });
    await made.close();
  });

  test("of which no state is whole restores nothing, and a folder with a journal is left alone", async () => {
    const { data, copy, spare } = dirs();
    await append(1, 3);
    writeFileSync(join(data, "registry.json"), "before");
    await copyOnce(
      journal,
      copy,
      await createFileCollector({ dataDir: data, named: NOTHING_NAMED }, undefined).collect(copy),
    );
    writeFileSync(join(data, "registry.json"), "now");
    await expect(restoreCopy({ folder: copy, dataDir: data, nowMs: NOW_MS })).rejects.toMatchObject({
      code: "FILE_UNWRITABLE",
    });
    expect(readFileSync(join(data, "registry.json"), "utf8")).toBe("now");
    flip(join(copy, (listingOf(readdirSync(copy)).states[0] as { name: string }).name));
    await expect(restoreCopy({ folder: copy, dataDir: spare, nowMs: NOW_MS })).rejects.toMatchObject({
      code: "COPY_UNUSABLE",
    });
  });

  test("is told of a data folder that cannot be made", async () => {
    const { copy } = dirs();
    await append(1, 2);
    await copyOnce(journal, copy, []);
    writeFileSync(join(folder.path, "file"), "");
    const dataDir = join(folder.path, "file", "data");
    await expect(restoreCopy({ folder: copy, dataDir, nowMs: NOW_MS })).rejects.toMatchObject({
      code: "FILE_UNWRITABLE",
      detail: { path: dataDir, reason: expect.stringContaining("ENOTDIR") as string },
    });
  });

  test("is told of a disk that takes no more, and begun anew leaves no half journal", async () => {
    const { copy, spare } = dirs();
    await append(1, 2);
    await copyOnce(journal, copy, []);
    const opened = stateIn(copy);
    // What SQLite throws when the disk is full while rows are put in.
    const batches = {
      [Symbol.iterator]: () => {
        throw new Error("database or disk is full");
      },
    };
    expect(() => restoreJournal(spare, { tables: opened.tables, lastId: 2, batches }, () => undefined)).toThrow(
      expect.objectContaining({
        code: "FILE_UNWRITABLE",
        detail: { path: spare, reason: "database or disk is full" },
      }) as Error,
    );
    expect(readdirSync(spare)).toEqual([]);
  });

  test("carries secrets only under a passphrase, and again only when they change", async () => {
    const { data, copy, spare } = dirs();
    writeFileSync(join(data, "registry.json"), '{"version":1}');
    writeFileSync(join(data, "keys.json"), JSON.stringify({ version: 1, keys: { "alm-01-d1": KEY } }));
    writeFileSync(join(data, "lorawan-keys.json"), JSON.stringify({ version: 1, keys: { eui: { appKey: KEY } } }));
    await append(1, 2);
    const token = join(folder.path, "token");
    writeFileSync(token, "a-token");
    const sources = { dataDir: data, named: () => ({ plain: [], secret: [token] }) };
    await copyOnce(journal, copy, await createFileCollector(sources, undefined).collect(copy));
    const everything = () =>
      readdirSync(copy)
        .map((name) => readFileSync(join(copy, name)).toString("latin1"))
        .join("");
    expect(readdirSync(copy)).not.toContain("secrets.sealed");
    const files = createFileCollector(sources, PASSPHRASE);
    const first = await files.collect(copy);
    expect(first.map(({ name }) => name)).toEqual(["files.json", "secrets.sealed"]);
    await copyOnce(journal, copy, first);
    files.taken();
    expect(await files.collect(copy)).toEqual([]);
    expect(everything()).not.toContain(KEY);
    expect(everything()).not.toContain(Buffer.from(KEY).toString("base64").slice(0, 20));
    const wrong = { folder: copy, dataDir: spare, passphrase: "not the right passphrase", nowMs: NOW_MS };
    await expect(restoreCopy(wrong)).rejects.toMatchObject({ code: "PASSPHRASE_WRONG" });
    const none = { folder: copy, dataDir: spare, nowMs: NOW_MS };
    await expect(restoreCopy(none)).rejects.toMatchObject({ code: "PASSPHRASE_NEEDED" });
    // Refused, nothing is there that would be in the way.
    expect(existsSync(spare)).toBe(false);
    const result = await restoreCopy({ ...wrong, passphrase: PASSPHRASE });
    expect(result.keys).toBe("sealed");
    // What lay elsewhere is put where it overwrites nothing.
    expect(result.aside).toEqual([{ was: token, path: join(spare, "restored-files", token) }]);
    for (const name of ["keys.json", "lorawan-keys.json"])
      expect(readFileSync(join(spare, name), "utf8")).toContain(KEY);
    expect(readFileSync(join(spare, "registry.json"), "utf8")).toBe('{"version":1}');
  });
});

describe("a scheduled copy", () => {
  test("says how old it is and that it lies on the same disk, and fails when its disk is not there, without making it", async () => {
    const clock = virtualClock(NOW_MS);
    const place = join(folder.path, "place");
    mkdirSync(place);
    const files = createFileCollector({ dataDir: dirs().data, named: NOTHING_NAMED }, undefined);
    const dailies: string[] = [];
    const schedule = startSchedule({
      source: journal,
      folder: join(place, "copy"),
      files,
      everyMs: 60_000,
      onSameDisk: () => areOnOneDisk(place, dirs().data),
      daily: { copy: async (to) => void dailies.push(to), isMissing: () => false },
      clock,
    });
    await waitFor("the first copy", () => schedule.state().state === "current");
    expect(schedule.state()).toEqual({
      ...{ state: "current", behindRows: 0, everyS: 60, sameDisk: true },
      lastAt: new Date(NOW_MS).toISOString(),
    });
    await append(1, 3);
    expect(schedule.state().behindRows).toBe(3);
    expect(schedule.figures()).toMatchObject({ behindRows: 3, failing: false });
    expect(schedule.figures().writtenBytes).toBeGreaterThan(100);
    rmSync(place, { recursive: true });
    await clock.advance(60_000);
    await waitFor("the failure", () => schedule.state().state === "failing");
    expect(schedule.state()).toMatchObject({ behindRows: 3, reason: expect.stringContaining("ENOENT") as string });
    expect(existsSync(place)).toBe(false);
    mkdirSync(place);
    await clock.advance(30_000);
    await waitFor("the copy again", () => schedule.state().state === "current");
    expect(schedule.state().behindRows).toBe(0);
    expect(schedule.figures().ageS).toBeLessThan(60);
    expect(dailies).toEqual([join(place, "copy")]);
    await schedule.stop();
  });

  test("whose disk neither takes nor refuses is said to fail, and holds up neither the stop nor what is daily", async () => {
    const clock = virtualClock(NOW_MS);
    const schedule = startSchedule({
      source: { ...journal, statePiece: () => new Promise(() => undefined) },
      folder: join(folder.path, "copy"),
      files: createFileCollector({ dataDir: dirs().data, named: NOTHING_NAMED }, undefined),
      everyMs: 60_000,
      onSameDisk: async () => false,
      clock,
    });
    expect(schedule.state().state).toBe("starting");
    await clock.advance(601_000);
    expect(schedule.state()).toMatchObject({ state: "failing", reason: "the disk of the copy does not answer" });
    const stopped = schedule.stop();
    await clock.advance(5_000);
    await stopped;
  });
});

async function copyTo(to: string, from: string): Promise<string> {
  for (const name of readdirSync(from)) await writePiece(to, name, readFileSync(join(from, name)));
  return to;
}

function run(sequence: number) {
  return {
    ...{ first: sequence, last: sequence, firstMs: NOW_MS, lastMs: NOW_MS },
    ...{ firstSureMs: undefined, lastSureMs: undefined },
  };
}

function flip(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length - 3] = (bytes[bytes.length - 3] as number) ^ 1;
  writeFileSync(path, bytes);
}

describe("what is sealed", () => {
  test("opens with its passphrase alone, and not when one bit is another", async () => {
    const sealed = Buffer.from(await seal(Buffer.from("secret"), PASSPHRASE));
    expect(Buffer.from(unseal(sealed, PASSPHRASE)).toString()).toBe("secret");
    for (const at of [0, 20, 40, 50, sealed.length - 1]) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] as number) ^ 1;
      expect(() => unseal(changed, PASSPHRASE), `byte ${at}`).toThrow();
    }
    expect(() => unseal(sealed.subarray(0, 30), PASSPHRASE)).toThrow();
  });
});

describe("the recovery sheet", () => {
  const keys = [
    { deviceId: "alm-01-d1", key: KEY },
    { deviceId: "alm-02-d1", key: "a5".repeat(32) },
  ];

  test("comes back as it was printed, whatever spaces and capitals are typed", () => {
    const text = sheetText(keys, "A title");
    expect(readSheet(text)).toEqual({ kind: "keys", keys });
    const typed = text.replace(/A5A5|a5a5/g, "A5 a5\n   ").replace(/ {2}/g, "\t");
    expect(readSheet(typed)).toEqual({ kind: "keys", keys });
  });

  test("has the keys of LoRaWAN too, under their DevEUI", () => {
    const [joins, fixed] = [
      { appKey: "5a".repeat(16) },
      { devAddr: "00ab12cd", nwkSKey: "b6".repeat(16), appSKey: "c7".repeat(16) },
    ];
    const rows = [lorawanRow("24e124713d491234", joins), lorawanRow("24e124713d495678", fixed)];
    const read = readSheet(sheetText([...keys, ...rows], "A title"));
    expect(read).toEqual({ kind: "keys", keys: [...keys, ...rows] });
    expect([...keys, ...rows].map(lorawanOf)).toEqual([
      undefined,
      undefined,
      ["24e124713d491234", joins],
      ["24e124713d495678", fixed],
    ]);
    expect(readSheet(sheetText(rows, "A title").replace("5a5a", "5a5b")).kind).toBe("faults");
  });

  test("finds a slip of the finger and says in which line", () => {
    const text = sheetText(keys, "A title");
    const faults = (typed: string) => {
      const read = readSheet(typed);
      return read.kind === "faults" ? read.faults.join("; ") : "";
    };
    expect(faults(text.replace("a5a5", "a5a6"))).toContain("alm-02-d1: a wrong character");
    expect(faults(text.replace("a5a5", "a5a"))).toContain("alm-02-d1: 67 characters");
    expect(faults(text.replace("a5a5", "a5ag"))).toContain("alm-02-d1: a character that is none");
    expect(faults(text.replace("alm-02-d1:", "alm-03-d1:"))).toContain("alm-03-d1: a wrong character");
    expect(faults("nothing")).toContain("no device is named");
    expect(faults(text.replace("alm-02-d1:", "alm-02-d1"))).toContain("in 'alm-02-d1'; a name needs a colon");
    expect(readSheet(text.replace("alm-02-d1:", " ALM-02-D1 :"))).toEqual({ kind: "keys", keys });
  });
});
