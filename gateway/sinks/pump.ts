// One bounded turn of a sink: read after its cursor, deliver, move the cursor. At least once: after a crash a sink sees
// the last batch again, so every row carries an identity by which its receiver counts it once.
import type { JournalRecord } from "../domain/record.ts";
import { invariant } from "../errors.ts";
import { DEAD_IN_ROW_MAX, type Probe, type PumpState, stepDelivered, stepGrown, stepRefused } from "./pump-state.ts";
import { inSlices } from "./slices.ts";

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
  /** Whether a row is really sent; without it each is. One that is not counts as delivered, and says nothing of the receiver. */
  readonly wants?: (row: JournalRecord) => boolean;
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
  newestId(): number;
  save(change: {
    readonly cursor: { readonly name: string; readonly id: number };
    readonly deadLetters?: readonly DeadLetter[];
  }): Promise<void>;
}

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
  | { readonly kind: "paused"; readonly state: PumpState; readonly reason: string; readonly oldestMs: number }
  /** Perhaps the receiver refuses everything: the same row is tried again. */
  | { readonly kind: "held"; readonly state: PumpState; readonly reason: string; readonly oldestMs: number };

/** How far back from the newest a row is looked for that the sink wants: some minutes of a thousand devices. */
export const PROBE_READS_MAX = 100;
export const PROBE_ROWS = 100;
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
        return retry(delivery, { ...now, batchRows }, firstOf(batch));
      }
      case "paused":
        return paused(delivery, now, firstOf(batch));
      case "too-large":
        if (batch.length === 1)
          return refuse(turn, now, firstOf(batch), { code: "too-large", message: "one row is too large" });
        batch = batch.slice(0, half(batch.length));
        now = { ...now, batchRows: batch.length };
        break;
      case "refused":
        if (batch.length === 1 || delivery.alone === true) return refuse(turn, now, firstOf(batch), delivery);
        // Halved until the row that is to blame stands alone; its neighbours go on, each part saved as it is delivered.
        now = { ...now, suspectRows: batch.length };
        batch = batch.slice(0, half(batch.length));
    }
  }
}

function firstOf([row]: readonly JournalRecord[]): JournalRecord {
  return row as JournalRecord;
}

type Of<K extends Delivery["kind"]> = Extract<Delivery, { readonly kind: K }>;

function retry({ reason, afterMs }: Of<"retry">, state: PumpState, { receivedMs }: JournalRecord): PumpResult {
  return { kind: "retry", state, reason, afterMs, oldestMs: receivedMs };
}

function paused({ reason }: Of<"paused">, state: PumpState, { receivedMs }: JournalRecord): PumpResult {
  return { kind: "paused", state, reason, oldestMs: receivedMs };
}

function half(rows: number): number {
  return Math.max(1, rows >> 1);
}

async function accept(turn: Turn, state: PumpState, batch: readonly JournalRecord[]): Promise<PumpResult> {
  const moved = await moveOver(turn, state, batch);
  return { kind: "advanced", state: stepGrown(moved, turn.sink.batchRowsMax) };
}

async function moveOver({ sink, journal }: Turn, state: PumpState, rows: readonly JournalRecord[]): Promise<PumpState> {
  const { id } = rows[rows.length - 1] as JournalRecord;
  await journal.save({ cursor: { name: cursorName(sink), id } });
  // Looked at only where it matters: it takes reading the frames.
  const isAnySent = state.deadInRow === 0 || (await lastWanted(sink, rows)) !== undefined;
  return stepDelivered(state, { id, rows: rows.length, isAnySent });
}

async function lastWanted({ wants }: Sink, rows: readonly JournalRecord[]): Promise<JournalRecord | undefined> {
  if (wants === undefined) return rows[rows.length - 1];
  const wanted = await inSlices(rows, wants);
  return rows[wanted.lastIndexOf(true)];
}

interface Reason {
  readonly code: string;
  readonly message: string;
}

async function refuse(turn: Turn, state: PumpState, row: JournalRecord, why: Reason): Promise<PumpResult> {
  let step = stepRefused(state, row.id);
  let probe: Probe = "none";
  if (step.kind === "probe") {
    const later = await newestBehind(turn, row.id);
    const delivery = later === undefined ? undefined : await turn.sink.deliver([later]);
    if (delivery?.kind === "retry") return retry(delivery, state, row);
    if (delivery?.kind === "paused") return paused(delivery, state, row);
    probe = probeOf(delivery);
    step = stepRefused(state, row.id, probe);
  }
  invariant(step.kind !== "probe", "a row was probed for twice");
  if (step.kind === "set-aside") return setAside(turn, step.state, why);
  const reason = `${DEAD_IN_ROW_MAX} rows in a row refused, ${HELD[probe]}: ${why.code} ${shortened(why.message)}`;
  return { kind: "held", state: step.state, reason, oldestMs: row.receivedMs };
}

const HELD: Readonly<Record<Probe, string>> = {
  taken: "but a later one taken",
  refused: "and so is the newest",
  none: "and there is no later one to try",
};

function probeOf(delivery: Delivery | undefined): Probe {
  if (delivery === undefined) return "none";
  return delivery.kind === "accepted" ? "taken" : "refused";
}

/** The newest row behind this one that the sink wants. To send it early is harmless: it is counted once by its identity. */
async function newestBehind({ sink, journal }: Turn, id: number): Promise<JournalRecord | undefined> {
  let toId = journal.newestId();
  for (let reads = 0; reads < PROBE_READS_MAX && toId > id; reads++) {
    const fromId = Math.max(id, toId - PROBE_ROWS);
    const found = await lastWanted(sink, await journal.read(fromId, PROBE_ROWS));
    if (found !== undefined) return found;
    toId = fromId;
  }
  return undefined;
}

async function setAside({ sink, journal, nowMs }: Turn, state: PumpState, why: Reason): Promise<PumpResult> {
  const { cursor: id } = state;
  const letter = { sink: sink.name, id, code: why.code, message: shortened(why.message), atMs: nowMs };
  await journal.save({ cursor: { name: cursorName(sink), id }, deadLetters: [letter] });
  return { kind: "advanced", state };
}

function shortened(message: string): string {
  return message.slice(0, MESSAGE_LENGTH_MAX);
}

export function cursorName(sink: Pick<Sink, "name">): string {
  return `sink:${sink.name}`;
}
