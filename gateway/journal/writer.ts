// The one writer: decides what becomes of a batch, hands it to the store whole, and says of every entry what became of it.
import { isPlausibleWallTime } from "../clock.ts";
import { ackContextAt } from "../domain/dedupe.ts";
import { stampOf } from "../domain/stamp.ts";
import { invariant } from "../errors.ts";
import { closeBatch, createBatch, takeFrame, takeSamples, type Verdict } from "./batch.ts";
import type { Entry, EntryOutcome } from "./changes.ts";
import {
  applyStaged,
  changedSummaries,
  createDeviceTable,
  type DeviceTable,
  dropStaged,
  forgetDevices,
  noteSummarised,
  stage,
  takeRow,
} from "./device-table.ts";
import { recordOf } from "./row.ts";
import {
  endOf,
  type OwnChange,
  type Position,
  type RecordStore,
  type StoreRecord,
  type StoreVerdict,
  type TakenOver,
} from "./store.ts";

/** Rows of one reading when the log is read at the start. */
const TAIL_ROWS = 5_000;
/** How often an append whose end nobody knows is tried again at once. */
const TRIES_MAX = 3;

export type CommitResult =
  | { readonly kind: "committed"; readonly outcomes: readonly EntryOutcome[]; readonly newestId: number }
  | { readonly kind: "failed"; readonly reason: string; readonly retry: boolean; readonly full: boolean };

export interface Writer {
  readonly taken: TakenOver;
  newestId(): number;
  /** Every device is summarised as of this row. */
  summarisedId(): number;
  /** Run time `afterOpenMs` after the start. */
  runMs(afterOpenMs: number): number;
  /** True while nobody knows what became of a batch: it is to be given again, as it was, before any other. */
  isInDoubt(): boolean;
  /** A batch that failed with `retry` is given again: as it was, unless it failed with `full`. */
  commit(entries: readonly Entry[]): Promise<CommitResult>;
  /** Writes down what is known of the devices, so that a start need not read the rows until now. */
  summarise(runMs: number): Promise<boolean>;
}

/** What is under way: kept as it is while nobody knows what became of it. */
interface Planned {
  readonly first: Position;
  readonly records: readonly StoreRecord[];
  /** Undefined for what the writer saves for itself. */
  readonly verdicts: readonly Verdict[] | undefined;
}

