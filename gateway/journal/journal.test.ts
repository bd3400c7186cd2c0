import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, type TestContext, test, vi } from "vitest";
import { checkedFrame, NOON_MS, temporaryFolder } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { systemClock } from "../clock.ts";
import type { AppendOutcome, CheckedFrame } from "../domain/record.ts";
import { FIRST_CYCLE_BASE } from "../domain/sequence.ts";
import { type Commit, type Journal, openJournal } from "./journal.ts";
import { EARLY_ROWS, QUICK_COMMIT_MS } from "./queue.ts";

/** Of commits of one row, until one is quick. */
const QUICK_TRIES = 50;

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

async function reopen(): Promise<void> {
  await journal.close();
  journal = await openJournal({ dir: folder.path, clock: systemClock });
}

describe("the journal", () => {
  test("keeps a frame with all that is known of it and gives it back in order", async () => {
    const first = checkedFrame({ sequence: 7 });
    const outcomes = await Promise.all([journal.append(first), journal.append(checkedFrame({ sequence: 8 }))]);
    expect(outcomes.map((o) => o.outcome)).toEqual(["stored", "stored"]);
    const rows = await journal.read(0, 10);
    expect(rows.map((r) => [r.id, r.sequence])).toEqual([
      [1, FIRST_CYCLE_BASE + 7],
      [2, FIRST_CYCLE_BASE + 8],
    ]);
    expect(rows[0]).toMatchObject({ deviceId: "alm-01-d1", receivedMs: NOON_MS, timeQuality: "synced", link: "mqtt" });
    expect(Buffer.from(rows[0]?.frame ?? [])).toEqual(Buffer.from(first.frame));
  });

  test("stores a record once, also within one batch and after a restart, and acknowledges it again", async () => {
    const twice = await Promise.all([journal.append(checkedFrame()), journal.append(checkedFrame())]);
    expect(twice.map((o) => o.outcome)).toEqual(["stored", "duplicate"]);
    await reopen();
    const again = await journal.append(checkedFrame());
    expect(again).toMatchObject({ outcome: "duplicate", ack: { bitmap: 1 } });
    expect(await journal.read(0, 10)).toHaveLength(1);
  });

  test("an ack window tells of the 32 records up to this one, holes included", async () => {
    for (const sequence of [1, 2, 4]) await journal.append(checkedFrame({ sequence }));
    const outcome = await journal.append(checkedFrame({ sequence: 5 }));
    expect(outcome).toMatchObject({ ack: { baseSequence: (5 - 31 + 65_536) & 0xffff, bitmap: 0b11011 } });
  });

  test("a sequence that wraps goes on, and an older one stays older", async () => {
    await journal.append(checkedFrame({ sequence: 65_535 }));
    await journal.append(checkedFrame({ sequence: 0 }));
    await journal.append(checkedFrame({ sequence: 65_534 }));
    const rows = await journal.read(0, 10);
    expect(rows.map((r) => r.sequence - FIRST_CYCLE_BASE)).toEqual([65_535, 65_536, 65_534]);
  });

  test("refuses a record that moves forward in sequence and a day back in time", async () => {
    await journal.append(checkedFrame({ sequence: 10 }));
    const day = 86_400;
    const replay = checkedFrame({ sequence: 11, time: NOON_MS / 1000 - day - 1 });
    expect(await journal.append(replay)).toMatchObject({ outcome: "replay" });
    const late = checkedFrame({ sequence: 9, time: NOON_MS / 1000 - 3 * day });
    expect((await journal.append(late)).outcome).toBe("stored");
    const within = checkedFrame({ sequence: 11, time: NOON_MS / 1000 - day });
    expect((await journal.append(within)).outcome).toBe("stored");
  });

  test("a clock more than ten minutes ahead is placed at receive time and marked", async () => {
    await journal.append(checkedFrame({ sequence: 1, time: NOON_MS / 1000 + 601 }));
    await journal.append(checkedFrame({ sequence: 2, time: NOON_MS / 1000 + 600 }));
    await journal.append(checkedFrame({ sequence: 3, time: 59, flags: {} }));
    const rows = await journal.read(0, 10);
    expect(rows.map((r) => [r.timeQuality, r.timeMs - NOON_MS])).toEqual([
      ["suspect", 0],
      ["synced", 600_000],
      ["estimated", 0],
    ]);
  });

  test("saves cursor, documents and acts together and finds them after a restart", async () => {
    await journal.save({
      cursor: { name: "engine", id: 3 },
      put: [{ kind: "point", key: "alm-01", json: "{}" }],
      acts: [{ atMs: 1, actor: "a", action: "acknowledge", object: "o", result: "done", origin: "api", detail: "" }],
      setAside: [{ id: 2, cursor: "engine", error: "bad", atMs: 5 }],
    });
    await reopen();
    expect(await journal.cursor("engine")).toBe(3);
    expect(await journal.documents("point")).toEqual([{ key: "alm-01", json: "{}" }]);
    expect(await journal.acts(10)).toHaveLength(1);
    expect(await journal.setAside(10)).toEqual([{ id: 2, cursor: "engine", error: "bad", atMs: 5 }]);
  });

  test("acts of one kind on one object come page by page, the newest first", async () => {
    const act = (atMs: number, action: string, object: string) => {
      return { atMs, actor: "a", action, object, result: "open", origin: "voice", detail: "{}" };
    };
    const acts = [1, 2, 3].flatMap((n) => [
      act(n, "moved", "alm-01"),
      act(n, "told", "alm-01"),
      act(n, "moved", "alm-02"),
    ]);
    await journal.save({ acts });
    const asked = { action: "moved", object: "alm-01", limit: 2 };
    const first = await journal.actsOn({ ...asked, beforeId: undefined });
    expect(first.map(({ id, atMs, object }) => [id, atMs, object])).toEqual([
      [7, 3, "alm-01"],
      [4, 2, "alm-01"],
    ]);
    expect((await journal.actsOn({ ...asked, beforeId: 4 })).map(({ id }) => id)).toEqual([1]);
    expect(await journal.actsOn({ ...asked, beforeId: 1 })).toEqual([]);
  });

  test("a row with a flipped bit comes back damaged, its neighbours whole", async () => {
    for (const sequence of [1, 2, 3]) await journal.append(checkedFrame({ sequence }));
    await journal.close();
    const db = new DatabaseSync(`${folder.path}/journal.db`);
    db.exec("UPDATE journal_1 SET time_ms = time_ms + 1 WHERE id = 2");
    db.close();
    journal = await openJournal({ dir: folder.path, clock: systemClock });
    expect((await journal.read(0, 10)).map((r) => r.damaged === true)).toEqual([false, true, false]);
  });

  test("a second gateway on the same folder is refused", async () => {
    await expect(openJournal({ dir: folder.path, clock: systemClock })).rejects.toMatchObject({ code: "DATA_IN_USE" });
  });

  test("after closing nothing is taken any more", async () => {
    await journal.close();
    await expect(journal.append(checkedFrame())).rejects.toMatchObject({ code: "JOURNAL_CLOSED" });
    journal = await openJournal({ dir: folder.path, clock: systemClock });
  });
});

