// Raises, changes and closes alerts: between a verdict of the rules and the life of an alert.
import type { Alert, Priority } from "../../protocol/index.ts";
import { type LifeInput, type LifeReason, stepLife } from "../domain/alert-life.ts";
import { alertText, type RuleId } from "../domain/alert-text.ts";
import { toInstant } from "../domain/instant.ts";
import type { Finding, Verdict } from "../domain/rules.ts";
import { type Draft, draftAlertOn, type OpenAlert } from "./state.ts";

export interface AlertContext {
  readonly matter: string;
  readonly subject: Alert["subject"];
  readonly nowMs: number;
}

/** Steps the alert on a matter by a verdict of its rule. */
export function applyVerdict(draft: Draft, context: AlertContext, verdict: Verdict): void {
  if (verdict.kind === "wait") return;
  const open = draftAlertOn(draft, context.matter);
  if (verdict.kind === "clear") {
    if (open !== undefined) transit(draft, open, { kind: "clear" }, { nowMs: context.nowMs, actor: "gateway" });
    return;
  }
  const { finding } = verdict;
  if (open === undefined) raise(draft, context, finding);
  else if (!onlyFiguresMoved(open.alert, finding, context.nowMs)) {
    const renewed = { ...open, alert: withFinding(open.alert, finding, context.nowMs) };
    transit(draft, renewed, { kind: "breach", priority: finding.priority }, { nowMs: context.nowMs, actor: "gateway" });
  }
}

/** Figures of an alert that holds move all the time: told of once a minute. */
const RENEW_MS = 60_000;

function onlyFiguresMoved(alert: Alert, finding: Finding, nowMs: number): boolean {
  const holds = alert.state === "unacknowledged" || alert.state === "acknowledged";
  const same = alert.ruleId === finding.ruleId && alert.priority === finding.priority;
  const age = nowMs - Date.parse(alert.updatedAt);
  return holds && same && age >= 0 && age < RENEW_MS;
}

function withFinding(alert: Alert, finding: Finding, nowMs: number): Alert {
  const text = alertText(finding.ruleId, finding.values);
  return { ...alert, ruleId: finding.ruleId, values: finding.values, text, updatedAt: toInstant(nowMs) };
}

function raise(draft: Draft, context: AlertContext, finding: Finding): void {
  draft.counter++;
  const at = toInstant(context.nowMs);
  const matter = context.matter.slice(0, context.matter.indexOf("/"));
  const alert: Alert = {
    alertId: `${matter}-${context.subject.id}-${draft.counter}`,
    ruleId: finding.ruleId,
    priority: finding.priority,
    state: "unacknowledged",
    subject: context.subject,
    raisedAt: at,
    values: finding.values,
    text: alertText(finding.ruleId, finding.values),
    updatedAt: at,
  };
  draft.alerts.set(alert.alertId, { matter: context.matter, alert });
  log(draft, alert, "raised", { nowMs: context.nowMs, actor: "gateway" });
}

interface Act {
  readonly nowMs: number;
  readonly actor: string;
  readonly origin?: string;
  readonly note?: string | undefined;
}

/** One step of an alert's life; a closed alert leaves the list and is told of once. */
export function transit(draft: Draft, open: OpenAlert, input: LifeInput, act: Act): Alert {
  const { alert } = open;
  const step = stepLife({ state: alert.state, priority: alert.priority }, input);
  const at = toInstant(act.nowMs);
  const { acknowledged, returnedAt, ...rest } = alert;
  const seen =
    input.kind === "acknowledge"
      ? { by: act.actor, at, ...(act.note === undefined ? {} : { note: act.note }) }
      : acknowledged;
  const keepsSeen = step.life.state === "acknowledged" || step.life.state === "normal";
  const returned = step.reason === "returned" ? at : returnedAt;
  const keepsReturned = step.life.state === "returned-unacknowledged" || step.life.state === "normal";
  const next: Alert = {
    ...rest,
    ...(seen !== undefined && keepsSeen ? { acknowledged: seen } : {}),
    ...(returned !== undefined && keepsReturned ? { returnedAt: returned } : {}),
    ...(step.reason === "handled" && input.kind === "clear" ? { returnedAt: at } : {}),
    state: step.life.state,
    priority: step.life.priority,
    updatedAt: at,
  };
  if (next.state === "normal") {
    draft.alerts.set(alert.alertId, undefined);
    draft.closed.set(alert.alertId, next);
  } else draft.alerts.set(alert.alertId, { matter: open.matter, alert: next });
  log(draft, next, step.reason, act);
  return next;
}

/** What only repeats is not worth a line in the log of acts. */
const QUIET: readonly LifeReason[] = [
  "holding",
  "nothing-to-do",
  "waiting-for-acknowledgement",
  "acknowledged-already",
];

function log(draft: Draft, alert: Alert, reason: LifeReason, act: Act): void {
  if (QUIET.includes(reason)) return;
  draft.acts.push({
    atMs: act.nowMs,
    actor: act.actor,
    action: `alert-${reason}`,
    object: alert.alertId,
    result: alert.state,
    origin: act.origin ?? "engine",
    detail: JSON.stringify({ ruleId: alert.ruleId, priority: alert.priority, ...(act.note ? { note: act.note } : {}) }),
  });
}

/** The alert on a matter whose condition holds. One that has returned does not count: a new breach starts its delay anew. */
export function activeAlert(
  draft: Draft,
  matter: string,
): { readonly ruleId: RuleId; readonly priority: Priority } | undefined {
  const open = draftAlertOn(draft, matter)?.alert;
  if (open === undefined || open.state === "returned-unacknowledged") return undefined;
  return { ruleId: open.ruleId as RuleId, priority: open.priority };
}
