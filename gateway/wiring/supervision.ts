// Tells systemd that the gateway is ready, lives, and stops. Node has no datagram sockets of this kind, so systemd's own small
// program says it. A beat is given only when the journal answers: a gateway that hangs is started again.
import { execFile } from "node:child_process";
import type { Clock } from "../clock.ts";
import type { Supervisor } from "../config/environment.ts";
import type { Journal } from "../journal/journal.ts";

const NOTIFY = "systemd-notify";
const NOTIFY_MS_MAX = 5_000;
/** Beats within one interval of the watchdog: one may be late. */
const BEATS = 3;

export interface SupervisionDeps {
  readonly supervisor: Supervisor;
  readonly clock: Clock;
  readonly journal: Pick<Journal, "cursor">;
  readonly pid: number;
  log?(event: string, detail: Readonly<Record<string, string | number>>): void;
}

export interface Supervision {
  stop(): void;
}

/** Says that the gateway is ready, and from then on that it lives. */
export function startSupervision({ supervisor, clock, journal, pid, log }: SupervisionDeps): Supervision {
  let hasFailed = false;
  let isAsking = false;
  const tell = (...words: string[]) => {
    execFile(NOTIFY, [`--pid=${pid}`, ...words], { timeout: NOTIFY_MS_MAX }, (error) => {
      if (error !== null && !hasFailed) log?.("systemd was not told", { reason: error.message });
      hasFailed = error !== null;
    });
  };
  const beat = () => {
    if (isAsking) return;
    isAsking = true;
    journal.cursor("engine").then(
      () => {
        isAsking = false;
        tell("WATCHDOG=1");
      },
      () => {
        isAsking = false;
      },
    );
  };
  tell("--ready");
  const { watchdogMs } = supervisor;
  const timer = watchdogMs === undefined ? undefined : clock.every(watchdogMs / BEATS, beat);
  return {
    stop() {
      timer?.stop();
      tell("STOPPING=1");
    },
  };
}