/** After a slow commit everything waits for the end of the turn: appends rows one by one until one was quick. */
async function untilQuick(next: () => CheckedFrame, { skip }: TestContext): Promise<void> {
  let lastMs = QUICK_COMMIT_MS;
  const end = journal.onCommitted(({ ms }) => {
    lastMs = ms;
  });
  for (let i = 0; i < QUICK_TRIES && lastMs >= QUICK_COMMIT_MS; i++) await journal.append(next());
  end();
  if (lastMs >= QUICK_COMMIT_MS) skip("no commit on this disk is quick");
}

/**
 * Brings rows without a turn of the loop until `isEnough`: only a look for answers ends that before there is no room for more.
 * To ask what is stored takes as long as the writer needs beside it.
 */
function bring(
  next: () => CheckedFrame,
  told: (outcome: AppendOutcome | Error) => void,
  isEnough: () => boolean,
): void {
  const stored = new DatabaseSync(`${folder.path}/journal.db`, { readOnly: true, timeout: 5_000 });
  const newest = stored.prepare("SELECT max(id) FROM journal_1");
  for (let rows = 1; !isEnough(); rows++) {
    journal.take(next(), told);
    if (rows > 2 * EARLY_ROWS) newest.get();
  }
  stored.close();
}

test("an answer that comes while rows are brought is given there; who wakes at commits does so after it", async (context) => {
  const commits: Commit[] = [];
  const woken: boolean[] = [];
  let isBringing = false;
  journal.onCommitted((commit) => {
    commits.push(commit);
    woken.push(isBringing);
  });
  let sequence = 0;
  const next = () => checkedFrame({ sequence: sequence++ });
  await untilQuick(next, context);
  const alone = commits.length;
  isBringing = true;
  let answered = 0;
  const told = (outcome: AppendOutcome | Error) => {
    if (outcome instanceof Error) throw outcome;
    answered++;
  };
  bring(next, told, () => answered > 0);
  expect(answered).toBeGreaterThanOrEqual(EARLY_ROWS);
  expect(commits).toHaveLength(alone);
  isBringing = false;
  await journal.append(checkedFrame({ deviceId: "alm-01-d2" }));
  expect(new Set(woken)).toEqual(new Set([false]));
  // Each commit is told of once, with its own rows.
  expect(commits.reduce((sum, { rows }) => sum + rows, 0)).toBe(sequence + 1);
});

