// Backlog frames in the journal: each sample a record of its own, stored once, at the moment at which it was taken.
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { backlogFrame, checkedBacklog, sampleFrame } from "../../tests/backlog-frames.ts";
import { checkedFrame, NOON_MS, temporaryFolder } from "../../tests/fixtures.ts";
import { toVersion2 } from "../../tests/journal-version-2.ts";
import { systemClock } from "../clock.ts";
import { FIRST_CYCLE_BASE as BASE } from "../domain/sequence.ts";
import { type Journal, openJournal } from "./journal.ts";
import { openWriter } from "./open-writer.ts";
import { rowChecksum, type StoredRow } from "./row.ts";
import type { CommitResult } from "./writer.ts";

const NOON_S = NOON_MS / 1000;
const DAY_S = 86_400;
let folder: ReturnType<typeof temporaryFolder>;
let journal: Journal;

beforeEach(async () => {
  folder = temporaryFolder();
  journal = await openJournal({ dir: folder.path, clock: systemClock });
});
afterEach(async () => {
  await journal.close();
  folder.remove();
});

async function reopen(change?: (db: DatabaseSync) => void): Promise<void> {
  await journal.close();
  if (change !== undefined) {
    const db = new DatabaseSync(`${folder.path}/journal.db`);
    change(db);
    db.close();
  }
  journal = await openJournal({ dir: folder.path, clock: systemClock });
}

/** [sequence, seconds from noon, quality] of the rows, by sequence. */
async function places(): Promise<[number, number, string][]> {
  const rows = [...(await journal.read(0, 5_000))].sort((a, b) => a.sequence - b.sequence);
  return rows.map((row) => [row.sequence - BASE, (row.timeMs - NOON_MS) / 1000, row.timeQuality]);
}

/** Samples with these sequences, a minute apart, the first at `fromS`. */
function minutesOf(sequences: readonly number[], fromS: number, clockSynced: boolean): Uint8Array[] {
  return sequences.map((sequence, i) => sampleFrame(sequence, fromS + 60 * i, clockSynced));
}

