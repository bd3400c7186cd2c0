// That a copy which is called whole can be restored from, whatever of it is gone or changed.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkedFrame, temporaryFolder } from "../../tests/fixtures.ts";
import { systemClock } from "../clock.ts";
import { openStore } from "../history/store.ts";
import { type Journal, openJournal } from "../journal/journal.ts";
import { copyOnce } from "./copier.ts";
import { createFileCollector } from "./files.ts";
import { listingOf, sumOf } from "./folder.ts";
import { copyHistory } from "./history-copy.ts";
import { copyFolderIn, restoreCopy } from "./restore.ts";
import { isWhole, readCopy, setDamagedAside } from "./verify.ts";

const NOW_MS = 1_790_000_000_000;
const PASSPHRASE = "a passphrase for tests";
const folder = temporaryFolder();
const [data, whole] = [join(folder.path, "data"), join(folder.path, "whole")];
let journal: Journal;
let copies = 0;

async function append(from: number, to: number): Promise<void> {
  for (let i = from; i <= to; i++) {
    await journal.append(checkedFrame({ sequence: i, time: NOW_MS / 1000 + i, receivedMs: NOW_MS + i * 1000 }));
  }
}

beforeAll(async () => {
  journal = await openJournal({ dir: data, clock: systemClock, reserveMb: 0 });
  writeFileSync(join(data, "registry.json"), '{"version":1}');
  writeFileSync(join(data, "keys.json"), '{"version":1,"keys":{}}');
  openStore(data, { epoch: journal.epoch, newestId: 0 }).close();
  const files = createFileCollector({ dataDir: data, named: () => ({ plain: [], secret: [] }) }, PASSPHRASE);
  for (let step = 0; step < 4; step++) {
    await append(step * 5 + 1, step * 5 + 5);
    await copyOnce(journal, whole, await files.collect(whole));
    files.taken();
    if (step === 0) await copyHistory(data, whole);
  }
});
afterAll(async () => {
  await journal.close();
  folder.remove();
});

/** A copy of the copy, with something done to it. */
function copyWith(spoil: (at: (name: string) => string) => void): string {
  const path = join(folder.path, `copy-${copies++}`);
  cpSync(whole, path, { recursive: true });
  spoil((name) => join(path, name));
  return path;
}

const rowsNames = () => listingOf(readdirSync(whole)).rows.map(({ name }) => name);

function flip(path: string, at?: number): void {
  const bytes = readFileSync(path);
  const place = at ?? bytes.length >> 1;
  bytes[place] = (bytes[place] as number) ^ 1;
  writeFileSync(path, bytes);
}

function withoutRanges(bytes: Uint8Array): Uint8Array {
  const all = Buffer.from(bytes);
  const end = all.indexOf(10);
  const { rows: _, ...tables } = JSON.parse(inflateRawSync(all.subarray(end + 1)).toString()) as Record<
    string,
    unknown
  >;
  const body = deflateRawSync(JSON.stringify(tables));
  const head = all.toString("latin1", 0, end).replace(/[0-9a-f]{64}$/, sumOf(body));
  return Buffer.concat([Buffer.from(`${head}\n`), body]);
}

async function verified(path: string) {
  const { report } = await readCopy(path);
  return { isWhole: isWhole(report), gaps: report.gaps, damaged: report.damaged.map(({ name }) => name) };
}

