// Keeps a sink going: a turn after every commit, its own back-off after failures. It never holds up anything else.
import type { SinkState } from "../../protocol/index.ts";
import type { Clock, Timer } from "../clock.ts";
import { toInstant } from "../domain/instant.ts";
import { cursorName, pumpOnce, type Sink, type SinkJournal } from "./pump.ts";
import { FRESH_PUMP, type PumpState } from "./pump-state.ts";

/** First pause; the next is twice as long, up to the most. Each is drawn between its half and its whole. */
const BACKOFF_MS_FIRST = 2_000;
const BACKOFF_MS_MAX = 60_000;
/** A wrong token is looked at again: somebody may have mended it. */
const PAUSED_MS = 60_000;

export interface RunnerJournal extends SinkJournal {
  /** From here on rows behind it are kept for whoever asked … */
  cursor(name: string): Promise<number>;
  /** … until they say that they are gone. */
  leave(name: string): void;
  onCommitted(listener: () => void): () => void;
}

export interface RunnerDeps {
  readonly sink: Sink;
  readonly journal: RunnerJournal;
  readonly clock: Clock;
  /** 0..1, for the jitter of the back-off. */
  random(): number;
  log?(event: string, detail: Readonly<Record<string, string | number>>): void;
}

export interface Runner {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Stopped, and not to come back: no row is kept for it any more. */
  leave(): void;
  state(): SinkState;
}

export function createRunner({ sink, journal, clock, random, log }: RunnerDeps): Runner {
  let pump: PumpState = FRESH_PUMP;
  let shown: Pick<SinkState, "state" | "reason" | "waitingSince"> = { state: "idle" };
  /** In a row, with no row delivered between them. */
  let failures = 0;
  let isToldOf = false;
  let running: Promise<void> | undefined;
  /** A commit came while a turn was under way. */
  let again = false;
  let waiting: Timer | undefined;
  let stopped = false;
  let unsubscribe = () => {};

  function wait(
    state: "retrying" | "refused",
    { reason, afterMs, oldestMs }: { reason: string; afterMs?: number | undefined; oldestMs?: number },
  ): void {
    shown = { state, reason, ...(oldestMs === undefined ? {} : { waitingSince: toInstant(oldestMs) }) };
    if (!isToldOf) log?.("sink cannot deliver", { sink: sink.name, reason });
    isToldOf = true;
    const grown = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_FIRST * 2 ** Math.min(failures, 10));
    failures++;
    if (stopped) return;
    waiting = clock.after(afterMs ?? grown * (0.5 + random() / 2), () => {
      waiting = undefined;
      wake();
    });
  }

  async function run(): Promise<void> {
    while (!stopped) {
      again = false;
      const result = await pumpOnce(sink, journal, pump, clock.nowMs());
      const dead = result.state.dead - pump.dead;
      // A receiver that takes something at each try is not one to wait longer and longer for.
      if (result.state.cursor > pump.cursor) failures = 0;
      pump = result.state;
      if (dead > 0) log?.("sink refused a row for good", { sink: sink.name, id: pump.cursor });
      if (result.kind === "retry") return wait("retrying", result);
      if (result.kind === "held") return wait("refused", result);
      if (result.kind === "paused") return wait("refused", { ...result, afterMs: PAUSED_MS });
      if (isToldOf && result.kind === "advanced") log?.("sink delivers again", { sink: sink.name });
      isToldOf = false;
      failures = 0;
      shown = { state: result.kind === "idle" ? "idle" : "sending" };
      if (result.kind === "idle" && !again) return;
    }
  }

  function wake(): void {
    again = true;
    if (stopped || running !== undefined || waiting !== undefined) return;
    running = run()
      .catch((error: unknown) => wait("retrying", { reason: error instanceof Error ? error.message : String(error) }))
      .finally(() => {
        running = undefined;
        if (again && waiting === undefined) wake();
      });
  }

  return {
    async start() {
      pump = { ...pump, cursor: await journal.cursor(cursorName(sink)) };
      unsubscribe = journal.onCommitted(wake);
      wake();
    },
    async stop() {
      stopped = true;
      unsubscribe();
      waiting?.stop();
      sink.close?.();
      await running;
    },
    leave: () => journal.leave(cursorName(sink)),
    state: () => ({
      name: sink.name,
      ...shown,
      behindRows: Math.max(0, journal.newestId() - pump.cursor),
      sent: pump.sent,
      dead: pump.dead,
    }),
  };
}
