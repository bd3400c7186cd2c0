// What waits for the writer: group commit that clocks itself (what has come when a commit returns is the next batch), with a
// bound on what waits, and a window for slow disks that an alarm closes at once.
import type { Clock, Timer } from "../clock.ts";
import { isAlarmClass } from "../domain/urgency.ts";
import { GatewayError } from "../errors.ts";
import type { Entry, EntryOutcome, WriterReply } from "./changes.ts";
import { outcomeIn } from "./packing.ts";

/** Rows in one transaction: about 1 MB, and what an fsync of 20 ms can still answer within a second. */
export const BATCH_ROWS_MAX = 5_000;
/** Rows that may wait, a change counted as one; the sockets stop being read long before (ingress high water). */
export const PENDING_ROWS_MAX = 100_000;
/** So many go at once while commits are quick: the writer works while the rest is still being read from the sockets. */
export const EARLY_ROWS = 192;
export const QUICK_COMMIT_MS = 4;
/** A commit that failed is tried again after this; nobody was told that it succeeded. */
export const RETRY_MS = 500;

/** What became of an entry, or why nothing did. */
export type Settled = (outcome: EntryOutcome | GatewayError) => void;

interface Waiting {
  readonly entry: Entry;
  readonly rows: number;
  readonly settled: Settled;
}

export interface QueueDeps {
  readonly clock: Clock;
  readonly post: (entries: readonly Entry[]) => void;
  /** Settles what the writer has answered by now; else that is seen at the end of a turn, in which many sockets are read. */
  readonly look: () => void;
  /** How long the first of a batch waits for others; 0: not at all. */
  readonly windowMs: number;
  /** Nothing waits any more. */
  readonly onIdle: () => void;
}

export interface Queue {
  /** `settled` is called once, in the order of the entries: a promise for each would cost as much as all the rest. */
  enter(entry: Entry, settled: Settled): void;
  settle(reply: Extract<WriterReply, { kind: "committed" | "failed" }>): void;
  pendingRows(): number;
  /** Rows of the batch that is with the writer, or was. */
  batchRows(): number;
  /** There was no room for the last rows; what is saved beside them does not change that. */
  areRowsRefused(): boolean;
  isEmpty(): boolean;
  /** What waits goes at once from now on, and is not tried again. */
  finish(): void;
}

/** A frame of alarm class, and what a person or an alert changes, may not wait for company. */
export function isUrgent(entry: Entry): boolean {
  if ("frame" in entry) return entry.frame.link === "manual" || isAlarmClass(entry.frame.frame);
  const { acts = [], put = [], remove = [] } = entry.change;
  return acts.length > 0 || put.some(({ kind }) => kind === "alert") || remove.some(({ kind }) => kind === "alert");
}

function outcomeOf(reply: Parameters<Queue["settle"]>[0], entry: number): EntryOutcome | GatewayError {
  if (reply.kind === "committed") return outcomeIn(reply.outcomes, entry);
  return new GatewayError("JOURNAL_UNUSABLE", { reason: reply.reason });
}

