// The export of a journal on disk, as the command does it: whole, in bounded memory, beside a gateway that runs.
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeEvent } from "../../protocol/index.ts";
import { checkedFrame, NOON_MS, temporaryFolder } from "../../tests/fixtures.ts";
import { rowsOfEverything } from "../../tests/influx-rows.ts";
import { exportCommand, parseMoment } from "../cli/export.ts";
import { systemClock } from "../clock.ts";
import { parseConfig } from "../config/config.ts";
import type { JournalRecord } from "../domain/record.ts";
import { type Journal, openJournal } from "../journal/journal.ts";
import { saveRegistry } from "../registry/registry.ts";
import { EMPTY_REGISTRY } from "../registry/shape.ts";
import { csvHeader, csvLine } from "../sinks/csv.ts";
import { exportPages } from "../sinks/export.ts";
import { lineOf } from "../sinks/lines.ts";
import { createExporter } from "./export.ts";
import { replayRules } from "./rules-replay.ts";

const folder = temporaryFolder();
const config = parseConfig({ data: { dir: folder.path } }, { path: "test", baseDir: folder.path });
let journal: Journal;

function sink(): { readonly stream: Writable; text(): string } {
  const parts: string[] = [];
  const stream = new Writable({
    highWaterMark: 16,
    write: (chunk: Buffer, _encoding, done) => {
      parts.push(chunk.toString());
      setImmediate(done);
    },
  });
  return { stream, text: () => parts.join("") };
}

interface Call {
  readonly format?: string;
  readonly records?: string;
  readonly from?: string;
  readonly to?: string;
  readonly devices?: string;
  readonly out?: string;
  readonly dir?: string;
}

async function call(words: Call): Promise<{ code: number; out: string; err: string }> {
  const output = sink();
  const said: string[] = [];
  const { format = "csv", records = "samples", from, to, devices, out, dir } = words;
  const where = dir === undefined ? config : { ...config, data: { ...config.data, dir } };
  const code = await exportCommand(
    { format, records, from, to, devices, out, config: where },
    createExporter(output.stream),
    { err: (line) => void said.push(line) },
  );
  return { code, out: output.text(), err: said.join("\n") };
}

const MINUTE_MS = 60_000;

beforeAll(async () => {
  journal = await openJournal({ dir: folder.path, clock: systemClock });
  for (let n = 1; n <= 5_000; n++) {
    const at = NOON_MS + n * MINUTE_MS;
    const deviceId = n % 2 === 0 ? "alm-01-d1" : "alm-02-d1";
    void journal.append(checkedFrame({ deviceId, sequence: n, time: at / 1000, receivedMs: at }));
  }
  const event = encodeEvent({ sequence: 9_000, time: NOON_MS / 1000, flags: {}, event: "refuelled", argument: 3 });
  const header = { sequence: 9_000, timeS: NOON_MS / 1000, clockSynced: true };
  await journal.append({ ...checkedFrame(), deviceId: "alm-03-d1", header, frame: event });
});
afterAll(async () => {
  await journal.close();
  folder.remove();
});

