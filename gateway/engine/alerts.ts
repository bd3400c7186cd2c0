// Raises, changes and closes alerts: between a verdict of the rules and the life of an alert.
import type { Alert, Priority } from "../../protocol/index.ts";
import { alertText } from "../domain/alert-text.ts";
import {
  isHidden,
  type Life,
  type LifeInput,
  type LifeReason,
  type LifeStep,
  stepLife,
} from "../domain/alerts/life.ts";
import { toInstant } from "../domain/instant.ts";
import type { Finding, Verdict } from "../domain/rules.ts";
import { type Draft, draftAlertOn, type OpenAlert } from "./state.ts";

export interface AlertContext {
  readonly matter: string;
  readonly subject: Alert["subject"];
  readonly nowMs: number;
  /** Once ceased it stays until a person resets it. */
  readonly latches?: boolean;
  /** By a rule of the profile. */
  readonly isRuled?: true;
}

/** Steps the alert on a matter by a verdict of its rule. */
export function applyVerdict(draft: Draft, context: AlertContext, verdict: Verdict): void {
  if (verdict.kind === "wait") return;
  const open = draftAlertOn(draft, context.matter);
  const act = { nowMs: context.nowMs, actor: "gateway" };
  if (verdict.kind === "clear") {
    const input = { kind: "clear", ...(context.latches === true ? { latches: true } : {}) } as const;
    if (open !== undefined) transit(draft, open, input, act);
    return;
  }
  const { finding } = verdict;
  if (open === undefined) raise(draft, context, finding);
  else if (hasMoved(open, context) || !onlyFiguresMoved(open, finding, context.nowMs)) {
    const subject = hasMoved(open, context) ? context.subject : open.alert.subject;
    const renewed = { ...open, alert: { ...withFinding(open.alert, finding, context.nowMs), subject } };
    transit(draft, renewed, { kind: "breach", priority: finding.priority }, act);
  }
}

/** Whoever goes and looks goes to where the device stands now. */
function hasMoved({ alert }: OpenAlert, { subject }: AlertContext): boolean {
  return subject.kind === "device" && alert.subject.kind === "device" && subject.pointId !== alert.subject.pointId;
}

/** Figures of an alert that holds move all the time: told of once a minute, those of a group as they grow. */
const RENEW_MS = 60_000;
const GROUP_RENEW_MS = 5_000;

function onlyFiguresMoved(open: OpenAlert, finding: Finding, nowMs: number): boolean {
  const { alert } = open;
  const same = alert.ruleId === finding.ruleId && alert.priority === finding.priority;
  const age = nowMs - Date.parse(alert.updatedAt);
  const isGroup = alert.subject.kind === "group";
  if (isGroup && JSON.stringify(alert.values) === JSON.stringify(finding.values)) return lifeOf(open).isActive && same;
  return lifeOf(open).isActive && same && age >= 0 && age < (isGroup ? GROUP_RENEW_MS : RENEW_MS);
}

function withFinding(alert: Alert, finding: Finding, nowMs: number): Alert {
  const { respondBy: _, ...rest } = alert;
  return { ...rest, ...said(finding), updatedAt: toInstant(nowMs) };
}

/** What an alert says of its finding. */
function said({
  ruleId,
  values,
  template,
  respondBy,
}: Finding): Pick<Alert, "ruleId" | "values" | "text" | "respondBy"> {
  const text = alertText(ruleId, values, template);
  return { ruleId, values, text, ...(respondBy === undefined ? {} : { respondBy }) };
}

/** Of the 80 that an alertId may have, this many stand before its number. */
const ALERT_ID_MAX = 63;

function raise(draft: Draft, context: AlertContext, finding: Finding): void {
  draft.counter++;
  const at = toInstant(context.nowMs);
  // The number tells it apart: what stands before it is for people, and may be cut.
  const about = `${context.matter.slice(0, context.matter.indexOf("/"))}-${context.subject.id}`;
  const alert: Alert = {
    alertId: `${about.slice(0, ALERT_ID_MAX)}-${draft.counter}`,
    ...said(finding),
    priority: finding.priority,
    state: "unacknowledged",
    subject: context.subject,
    raisedAt: at,
    updatedAt: at,
  };
  const { isRuled } = context;
  const activeMs = context.nowMs;
  draft.alerts.set(alert.alertId, { matter: context.matter, alert, activeMs, ...(isRuled && { isRuled }) });
  log(draft, alert, "raised", { nowMs: context.nowMs, actor: "gateway" });
}

/** Who does something to an alert, and what comes with it. */
export interface AlertAct {
  readonly nowMs: number;
  readonly actor: string;
  readonly origin?: string;
  readonly note?: string | undefined;
  /** Of a shelf. */
  readonly until?: string;
  /** The alert that says the cause. */
  readonly behind?: string;
}

