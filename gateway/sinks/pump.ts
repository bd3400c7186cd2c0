// One bounded turn of a sink: read after its cursor, deliver, move the cursor. At least once: after a crash a sink sees
// the last batch again, so every row carries an identity by which its receiver counts it once.
import type { JournalRecord } from "../domain/record.ts";
import { invariant } from "../errors.ts";

/** `delivered`: so many rows from the front are acknowledged all the same; the rest of the answer is about those behind. */
export type Delivery =
  | { readonly kind: "accepted" }
  /** Time can cure it: the same rows come again. `timedOut`: perhaps they were too many at once. */
  | {
      readonly kind: "retry";
      readonly reason: string;
      readonly afterMs?: number;
      readonly timedOut?: true;
      readonly delivered?: number;
    }
  /** Too much at once. */
  | { readonly kind: "too-large"; readonly delivered?: number }
  /** A person must mend it (wrong token, no bucket): nothing moves. */
  | { readonly kind: "paused"; readonly reason: string; readonly delivered?: number }
  /** At least one of these rows can never be taken; with `alone` it is the first of them. */
  | {
      readonly kind: "refused";
      readonly code: string;
      readonly message: string;
      readonly alone?: true;
      readonly delivered?: number;
    };

export interface Sink {
  readonly name: string;
  readonly batchRowsMax: number;
  /** Delivers rows in order; idempotent by identity. Never throws, and always ends within a time of its own. */
  deliver(rows: readonly JournalRecord[]): Promise<Delivery>;
  /** Breaks off what is under way and lets go of connections; a delivery that was under way ends as retry. */
  close?(): void;
}

export interface DeadLetter {
  readonly sink: string;
  readonly id: number;
  readonly code: string;
  readonly message: string;
  readonly atMs: number;
}

export interface SinkJournal {
  read(afterId: number, limit: number): Promise<readonly JournalRecord[]>;
  save(change: {
    readonly cursor: { readonly name: string; readonly id: number };
    readonly deadLetters?: readonly DeadLetter[];
  }): Promise<void>;
}

export interface PumpState {
  readonly cursor: number;
  /** Rows tried at once: halved when they are too many, and grown again with success. */
  readonly batchRows: number;
  /** While a bad row is looked for: so many rows behind the cursor hold it. */
  readonly suspectRows: number;
  readonly sent: number;
  readonly dead: number;
  /** Rows refused with none taken between them. */
  readonly deadInRow: number;
}

export const FRESH_PUMP: PumpState = { cursor: 0, batchRows: 100, suspectRows: 0, sent: 0, dead: 0, deadInRow: 0 };

/** `oldestMs`: when the first row that waits was received. */
export type PumpResult =
  | { readonly kind: "idle"; readonly state: PumpState }
  | { readonly kind: "advanced"; readonly state: PumpState }
  | {
      readonly kind: "retry";
      readonly state: PumpState;
      readonly reason: string;
      readonly afterMs: number | undefined;
      readonly oldestMs: number;
    }
  | { readonly kind: "paused"; readonly state: PumpState; readonly reason: string; readonly oldestMs: number };

const GROWTH = 1.1;
/** So many in a row are not bad rows but a sink that takes nothing: from then on a person is told and it goes slowly. */
export const DEAD_IN_ROW_MAX = 20;
const MESSAGE_LENGTH_MAX = 500;

interface Turn {
  readonly sink: Sink;
  readonly journal: SinkJournal;
  readonly nowMs: number;
}

export async function pumpOnce(sink: Sink, journal: SinkJournal, state: PumpState, nowMs: number): Promise<PumpResult> {
  const turn = { sink, journal, nowMs };
  const most = state.suspectRows > 0 ? Math.min(state.suspectRows, state.batchRows) : state.batchRows;
  let batch = await journal.read(state.cursor, Math.min(most, sink.batchRowsMax));
  const first = batch[0];
  if (first === undefined) return { kind: "idle", state };
  invariant(first.id > state.cursor, "the journal gave a row at or before the cursor");
  let now = state;
  for (;;) {
    const delivery = await sink.deliver(batch);
    const delivered = delivery.kind === "accepted" ? 0 : (delivery.delivered ?? 0);
    if (delivered > 0) {
      invariant(delivered < batch.length, "a batch that was delivered wholly is accepted");
      now = await moveOver(turn, now, batch.slice(0, delivered));
      batch = batch.slice(delivered);
    }
    switch (delivery.kind) {
      case "accepted":
        return accept(turn, now, batch);
      case "retry": {
        const batchRows = delivery.timedOut === true ? half(batch.length) : now.batchRows;
        const { reason, afterMs } = delivery;
        return { kind: "retry", state: { ...now, batchRows }, reason, afterMs, oldestMs: receivedMs(batch) };
      }
      case "paused":
        return { kind: "paused", state: now, reason: delivery.reason, oldestMs: receivedMs(batch) };
      case "too-large":
        if (batch.length === 1)
          return setAside(turn, now, batch[0] as JournalRecord, { code: "too-large", message: "one row is too large" });
        batch = batch.slice(0, half(batch.length));
        now = { ...now, batchRows: batch.length };
        break;
      case "refused":
        if (batch.length === 1 || delivery.alone === true)
          return setAside(turn, now, batch[0] as JournalRecord, delivery);
        // Halved until the row that is to blame stands alone; its neighbours go on, each part saved as it is delivered.
        now = { ...now, suspectRows: batch.length };
        batch = batch.slice(0, half(batch.length));
    }
  }
}

function receivedMs([row]: readonly JournalRecord[]): number {
  return (row as JournalRecord).receivedMs;
}

function half(rows: number): number {
  return Math.max(1, rows >> 1);
}

async function accept(turn: Turn, state: PumpState, batch: readonly JournalRecord[]): Promise<PumpResult> {
  const moved = await moveOver(turn, state, batch);
  const batchRows = Math.min(turn.sink.batchRowsMax, Math.ceil(state.batchRows * GROWTH));
  return { kind: "advanced", state: { ...moved, batchRows } };
}

async function moveOver({ sink, journal }: Turn, state: PumpState, rows: readonly JournalRecord[]): Promise<PumpState> {
  const { id } = rows[rows.length - 1] as JournalRecord;
  await journal.save({ cursor: { name: cursorName(sink), id } });
  const suspectRows = Math.max(0, state.suspectRows - rows.length);
  return { ...state, cursor: id, suspectRows, sent: state.sent + rows.length, deadInRow: 0 };
}

async function setAside(
  { sink, journal, nowMs }: Turn,
  state: PumpState,
  row: JournalRecord,
  why: { readonly code: string; readonly message: string },
): Promise<PumpResult> {
  const { id, receivedMs: oldestMs } = row;
  const message = why.message.slice(0, MESSAGE_LENGTH_MAX);
  const letter = { sink: sink.name, id, code: why.code, message, atMs: nowMs };
  await journal.save({ cursor: { name: cursorName(sink), id }, deadLetters: [letter] });
  const deadInRow = state.deadInRow + 1;
  const next = { ...state, cursor: id, suspectRows: 0, dead: state.dead + 1, deadInRow };
  if (deadInRow < DEAD_IN_ROW_MAX) return { kind: "advanced", state: next };
  return {
    kind: "paused",
    state: next,
    reason: `${deadInRow} rows in a row refused: ${why.code} ${message}`,
    oldestMs,
  };
}

export function cursorName(sink: Pick<Sink, "name">): string {
  return `sink:${sink.name}`;
}
