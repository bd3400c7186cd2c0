// Keeps a sink going: a turn after every commit, its own back-off after failures. It never holds up anything else.
import type { SinkState } from "../../protocol/index.ts";
import type { Clock, Timer } from "../clock.ts";
import { cursorName, type PumpState, pumpOnce, type Sink, type SinkJournal } from "./pump.ts";

const BACKOFF_MS_MIN = 1_000;
const BACKOFF_MS_MAX = 60_000;
/** A wrong token is looked at again: somebody may have mended it. */
const PAUSED_MS = 60_000;
const BATCH_ROWS_FIRST = 100;

export interface RunnerJournal extends SinkJournal {
  cursor(name: string): Promise<number>;
  newestId(): number;
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
  state(): SinkState;
}

export function createRunner({ sink, journal, clock, random, log }: RunnerDeps): Runner {
  let pump: PumpState = { cursor: 0, batchRows: BATCH_ROWS_FIRST, sent: 0, dead: 0 };
  let shown: Pick<SinkState, "state" | "reason"> = { state: "idle" };
  let failures = 0;
  let running: Promise<void> | undefined;
  let waiting: Timer | undefined;
  let stopped = false;
  let unsubscribe = () => {};

  function backOff(afterMs: number | undefined): void {
    const grown = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(failures, 10));
    const delayMs = afterMs ?? grown * (0.5 + random() / 2);
    failures++;
    waiting = clock.after(delayMs, () => {
      waiting = undefined;
      wake();
    });
  }

  async function run(): Promise<void> {
    while (!stopped) {
      const result = await pumpOnce(sink, journal, pump, clock.nowMs());
      pump = result.state;
      if (result.kind === "idle") {
        shown = { state: "idle" };
        return;
      }
      if (result.kind === "advanced") {
        shown = { state: "sending" };
        failures = 0;
        continue;
      }
      shown = { state: result.kind === "paused" ? "refused" : "retrying", reason: result.reason };
      if (failures === 0) log?.("sink cannot deliver", { sink: sink.name, reason: result.reason });
      backOff(result.kind === "paused" ? PAUSED_MS : result.afterMs);
      return;
    }
  }

  function wake(): void {
    if (stopped || running !== undefined || waiting !== undefined) return;
    running = run()
      .catch((error: unknown) => {
        shown = { state: "retrying", reason: error instanceof Error ? error.message : String(error) };
        backOff(undefined);
      })
      .finally(() => {
        running = undefined;
        if (waiting === undefined && journal.newestId() > pump.cursor) wake();
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
      await running;
    },
    state: () => ({
      name: sink.name,
      ...shown,
      behindRows: Math.max(0, journal.newestId() - pump.cursor),
      sent: pump.sent,
      dead: pump.dead,
    }),
  };
}