/** Takes over the store. Frames of earlier versions that can be read now become records before anything else. */
export async function createWriter(store: RecordStore): Promise<Writer> {
  const taken = await store.takeOver();
  const state = await store.writerState();
  const table = createDeviceTable(state);
  await readTail(store, taken, state.summarisedId, table);
  const { epoch, runMs: baseRunMs } = taken;
  let next = taken.next;
  let summarisedId = state.summarisedId;
  let open: Planned | undefined;

  async function send(planned: Planned): Promise<StoreVerdict> {
    let verdict = await store.append(epoch, planned.first, planned.records);
    for (let tries = 1; verdict.outcome === "unknown" && tries < TRIES_MAX; tries++) {
      open = planned;
      verdict = await store.append(epoch, planned.first, planned.records);
    }
    if (verdict.outcome === "unknown") open = planned;
    if (verdict.outcome === "durable") {
      open = undefined;
      next = endOf(planned.first, planned.records);
    }
    return verdict;
  }

  function plan(entries: readonly Entry[]): Planned {
    const batch = createBatch(table, next.row, epoch);
    const verdicts = entries.map((entry): Verdict => {
      if ("frame" in entry) return takeFrame(batch, entry.frame, baseRunMs + Math.round(entry.afterOpenMs ?? 0));
      batch.records.push({ change: entry.change });
      return { kind: "saved" };
    });
    closeBatch(batch);
    return { first: next, records: batch.records, verdicts };
  }

  /** Sends what the writer saves for itself again when nobody knows whether it is there: its sequences are taken. */
  async function settleOwn(): Promise<boolean> {
    if (open === undefined) return true;
    return open.verdicts === undefined && (await send(open)).outcome === "durable";
  }

  async function commit(entries: readonly Entry[]): Promise<CommitResult> {
    if (open?.verdicts === undefined && !(await settleOwn())) return failed("what was saved before is not known", true);
    const devicesBefore = table.nextDevice;
    const undo = () => {
      dropStaged(table);
      forgetDevices(table, devicesBefore);
    };
    let planned = open;
    try {
      planned ??= plan(entries);
      invariant(planned.verdicts?.length === entries.length, "the batch before is given again first");
    } catch (error) {
      undo();
      return failed(error instanceof Error ? error.message : String(error), false);
    }
    const verdict = planned.records.length === 0 ? ({ outcome: "durable" } as const) : await send(planned);
    if (verdict.outcome === "durable") {
      applyStaged(table);
      const outcomes = (planned.verdicts ?? []).map((one) => outcomeOf(table, one));
      return { kind: "committed", outcomes, newestId: next.row - 1 };
    }
    if (verdict.outcome === "fenced") return failed(`another writer has taken over with epoch ${verdict.epoch}`, false);
    if (open !== undefined) return failed(verdict.reason, true);
    undo();
    return verdict.outcome === "unknown"
      ? failed(verdict.reason, true)
      : failed(verdict.reason, verdict.retry, verdict.full);
  }

  async function saveOwn(own: OwnChange): Promise<boolean> {
    if (!(await settleOwn())) return false;
    return (await send({ first: next, records: [{ change: { own } }], verdicts: undefined })).outcome === "durable";
  }

  /** Backlog frames that an earlier version could not read: what this one can read in them becomes records now. */
  async function decodeAgain(id: number): Promise<void> {
    const read = await store.read(epoch, id, 1);
    const row = read.outcome === "rows" ? read.rows[0] : undefined;
    if (row === undefined || row.id !== id) return;
    const record = recordOf(row);
    const header = stampOf(record.frame);
    const device = table.rows.get(record.deviceId);
    if (record.damaged === true || header === undefined || device === undefined) return;
    const batch = createBatch(table, next.row, row.boot);
    const frame = { ...record, header, clockTrusted: isPlausibleWallTime(record.receivedMs) };
    takeSamples(batch, stage(table, record.deviceId, device), row, frame);
    closeBatch(batch);
    if (batch.records.length === 0) return dropStaged(table);
    const { outcome } = await send({ first: next, records: batch.records, verdicts: undefined });
    invariant(outcome !== "unknown", "the store does not say what became of the first rows of a start");
    if (outcome === "durable") applyStaged(table);
    // What waits to be decoded can wait for the next start: a disk that refuses must not stop this one.
    else dropStaged(table);
  }

  for (const id of state.undecoded) await decodeAgain(id);
  return {
    taken,
    newestId: () => next.row - 1,
    summarisedId: () => summarisedId,
    runMs: (afterOpenMs) => baseRunMs + Math.round(afterOpenMs),
    isInDoubt: () => open !== undefined,
    commit,
    async summarise(runMs) {
      if (!(await settleOwn())) return false;
      const throughId = next.row - 1;
      if (!(await saveOwn({ summaries: { throughId, devices: changedSummaries(table) }, runMs }))) return false;
      noteSummarised(table);
      summarisedId = throughId;
      return true;
    },
  };
}

function failed(reason: string, retry: boolean, full = false): CommitResult {
  return { kind: "failed", reason, retry, full };
}

/** What is not in the summaries yet. */
async function readTail(store: RecordStore, taken: TakenOver, summarisedId: number, table: DeviceTable): Promise<void> {
  for (let fromId = summarisedId + 1; fromId < taken.next.row; ) {
    const read = await store.read(taken.epoch, fromId, TAIL_ROWS);
    invariant(read.outcome === "rows", "nobody takes over during a start");
    const last = read.rows.at(-1);
    if (last === undefined) return;
    for (const row of read.rows) takeRow(table, row);
    fromId = last.id + 1;
  }
}

function outcomeOf(table: DeviceTable, verdict: Verdict): EntryOutcome {
  if (verdict.kind === "saved" || verdict.kind === "too-many-devices") return { outcome: verdict.kind };
  const window = table.rows.get(verdict.deviceId)?.window;
  const ack = window === undefined || verdict.sequence === 0 ? undefined : ackContextAt(window, verdict.sequence);
  if (verdict.kind === "stored") return { outcome: "stored", id: verdict.id, ack };
  return { outcome: verdict.kind, ack: ack ?? { baseSequence: 0, bitmap: 0, after: 0 } };
}