describe("an export", () => {
  test("has every sample once, under a header that names units, and ends its lines as RFC 4180 does", async () => {
    const { code, out, err } = await call({});
    const lines = out.split("\r\n");
    expect([code, err, lines.pop()]).toEqual([0, "5000 rows written", ""]);
    expect(lines[0]).toContain("sampled_at,received_at,point,device,link,row,sequence,quality,delay_s [s],phase_word,");
    expect(lines[0]).toContain("fuelLevelPct [%],fuelLevelPct_word,");
    expect(new Set(lines.slice(1).map((line) => line.split(",")[5])).size).toBe(5_000);
    expect(new Set(lines.map((line) => line.split(",").length)).size).toBe(1);
    expect(lines[1]).toMatch(
      /^2026-11-24T12:01:00\.000Z,2026-11-24T12:01:00\.000Z,unknown,alm-02-d1,mqtt,1,1,0,0,open,63\.5,,/,
    );
  });

  test("takes what lies from one moment on and before another, of the devices that are named", async () => {
    const words = { from: "2026-11-24T12:10:00Z", to: "2026-11-24T14:20:00+02:00", devices: "alm-01-d1" };
    const { out } = await call(words);
    const minutes = out
      .split("\r\n")
      .slice(1, -1)
      .map((line) => line.slice(14, 16));
    expect(minutes).toEqual(["10", "12", "14", "16", "18"]);
    expect((await call({ records: "events" })).out.split("\r\n")[1]).toMatch(/,alm-03-d1,mqtt,5001,.*,refuelled,3$/);
  });

  test("of days that the journal has dropped says since when it holds any", async () => {
    const { code, err } = await call({ from: "2026-11-01", to: "2026-11-08" });
    expect([code, err.split("\n")]).toEqual([
      0,
      [
        "0 rows written",
        expect.stringMatching(/^The journal holds what was received from 2026-11-24T12:01:00.000Z on; /),
      ],
    ]);
    expect((await call({ from: "2026-11-24T12:01:00Z" })).err).toBe("5000 rows written");
  });

  test("as line protocol it has rows of every kind, as the sink would send them", async () => {
    const { out, err } = await call({ format: "line" });
    const lines = out.split("\n").slice(0, -1);
    expect(err).toBe("5001 rows written");
    const last = (await journal.read(5_000, 1))[0] as JournalRecord;
    expect(lines[5_000]).toBe(lineOf(last, { pointOf: () => undefined }));
  });

  test("to a file is there when it is whole, and a file that cannot be is told of", async () => {
    const out = join(folder.path, "samples.csv");
    expect(await call({ out })).toMatchObject({ code: 0, out: "", err: `5000 rows written to ${out}` });
    expect(readFileSync(out, "utf8").split("\r\n")).toHaveLength(5_002);
    expect(existsSync(`${out}.part`)).toBe(false);
    writeFileSync(join(folder.path, "plain"), "");
    const bad = join(folder.path, "plain", "x.csv");
    await expect(call({ out: bad })).rejects.toMatchObject({ code: "FILE_UNWRITABLE" });
  });

  test("to standard output that the last page does not fit into any more is no export, and says so", async () => {
    const size = (await call({})).out.length;
    const settings = join(folder.path, "waakvlam.toml");
    writeFileSync(settings, '[data]\ndir = "."\n');
    // A most for the size of a file, in KiB, cuts a write short as a full disk does.
    const most = Math.floor((size - 2_048) / 1024);
    const script = `ulimit -f ${most}; exec "$0" gateway/main.ts export --config "$1" > "$1.csv"`;
    const { status, stderr } = spawnSync("bash", ["-c", script, process.execPath, settings], { encoding: "utf8" });
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^FILE_UNWRITABLE: .*standard output/)]);
  });

  test("to what is no file goes into it, and leaves it what it is", async () => {
    const out = join(folder.path, "a-device");
    symlinkSync("/dev/null", out);
    expect((await call({ out })).code).toBe(0);
    expect(lstatSync(out).isSymbolicLink()).toBe(true);
    expect(existsSync(`${out}.part`)).toBe(false);
    await expect(call({ out: folder.path })).rejects.toMatchObject({ code: "FILE_UNWRITABLE" });
    expect(existsSync(folder.path)).toBe(true);
  });

  test.skipIf(!existsSync("/dev/full"))("to a full disk ends, and says so", async () => {
    const out = join(folder.path, "a-full-disk");
    symlinkSync("/dev/full", out);
    for (const from of ["2020-01-01", "2099-01-01"])
      await expect(call({ out, from })).rejects.toMatchObject({ code: "FILE_UNWRITABLE" });
  });

  test("of a gateway that has stopped is the same", async () => {
    const stopped = temporaryFolder();
    const closed = await openJournal({ dir: stopped.path, clock: systemClock });
    await closed.append(checkedFrame());
    await closed.close();
    expect(await call({ dir: stopped.path })).toMatchObject({ code: 0, err: "1 rows written" });
    stopped.remove();
  });

  test("of a folder without a journal says so, and makes none", async () => {
    const dir = join(folder.path, "nothing");
    await expect(call({ dir })).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
    expect(existsSync(dir)).toBe(false);
  });

  test.each<[Call, RegExp]>([
    [{ format: "cvs" }, /--format cvs is not known: did you mean csv\?/],
    [{ records: "sample" }, /--records sample is not known: did you mean samples\?/],
    [{ from: "yesterday" }, /--from yesterday is no moment: give a day/],
    [{ to: "2026-11-24T12:00:00" }, /--to 2026-11-24T12:00:00 is no moment/],
    [{ from: "2026-11-25", to: "2026-11-25" }, /--from must lie before --to/],
  ])("that is asked for wrongly (%j) is refused in one line", async (words, text) => {
    const { code, out, err } = await call(words);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(text);
    expect(err).not.toContain("\n");
  });

  test("holds one page, whatever the record holds, and reads no further than the output takes", async () => {
    const row: JournalRecord = (await journal.read(0, 1))[0] as JournalRecord;
    let reads = 0;
    const endless = {
      read: async (afterId: number, limit: number) => {
        reads++;
        return Array.from({ length: limit }, (_, i) => ({ ...row, id: afterId + i + 1 }));
      },
    };
    const query = { format: "line", kind: "samples", fromMs: 0, toMs: Infinity, devices: [] } as const;
    const pages = exportPages(endless, query, { pointOf: () => undefined });
    for (let n = 0; n < 3; n++) {
      const page = await pages.next();
      expect(page.value?.rows).toBeLessThanOrEqual(2_000);
    }
    expect(reads).toBe(3);
    await pages.return(undefined);
  });
});