describe("a copy is called whole", () => {
  test("when nothing is wrong with it", async () => {
    expect(await verified(whole)).toEqual({ isWhole: true, gaps: [], damaged: [] });
  });

  const names = ["files.json", "secrets.sealed", "history.db", "contents.piece"];
  test.each(names)("not when %s is gone, cut or another by one bit", async (name) => {
    const flipped = (path: string) => flip(path);
    for (const spoil of [rmSync, flipped, (path: string) => truncateSync(path, 40)]) {
      const path = copyWith((at) => spoil(at(name)));
      expect(await verified(path)).toEqual({ isWhole: false, gaps: [], damaged: [name] });
    }
  });

  test("not when pieces of rows are gone: the first, one between, the last, all", async () => {
    const cases: [number[], { fromId: number; toId: number }[]][] = [
      [[0], [{ fromId: 1, toId: 5 }]],
      [[1], [{ fromId: 6, toId: 10 }]],
      [[3], [{ fromId: 16, toId: 20 }]],
      [[0, 1, 2, 3], [{ fromId: 1, toId: 20 }]],
    ];
    for (const [gone, gaps] of cases) {
      const path = copyWith((at) => {
        for (const i of gone) rmSync(at(rowsNames()[i] as string));
      });
      expect(await verified(path)).toEqual({ isWhole: false, gaps, damaged: [] });
      // The list gone with them, the state tells what the journal had.
      rmSync(join(path, "contents.piece"));
      expect(await verified(path)).toEqual({ isWhole: false, gaps, damaged: ["contents.piece"] });
    }
  });

  test("though the journal itself has a hole, and dropped its oldest rows", async () => {
    const path = join(folder.path, "holed");
    // As the journal of a spare whose copy lacked a piece.
    const source = {
      oldestId: () => 1,
      statePiece: journal.statePiece,
      rowsPiece: (fromId: number, limit: number) =>
        journal.rowsPiece(fromId > 10 && fromId < 16 ? 16 : fromId, Math.min(limit, 5)),
    };
    await copyOnce(source, path, []);
    expect(listingOf(readdirSync(path)).rows.map(({ firstId, lastId }) => [firstId, lastId])).toEqual([
      [1, 5],
      [6, 10],
      [16, 20],
    ]);
    expect(await verified(path)).toEqual({ isWhole: true, gaps: [], damaged: [] });
    // Some days later; ended after what the journal dropped is gone from the copy too, and then not ended.
    const later = { ...source, oldestId: () => 6 };
    const ended = {
      ...later,
      rowsPiece: (fromId: number, limit: number) =>
        fromId < 20 ? Promise.reject(new Error("ended")) : source.rowsPiece(fromId, limit),
    };
    await expect(copyOnce(ended, path, [])).rejects.toThrow("ended");
    expect(listingOf(readdirSync(path)).rows).toHaveLength(2);
    expect(await verified(path)).toEqual({ isWhole: true, gaps: [], damaged: [] });
    await copyOnce(later, path, []);
    expect(await verified(path)).toEqual({ isWhole: true, gaps: [], damaged: [] });
  });

  test("by what it has when a version that kept no list has written it", async () => {
    const path = copyWith((at) => {
      rmSync(at("history.sum"));
      for (const { name } of listingOf(readdirSync(whole)).states) rmSync(at(name));
    });
    // The state as that version wrote it: without the ranges.
    const { bytes } = await journal.statePiece();
    writeFileSync(join(path, "state-000000000000020.piece"), withoutRanges(bytes));
    // The list may be left of a newer version that was taken back, and says what is no more.
    writeFileSync(join(path, "files.json"), '{"version":1,"files":{}}');
    const { report } = await readCopy(path);
    expect(report).toMatchObject({ listed: false, rows: 20, gaps: [], damaged: [] });
    expect(isWhole(report)).toBe(true);
    truncateSync(join(path, "history.db"), 8_192);
    truncateSync(join(path, "files.json"), 20);
    expect((await verified(path)).damaged).toEqual(["files.json", "history.db"]);
  });
});

