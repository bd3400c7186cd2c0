// One bounded turn of a sink: read after its cursor, deliver, move the cursor. At least once: after a crash a sink sees
// the last batch again, so what it is given must overwrite itself.
import type { JournalRecord } from "../domain/record.ts";
import { invariant } from "../errors.ts";

export type Delivery =
  | { readonly kind: "accepted" }
  /** Time can cure it: nothing moves, the same rows come again. */
  | { readonly kind: "retry"; readonly reason: string; readonly afterMs?: number }
  /** Too much at once. */
  | { readonly kind: "too-large" }
  /** A person must mend it (wrong token, no bucket): nothing moves. */
  | { readonly kind: "paused"; readonly reason: string }
  /** At least one row of the batch can never be taken. */
  | { readonly kind: "refused"; readonly code: string; readonly message: string };

export interface Sink {
  readonly name: string;
  readonly batchRowsMax: number;
  /** Delivers rows in order; must be idempotent per row id. Never throws. */
  deliver(rows: readonly JournalRecord[]): Promise<Delivery>;
}

export interface SinkJournal {
  read(afterId: number, limit: number): Promise<readonly JournalRecord[]>;
  save(change: {
    readonly cursor: { readonly name: string; readonly id: number };
    readonly deadLetters?: readonly { sink: string; id: number; code: string; message: string; atMs: number }[];
  }): Promise<void>;
}

export interface PumpState {
  readonly cursor: number;
  /** Rows tried at once: halved when too large, and grown again with success. */
  readonly batchRows: number;
  readonly sent: number;
  readonly dead: number;
}

export type PumpResult =
  | { readonly kind: "idle"; readonly state: PumpState }
  | { readonly kind: "advanced"; readonly state: PumpState }
  | { readonly kind: "retry"; readonly state: PumpState; readonly reason: string; readonly afterMs: number | undefined }
  | { readonly kind: "paused"; readonly state: PumpState; readonly reason: string };

const GROWTH = 1.1;

export async function pumpOnce(sink: Sink, journal: SinkJournal, state: PumpState, nowMs: number): Promise<PumpResult> {
  let batch = await journal.read(state.cursor, Math.min(state.batchRows, sink.batchRowsMax));
  const first = batch[0];
  if (first === undefined) return { kind: "idle", state };
  invariant(first.id > state.cursor, "the journal gave a row at or before the cursor");
  for (;;) {
    const delivery = await sink.deliver(batch);
    const last = batch[batch.length - 1] as JournalRecord;
    switch (delivery.kind) {
      case "accepted": {
        await journal.save({ cursor: { name: cursorName(sink), id: last.id } });
        const batchRows = Math.min(sink.batchRowsMax, Math.ceil(state.batchRows * GROWTH));
        return { kind: "advanced", state: { ...state, cursor: last.id, batchRows, sent: state.sent + batch.length } };
      }
      case "retry":
        return { kind: "retry", state, reason: delivery.reason, afterMs: delivery.afterMs };
      case "paused":
        return { kind: "paused", state, reason: delivery.reason };
      case "too-large":
      case "refused": {
        // Halved until the row that is to blame stands alone; its neighbours go on.
        if (batch.length > 1) {
          batch = batch.slice(0, batch.length >> 1);
          continue;
        }
        const { code, message } =
          delivery.kind === "refused" ? delivery : { code: "too-large", message: "one row is too large" };
        const letter = { sink: sink.name, id: last.id, code, message: message.slice(0, 500), atMs: nowMs };
        await journal.save({ cursor: { name: cursorName(sink), id: last.id }, deadLetters: [letter] });
        return {
          kind: "advanced",
          state: { ...state, cursor: last.id, batchRows: batch.length, dead: state.dead + 1 },
        };
      }
    }
  }
}

export function cursorName(sink: Pick<Sink, "name">): string {
  return `sink:${sink.name}`;
}
