// The writer over a store that does not always say what became of an append: each record once, in order, whatever it says.
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createRandom } from "../../firmware/simulator/random.ts";
import { checkedFrame, temporaryFolder } from "../../tests/fixtures.ts";
import { toVersion2 } from "../../tests/journal-version-2.ts";
import { systemClock } from "../clock.ts";
import type { Entry } from "./changes.ts";
import { openWriter } from "./open-writer.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import type { RecordStore, StoreVerdict } from "./store.ts";
import { createWriter } from "./writer.ts";

const SEED = Number(process.env["WRITER_SEED"] ?? Math.floor(performance.timeOrigin) % 1_000_000);
console.info(`writer: WRITER_SEED=${SEED}`);
const UNKNOWN: StoreVerdict = { outcome: "unknown", reason: "the answer was lost" };

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

/** Loses answers of appends that were stored, and appends themselves; refuses some for a while. */
function unsure(store: RecordStore, next: () => number): RecordStore {
  return {
    ...store,
    append: async (epoch, first, records) => {
      const chance = next();
      if (chance < 0.2) return UNKNOWN;
      if (chance < 0.3) return { outcome: "not-durable", reason: "busy", retry: true };
      const verdict = await store.append(epoch, first, records);
      return chance < 0.55 ? UNKNOWN : verdict;
    },
  };
}

function batch(from: number, count: number): Entry[] {
  return Array.from({ length: count }, (_, i): Entry => {
    const at = from + i;
    if (at % 5 === 0) {
      const act = { atMs: at, actor: "a", action: String(at), object: "o", result: "done", origin: "test", detail: "" };
      return { change: { acts: [act], cursor: { name: "engine", id: at } } };
    }
    return { frame: checkedFrame({ sequence: at, deviceId: `alm-0${at % 3}-d1` }) };
  });
}

describe("a store that loses answers", () => {
  test.each(Array.from({ length: 12 }, (_, i) => SEED + i))(
    "costs nothing and doubles nothing: seed %i",
    async (seed) => {
      const random = createRandom(seed);
      let store = openSqliteStore({ dir: folder.path });
      let writer = await createWriter(unsure(store, () => random.next()));
      let from = 1;
      while (from < 120) {
        const entries = batch(from, 1 + Math.floor(random.next() * 9));
        let result = await writer.commit(entries);
        while (result.kind === "failed") {
          expect(result.retry).toBe(true);
          if (random.next() < 0.2) await writer.summarise(0);
          result = await writer.commit(entries);
        }
        expect(result.outcomes.map((one) => one.outcome)).toEqual(
          entries.map((entry) => ("frame" in entry ? "stored" : "saved")),
        );
        from += entries.length;
        if (random.next() < 0.3) await writer.summarise(0);
        if (random.next() < 0.1) {
          await store.close();
          store = openSqliteStore({ dir: folder.path });
          writer = await createWriter(unsure(store, () => random.next()));
        }
      }
      const all = Array.from({ length: from - 1 }, (_, i) => i + 1);
      const frames = all.filter((at) => at % 5 !== 0);
      const read = await store.read(writer.taken.epoch, 1, 1_000);
      if (read.outcome !== "rows") throw new Error(read.outcome);
      expect(read.rows.map((row) => row.id)).toEqual(frames.map((_, i) => i + 1));
      expect(read.rows.map((row) => row.sequence - 65_536)).toEqual(frames);
      const acts = (await store.acts(1_000)).map((act) => Number(act.action)).reverse();
      expect(acts).toEqual(all.filter((at) => at % 5 === 0));
      await store.close();
    },
  );
});

test("a writer whose place was taken stores nothing more, and says that trying again is of no use", async () => {
  const [a, b] = [openSqliteStore({ dir: folder.path }), openSqliteStore({ dir: folder.path })];
  const old = await createWriter(a);
  expect((await old.commit(batch(1, 3))).kind).toBe("committed");
  const young = await createWriter(b);
  expect(await old.commit(batch(6, 3))).toMatchObject({ kind: "failed", retry: false });
  expect(young.newestId()).toBe(3);
  expect((await young.commit(batch(6, 3))).kind).toBe("committed");
  await a.close();
  await b.close();
});

describe("a file of version 2", () => {
  async function filled(): Promise<void> {
    const writer = await openWriter({ dir: folder.path }, { clock: systemClock });
    await writer.commit(batch(1, 40));
    await writer.close();
    change(toVersion2);
  }

  function change(work: (db: DatabaseSync) => void): void {
    const db = new DatabaseSync(`${folder.path}/journal.db`);
    work(db);
    db.close();
  }

  test("keeps its rows, undamaged, its cursor and its devices; ids go on in a new range", async () => {
    await filled();
    const writer = await openWriter({ dir: folder.path }, { clock: systemClock });
    const read = await writer.store.read(writer.taken.epoch, 1, 100);
    expect(read.outcome === "rows" && read.rows.map((row) => row.id)).toEqual(
      Array.from({ length: 32 }, (_, i) => i + 1),
    );
    expect(await writer.store.cursors()).toEqual(new Map([["engine", 40]]));
    const again = await writer.commit(batch(36, 8));
    expect(again.kind === "committed" && again.outcomes.map((one) => one.outcome)).toEqual([
      ...["duplicate", "duplicate", "duplicate", "duplicate", "saved"],
      ...["stored", "stored", "stored"],
    ]);
    expect((await writer.store.ranges()).map(({ firstId, lastId }) => [firstId, lastId])).toEqual([
      [1, 32],
      [33, 35],
    ]);
    await writer.close();
  });

  test("that was emptied by hand goes on with its ids", async () => {
    await filled();
    change((db) => db.exec("DELETE FROM journal"));
    const writer = await openWriter({ dir: folder.path }, { clock: systemClock });
    expect(writer.newestId()).toBe(32);
    await writer.commit(batch(41, 2));
    expect(writer.newestId()).toBe(34);
    await writer.close();
  });

  test("whose change was cut off halfway is as it was, and is changed the next time", async () => {
    await filled();
    // What a crash before the commit leaves: nothing of the transaction.
    change((db) => {
      db.exec("BEGIN; ALTER TABLE journal RENAME TO journal_1; CREATE TABLE range(x)");
    });
    change((db) => expect(db.prepare("SELECT count(*) AS n FROM journal").get()?.["n"]).toBe(32));
    const writer = await openWriter({ dir: folder.path }, { clock: systemClock });
    expect(writer.newestId()).toBe(32);
    await writer.close();
  });
});

test("a summary with a flipped bit is not believed: the rows are read instead", async () => {
  const first = await openWriter({ dir: folder.path }, { clock: systemClock });
  await first.commit(batch(1, 30));
  await first.close();
  const db = new DatabaseSync(`${folder.path}/journal.db`);
  db.exec("UPDATE device_state SET json = replace(json, '655', '755') WHERE device = 2");
  db.close();
  const writer = await openWriter({ dir: folder.path }, { clock: systemClock });
  expect(writer.summarisedId()).toBe(0);
  const again = await writer.commit(batch(21, 4));
  expect(again.kind === "committed" && again.outcomes.map((one) => one.outcome)).toEqual(
    Array.from({ length: 4 }, () => "duplicate"),
  );
  await writer.close();
});
