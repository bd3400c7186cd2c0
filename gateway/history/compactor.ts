// Follows the journal by the cursor `history`: holds what is new, and every few minutes brings it into history.db, then moves
// the cursor. Never the other way round: a crash between the two repeats work, and loses nothing.
import type { Clock, Timer } from "../clock.ts";
import type { JournalRecord } from "../domain/record.ts";
import { GatewayError } from "../errors.ts";
import type { DeviceRecord } from "./row.ts";
import type { Batch, Retention, StoreState } from "./store.ts";
import { createTail } from "./tail.ts";
import type { HistoryWriter } from "./writer.ts";

export const HISTORY_CURSOR = "history";
/** Rows of one read: a millisecond or two of the gateway's thread. */
const READ_ROWS_MAX = 500;
/** Rows that wait before they are compacted early: some 5 MB, and two seconds of the writer. */
export const COMPACT_ROWS = 10_000;
/** Rows that may wait at all; beyond, the journal keeps them. */
export const TAIL_ROWS_MAX = 2 * COMPACT_ROWS;
/** Commits of so long are read together. */
const FOLLOW_MS = 500;
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 60_000;
/** One day is dropped in this time at most, and none at first: a clock that is wrong for hours costs little. */
const PRUNE_EVERY_MS = 6 * 3_600_000;
/** Steps of one round; the next round goes on. */
const STEPS_MAX = 1_000;

export interface HistoryJournal {
  read(afterId: number, limit: number): Promise<readonly JournalRecord[]>;
  cursor(name: string): Promise<number>;
  save(change: { readonly cursor: { readonly name: string; readonly id: number } }): Promise<void>;
  newestId(): number;
  onCommitted(listener: () => void): () => void;
}

export interface CompactorState extends StoreState {
  /** Rows of the journal that are in no chunk yet; those of the last minutes are told all the same. */
  readonly behindRows: number;
  /** Of them, how many questions do not see yet. */
  readonly unseenRows: number;
  readonly lastCompactionMs: number | undefined;
  readonly lastTookMs: number;
  readonly compactions: number;
  /** Why nothing can be written, or read from the journal, now. */
  readonly failing: string | undefined;
}

export interface CompactorDeps {
  readonly writer: HistoryWriter;
  readonly journal: HistoryJournal;
  readonly clock: Clock;
  readonly compactEveryMs: number;
  readonly retention: Retention;
  log?(event: string, detail: Readonly<Record<string, string | number>>): void;
}

export interface Compactor {
  start(): Promise<void>;
  /** Brings all that was read so far into history.db. Rejects with HISTORY_UNUSABLE. */
  compact(): Promise<void>;
  tailOf(deviceId: string): readonly DeviceRecord[];
  state(): CompactorState;
  stop(): Promise<void>;
}

/** First the rows, then the cursor: `history.db` says itself which rows it has, whatever the cursor says. */
export async function compactOnce(
  writer: Pick<HistoryWriter, "absorb">,
  journal: Pick<HistoryJournal, "save">,
  batch: Batch,
): ReturnType<HistoryWriter["absorb"]> {
  const done = await writer.absorb(batch);
  await journal.save({ cursor: { name: HISTORY_CURSOR, id: batch.throughId } });
  return done;
}

function reasonOf(error: unknown): string {
  return error instanceof GatewayError ? String(error.detail["reason"] ?? error.message) : String(error);
}

export function createCompactor({ writer, journal, clock, compactEveryMs, retention, log }: CompactorDeps): Compactor {
  const tail = createTail(writer.opened.covered);
  let shown: StoreState = writer.opened;
  let figures = { lastCompactionMs: undefined as number | undefined, lastTookMs: 0, compactions: 0 };
  let failing: string | undefined;
  /** Why the journal cannot be read now. */
  let unread: string | undefined;
  let failures = 0;
  let stopped = false;
  let following: Promise<void> | undefined;
  let writing: Promise<void> | undefined;
  let followTimer: Timer | undefined;
  let compactTimer: Timer | undefined;
  let unsubscribe = () => {};
  let prunedAtMs = clock.monotonicMs();

  async function follow(): Promise<void> {
    while (!stopped && tail.rows() < TAIL_ROWS_MAX) {
      const rows = await journal.read(tail.throughId, READ_ROWS_MAX);
      const last = rows[rows.length - 1];
      if (last === undefined) return;
      tail.push(rows, last.id);
      if (tail.rows() >= COMPACT_ROWS && failures === 0) void compact().catch(() => {});
    }
  }

  function wake(): void {
    if (stopped || following !== undefined || followTimer !== undefined) return;
    followTimer = clock.after(FOLLOW_MS, () => {
      followTimer = undefined;
      following = follow()
        .then(
          () => {
            unread = undefined;
          },
          (error: unknown) => {
            unread = reasonOf(error);
          },
        )
        .finally(() => {
          following = undefined;
          if (tail.throughId < journal.newestId() && tail.rows() < TAIL_ROWS_MAX) wake();
        });
    });
  }

  function fail(error: unknown): void {
    failing = reasonOf(error);
    if (failures++ === 0) log?.("history cannot be written", { reason: failing });
  }

  async function write(): Promise<void> {
    const batch = tail.batch();
    if (batch.throughId > shown.covered) {
      const done = await compactOnce(writer, journal, batch);
      shown = done.state;
      tail.drop(batch.throughId);
      figures = {
        lastCompactionMs: clock.nowMs(),
        lastTookMs: done.tookMs,
        compactions: figures.compactions + 1,
      };
    }
    await mind();
    failing = undefined;
    failures = 0;
  }

  /** Rollups and retention, in steps between which everybody else has a turn. */
  async function mind(): Promise<void> {
    await repeat(() => writer.fold(clock.nowMs()));
    if (clock.monotonicMs() - prunedAtMs < PRUNE_EVERY_MS) return;
    prunedAtMs = clock.monotonicMs();
    await repeat(() => writer.prune(clock.nowMs(), retention));
  }

  async function repeat(step: () => ReturnType<HistoryWriter["fold"]>): Promise<void> {
    for (let i = 0; i < STEPS_MAX && !stopped; i++) {
      const done = await step();
      shown = done.state;
      if (!done.more) return;
    }
  }

  function compact(): Promise<void> {
    writing ??= write()
      .catch((error: unknown) => {
        fail(error);
        throw error;
      })
      .finally(() => {
        writing = undefined;
        schedule();
        wake();
      });
    return writing;
  }

  function schedule(): void {
    compactTimer?.stop();
    if (stopped) return;
    const backOff = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(failures, 10));
    compactTimer = clock.after(failures > 0 ? backOff : compactEveryMs, () => void compact().catch(() => {}));
  }

  return {
    async start() {
      // The file is right and the cursor follows it, also when a crash came between the two.
      if ((await journal.cursor(HISTORY_CURSOR)) !== shown.covered)
        await journal.save({ cursor: { name: HISTORY_CURSOR, id: shown.covered } });
      unsubscribe = journal.onCommitted(wake);
      schedule();
      wake();
    },
    compact,
    tailOf: tail.of,
    state: () => {
      const newestId = journal.newestId();
      const behindRows = Math.max(0, newestId - shown.covered);
      return {
        ...shown,
        behindRows,
        unseenRows: Math.max(0, newestId - tail.throughId),
        ...figures,
        failing: failing ?? unread,
      };
    },
    async stop() {
      stopped = true;
      unsubscribe();
      followTimer?.stop();
      compactTimer?.stop();
      await following;
      await writing?.catch(() => {});
    },
  };
}
