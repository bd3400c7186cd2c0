// What the pump knows of a sink between two turns, and how that changes: pure, the pump does what is decided here.

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

/**
 * So many in a row may be bad rows, or a receiver that takes nothing. Before another is set aside a later one is sent: at most
 * so many good rows are lost to a receiver that breaks, and bad rows cost one request more in so many.
 */
export const DEAD_IN_ROW_MAX = 20;
const GROWTH = 1.1;

export function stepGrown(state: PumpState, batchRowsMax: number): PumpState {
  return { ...state, batchRows: Math.min(batchRowsMax, Math.ceil(state.batchRows * GROWTH)) };
}

/** The receiver has so many more rows, up to this id; `isAnySent`: at least one of them was really sent. */
export function stepDelivered(
  state: PumpState,
  { id, rows, isAnySent }: { readonly id: number; readonly rows: number; readonly isAnySent: boolean },
): PumpState {
  const suspectRows = Math.max(0, state.suspectRows - rows);
  const deadInRow = isAnySent ? 0 : state.deadInRow;
  return { ...state, cursor: id, suspectRows, sent: state.sent + rows, deadInRow };
}

/** What became of a later row that was sent alone; "none": there is no later one. */
export type Probe = "taken" | "refused" | "none";

export type RefusedStep =
  /** This row is to blame. */
  | { readonly kind: "set-aside"; readonly state: PumpState }
  /** Send a later row alone, and step again with what became of it. */
  | { readonly kind: "probe" }
  /** Perhaps it is the receiver: nothing moves, and the same row is tried again. */
  | { readonly kind: "hold"; readonly state: PumpState };

/** A row was refused alone. */
export function stepRefused(state: PumpState, id: number, probe?: Probe): RefusedStep {
  const isAtLimit = state.deadInRow >= DEAD_IN_ROW_MAX;
  if (isAtLimit && probe === undefined) return { kind: "probe" };
  if (isAtLimit && probe !== "taken") return { kind: "hold", state: { ...state, suspectRows: 1 } };
  // A receiver that takes another row may refuse as many more before it is asked again.
  const deadInRow = isAtLimit ? 1 : state.deadInRow + 1;
  // Bad rows come in runs: behind a second one the next is tried alone, not looked for once more.
  const suspectRows = isAtLimit || deadInRow > 1 ? 1 : 0;
  return { kind: "set-aside", state: { ...state, cursor: id, suspectRows, dead: state.dead + 1, deadInRow } };
}