test("a sample is of the point at which its device stood then, and not of the one to which it moves", async () => {
  const moved = temporaryFolder();
  const place = { kind: "church" as const, municipalities: [{ id: "almere" }], location: { lat: 52.4, lon: 5.2 } };
  const device = { deviceId: "d-1", board: "esp32", link: "mqtt" } as const;
  saveRegistry(moved.path, {
    ...EMPTY_REGISTRY,
    municipalities: [{ id: "almere", name: "Almere", region: "Flevoland" }],
    points: ["p-1", "p-2"].map((pointId) => ({ pointId, name: pointId, ...place })),
    devices: [
      { ...device, pointId: "p-1", until: "2026-11-24T12:10:00Z" },
      { ...device, pointId: "p-2", from: "2026-11-24T12:10:00Z" },
    ],
  });
  const record = await openJournal({ dir: moved.path, clock: systemClock });
  for (const minute of [5, 15]) {
    const at = NOON_MS + minute * MINUTE_MS;
    await record.append(
      checkedFrame({ deviceId: "d-1", sequence: minute, time: at / 1000, receivedMs: at + 3_600_000 }),
    );
  }
  await record.close();
  const { out } = await call({ format: "line", dir: moved.path });
  expect(out.match(/point=[^ ]+/g)).toEqual(["point=p-1", "point=p-2"]);
  moved.remove();
});

test("of a journal that is damaged ends in words, and leaves nothing behind", async () => {
  const broken = temporaryFolder();
  try {
    writeFileSync(join(broken.path, "journal.db"), "this is no database, and long enough to be one".repeat(100));
    const out = join(broken.path, "out.csv");
    const wanted = { code: "JOURNAL_UNUSABLE", detail: { reason: expect.stringMatching(/not a database/) } };
    for (const words of [{ out }, {}]) await expect(call({ ...words, dir: broken.path })).rejects.toMatchObject(wanted);
    expect(readdirSync(broken.path)).toEqual(["journal.db"]);
    const rules = join(broken.path, "rules.toml");
    writeFileSync(rules, "version = 1\n");
    const request = { config: { ...config, data: { ...config.data, dir: broken.path } }, rules };
    const io = { out: () => undefined, err: () => undefined, nowMs: () => 0, isTerminal: false, readInput: () => "" };
    await expect(replayRules({ ...request, fromMs: 0, toMs: 1, json: true }, io)).rejects.toMatchObject(wanted);
  } finally {
    broken.remove();
  }
});

test("a moment is a day, or a time with its offset", () => {
  expect(parseMoment("2026-11-24")).toBe(Date.UTC(2026, 10, 24));
  expect(parseMoment("2026-11-24T12:00+01:00")).toBe(Date.UTC(2026, 10, 24, 11));
  for (const text of ["2026-02-30", "2026-13-01", "24-11-2026", "2026-11-24 12:00", ""])
    expect(parseMoment(text)).toBeUndefined();
});

test("what people told has a table of its own, without who told it and without free words", () => {
  const rows = rowsOfEverything();
  const context = { pointOf: () => undefined };
  const lines = rows.flatMap((row) => csvLine(row, "entries", context) ?? []);
  expect(lines).toHaveLength(8);
  expect(lines[1]).toMatch(
    /^2026-11-24T13:06:00.000Z,2026-11-24T13:07:00.000Z,alm-02,,manual,66,0,1,60,entry-001-of-64,count,runner,,41,/,
  );
  expect(lines.join("")).not.toMatch(/coordinator-1|bike|gate/);
  expect(rows.flatMap((row) => csvLine(row, "undecoded", context) ?? [])).toHaveLength(8);
});

test("a name that a spreadsheet would take for a formula is a text, and quotes are doubled", async () => {
  const row = (await journal.read(0, 1))[0] as JournalRecord;
  const line = csvLine({ ...row, deviceId: "-2-3" }, "samples", { pointOf: () => 'a"b,c' });
  expect(line).toContain(`,"a""b,c","'-2-3",mqtt,`);
  expect(csvLine(row, "events", { pointOf: () => undefined })).toBeUndefined();
  expect(csvHeader("events").split(",")).toHaveLength(11);
});
