// What waits for the writer: in batches, bounded, and not at all where it is urgent; and what it is packed into.
import { describe, expect, test } from "vitest";
import { createRandom } from "../../firmware/simulator/random.ts";
import { encodeEvent } from "../../protocol/index.ts";
import { checkedFrame, NOON_MS } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { isAlarmClass } from "../domain/urgency.ts";
import type { Entry, EntryOutcome } from "./changes.ts";
import { createPacker, createUnpacker, outcomeIn, packOutcomes } from "./packing.ts";
import {
  BATCH_ROWS_MAX,
  createQueue,
  EARLY_ROWS,
  isUrgent,
  PENDING_ROWS_MAX,
  QUICK_COMMIT_MS,
  RETRY_MS,
} from "./queue.ts";

const WINDOW_MS = 250;

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function queueWith(windowMs: number) {
  const clock = virtualClock(NOON_MS);
  const posted: (readonly Entry[])[] = [];
  let answer: (() => void) | undefined;
  const look = () => {
    const came = answer;
    answer = undefined;
    came?.();
  };
  const made = createQueue({ clock, windowMs, post: (entries) => posted.push(entries), look, onIdle: () => undefined });
  const enter = (entry: Entry) =>
    new Promise<EntryOutcome>((resolve, reject) => {
      made.enter(entry, (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
    });
  const queue = { ...made, enter };
  const commit = (commitMs = 1) => {
    const outcomes = packOutcomes((posted.at(-1) ?? []).map(() => ({ outcome: "saved" }) as const));
    const file = { freeBytes: 0, lowWater: false, gapRows: 0, oldestId: 1 };
    queue.settle({ kind: "committed", outcomes, newestId: 1, commitMs, file });
  };
  /** The writer has answered, and no turn of the loop has ended since. */
  const unseen = (come: () => void) => {
    answer = come;
  };
  return { clock, posted, queue, made, commit, unseen };
}

const plain = (sequence = 1): Entry => ({ frame: checkedFrame({ sequence }) });
const alarm: Entry = { frame: checkedFrame({ flags: { clockSynced: true, helpRequested: true } }) };

describe("with a commit window", () => {
  test("rows wait for company until it ends, and what comes meanwhile goes along", async () => {
    const { clock, posted, queue } = queueWith(WINDOW_MS);
    void queue.enter(plain(1));
    await turn();
    await clock.advance(WINDOW_MS - 1);
    void queue.enter(plain(2));
    await turn();
    expect(posted).toHaveLength(0);
    await clock.advance(1);
    await turn();
    expect(posted.map((one) => one.length)).toEqual([2]);
  });

  test("an alarm closes the batch at once, and so does one behind a commit", async () => {
    const { clock, posted, queue, commit } = queueWith(WINDOW_MS);
    void queue.enter(plain(1));
    void queue.enter(alarm);
    await turn();
    expect(posted.map((one) => one.length)).toEqual([2]);
    void queue.enter(plain(2));
    void queue.enter(alarm);
    commit();
    await turn();
    expect(posted.map((one) => one.length)).toEqual([2, 2]);
    commit();
    void queue.enter(plain(3));
    await turn();
    expect(posted).toHaveLength(2);
    await clock.advance(WINDOW_MS);
    await turn();
    expect(posted).toHaveLength(3);
  });

  test("a whole batch does not wait", async () => {
    const { posted, queue } = queueWith(WINDOW_MS);
    for (let i = 0; i < BATCH_ROWS_MAX; i++) void queue.enter(plain(i));
    await turn();
    expect(posted.map((one) => one.length)).toEqual([BATCH_ROWS_MAX]);
  });
});

describe("without a commit window", () => {
  test("what came during a commit goes at once, before the answers to that commit", async () => {
    const { posted, queue, commit } = queueWith(0);
    const first = queue.enter(plain(1));
    await turn();
    void queue.enter(plain(2));
    const seen: number[] = [];
    void first.then(() => seen.push(posted.length));
    commit();
    expect(posted.map((one) => one.length)).toEqual([1, 1]);
    await first;
    expect(seen).toEqual([2]);
  });

  test("while commits are quick a part goes ahead of what is still being read; after a slow one all go together", async () => {
    const { posted, queue, commit } = queueWith(0);
    const enter = (rows: number) => {
      for (let i = 0; i < rows; i++) void queue.enter(plain(i));
    };
    const sizes = () => posted.map((one) => one.length);
    enter(EARLY_ROWS + 1);
    await turn();
    expect(sizes()).toEqual([EARLY_ROWS + 1]);
    commit();
    enter(EARLY_ROWS - 1);
    expect(sizes()).toHaveLength(1);
    enter(2);
    expect(sizes()).toEqual([EARLY_ROWS + 1, EARLY_ROWS]);
    commit(QUICK_COMMIT_MS);
    commit(QUICK_COMMIT_MS);
    enter(EARLY_ROWS + 1);
    expect(sizes()).toEqual([EARLY_ROWS + 1, EARLY_ROWS, 1]);
    await turn();
    expect(sizes()).toEqual([EARLY_ROWS + 1, EARLY_ROWS, 1, EARLY_ROWS + 1]);
  });

  test("while commits are quick an answer is looked for as soon as there is another part to go", async () => {
    const { posted, queue, commit, unseen } = queueWith(0);
    const enter = (rows: number) => Array.from({ length: rows }, (_, i) => queue.enter(plain(i)));
    const sizes = () => posted.map((one) => one.length);
    const [first] = enter(1);
    await turn();
    commit();
    await first;
    const early = enter(EARLY_ROWS);
    unseen(commit);
    enter(EARLY_ROWS - 1);
    expect(sizes()).toEqual([1, EARLY_ROWS]);
    enter(1);
    expect(sizes()).toEqual([1, EARLY_ROWS, EARLY_ROWS]);
    await Promise.all(early);
    enter(EARLY_ROWS + 1);
    expect(sizes()).toHaveLength(3);
    unseen(() => commit(QUICK_COMMIT_MS));
    enter(1);
    expect(sizes()).toEqual([1, EARLY_ROWS, EARLY_ROWS, EARLY_ROWS + 2]);
    unseen(commit);
    enter(EARLY_ROWS);
    expect(sizes()).toHaveLength(4);
    expect(queue.pendingRows()).toBe(EARLY_ROWS * 2 + 2);
  });

  test("outcomes come in order of the entries, also where who gets one enters more", async () => {
    const { posted, queue, made, commit, unseen } = queueWith(0);
    const told: number[] = [];
    const first = queue.enter(plain(0));
    await turn();
    commit();
    await first;
    const save: Entry = { change: { cursor: { name: "engine", id: 1 } } };
    const rows = 2 * EARLY_ROWS + 10;
    const enterRow = (i: number) =>
      made.enter(plain(i), () => {
        told.push(i);
        made.enter(save, () => undefined);
      });
    made.enter(save, () => undefined);
    await turn();
    for (let i = 0; i < rows; i++) enterRow(i);
    commit();
    for (let i = rows; i < rows + 5; i++) enterRow(i);
    unseen(commit);
    commit();
    expect(posted.slice(-2).map((one) => one.length)).toEqual([rows, 5]);
    expect(told).toHaveLength(rows);
    made.enter(save, () => undefined);
    expect(told).toHaveLength(rows + 5);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
  });

  test("an answer that is found so and says that there is no room sends no rows, until they are tried again", async () => {
    const { clock, posted, queue, commit, unseen } = queueWith(0);
    const enter = (rows: number) => {
      for (let i = 0; i < rows; i++) void queue.enter(plain(i));
    };
    enter(1);
    await turn();
    commit();
    enter(EARLY_ROWS);
    const file = { freeBytes: 0, lowWater: true, gapRows: 0, oldestId: 1 };
    unseen(() => queue.settle({ kind: "failed", reason: "full", retry: true, full: true, file }));
    enter(EARLY_ROWS + 1);
    expect(queue.areRowsRefused()).toBe(true);
    await turn();
    expect(posted.map((one) => one.length)).toEqual([1, EARLY_ROWS]);
    await clock.advance(RETRY_MS);
    await turn();
    expect(posted.map((one) => one.length)).toEqual([1, EARLY_ROWS, 2 * EARLY_ROWS + 1]);
  });
});

test("rows are bounded, not frames: at the limit all are taken, one above it none", async () => {
  const { queue } = queueWith(0);
  const many = (rows: number): Entry => ({ frame: { ...checkedFrame(), rows } });
  const taken = [many(PENDING_ROWS_MAX - 41), many(41)].map((entry) => queue.enter(entry));
  expect(queue.pendingRows()).toBe(PENDING_ROWS_MAX);
  await expect(queue.enter(plain())).rejects.toMatchObject({ code: "JOURNAL_BUSY" });
  expect(queue.pendingRows()).toBe(PENDING_ROWS_MAX);
  expect(taken).toHaveLength(2);
});

test("a batch that failed for now is sent again as it was, before anything else", async () => {
  const { clock, posted, queue, commit } = queueWith(0);
  const first = queue.enter(plain(1));
  await turn();
  const file = { freeBytes: 0, lowWater: true, gapRows: 0, oldestId: 1 };
  queue.settle({ kind: "failed", reason: "busy", retry: true, full: false, file });
  void queue.enter(plain(2));
  await turn();
  expect(posted).toHaveLength(1);
  await clock.advance(RETRY_MS);
  expect(posted[1]).toEqual(posted[0]);
  commit();
  expect(await first).toEqual({ outcome: "saved" });
});

test("at the end a batch that nobody knows of is told so with all behind it: none of them is given to the writer", async () => {
  const { posted, queue } = queueWith(0);
  const told: unknown[] = [];
  const note = (outcome: unknown) => void told.push(outcome);
  void queue.enter(plain(1)).catch((error) => note(error.code));
  await turn();
  void queue.enter(plain(2)).catch((error) => note(error.code));
  queue.finish();
  const file = { freeBytes: 0, lowWater: true, gapRows: 0, oldestId: 1 };
  queue.settle({ kind: "failed", reason: "EIO", retry: true, full: false, file });
  await turn();
  expect(told).toEqual(["JOURNAL_UNUSABLE", "JOURNAL_UNUSABLE"]);
  expect([posted.length, queue.pendingRows(), queue.isEmpty()]).toEqual([1, 0, true]);
  // On a full disk there is no such doubt, and what is saved may still have room.
  const full = queueWith(0);
  void full.queue.enter(plain(1)).catch((error) => note(error.code));
  await turn();
  const saved = full.queue.enter({ change: { cursor: { name: "engine", id: 1 } } });
  full.queue.finish();
  full.queue.settle({ kind: "failed", reason: "full", retry: true, full: true, file });
  await turn();
  full.commit();
  expect(await saved).toEqual({ outcome: "saved" });
  expect(full.posted).toHaveLength(2);
});

test("without room for rows what is saved goes by itself, at once, and the rows are tried again in their order", async () => {
  const { clock, posted, queue, commit } = queueWith(0);
  const change = (id: number): Entry => ({ change: { cursor: { name: "engine", id } } });
  const file = { freeBytes: 0, lowWater: true, gapRows: 0, oldestId: 1 };
  const full = () => queue.settle({ kind: "failed", reason: "full", retry: true, full: true, file });
  const done: string[] = [];
  const note = (name: string) => () => void done.push(name);
  const all = [
    queue.enter(plain(1)).then(note("row 1")),
    queue.enter(change(1)).then(note("save 1")),
    queue.enter(plain(2)).then(note("row 2")),
  ];
  await turn();
  full();
  expect(posted.at(-1)).toEqual([change(1)]);
  commit();
  expect(queue.areRowsRefused()).toBe(true);
  all.push(queue.enter(plain(3)).then(note("row 3")), queue.enter(change(2)).then(note("save 2")));
  await turn();
  expect(posted.at(-1)).toEqual([change(2)]);
  commit();
  await turn();
  expect(done).toEqual(["save 1", "save 2"]);
  await clock.advance(RETRY_MS);
  expect(posted.at(-1)).toEqual([plain(1), plain(2), plain(3)]);
  full();
  expect(queue.pendingRows()).toBe(3);
  await clock.advance(RETRY_MS);
  commit();
  await Promise.all(all);
  expect(queue.areRowsRefused()).toBe(false);
  expect(done.slice(2)).toEqual(["row 1", "row 2", "row 3"]);
  expect([queue.pendingRows(), queue.isEmpty()]).toEqual([0, true]);
});

describe("urgent is", () => {
  test.each([
    ["a report", {}, false],
    ["one of a device whose own alarm sounds", { localAlarm: true }, true],
    ["one of a case that was opened", { tamper: true }, true],
    ["one that asks for help", { helpRequested: true }, true],
    ["one that asks for an ack and has more", { ackRequested: true, backlogPending: true, ownPowerLow: true }, false],
  ] as const)("%s: %o", (_, flags, isAlarm) => {
    expect(isAlarmClass(checkedFrame({ flags }).frame)).toBe(isAlarm);
  });

  test("an event, and nothing that is too short to say", () => {
    const event = encodeEvent({ sequence: 1, time: 2, flags: {}, event: "mains-lost", argument: 0 });
    expect(isAlarmClass(event)).toBe(true);
    expect(isAlarmClass(event.subarray(0, 7))).toBe(false);
  });

  test("an act of a person and a changed alert, not a cursor or a picture", () => {
    const put = (kind: string) => ({ change: { put: [{ kind, key: "k", json: "{}" }] } });
    expect([put("alert"), put("point"), { change: { cursor: { name: "engine", id: 1 } } }].map(isUrgent)).toEqual([
      true,
      false,
      false,
    ]);
    expect(isUrgent({ change: { remove: [{ kind: "alert", key: "k" }] } })).toBe(true);
  });
});

describe("a packed batch", () => {
  test("comes out as it went in, whatever is in it, over many batches", () => {
    const random = createRandom(7);
    const [pack, unpack] = [createPacker(), createUnpacker()];
    for (let round = 0; round < 30; round++) {
      const entries = Array.from({ length: 1 + Math.floor(random.next() * 40) }, (_, i): Entry => {
        if (random.next() < 0.2) return { change: { cursor: { name: "engine", id: i } } };
        const deviceId = `dev-${Math.floor(random.next() * 30)}-é`;
        const bytes = checkedFrame({ sequence: i, deviceId });
        const pool = new Uint8Array(4_096).fill(9);
        pool.set(bytes.frame, 77);
        const frame = pool.subarray(77, 77 + bytes.frame.length);
        const header = random.next() < 0.2 ? undefined : { sequence: i, timeS: 2 ** 32 - 1, clockSynced: i % 2 === 0 };
        const link = random.next() < 0.5 ? "mqtt" : "lorawan";
        const received = { receivedMs: 1.5e12 + random.next(), clockTrusted: random.next() < 0.5 };
        const made = random.next() < 0.5 ? {} : { isStampedOnReceipt: true as const };
        return { frame: { deviceId, header, link, frame, ...received, ...made }, afterOpenMs: random.next() * 1e9 };
      });
      const back = unpack(pack(entries));
      expect(back.map(plainOf)).toEqual(entries.map(plainOf));
    }
  });

  test("and what became of it", () => {
    const ack = { baseSequence: 65_535, bitmap: 0xffff_ffff, after: 0x8000_0001 };
    const outcomes: EntryOutcome[] = [
      { outcome: "saved" },
      { outcome: "stored", id: 2 ** 40, ack },
      { outcome: "stored", id: 3, ack: undefined },
      { outcome: "duplicate", ack },
      { outcome: "replay", ack: { baseSequence: 0, bitmap: 0, after: 0 } },
    ];
    const packed = packOutcomes(outcomes);
    expect(outcomes.map((_, i) => outcomeIn(packed, i))).toEqual(outcomes);
  });

  function plainOf(entry: Entry): unknown {
    return "change" in entry ? entry : { ...entry, frame: { ...entry.frame, frame: [...entry.frame.frame] } };
  }
});
