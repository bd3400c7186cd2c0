// What people do to an alert: whether it can be done now, and what follows.
import { type Alert, SHELF_HOURS_MAX } from "../../protocol/index.ts";
import { type LifeInput, type LifeReason, stepLife } from "../domain/alerts/life.ts";
import { toInstant } from "../domain/instant.ts";
import { GatewayError } from "../errors.ts";
import { type AlertAct, lifeOf, transit } from "./alerts.ts";
import { type Draft, draftAlerts, type OpenAlert } from "./state.ts";

export type Deed =
  | { readonly kind: "acknowledge"; readonly note?: string }
  | { readonly kind: "shelve"; readonly until: string; readonly reason: string }
  | { readonly kind: "unshelve" }
  | { readonly kind: "reset" }
  | { readonly kind: "take-out"; readonly reason: string }
  | { readonly kind: "put-back" };

export interface Doer {
  readonly by: string;
  readonly origin: string;
}

/** Steps of a life that changed nothing, or not what the person meant. */
const REFUSED: readonly LifeReason[] = [
  "acknowledged-already",
  "acknowledge-first",
  "still-holding",
  "waiting-for-acknowledgement",
  "holding",
  "hidden",
  "nothing-to-do",
];

/** Does it on the draft. Throws ALERT_NOT_ACKNOWLEDGEABLE, ALERT_ACT_REFUSED, SHELF_TIME_INVALID. */
export function doTo(draft: Draft, open: OpenAlert, deed: Deed, doer: Doer, nowMs: number): Alert {
  const { alert } = open;
  const input: LifeInput = { kind: deed.kind };
  if (deed.kind === "shelve") checkShelf(deed.until, nowMs);
  const { reason } = stepLife(lifeOf(open), input);
  if (reason === "acknowledged-already") {
    const by = alert.acknowledged?.by ?? "";
    throw new GatewayError("ALERT_NOT_ACKNOWLEDGEABLE", { alertId: alert.alertId, by });
  }
  if (REFUSED.includes(reason)) {
    const detail = { alertId: alert.alertId, act: deed.kind, state: alert.state, reason };
    throw new GatewayError("ALERT_ACT_REFUSED", detail);
  }
  const note = deed.kind === "acknowledge" ? deed.note : "reason" in deed ? deed.reason : undefined;
  const until = deed.kind === "shelve" ? { until: deed.until } : {};
  const act: AlertAct = { nowMs, actor: doer.by, origin: doer.origin, note, ...until };
  const done = transit(draft, withSeen(open, reason), input, act);
  if (alert.subject.kind === "group" && reason === "acknowledged") seeMembers(draft, alert.alertId, act);
  return done;
}

/** Who acknowledges a group has seen its members: those that outlive it need no second acknowledgement. */
function seeMembers(draft: Draft, groupId: string, act: AlertAct): void {
  for (const member of [...draftAlerts(draft)])
    if (member.alert.suppressedBy === groupId) transit(draft, member, { kind: "cause-seen" }, act);
}

/** How much of a group the person has seen: what grows beyond it has to be seen again. */
function withSeen(open: OpenAlert, reason: LifeReason): OpenAlert {
  const { alert } = open;
  if (alert.subject.kind !== "group" || reason !== "acknowledged") return open;
  return { ...open, alert: { ...alert, values: { ...alert.values, seen: alert.values["count"] ?? 0 } } };
}

const HOUR_MS = 3_600_000;

function checkShelf(until: string, nowMs: number): void {
  const untilMs = Date.parse(until);
  if (untilMs > nowMs && untilMs <= nowMs + SHELF_HOURS_MAX * HOUR_MS) return;
  throw new GatewayError("SHELF_TIME_INVALID", { until, now: toInstant(nowMs), hoursMax: SHELF_HOURS_MAX });
}

/** Shelves whose time is over; also those that lie further ahead than anybody can shelve: a clock was wrong. */
export function endShelves(draft: Draft, nowMs: number): void {
  for (const [alertId, open] of draft.base.alerts) {
    const { shelved } = open.alert;
    if (shelved === undefined || draft.alerts.has(alertId)) continue;
    const leftMs = Date.parse(shelved.until) - nowMs;
    if (leftMs > 0 && leftMs <= SHELF_HOURS_MAX * HOUR_MS) continue;
    transit(draft, open, { kind: "shelf-end" }, { nowMs, actor: "gateway", note: "its time is over" });
  }
}