function span(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** A live report. */
function live(
  sequence: number,
  timeS: number,
  part: { clockSynced?: boolean; receivedMs?: number; clockTrusted?: boolean } = {},
) {
  const { clockSynced = true, receivedMs = NOON_MS, clockTrusted = true } = part;
  return { ...checkedFrame({ sequence, time: timeS, flags: { clockSynced }, receivedMs }), clockTrusted };
}

describe("a backlog frame", () => {
  test("becomes one row a sample, as stored on the device, and one of its own, and is acknowledged by its own bit", async () => {
    const reports = minutesOf(span(10, 30), NOON_S - 1200, true);
    const asked = checkedBacklog({ sequence: 40, timeS: NOON_S, clockSynced: true }, reports);
    const outcome = await journal.append(asked);
    expect(outcome).toMatchObject({ outcome: "stored", id: 22, ack: { baseSequence: 9 } });
    // 40, and the samples 10 to 30.
    expect("ack" in outcome && outcome.ack?.bitmap).toBe(0b0111_1111_1111_1111_1111_1100_0000_0001);
    const rows = await journal.read(0, 100);
    expect(rows.map((row) => row.sequence - BASE)).toEqual([...span(10, 30), 40]);
    for (const [i, report] of reports.entries()) expect(Buffer.from(rows[i]?.frame ?? [])).toEqual(Buffer.from(report));
    expect(Buffer.from(rows[21]?.frame ?? [])).toEqual(Buffer.from(asked.frame));
    expect(rows.every((row) => row.timeQuality === "synced" && row.damaged === undefined)).toBe(true);
  });

  test("sent again is a duplicate, within one batch and after a restart; what is missing of it is stored", async () => {
    const frame = checkedBacklog(
      { sequence: 40, timeS: NOON_S, clockSynced: true },
      minutesOf(span(10, 30), NOON_S - 1200, true),
    );
    await journal.append(live(15, NOON_S - 900));
    const outcomes = await Promise.all([journal.append(frame), journal.append(frame)]);
    expect(outcomes.map((one) => one.outcome)).toEqual(["stored", "duplicate"]);
    await reopen();
    expect((await journal.append(frame)).outcome).toBe("duplicate");
    const other = checkedBacklog(
      { sequence: 41, timeS: NOON_S, clockSynced: true },
      minutesOf(span(5, 12), NOON_S - 1500, true),
    );
    expect((await journal.append(other)).outcome).toBe("stored");
    expect((await places()).map(([sequence]) => sequence)).toEqual([...span(5, 30), 40, 41]);
  });

  test("reaches back 72 hours of minutes, across the wrap, and no further than the window remembers", async () => {
    await journal.append(live(2_000, NOON_S - DAY_S * 3));
    await journal.append(live(6_400, NOON_S));
    const old = checkedBacklog(
      { sequence: 6_401, timeS: NOON_S, clockSynced: true },
      minutesOf(span(2_001, 2_040), NOON_S - 259_140, true),
    );
    expect((await journal.append(old)).outcome).toBe("stored");
    const wrapped = [65_535 - 26_500, 65_534];
    const far = wrapped.map((sequence) => sampleFrame(sequence, NOON_S - 3 * DAY_S, true));
    await journal.append(checkedBacklog({ sequence: 6_402, timeS: NOON_S, clockSynced: true }, far));
    const sequences = (await places()).map(([sequence]) => sequence);
    expect(sequences).toEqual(
      [65_534 - 65_536, 2_000, ...span(2_001, 2_040), 6_400, 6_401, 6_402].sort((a, b) => a - b),
    );
  });

  test("a copy with its history put first: samples ahead of all that is known are stored once", async () => {
    await journal.append(live(100, NOON_S - 7200));
    const ahead = checkedBacklog(
      { sequence: 150, timeS: NOON_S, clockSynced: true },
      minutesOf(span(101, 140), NOON_S - 7140, true),
    );
    await journal.append(ahead);
    await journal.append(live(141, NOON_S - 4740));
    expect((await places()).map(([sequence]) => sequence)).toEqual([...span(100, 141), 150]);
  });

  test("that no version can read yet is kept, and read as soon as one can", async () => {
    const reports = minutesOf(span(10, 20), NOON_S - 1200, true);
    const { frame } = backlogFrame({ sequence: 40, timeS: NOON_S, clockSynced: true }, reports);
    const newer = frame.slice();
    newer[10] = 0x2f;
    const header = { sequence: 40, timeS: NOON_S, clockSynced: true };
    const asked = { ...live(40, NOON_S), header, frame: newer };
    expect(await journal.append(asked)).toMatchObject({ outcome: "stored", id: 1, ack: { bitmap: 1 } });
    await reopen();
    expect(await journal.read(0, 10)).toHaveLength(1);
    // The version that understands it: here the same bytes with a row's checksum that says so.
    await reopen((db) => rewrite(db, frame));
    expect((await places()).map(([sequence]) => sequence)).toEqual([...span(10, 20), 40]);
    await reopen();
    expect(await journal.read(0, 100)).toHaveLength(12);
  });

  test("in a file of the version before is read when it is opened", async () => {
    const { frame } = backlogFrame(
      { sequence: 40, timeS: NOON_S, clockSynced: true },
      minutesOf(span(10, 20), NOON_S - 1200, true),
    );
    await journal.append({ ...live(40, NOON_S), header: { sequence: 40, timeS: NOON_S, clockSynced: true } });
    await reopen((db) => {
      rewrite(db, frame);
      toVersion2(db);
      db.exec("DROP TABLE undecoded; DROP TABLE boot; PRAGMA user_version = 1");
    });
    expect((await places()).map(([sequence]) => sequence)).toEqual([...span(10, 20), 40]);
  });
});

test("a disk that fills up stores a frame whole or not at all, and nothing of it is taken for stored", async () => {
  const full = temporaryFolder();
  const frames = Array.from({ length: 60 }, (_, i) => {
    const reports = minutesOf(span(i * 50, i * 50 + 39), NOON_S - 200_000 + i * 3_000, true);
    return checkedBacklog({ sequence: i * 50 + 45, timeS: NOON_S, clockSynced: true }, reports);
  });
  const small = await openWriter({ dir: full.path, pagesMax: 40 }, { clock: systemClock });
  const results: CommitResult[] = [];
  for (const frame of frames) results.push(await small.commit([{ frame }]));
  const stored = results.filter((result) => result.kind === "committed").length;
  expect(stored).toBeGreaterThan(0);
  expect(stored).toBeLessThan(frames.length);
  await small.close();
  const large = await openWriter({ dir: full.path }, { clock: systemClock });
  const outcomes: unknown[] = [];
  for (const frame of frames) {
    const result = await large.commit([{ frame }]);
    outcomes.push(result.kind === "committed" ? result.outcomes[0]?.outcome : result.reason);
  }
  expect(outcomes).toEqual(results.map((result) => (result.kind === "committed" ? "duplicate" : "stored")));
  expect(large.newestId()).toBe(frames.length * 41);
  await large.close();
  full.remove();
});

function rewrite(db: DatabaseSync, frame: Uint8Array): void {
  const row = db.prepare("SELECT * FROM journal WHERE id = 1").get() as unknown as StoredRow;
  db.prepare("UPDATE journal_1 SET frame = ?, crc = ? WHERE id = 1").run(frame, rowChecksum({ ...row, frame }));
}