/** What the life of an alert needs to know of it. */
export function lifeOf({ alert, hidden }: OpenAlert): Life {
  const isActive = alert.state === "unacknowledged" || alert.state === "acknowledged";
  return { state: alert.state, priority: alert.priority, isActive, owes: "nothing", isSeen: false, ...hidden };
}

/** One step of an alert's life; a closed alert leaves the list and is told of once. */
export function transit(draft: Draft, open: OpenAlert, input: LifeInput, act: AlertAct): Alert {
  const step = stepLife(lifeOf(open), input);
  const next = alertAfter(open.alert, step, input, act);
  if (next.state === "normal") {
    draft.alerts.set(next.alertId, undefined);
    draft.closed.set(next.alertId, next);
  } else {
    const { isActive, owes, isSeen } = step.life;
    const hidden = isHidden(next.state) ? { hidden: { isActive, owes, isSeen } } : {};
    const activeMs = step.reason === "breached-again" ? act.nowMs : open.activeMs;
    const kept = { ...(open.isRuled && { isRuled: open.isRuled }), ...(activeMs !== undefined && { activeMs }) };
    draft.alerts.set(next.alertId, { matter: open.matter, alert: next, ...kept, ...hidden });
  }
  log(draft, next, step.reason, act);
  return next;
}

/** What a person did that shows that they have seen it. */
const SEEN_BY: readonly LifeReason[] = ["acknowledged", "unshelved", "seen-with-cause"];
/** States in which an alert says who has seen it. */
const SEEN: readonly Alert["state"][] = ["acknowledged", "latched-acknowledged", "normal", "suppressed", "shelved"];
const CEASED: readonly Alert["state"][] = [
  "returned-unacknowledged",
  "latched-unacknowledged",
  "latched-acknowledged",
  "normal",
];

function alertAfter(alert: Alert, { life, reason }: LifeStep, input: LifeInput, act: AlertAct): Alert {
  const at = toInstant(act.nowMs);
  const { acknowledged, returnedAt, shelved, outOfService, suppressedBy, staleAt, ...rest } = alert;
  const note = act.note === undefined ? {} : { note: act.note };
  const seen = SEEN_BY.includes(reason) || (reason === "handled" && input.kind === "acknowledge");
  const seenBy = seen ? { by: act.actor, at, ...note } : acknowledged;
  const hasCeased = reason === "returned" || reason === "latched" || (reason === "handled" && input.kind === "clear");
  const ceasedAt = hasCeased ? at : returnedAt;
  const why = { by: act.actor, at, reason: act.note ?? "" };
  const shelf = reason === "shelved" && act.until !== undefined ? { ...why, until: act.until } : shelved;
  const removal = reason === "taken-out" ? why : outOfService;
  const behind = reason === "suppressed" ? act.behind : suppressedBy;
  return {
    ...rest,
    ...(seenBy !== undefined && SEEN.includes(life.state) ? { acknowledged: seenBy } : {}),
    ...(ceasedAt !== undefined && CEASED.includes(life.state) ? { returnedAt: ceasedAt } : {}),
    ...(shelf !== undefined && life.state === "shelved" ? { shelved: shelf } : {}),
    ...(removal !== undefined && life.state === "out-of-service" ? { outOfService: removal } : {}),
    ...(behind !== undefined && life.state === "suppressed" ? { suppressedBy: behind } : {}),
    ...(staleAt !== undefined && life.isActive ? { staleAt } : {}),
    state: life.state,
    priority: life.priority,
    updatedAt: at,
  };
}

/** What only repeats is not worth a line in the log of acts. */
const QUIET: readonly LifeReason[] = [
  // The line of its cause says it for all.
  "seen-with-cause",
  "holding",
  "hidden",
  "nothing-to-do",
  "waiting-for-acknowledgement",
  "waiting-for-reset",
  "acknowledged-already",
  "acknowledge-first",
  "still-holding",
];

function log(draft: Draft, alert: Alert, reason: LifeReason, act: AlertAct): void {
  if (QUIET.includes(reason)) return;
  const { nowMs, actor, note, until, behind } = act;
  draft.acts.push({
    atMs: nowMs,
    actor,
    action: `alert-${reason}`,
    object: alert.alertId,
    result: alert.state,
    origin: act.origin ?? "engine",
    detail: JSON.stringify({ ruleId: alert.ruleId, priority: alert.priority, note, until, behind }),
  });
}

/** The alert on a matter whose condition holds, shown or not. One that has returned does not count: a new breach starts its delay anew. */
export function activeAlert(
  draft: Draft,
  matter: string,
): { readonly ruleId: string; readonly priority: Priority } | undefined {
  const open = draftAlertOn(draft, matter);
  if (open === undefined || !lifeOf(open).isActive) return undefined;
  return { ruleId: open.alert.ruleId, priority: open.alert.priority };
}
