// Gathers what the gateway watches about itself: the disk, the age of what sinks have not taken, the clock. It measures in
// the background and answers at once with what it measured last.
import { readdirSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import type { CopyState, NotifyState, SinkState } from "../../protocol/index.ts";
import { type Clock, isPlausibleWallTime } from "../clock.ts";
import type { JournalRecord } from "../domain/record.ts";
import type { DiskFacts, HistoryFacts, NetworkFacts, SelfFacts, SinkFacts, UpsFacts } from "../domain/self.ts";
import type { History } from "../history/history.ts";
import type { JournalHealth } from "../journal/journal.ts";

const MB = 1024 * 1024;
const MEASURE_MS = 5_000;
const CLOCK_MS = 1_000;
/** What a time daemon slews in a second is far less; what it steps is told of by the rule. */
const JUMP_MS_MIN = 10_000;

export interface SelfDeps {
  readonly dir: string;
  readonly clock: Clock;
  /** Of the configuration, in place of what the size of the disk says. */
  readonly lowWaterMb?: number | undefined;
  readonly journal: {
    read(afterId: number, limit: number): Promise<readonly Pick<JournalRecord, "id" | "receivedMs">[]>;
    newestId(): number;
    health(): JournalHealth;
  };
  sinks(): readonly SinkState[];
  /** Undefined before it was opened. */
  history(): ReturnType<History["state"]> | undefined;
  copy(): CopyState | undefined;
  ups(): UpsFacts | undefined;
  networks(): readonly NetworkFacts[];
  /** Undefined where nobody is to be told, and before it began. */
  notify(): NotifyState | undefined;
  log(event: string, detail: Readonly<Record<string, string>>): void;
}

export interface SelfFigures {
  facts(): SelfFacts;
  /** Of the journal's files together, in bytes. */
  journalBytes(): number | undefined;
  /** Why the last configuration that was offered is not in force; undefined when one was taken. */
  setConfigProblem(problem: string | undefined): void;
  stop(): void;
}

export function createSelfFigures(deps: SelfDeps): SelfFigures {
  const { dir, clock, journal } = deps;
  let sizeBytes: number | undefined;
  let journalBytes: number | undefined;
  let configProblem: string | undefined;
  let measuring = false;
  const { lowWaterMb } = deps;
  const configured = lowWaterMb === undefined ? {} : { lowWaterBytes: lowWaterMb * MB };
  const oldest = createOldest(deps);
  const jumps = createJumps(clock);

  async function measure(): Promise<void> {
    if (measuring) return;
    measuring = true;
    try {
      const { blocks, bsize } = await statfs(dir);
      sizeBytes = blocks * bsize;
      journalBytes = sizeOf(dir);
      await oldest.look(deps.sinks());
    } catch (error) {
      deps.log("the gateway cannot measure itself", { error: error instanceof Error ? error.message : String(error) });
    } finally {
      measuring = false;
    }
  }

  const timers = [clock.every(MEASURE_MS, () => void measure()), clock.every(CLOCK_MS, jumps.look)];
  void measure();

  return {
    facts() {
      const { failing, freeBytes, lowWater, gapRows } = journal.health();
      // What the journal measures, so that what it does and what is told go by one figure.
      const disk: DiskFacts | undefined = sizeBytes === undefined ? undefined : { freeBytes, sizeBytes, ...configured };
      const history = historyFacts(deps.history(), clock.nowMs());
      const ups = deps.ups();
      const copy = deps.copy();
      const jump = jumps.last();
      const notify = deps.notify();
      return {
        ...(disk === undefined ? {} : { disk }),
        journal: { gapRows, lowWater, ...(failing === undefined ? {} : { failing }) },
        sinks: deps.sinks().map(oldest.withAge),
        networks: deps.networks(),
        ...(history === undefined ? {} : { history }),
        clock: { trusted: isPlausibleWallTime(clock.nowMs()), ...(jump === undefined ? {} : { jump }) },
        ...(ups === undefined ? {} : { ups }),
        ...(notify === undefined ? {} : { notify }),
        ...(copy === undefined ? {} : { copy }),
        ...(configProblem === undefined ? {} : { configProblem }),
      };
    },
    journalBytes: () => journalBytes,
    setConfigProblem: (problem) => {
      configProblem = problem;
    },
    stop: () => {
      for (const timer of timers) timer.stop();
    },
  };
}

function historyFacts(state: ReturnType<History["state"]> | undefined, nowMs: number): HistoryFacts | undefined {
  if (state === undefined) return undefined;
  const failing = state.failing === undefined ? {} : { failing: state.failing };
  if (!("behindRows" in state)) return failing;
  const { behindRows, bytes, lastCompactionMs } = state;
  const age = lastCompactionMs === undefined ? {} : { compactionAgeS: Math.max(0, nowMs - lastCompactionMs) / 1000 };
  return { behindRows, bytes, ...age, ...failing };
}

function sizeOf(dir: string): number {
  const files = readdirSync(dir).filter((name) => name.startsWith("journal"));
  return files.reduce((sum, name) => sum + (statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** When the oldest row came that a sink has not taken: read from the journal, so that a restart does not make it young. */
function createOldest({ journal, clock }: SelfDeps) {
  const known = new Map<string, { readonly cursor: number; readonly receivedMs: number }>();
  const cursorOf = ({ behindRows }: Pick<SinkState, "behindRows">) => journal.newestId() - behindRows;
  return {
    async look(sinks: readonly SinkState[]): Promise<void> {
      for (const name of known.keys()) if (!sinks.some((sink) => sink.name === name)) known.delete(name);
      for (const sink of sinks) {
        const cursor = cursorOf(sink);
        if (known.get(sink.name)?.cursor === cursor) continue;
        known.delete(sink.name);
        if (sink.behindRows === 0 || sink.waitingSince !== undefined) continue;
        const [row] = await journal.read(cursor, 1);
        if (row !== undefined) known.set(sink.name, { cursor, receivedMs: row.receivedMs });
      }
    },
    withAge({ name, state, reason, behindRows, waitingSince }: SinkState): SinkFacts {
      // While it cannot deliver the sink says it itself; while it sends, the journal does.
      const sinceMs = waitingSince === undefined ? known.get(name)?.receivedMs : Date.parse(waitingSince);
      return {
        name,
        state,
        behindRows,
        ...(reason === undefined ? {} : { reason }),
        ...(behindRows === 0 || sinceMs === undefined ? {} : { oldestS: Math.max(0, clock.nowMs() - sinceMs) / 1000 }),
      };
    },
  };
}

/** The wall clock against the one that never jumps. */
function createJumps(clock: Clock) {
  const offset = () => clock.nowMs() - clock.monotonicMs();
  let before = offset();
  let last: { readonly seconds: number; readonly atMs: number } | undefined;
  return {
    look(): void {
      const now = offset();
      if (Math.abs(now - before) >= JUMP_MS_MIN) last = { seconds: (now - before) / 1000, atMs: clock.monotonicMs() };
      before = now;
    },
    last: () =>
      last === undefined ? undefined : { seconds: last.seconds, agoS: (clock.monotonicMs() - last.atMs) / 1000 },
  };
}
