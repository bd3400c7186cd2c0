// What is promised of whatever keeps the journal's records (gateway/journal/store.ts). Knows no engine: give it a factory,
// and it opens logs, kills writers and looks at what is left. A check throws what is wrong.
import { deepEqual, equal, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createRandom } from "../firmware/simulator/random.ts";
import { systemClock } from "../gateway/clock.ts";
import { type NamedRow, rowChecksum } from "../gateway/journal/row.ts";
import type { Loss, Position, RecordStore, StoreRecord, StoreVerdict, TakenOver } from "../gateway/journal/store.ts";

const CHILD = fileURLToPath(new URL("./store-child.ts", import.meta.url));
const KILLS = 4;
const CHILD_MS_MAX = 20_000;
/** Of one append of the child. */
export const CHILD_ROWS = 3;

/** One log, empty at first, that can be opened more than once. */
export interface StoreUnderTest {
  open(): Promise<RecordStore>;
  /** A module with `openStore(argument)`, for a process of its own that opens this log. */
  readonly child: { readonly module: string; readonly argument: string };
  remove(): Promise<void>;
}

export type StoreFactory = () => Promise<StoreUnderTest>;

export interface StoreCheck {
  readonly name: string;
  run(log: StoreUnderTest, seed: number): Promise<void>;
}

/** A writer that is sure of itself: what a check appends with. */
interface Hand {
  readonly store: RecordStore;
  readonly taken: TakenOver;
  next: Position;
}

async function take(log: StoreUnderTest): Promise<Hand> {
  const store = await log.open();
  const taken = await store.takeOver();
  return { store, taken, next: taken.next };
}

export function rowRecord(id: number, epoch: number): StoreRecord {
  const frame = new Uint8Array([0x11, id & 255, id >> 8, 7]);
  const row = { id, received_ms: id, time_ms: id, quality: 0, device: 1, sequence: 70_000 + id, link: 0, frame };
  const whole = { ...row, boot: epoch, run_ms: id * 10 };
  return { row: { ...whole, crc: rowChecksum(whole) } };
}

export function actRecord(action: string): StoreRecord {
  return {
    change: { acts: [{ atMs: 1, actor: "a", action, object: "o", result: "done", origin: "test", detail: "" }] },
  };
}

function rowsFrom(hand: Hand, count: number): StoreRecord[] {
  return Array.from({ length: count }, (_, i) => rowRecord(hand.next.row + i, hand.taken.epoch));
}

async function append(hand: Hand, records: readonly StoreRecord[]): Promise<StoreVerdict> {
  const verdict = await hand.store.append(hand.taken.epoch, hand.next, records);
  if (verdict.outcome !== "durable") return verdict;
  const rows = records.filter((record) => "row" in record).length;
  hand.next = { row: hand.next.row + rows, change: hand.next.change + records.length - rows };
  return verdict;
}

async function appendRows(hand: Hand, count: number): Promise<void> {
  equal((await append(hand, rowsFrom(hand, count))).outcome, "durable", "rows are taken");
}

async function idsOf({ store, taken }: Hand, fromId = 1, limit = 10_000): Promise<number[]> {
  const read = await store.read(taken.epoch, fromId, limit);
  ok(read.outcome === "rows", "the writer may read");
  return read.rows.map((row: NamedRow) => row.id);
}