test("a bug in who is told there is not thrown at whoever brings a row, who might catch it, and yet it is thrown", async (context) => {
  let sequence = 0;
  const next = () => checkedFrame({ sequence: sequence++ });
  await untilQuick(next, context);
  const ticks: (() => void)[] = [];
  const tick = vi
    .spyOn(process, "nextTick")
    .mockImplementation((run, ...words) => void ticks.push(() => run(...words)));
  let asked = 0;
  const told = () => {
    asked++;
    if (asked === 1) throw new Error("a bug");
  };
  try {
    bring(next, told, () => asked > 0);
  } finally {
    tick.mockRestore();
  }
  expect(ticks).toHaveLength(1);
  expect(ticks[0]).toThrow("a bug");
});

test("a full disk acknowledges nothing, says so, and is tried again until the journal is closed", async () => {
  const full = temporaryFolder();
  const retries: (() => void)[] = [];
  const clock = {
    ...systemClock,
    after(_: number, run: () => void) {
      retries.push(run);
      return { stop: () => undefined };
    },
  };
  const small = await openJournal({ dir: full.path, clock, pagesMax: 14 });
  const waiting = Array.from({ length: 2_000 }, (_, i) => small.append(checkedFrame({ sequence: i })));
  let settled = 0;
  for (const one of waiting) one.then(() => settled++).catch(() => undefined);
  await expect.poll(() => small.health().failing).toMatch(/full/);
  expect(settled).toBe(0);
  expect(small.health().pendingRows).toBe(2_000);
  expect(retries).toHaveLength(1);
  retries[0]?.();
  await expect.poll(() => retries.length).toBe(2);
  expect(settled).toBe(0);
  expect(small.health()).toMatchObject({ refusing: true, pendingRows: 2_000 });
  const closed = small.close();
  retries[1]?.();
  await closed;
  const ends = await Promise.allSettled(waiting);
  expect(ends.every((one) => one.status === "rejected")).toBe(true);
  full.remove();
});

describe("the state of the journal's file", () => {
  test("is told with what commits: room, the oldest row, and nothing lost", async () => {
    await journal.append(checkedFrame());
    await Promise.all([2, 3, 4].map((sequence) => journal.append(checkedFrame({ sequence }))));
    const { freeBytes, ...rest } = journal.health();
    expect(freeBytes).toBeGreaterThan(0);
    expect(rest).toMatchObject({ newestId: 4, pendingRows: 0, refusing: false, gapRows: 0 });
    expect(journal.oldestId()).toBe(1);
    expect(await journal.gaps(10)).toEqual([]);
  });

  test("says when room is below the mark that is set", async () => {
    await journal.close();
    journal = await openJournal({ dir: folder.path, clock: systemClock, lowWaterMb: 100_000_000 });
    expect(journal.health()).toMatchObject({ lowWater: true, refusing: false });
    await journal.append(checkedFrame());
    expect(await journal.read(0, 10)).toHaveLength(1);
  });
});

test("a commit window holds rows back until it ends, and an alarm takes them along at once", async () => {
  const clock = virtualClock(NOON_MS);
  const place = temporaryFolder();
  const slow = await openJournal({ dir: place.path, clock, commitWindowMs: 250 });
  const rows: number[] = [];
  slow.onCommitted((commit) => rows.push(commit.rows));
  const first = slow.append(checkedFrame());
  const alarm = slow.append(checkedFrame({ sequence: 2, flags: { clockSynced: true, localAlarm: true } }));
  expect((await Promise.all([first, alarm])).map((one) => one.outcome)).toEqual(["stored", "stored"]);
  expect(rows).toEqual([2]);
  let isStored = false;
  const waiting = slow.append(checkedFrame({ sequence: 3 })).then(() => {
    isStored = true;
  });
  await clock.advance(249);
  expect(isStored).toBe(false);
  await clock.advance(1);
  await waiting;
  await slow.close();
  place.remove();
});

test("a row says which run of the gateway stored it, and how long it had run over all of them", async () => {
  const clock = virtualClock(NOON_MS);
  const place = temporaryFolder();
  for (let boot = 1; boot <= 2; boot++) {
    const one = await openJournal({ dir: place.path, clock });
    clock.jump(boot === 1 ? -NOON_MS : NOON_MS);
    await clock.advance(1_000);
    await one.append(checkedFrame({ sequence: boot }));
    await one.close();
  }
  const last = await openJournal({ dir: place.path, clock });
  const rows = await last.read(0, 10);
  expect(rows.map((row) => [row.boot, row.runMs])).toEqual([
    [1, 1_000],
    [2, expect.any(Number)],
  ]);
  expect(rows[1]?.runMs).toBeGreaterThanOrEqual(2_000);
  await last.close();
  place.remove();
});
