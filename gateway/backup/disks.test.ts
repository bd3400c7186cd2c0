// A copy whose disk is another one than before, is not there, or knows more than the journal.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkedFrame, temporaryFolder, waitFor } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { systemClock } from "../clock.ts";
import { type Journal, openJournal } from "../journal/journal.ts";
import { copyOnce } from "./copier.ts";
import { createFileCollector } from "./files.ts";
import { copyHistory, lacksHistory } from "./history-copy.ts";
import { isOnDataDisk } from "./own-disk.ts";
import { type ScheduleDeps, startSchedule } from "./schedule.ts";
import { readCopy } from "./verify.ts";

const NOW_MS = 1_790_000_000_000;
const EVERY_MS = 60_000;
const PASSPHRASE = "a passphrase for tests";
let folder = temporaryFolder();
let journal: Journal;
const dirs = () => ({ data: join(folder.path, "data"), place: join(folder.path, "place") });
const copyDir = () => join(dirs().place, "copy");

beforeEach(async () => {
  folder = temporaryFolder();
  mkdirSync(dirs().place);
  journal = await openJournal({ dir: dirs().data, clock: systemClock, reserveMb: 0 });
});
afterEach(async () => {
  await journal.close();
  folder.remove();
});

async function append(from: number, to: number): Promise<void> {
  for (let i = from; i <= to; i++) {
    await journal.append(checkedFrame({ sequence: i, time: NOW_MS / 1000 + i, receivedMs: NOW_MS + i * 1000 }));
  }
}

function schedule(part: Partial<ScheduleDeps> = {}) {
  const { data } = dirs();
  const clock = virtualClock(NOW_MS);
  const made = startSchedule({
    source: journal,
    folder: copyDir(),
    files: createFileCollector({ dataDir: data, named: () => ({ plain: [], secret: [] }) }, PASSPHRASE),
    everyMs: EVERY_MS,
    onSameDisk: async () => false,
    daily: {
      copy: (to) => copyHistory(data, to),
      isMissing: (to) => lacksHistory(data, to),
    },
    clock,
    ...part,
  });
  /** One step more: until all rows are in the copy. */
  const step = async () => {
    await clock.advance(EVERY_MS);
    await waitFor("a step", () => made.state().state === "current" && made.state().behindRows === 0);
  };
  return { ...made, clock, step };
}

describe("another disk", () => {
  test("that is put in its place gets everything, not only what changes from then on", async () => {
    const { data, place } = dirs();
    writeFileSync(join(data, "registry.json"), '{"version":1}');
    writeFileSync(join(data, "keys.json"), '{"version":1,"keys":{}}');
    const history = new DatabaseSync(join(data, "history.db"));
    history.exec("CREATE TABLE meta(a); INSERT INTO meta VALUES(1)");
    history.close();
    await append(1, 3);
    const copy = schedule();
    const all = ["files.json", "history.db", "history.sum", "secrets.sealed"];
    const standing = () => readdirSync(copyDir()).filter((name) => !name.includes("piece"));
    await waitFor("the first copy", () => existsSync(copyDir()) && standing().join() === all.join());
    renameSync(place, `${place}-out`);
    mkdirSync(place);
    await append(4, 5);
    await copy.step();
    await waitFor("all files", () => standing().join() === all.join());
    // The first one comes back, with what has changed since.
    writeFileSync(join(data, "registry.json"), '{"version":1,"points":[]}');
    await append(6, 6);
    await copy.step();
    rmSync(place, { recursive: true });
    renameSync(`${place}-out`, place);
    await append(7, 7);
    await copy.step();
    const text = readFileSync(join(copyDir(), "files.json"), "utf8");
    expect(text).toContain(Buffer.from('{"version":1,"points":[]}').toString("base64"));
    await copy.stop();
  });
});

describe("the copy's own disk", () => {
  // On Linux the folder of shared memory is a disk of its own everywhere.
  const elsewhere = "/dev/shm";

  test.skipIf(!existsSync(elsewhere))(
    "that is not mounted any more is told of, and nothing is put in its place",
    async () => {
      const { data, place } = dirs();
      const other = mkdtempSync(join(elsewhere, "waakvlam-test-"));
      try {
        rmdirSync(place);
        symlinkSync(other, place);
        await append(1, 2);
        const copy = schedule({ onSameDisk: () => isOnDataDisk(place, data) });
        await waitFor("the first copy", () => copy.state().state === "current");
        expect(copy.state()).not.toHaveProperty("sameDisk");
        await copy.stop();
        // After a start as well: what was seen is kept.
        rmSync(place);
        mkdirSync(place);
        const next = schedule({ onSameDisk: () => isOnDataDisk(place, data) });
        await waitFor("the failure", () => next.state().state === "failing");
        expect(next.state().reason).toMatch(/its disk is not mounted: mount .*place/);
        expect(readdirSync(place)).toEqual([]);
        await next.stop();
        // Another place on the disk of the data may be meant so; then this one may be too.
        const meant = join(folder.path, "meant");
        mkdirSync(meant);
        expect(await isOnDataDisk(meant, data)).toBe(true);
        expect(await isOnDataDisk(place, data)).toBe(true);
      } finally {
        rmSync(other, { recursive: true });
      }
    },
  );
});

describe("a copy of more than the journal has", () => {
  test("is left as it is, and told of as failing with what mends it", async () => {
    const { data } = dirs();
    await append(1, 4);
    await journal.close();
    cpSync(data, `${data}.before`, { recursive: true });
    journal = await openJournal({ dir: data, clock: systemClock, reserveMb: 0 });
    await append(5, 9);
    await copyOnce(journal, copyDir(), []);
    await journal.close();
    rmSync(data, { recursive: true });
    renameSync(`${data}.before`, data);
    journal = await openJournal({ dir: data, clock: systemClock, reserveMb: 0 });
    await append(21, 22);
    const before = readdirSync(copyDir());
    await expect(copyOnce(journal, copyDir(), [])).rejects.toMatchObject({ code: "COPY_AHEAD" });
    const copy = schedule();
    await waitFor("the failure", () => copy.state().state === "failing");
    expect(copy.state().reason).toMatch(/copy goes up to row 9 and the journal to row 6: .* Move that folder away/);
    expect(readdirSync(copyDir())).toEqual(before);
    // And once the journal has grown past it: the two must not be mixed.
    await append(23, 28);
    await copy.clock.advance(EVERY_MS);
    await waitFor("the other reason", () => copy.state().reason?.includes("row 9 in") === true);
    expect(readdirSync(copyDir())).toEqual(before);
    renameSync(copyDir(), `${copyDir()}-old`);
    await copy.clock.advance(EVERY_MS);
    await waitFor("a new copy", () => copy.state().state === "current");
    expect((await readCopy(copyDir())).report).toMatchObject({ rows: 12, gaps: [] });
    await copy.stop();
  });

  test("whose folder is not there is told of with what to do, by hand as well", async () => {
    const { data } = dirs();
    const place = join(folder.path, "pulled-out");
    await expect(isOnDataDisk(place, data)).rejects.toMatchObject({
      code: "FILE_UNWRITABLE",
      detail: { path: place, reason: `it is not there: mount its disk, or make ${place}` },
    });
  });
});
