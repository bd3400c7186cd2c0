// Keeps a copy up to date: a step every so often, one at a time, and again after a failure. It never holds up anything else.
import type { CopyState } from "../../protocol/index.ts";
import type { Clock, Timer } from "../clock.ts";
import { toInstant } from "../domain/instant.ts";
import { GatewayError } from "../errors.ts";
import { type CopySource, copyOnce } from "./copier.ts";
import type { FileCollector } from "./files.ts";

/** After a failure, and at first: a disk that was pulled out may be back. */
const RETRY_MS = 30_000;
const DAY_MS = 86_400_000;

export interface ScheduleDeps {
  readonly source: CopySource & { newestId(): number };
  readonly folder: string;
  readonly files: FileCollector;
  readonly everyMs: number;
  /** Whether the copy would go with the disk of the data: nothing is mounted where it is kept, or it was meant so. */
  onSameDisk(): Promise<boolean>;
  /** Copies what is too large for every step, once a day. */
  readonly daily?: (folder: string) => Promise<void>;
  readonly clock: Clock;
  log?(event: string, detail: Readonly<Record<string, string | number>>): void;
}

export interface Schedule {
  state(): CopyState;
  /** Ends with the step that is under way. */
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
  let failing: string | undefined;
  let dailyDueMs = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | undefined;
  let timer: Timer | undefined;
  let isStopped = false;

  async function step(): Promise<void> {
    try {
      const copied = await copyOnce(source, folder, await files.collect());
      files.taken();
      lastId = copied.lastId;
      isOnSameDisk = await onSameDisk();
      if (daily !== undefined && clock.monotonicMs() >= dailyDueMs) {
        await daily(folder);
        dailyDueMs = clock.monotonicMs() + DAY_MS;
      }
      lastMs = clock.nowMs();
      failing = undefined;
    } catch (error) {
      const reason = reasonOf(error);
      if (failing === undefined) log?.("the copy cannot be brought up to date", { folder, reason });
      failing = reason;
    }
  }

  function run(): void {
    running = step().finally(() => {
      running = undefined;
      if (!isStopped) timer = clock.after(failing === undefined ? everyMs : Math.min(RETRY_MS, everyMs), run);
    });
  }

  run();
  return {
    state: () => ({
      state: failing !== undefined ? "failing" : lastMs === undefined ? "starting" : "current",
      behindRows: Math.max(0, source.newestId() - lastId),
      everyS: Math.round(everyMs / 1000),
      ...(lastMs === undefined ? {} : { lastAt: toInstant(lastMs) }),
      ...(failing === undefined ? {} : { reason: failing }),
      ...(isOnSameDisk ? { sameDisk: true as const } : {}),
    }),
    stop: async () => {
      isStopped = true;
      timer?.stop();
      await running;
    },
  };
}
