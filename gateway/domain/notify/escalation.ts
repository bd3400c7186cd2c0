// Who is next when nobody acknowledges: by time, or at once when those before cannot be reached. Pure.
import type { Escalation, NoticeReason, Priority } from "../../../protocol/index.ts";
import type { Watched } from "./watch.ts";

const MINUTE_MS = 60_000;
/** A day of quarters: whoever has not come by then does not read messages. */
export const REPEATS_MAX = 96;

export interface EscalationContext {
  readonly nowMs: number;
  readonly priority: Priority;
  /** Why the first so many steps are not enough, undefined while they are. */
  lacks(steps: number): "nobody-there" | "nobody-reached" | undefined;
}

export interface ToldStep {
  readonly step: number;
  readonly reason: NoticeReason;
  /** Earlier than its time. */
  readonly why?: "nobody-there" | "nobody-reached";
}

export interface EscalationStep {
  readonly watched: Watched;
  readonly told: readonly ToldStep[];
}

/** The same `watched` when nothing is due. */
export function dueSteps(
  watched: Watched,
  { steps, repeatMin }: Pick<Escalation, "steps" | "repeatMin">,
  { nowMs, priority, lacks }: EscalationContext,
): EscalationStep {
  const total = Math.max(1, steps.length);
  const told: ToldStep[] = [];
  // A clock that went back makes nobody wait longer than the plan says.
  const sinceMs = Math.min(watched.atMs, nowMs);
  let step = watched.step;
  while (step < total) {
    const isDue = nowMs - sinceMs >= (steps[step]?.afterMin ?? 0) * MINUTE_MS;
    const lack = isDue || step === 0 ? undefined : lacks(step);
    if (!isDue && lack === undefined) break;
    const reason = step === 0 ? watched.reason : "not-acknowledged";
    told.push({ step, reason, ...(lack === undefined ? {} : { why: lack }) });
    step++;
  }
  if (told.length > 0) return { watched: { ...watched, atMs: sinceMs, step, lastMs: nowMs }, told };
  const mayRepeat = priority === 1 && repeatMin !== undefined && step > 0 && watched.repeats < REPEATS_MAX;
  if (!mayRepeat || Math.abs(nowMs - watched.lastMs) < repeatMin * MINUTE_MS) return { watched, told };
  const again = Array.from({ length: step }, (_, one) => ({ step: one, reason: "repeated" }) as const);
  return { watched: { ...watched, repeats: watched.repeats + 1, lastMs: nowMs }, told: again };
}