export function createQueue({ clock, post, look, windowMs, onIdle }: QueueDeps): Queue {
  let waiting: Waiting[] = [];
  let sent: Waiting[] = [];
  let waitingRows = 0;
  let pendingRows = 0;
  let batchRows = 0;
  let scheduled = false;
  let window: Timer | undefined;
  let isFinishing = false;
  /** There is no room for rows for now. */
  let isFull = false;
  /** Rows were set back, and none has been taken since. */
  let areRowsRefused = false;
  /** The last commit took so little that two smaller ones are dearer by nothing. */
  let isQuick = false;
  /** Nothing of what waits may wait longer. */
  let isHurried = windowMs === 0;
  /** Outcomes of one batch are being given: none of a later one may come between them. */
  let isSettling = false;

  function schedule(): void {
    if (scheduled || sent.length > 0 || waiting.length === 0) return;
    if (isFull && !isFinishing) sendChanges();
    else if (isHurried || waitingRows >= BATCH_ROWS_MAX) sendSoon();
    else window ??= clock.after(windowMs, sendSoon);
  }

  function mayGoEarly(): boolean {
    return isQuick && waitingRows >= EARLY_ROWS && isHurried && !isFull;
  }

  function sendSoon(): void {
    if (scheduled) return;
    scheduled = true;
    // One turn of the loop later, so that all of one read from the sockets goes into one commit.
    setImmediate(() => {
      // What waited may have gone early.
      if (scheduled) send();
    });
  }

  function send(): void {
    scheduled = false;
    if (sent.length > 0 || waiting.length === 0) return;
    window?.stop();
    window = undefined;
    let rows = 0;
    let count = 0;
    while (count < waiting.length) {
      rows += (waiting[count] as Waiting).rows;
      // One entry alone is never more than a batch.
      if (rows > BATCH_ROWS_MAX && count > 0) break;
      count++;
    }
    sent = count === waiting.length ? waiting : waiting.slice(0, count);
    waiting = count === waiting.length ? [] : waiting.slice(count);
    batchRows = sent.reduce((sum, one) => sum + one.rows, 0);
    waitingRows -= batchRows;
    // What is left behind an alarm goes with the next batch, at once.
    if (waiting.length === 0) isHurried = windowMs === 0 || isFinishing;
    postSent();
  }

  function postSent(): void {
    post(sent.map((one) => one.entry));
  }

  /**
   * No room for rows: they wait, and what is to be saved goes without them, since a cursor that moves on is what makes room.
   * It never speaks of rows that are not committed yet, so it may overtake them.
   */
  function setRowsBack(): void {
    const rows = sent.filter(({ entry }) => "frame" in entry);
    const changes = sent.filter(({ entry }) => "change" in entry);
    waiting = [...rows, ...waiting];
    isFull = true;
    areRowsRefused = true;
    clock.after(RETRY_MS, () => {
      isFull = false;
      schedule();
    });
    sent = changes;
    batchRows = changes.length;
    waitingRows = pendingRows - batchRows;
    if (changes.length > 0) postSent();
    else schedule();
  }

  function sendChanges(): void {
    sent = waiting.filter(({ entry }) => "change" in entry);
    if (sent.length === 0) return;
    waiting = waiting.filter(({ entry }) => "frame" in entry);
    batchRows = sent.length;
    waitingRows -= batchRows;
    postSent();
  }

  function takeSent(): Waiting[] {
    const taken = sent;
    pendingRows -= batchRows;
    sent = [];
    return taken;
  }

  function takeWaiting(): Waiting[] {
    const taken = waiting;
    pendingRows -= waitingRows;
    waitingRows = 0;
    waiting = [];
    return taken;
  }

  return {
    enter(entry, settled) {
      const rows = "frame" in entry ? (entry.frame.rows ?? 1) : 1;
      if (pendingRows + rows > PENDING_ROWS_MAX) {
        settled(new GatewayError("JOURNAL_BUSY", { pending: pendingRows }));
        return;
      }
      pendingRows += rows;
      waitingRows += rows;
      isHurried ||= isUrgent(entry);
      waiting.push({ entry, rows, settled });
      if (!isSettling && mayGoEarly() && sent.length > 0) look();
      if (mayGoEarly()) send();
      else schedule();
    },
    settle(reply) {
      if (reply.kind === "failed" && reply.retry && !isFinishing) {
        if (reply.full && sent.some(({ entry }) => "frame" in entry)) {
          setRowsBack();
          return;
        }
        clock.after(RETRY_MS, postSent);
        return;
      }
      const taken = takeSent();
      // The writer may not know what became of this batch, and it is given to it no more: nor is any other, whose outcomes would
      // be those of this one.
      if (reply.kind === "failed" && reply.retry && !reply.full) taken.push(...takeWaiting());
      isQuick = reply.kind === "committed" && reply.commitMs < QUICK_COMMIT_MS;
      if (taken.some(({ entry }) => "frame" in entry)) areRowsRefused = false;
      // The writer goes on while the answers of its last batch leave.
      if (isHurried && !isFull) send();
      isSettling = true;
      for (let i = 0; i < taken.length; i++) (taken[i] as Waiting).settled(outcomeOf(reply, i));
      isSettling = false;
      // Lists that live through a commit come to lie among the old objects, where one that is dead would keep all that it names.
      taken.length = 0;
      if (waiting.length === 0 && sent.length === 0) onIdle();
      else schedule();
    },
    pendingRows: () => pendingRows,
    batchRows: () => batchRows,
    areRowsRefused: () => areRowsRefused,
    isEmpty: () => waiting.length === 0 && sent.length === 0,
    finish() {
      isFinishing = true;
      isHurried = true;
      schedule();
    },
  };
}