function span(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** Runs the child until it has said so many appends, then kills it. Gives the last position that it was told is durable. */
async function killedAfter(log: StoreUnderTest, appends: number): Promise<Position> {
  const child = spawn(process.execPath, [CHILD, log.child.module, log.child.argument], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  const gone = new Promise<number | null>((resolve) => child.once("close", resolve));
  const timer = systemClock.after(CHILD_MS_MAX, () => child.kill("SIGKILL"));
  child.stdout.on("data", (data: Buffer) => {
    text += data.toString();
    if (text.split("\n").length > appends) child.kill("SIGKILL");
  });
  await gone;
  timer.stop();
  const lines = text.split("\n").slice(0, -1);
  ok(lines.length >= appends, `the child said ${lines.length} appends before it was killed`);
  const [row, change] = (lines.at(-1) ?? "").split(" ").map(Number);
  return { row: row as number, change: change as number };
}

async function killCheck(log: StoreUnderTest, seed: number): Promise<void> {
  const random = createRandom(seed);
  for (let round = 0; round < KILLS; round++) {
    const told = await killedAfter(log, Math.floor(random.between(1, 25)));
    const hand = await take(log);
    const { row, change } = hand.taken.next;
    ok(row >= told.row && change >= told.change, `durable up to ${told.row}, there up to ${row}`);
    equal(row - 1, (change - 1) * CHILD_ROWS, "appends are there whole or not at all");
    const ranges = await hand.store.ranges();
    const oldest = ranges[0]?.firstId ?? 1;
    ranges.slice(1).forEach((range, i) => {
      equal(range.firstId, (ranges[i]?.lastId ?? 0) + 1, "a range begins where the one before ends");
    });
    deepEqual(await idsOf(hand), span(oldest, row - 1), "no row is missing or there twice");
    equal((await hand.store.acts(100_000)).length, change - 1, "changes are there once");
    equal((await hand.store.cursors()).get("child") ?? 0, row - 1, "the cursor commits with its rows");
    await hand.store.close();
  }
}

async function resendCheck(log: StoreUnderTest): Promise<void> {
  const hand = await take(log);
  await appendRows(hand, 2);
  const { next } = hand;
  const records = [...rowsFrom(hand, 3), actRecord("once")];
  const changes = [actRecord("alone")];
  equal((await append(hand, records)).outcome, "durable");
  equal((await hand.store.append(hand.taken.epoch, next, records)).outcome, "durable", "a resend is a success");
  const before = hand.next;
  equal((await append(hand, changes)).outcome, "durable");
  equal((await hand.store.append(hand.taken.epoch, before, changes)).outcome, "durable", "a resend of changes too");
  equal((await hand.store.append(hand.taken.epoch, next, records)).outcome, "durable", "also when more has come since");
  await hand.store.close();
  const other = await take(log);
  equal((await other.store.append(other.taken.epoch, next, records)).outcome, "durable", "also by the next writer");
  deepEqual(await idsOf(other), span(1, 5), "rows are stored once");
  deepEqual((await other.store.acts(10)).map((act) => act.action).sort(), ["alone", "once"], "changes are stored once");
  await other.store.close();
}

async function gapCheck(log: StoreUnderTest): Promise<void> {
  const hand = await take(log);
  await appendRows(hand, 3);
  const { epoch } = hand.taken;
  const beyond = await hand.store.append(epoch, { ...hand.next, row: 6 }, [rowRecord(6, epoch)]);
  ok(beyond.outcome === "not-durable" && !beyond.retry, "a gap in the sequences is refused for good");
  const across = await hand.store.append(epoch, { ...hand.next, row: 3 }, [rowRecord(3, epoch), rowRecord(4, epoch)]);
  ok(across.outcome === "not-durable" && !across.retry, "half of an append that is there is refused for good");
  deepEqual(await idsOf(hand), [1, 2, 3], "nothing of what is refused is there");
  await appendRows(hand, 1);
  deepEqual(await idsOf(hand), [1, 2, 3, 4]);
  await hand.store.close();
}

async function fenceCheck(log: StoreUnderTest): Promise<void> {
  const old = await take(log);
  await appendRows(old, 2);
  const young = await take(log);
  ok(young.taken.epoch > old.taken.epoch, "epochs grow");
  deepEqual(young.next, old.next, "the next writer begins where the one before ended");
  equal((await append(old, rowsFrom(old, 1))).outcome, "fenced", "the one before may not append");
  equal((await old.store.append(old.taken.epoch, old.next, [actRecord("late")])).outcome, "fenced", "nor change");
  equal((await old.store.turn(old.taken.epoch, 1)).outcome, "fenced", "nor turn the range");
  equal((await old.store.drop(old.taken.epoch, 1, undefined)).outcome, "fenced", "nor drop");
  equal((await old.store.trim(old.taken.epoch, [])).outcome, "fenced", "nor trim");
  equal((await old.store.read(old.taken.epoch, 1, 10)).outcome, "fenced", "nor take what it reads for the newest");
  await appendRows(young, 1);
  deepEqual(await idsOf(young), [1, 2, 3]);
  equal((await young.store.acts(10)).length, 0);
  await old.store.close();
  await young.store.close();
  const third = await take(log);
  ok(third.taken.epoch > young.taken.epoch, "epochs grow over openings");
  await third.store.close();
}

async function cursorCheck(log: StoreUnderTest): Promise<void> {
  const hand = await take(log);
  const first = [...rowsFrom(hand, 2), { change: { cursor: { name: "engine", id: 1 } } }];
  equal((await append(hand, first)).outcome, "durable");
  const put = { kind: "point", key: "p", json: "{}" };
  const change = {
    cursor: { name: "sink:a", id: 2 },
    put: [put],
    setAside: [{ id: 1, cursor: "engine", error: "e", atMs: 3 }],
  };
  equal((await append(hand, [{ change }, { change: { cursor: { name: "engine", id: 2 } } }])).outcome, "durable");
  const refused = { cursor: { name: "engine", id: 9 }, put: [{ ...put, json: "no" }] };
  const wrong = await hand.store.append(hand.taken.epoch, { row: 9, change: 9 }, [{ change: refused }]);
  equal(wrong.outcome, "not-durable");
  await hand.store.close();
  const other = await take(log);
  deepEqual(
    [...(await other.store.cursors())].sort(),
    [
      ["engine", 2],
      ["sink:a", 2],
    ],
    "cursors outlive their writer",
  );
  const documents = await other.store.documents("point");
  deepEqual(
    documents.map((one) => [one.key, one.json]),
    [["p", "{}"]],
    "documents too",
  );
  equal((await other.store.setAside(10)).length, 1, "what is set aside too");
  await other.store.close();
}

async function readCheck(log: StoreUnderTest): Promise<void> {
  const hand = await take(log);
  for (let i = 0; i < 3; i++) {
    await appendRows(hand, 10);
    equal((await hand.store.turn(hand.taken.epoch, i * 100)).outcome, "durable");
  }
  await appendRows(hand, 10);
  deepEqual(await idsOf(hand, 8, 15), span(8, 22), "from an id, in order, over ranges, no more than asked for");
  deepEqual(await idsOf(hand, 41), []);
  const read = await hand.store.read(hand.taken.epoch, 17, 1);
  ok(read.outcome === "rows");
  const row = read.rows[0] as NamedRow;
  equal(rowChecksum(row), row.crc, "a row comes back as it was");
  await hand.store.close();
}

async function retentionCheck(log: StoreUnderTest): Promise<void> {
  const hand = await take(log);
  const { epoch } = hand.taken;
  await appendRows(hand, 10);
  await hand.store.turn(epoch, 1_000);
  await hand.store.turn(epoch, 1_500);
  await appendRows(hand, 10);
  await hand.store.turn(epoch, 2_000);
  const ranges = (await hand.store.ranges()).map((one) => [one.firstId, one.lastId, one.openedRunMs, one.closedRunMs]);
  deepEqual(
    ranges,
    [
      [1, 10, 0, 1_000],
      [11, 20, 1_000, 2_000],
      [21, 20, 2_000, undefined],
    ],
    "an empty range stays open",
  );
  const loss: Loss = { fromId: 4, toId: 10, rows: 7, why: "test", atMs: 99 };
  equal((await hand.store.drop(epoch, 15, loss)).outcome, "durable");
  deepEqual(await idsOf(hand), span(11, 20), "whole ranges, none that ends later");
  equal((await hand.store.drop(epoch, 1_000, undefined)).outcome, "durable");
  await hand.store.close();
  const other = await take(log);
  deepEqual(await idsOf(other), []);
  deepEqual(
    (await other.store.gaps(10)).map((one) => ({ ...one })),
    [loss],
    "a loss is counted, once",
  );
  deepEqual(other.next, { row: 21, change: 1 }, "ids never restart");
  await appendRows(other, 1);
  equal((await other.store.drop(other.taken.epoch, 1_000, undefined)).outcome, "durable");
  deepEqual(await idsOf(other), [21], "the open range is never dropped");
  await other.store.close();
}

async function trimCheck(log: StoreUnderTest): Promise<void> {
  const hand = await take(log);
  const { epoch } = hand.taken;
  await appendRows(hand, 5);
  const setAside = [1, 2, 3, 4].map((id) => ({ id, cursor: "engine", error: "e", atMs: id * 10 }));
  equal(
    (await append(hand, [...["a", "b", "c", "d", "e"].map(actRecord), { change: { setAside } }])).outcome,
    "durable",
  );
  const trim = { beforeMs: 0, rowsMax: 2, agedMax: 100, overMax: 2 };
  const trims = [
    { ...trim, list: "act" },
    { ...trim, list: "set_aside", beforeMs: 35, rowsMax: 100 },
  ] as const;
  equal((await hand.store.trim(epoch, trims)).outcome, "durable");
  const actions = async (store: RecordStore) => (await store.acts(10)).map((act) => act.action).sort();
  deepEqual(await actions(hand.store), ["c", "d", "e"], "no more than were said go at once, the oldest first");
  deepEqual(
    (await hand.store.setAside(10)).map(({ id }) => id),
    [4],
    "what is too old goes",
  );
  equal((await hand.store.trim(epoch, trims)).outcome, "durable");
  deepEqual(await actions(hand.store), ["d", "e"], "and the next time the rest that is too many");
  equal((await hand.store.trim(epoch, trims)).outcome, "durable");
  await hand.store.close();
  const other = await take(log);
  deepEqual(await actions(other.store), ["d", "e"], "also for the next writer");
  deepEqual(await idsOf(other), span(1, 5), "rows are no list");
  await other.store.close();
}

async function boundCheck(log: StoreUnderTest): Promise<void> {
  const hand = await take(log);
  const { inFlightMax } = hand.store.health();
  const { epoch } = hand.taken;
  const asked = inFlightMax * 3;
  const all = Array.from({ length: asked }, (_, i) => {
    const verdict = hand.store.append(epoch, { row: 1 + i, change: 1 }, [rowRecord(1 + i, epoch)]);
    ok(hand.store.health().inFlight <= inFlightMax, "no more is under way than is said");
    return verdict;
  });
  const verdicts = await Promise.all(all);
  const durable = verdicts.filter(({ outcome }) => outcome === "durable").length;
  ok(durable >= inFlightMax && durable < asked, `${durable} of ${asked} were taken, at most ${inFlightMax} under way`);
  for (const verdict of verdicts) {
    if (verdict.outcome !== "durable")
      ok(verdict.outcome === "not-durable" && verdict.retry, "the others may try again");
  }
  deepEqual(await idsOf(hand), span(1, durable), "what was refused is not there");
  await hand.store.close();
}

async function healthCheck(log: StoreUnderTest): Promise<void> {
  const hand = await take(log);
  await appendRows(hand, 4);
  equal((await append(hand, [actRecord("x")])).outcome, "durable");
  const health = hand.store.health();
  deepEqual(health.next, { row: 5, change: 2 }, "health says where the log ends");
  equal(health.epoch, hand.taken.epoch);
  equal(health.inFlight, 0);
  equal(health.failing, undefined);
  await hand.store.close();
}

export const STORE_CHECKS: readonly StoreCheck[] = [
  { name: "a writer that is killed loses nothing that it said is durable, and leaves no half", run: killCheck },
  { name: "what is sent again under its sequences is stored once", run: resendCheck },
  { name: "sequences have no gaps", run: gapCheck },
  { name: "a writer is fenced off by the next", run: fenceCheck },
  { name: "cursors and documents commit with the records of their append", run: cursorCheck },
  { name: "rows are read in order over ranges", run: readCheck },
  { name: "ranges are dropped whole, and a loss is counted", run: retentionCheck },
  { name: "lists lose their oldest, so many at once", run: trimCheck },
  { name: "what is under way is bounded", run: boundCheck },
  { name: "health says where it stands", run: healthCheck },
];