describe("a copy of which", () => {
  test("the history is damaged gives the journal back, and leaves nothing half made", async () => {
    // Byte 80 is one that SQLite itself does not look at: the sum alone tells.
    const path = copyWith((at) => flip(at("history.db"), 80));
    const unlisted = copyWith((at) => {
      rmSync(at("history.sum"));
      // As long as its head says, and no page but the first is one.
      const bytes = readFileSync(at("history.db"));
      writeFileSync(at("history.db"), Buffer.concat([bytes.subarray(0, 4_096), Buffer.alloc(bytes.length - 4_096)]));
    });
    for (const copy of [path, unlisted]) {
      const spare = `${copy}-spare`;
      const result = await restoreCopy({ folder: copy, dataDir: spare, passphrase: PASSPHRASE, nowMs: NOW_MS });
      expect(result).toMatchObject({ rows: 20, history: false, historyDamaged: true });
      expect(readdirSync(spare).sort()).toEqual(["journal.db", "keys.json", "registry.json", "restored.json"]);
    }
    const sound = await restoreCopy({ folder: whole, dataDir: `${path}-sound`, passphrase: PASSPHRASE, nowMs: NOW_MS });
    expect(sound).toMatchObject({ history: true, historyDamaged: false });
    expect(readdirSync(`${path}-sound`)).not.toContain("history.db.restoring");
  });

  test("a worn disk does not give some files gives all else back, and nothing is set aside that may be whole", async () => {
    const worn = ["history.db", "contents.piece", rowsNames()[1] as string, "state-000000000000020.piece"];
    const path = copyWith((at) => {
      for (const name of worn) {
        rmSync(at(name));
        // Reading it fails with EIO, as a bad sector does.
        symlinkSync("/proc/self/mem", at(name));
      }
    });
    const { report } = await readCopy(path);
    expect(report.damaged.map(({ name }) => name).sort()).toEqual([...worn].sort());
    expect(report.damaged.every(({ why }) => why.includes("does not give it (EIO)"))).toBe(true);
    await setDamagedAside(path, report);
    expect(readdirSync(path)).toContain(rowsNames()[1]);
    const options = { folder: path, dataDir: `${path}-spare`, passphrase: PASSPHRASE, nowMs: NOW_MS };
    // Through row 15, where the state before ends; rows 6 to 10 are those that the disk does not give.
    expect(await restoreCopy(options)).toMatchObject({ rows: 10, historyDamaged: true, keys: "sealed" });
  });

  test("the registry is not given is refused: so a disk that was pulled out shows", async () => {
    const path = copyWith((at) => {
      rmSync(at("files.json"));
      symlinkSync("/proc/self/mem", at("files.json"));
    });
    await expect(readCopy(path)).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  });

  test("pieces go while it is read is whole: the journal dropped them", async () => {
    const path = copyWith(() => undefined);
    await copyOnce({ ...journal, oldestId: () => 6, rowsPiece: journal.rowsPiece }, path, []);
    // What is listed and then not there: as one that goes in between.
    symlinkSync("nowhere", join(path, rowsNames()[0] as string));
    expect(isWhole((await readCopy(path)).report)).toBe(true);
  });

  test("rows are damaged or gone has them again after the next step, once the damaged ones are set aside", async () => {
    const path = copyWith((at) => {
      flip(at(rowsNames()[1] as string));
      rmSync(at(rowsNames()[2] as string));
    });
    const { report } = await readCopy(path);
    expect(report).toMatchObject({ rows: 10, gaps: [{ fromId: 6, toId: 15 }], damaged: [{ name: rowsNames()[1] }] });
    await setDamagedAside(path, report);
    expect(existsSync(join(path, rowsNames()[1] as string))).toBe(false);
    // Set aside it is missed all the same.
    expect(await verified(path)).toMatchObject({ isWhole: false, gaps: [{ fromId: 6, toId: 15 }] });
    expect(await copyOnce(journal, path, [])).toMatchObject({ rows: 10, lastId: 20 });
    expect(await verified(path)).toEqual({ isWhole: true, gaps: [], damaged: [] });
    expect(await copyOnce(journal, path, [])).toMatchObject({ rows: 0 });
  });
});

describe("the folder of a copy", () => {
  test("is asked for where there are two, with how far each goes and the newest first", async () => {
    const place = join(folder.path, "both");
    cpSync(whole, join(place, "b-newer"), { recursive: true });
    const { bytes } = await journal.statePiece();
    for (const name of ["a-empty", "c-older"]) {
      mkdirSync(join(place, name));
      writeFileSync(join(place, name, "state-000000000000000.piece"), bytes);
    }
    const first = rowsNames()[0] as string;
    cpSync(join(whole, first), join(place, "c-older", first));
    await expect(copyFolderIn(place)).rejects.toMatchObject({
      code: "COPY_UNNAMED",
      detail: {
        problems: [
          `${place}/b-newer: rows up to 2026-09-21T14:13:40.000Z`,
          `${place}/c-older: rows up to 2026-09-21T14:13:25.000Z`,
          `${place}/a-empty: no rows`,
        ],
      },
    });
    expect(await copyFolderIn(join(place, "c-older"))).toBe(join(place, "c-older"));
  });
});
