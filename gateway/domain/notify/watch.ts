// What has become of an alert since it was last looked at, as far as somebody is to be told. It compares states and needs no
// events, so that a gateway that was killed in between finds the same. Pure.
import type { Alert, NoticeReason, Priority } from "../../../protocol/index.ts";
import { isHidden } from "../alerts/life.ts";

/** What is kept of an alert, for as long as it is open. */
export interface Watched {
  readonly state: Alert["state"];
  readonly priority: Priority;
  /** As it was when somebody was last to be told: what is over is told of by it. */
  readonly alert: Alert;
  /** Times that somebody was to be told of it. */
  readonly occurrence: number;
  readonly reason: NoticeReason;
  /** Of the last of them. */
  readonly atMs: number;
  /** Steps of the escalation that were told. */
  readonly step: number;
  readonly repeats: number;
  readonly lastMs: number;
}

export interface WatchStep {
  /** Undefined: closed, and forgotten. */
  readonly watched: Watched | undefined;
  /** Undefined when nobody is to be told. */
  readonly told?: NoticeReason;
  readonly why: "changed" | "same" | "hidden" | "seen" | "told-already" | "closed-untold";
}

/** Nobody has seen it, and it is shown. */
export function isWaiting({ state }: Pick<Alert, "state">): boolean {
  return state === "unacknowledged" || state === "latched-unacknowledged" || state === "returned-unacknowledged";
}

/** It holds, or stays until somebody comes: waiting longer is worse. */
export function isPressing({ state }: Pick<Alert, "state">): boolean {
  return state === "unacknowledged" || state === "latched-unacknowledged";
}

export function stepWatch(before: Watched | undefined, alert: Alert | undefined, nowMs: number): WatchStep {
  if (alert === undefined) {
    const isOver = before !== undefined && before.occurrence > 0 && !hasCeased(before.state) && !isHidden(before.state);
    return isOver
      ? { watched: undefined, told: "returned", why: "changed" }
      : { watched: undefined, why: "closed-untold" };
  }
  const told = changeOf(before, alert);
  const { state, priority } = alert;
  if (typeof told === "object") {
    const kept = before ?? { ...NEVER_TOLD, alert, atMs: nowMs, lastMs: nowMs };
    // Hidden, it keeps what was told of it: it must be known again when it comes back.
    const known = isHidden(state) ? (before?.priority ?? priority) : priority;
    return { watched: { ...kept, state, priority: known }, why: told.why };
  }
  const occurrence = (before?.occurrence ?? 0) + 1;
  const fresh = { step: 0, repeats: 0, lastMs: nowMs, atMs: nowMs };
  return { watched: { state, priority, alert, occurrence, reason: told, ...fresh }, told, why: "changed" };
}

const NEVER_TOLD = { occurrence: 0, reason: "raised", step: 0, repeats: 0 } as const;

type Change = NoticeReason | { readonly why: WatchStep["why"] };

function changeOf(before: Watched | undefined, alert: Alert): Change {
  if (isHidden(alert.state)) return { why: "hidden" };
  const toldOf = before !== undefined && before.occurrence > 0 ? before : undefined;
  if (toldOf === undefined) return isWaiting(alert) ? "raised" : { why: "seen" };
  if (toldOf.state === alert.state && toldOf.priority <= alert.priority) return { why: "same" };
  if (hasCeased(alert.state)) return hasCeased(toldOf.state) ? { why: "same" } : "returned";
  if (alert.state === "acknowledged") return { why: "seen" };
  if (alert.priority < toldOf.priority) return "escalated";
  if (toldOf.state === "acknowledged") return "grown";
  if (hasCeased(toldOf.state)) return "breached-again";
  if (toldOf.state === "shelved" || toldOf.state === "out-of-service") return "back";
  return { why: "told-already" };
}

function hasCeased(state: Alert["state"]): boolean {
  return state === "returned-unacknowledged" || state.startsWith("latched");
}
