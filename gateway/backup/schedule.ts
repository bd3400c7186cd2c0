// Keeps a copy up to date: a step every so often, one at a time, and again after a failure. It never holds up anything else.
import type { CopyState } from "../../protocol/index.ts";
import type { Clock, Timer } from "../clock.ts";
import { toInstant } from "../domain/instant.ts";
import { GatewayError } from "../errors.ts";
import { type CopySource, copyOnce } from "./copier.ts";
import type { FileCollector } from "./files.ts";

/** After a failure, and at first: a disk that was pulled out may be back. */
const RETRY_MS = 30_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A step that takes longer does not end any more. */
const STUCK_MS = 600_000;
const STOP_MS = 5_000;

export interface Daily {
  copy(folder: string): Promise<void>;
  isMissing(folder: string): boolean;
}

export interface ScheduleDeps {
  readonly source: CopySource & { newestId(): number };
  readonly folder: string;
  readonly files: FileCollector;
  readonly everyMs: number;
  /**
   * Whether the copy would go with the disk of the data: nothing is mounted where it is kept, or it was meant so. Asked before
   * anything is written; throws when nothing may be.
   */
  onSameDisk(): Promise<boolean>;
  /** What is too large for every step: it is copied once a day, and at once where the copy lacks it. */
  readonly daily?: Daily;
  readonly clock: Clock;
  log?(event: string, detail: Readonly<Record<string, string | number>>): void;
}

export interface CopyFigures {
  readonly behindRows: number;
  readonly failing: boolean;
  /** Since the start. */
  readonly writtenBytes: number;
  /** Since it was last brought up to date; undefined before the first time. */
  readonly ageS?: number;
}

export interface Schedule {
  state(): CopyState;
  figures(): CopyFigures;
  /** Waits a little for the step that is under way. */
  stop(): Promise<void>;
}

/** What the disk said, before what it comes to. */
function reasonOf(error: unknown): string {
  const said = error instanceof GatewayError ? error.detail["reason"] : undefined;
  return typeof said === "string" ? said : error instanceof Error ? error.message : String(error);
}

export function startSchedule({
  source,
  folder,
  files,
  everyMs,
  onSameDisk,
  daily,
  clock,
  log,
}: ScheduleDeps): Schedule {
  let lastId = 0;
  let isOnSameDisk = false;
  let lastMs: number | undefined;
  let lastMonotonicMs = 0;
  let writtenBytes = 0;
  let failing: string | undefined;
  let dailyDueMs = Number.NEGATIVE_INFINITY;
  let dailyFailedMs = Number.NEGATIVE_INFINITY;
  let isDailyRunning = false;
  let startedMs = 0;
  let running: Promise<void> | undefined;
  let timer: Timer | undefined;
  let isStopped = false;

  async function step(): Promise<void> {
    try {
      isOnSameDisk = await onSameDisk();
      const copied = await copyOnce(source, folder, await files.collect(folder));
      files.taken();
      lastId = copied.lastId;
      lastMs = clock.nowMs();
      lastMonotonicMs = clock.monotonicMs();
      writtenBytes += copied.bytes;
      failing = undefined;
    } catch (error) {
      const reason = reasonOf(error);
      if (failing === undefined) log?.("the copy cannot be brought up to date", { folder, reason });
      failing = reason;
    }
    startDaily();
  }

  /** Beside the steps: what is large must not keep what is new out of the copy. */
  function startDaily(): void {
    if (daily === undefined || isDailyRunning || failing !== undefined) return;
    const nowMs = clock.monotonicMs();
    const isDue = nowMs >= dailyDueMs || (nowMs >= dailyFailedMs + HOUR_MS && daily.isMissing(folder));
    if (!isDue) return;
    isDailyRunning = true;
    daily
      .copy(folder)
      .then(
        () => {
          dailyDueMs = clock.monotonicMs() + DAY_MS;
        },
        (error: unknown) => {
          dailyFailedMs = clock.monotonicMs();
          dailyDueMs = dailyFailedMs + HOUR_MS;
          log?.("what is copied once a day could not be", { folder, reason: reasonOf(error) });
        },
      )
      .finally(() => {
        isDailyRunning = false;
      });
  }

  function run(): void {
    startedMs = clock.monotonicMs();
    running = step().finally(() => {
      running = undefined;
      if (!isStopped) timer = clock.after(failing === undefined ? everyMs : Math.min(RETRY_MS, everyMs), run);
    });
  }

  /** A disk that is gone in a bad way neither takes nor refuses. */
  function reasonNow(): string | undefined {
    const isStuck = running !== undefined && clock.monotonicMs() - startedMs > Math.max(2 * everyMs, STUCK_MS);
    return isStuck ? "the disk of the copy does not answer" : failing;
  }

  const behindRows = () => Math.max(0, source.newestId() - lastId);

  run();
  return {
    figures: () => ({
      behindRows: behindRows(),
      failing: reasonNow() !== undefined,
      writtenBytes,
      ...(lastMs === undefined ? {} : { ageS: (clock.monotonicMs() - lastMonotonicMs) / 1000 }),
    }),
    state: () => {
      const reason = reasonNow();
      return {
        state: reason !== undefined ? "failing" : lastMs === undefined ? "starting" : "current",
        behindRows: behindRows(),
        everyS: Math.round(everyMs / 1000),
        ...(lastMs === undefined ? {} : { lastAt: toInstant(lastMs) }),
        ...(reason === undefined ? {} : { reason }),
        ...(isOnSameDisk ? { sameDisk: true as const } : {}),
      };
    },
    stop: async () => {
      isStopped = true;
      timer?.stop();
      // Whatever is half done is no harm: the copy is the one before. What does not answer is not waited for.
      await Promise.race([running, new Promise<void>((resolve) => clock.after(STOP_MS, resolve))]);
    },
  };
}
