// One look at everything: which notices are to be made, for whom and why. All that it needs is what is open now and what is kept of
// before, so that it finds the same after a crash. Pure.
import type { Alert, Mute, NoticeReason, NotifyPlan, Recipient } from "../../../protocol/index.ts";
import { toInstant } from "../instant.ts";
import { isDone, type KeptNotice, stepExpiry } from "./delivery.ts";
import { dueSteps } from "./escalation.ts";
import { composeMessage } from "./message.ts";
import { chainOf, concerns, isMuted, isOnDuty, type PlaceOf, stepOf } from "./recipients.ts";
import { EMPTY_TRAY, type Gathered, gather, MESSAGES_MAX_DEFAULT, stepTray, type Tray, type TrayItem } from "./tray.ts";
import { isPressing, isWaiting, stepWatch, type Watched } from "./watch.ts";

/** What is kept, and survives the process. */
export interface NotifyModel {
  readonly watched: ReadonlyMap<string, Watched>;
  readonly trays: ReadonlyMap<string, Tray>;
  readonly notices: ReadonlyMap<string, KeptNotice>;
  readonly mutes: ReadonlyMap<string, Mute>;
}

export interface NotifyInput {
  /** Open alerts, hidden ones among them. */
  readonly alerts: readonly Alert[];
  readonly plan: NotifyPlan;
  readonly nowMs: number;
  readonly placeOf: PlaceOf;
}

/** Why something was or was not told. */
export interface Decision {
  readonly why: string;
  readonly alertId?: string;
  readonly recipientId?: string;
}

/** What is another than before; undefined is gone. */
export interface NotifyChanges {
  readonly watched: Map<string, Watched | undefined>;
  readonly trays: Map<string, Tray | undefined>;
  readonly notices: Map<string, KeptNotice | undefined>;
  readonly mutes: Map<string, Mute | undefined>;
  readonly decisions: Decision[];
}

const EXPIRE_MIN_DEFAULT = 240;
/** Done notices are shown so long. */
const KEPT_MS = 7 * 86_400_000;
export const NOTICES_MAX = 1_000;
/** Alerts that a notice names. */
const ABOUT_MAX = 50;

interface Work extends NotifyInput {
  readonly model: NotifyModel;
  readonly changes: NotifyChanges;
  readonly byId: ReadonlyMap<string, Alert>;
  readonly onDuty: ReadonlySet<string>;
  /** What is to be put into the trays, by recipient. */
  readonly puts: Map<string, Gathered[]>;
}

export function stepNotify(model: NotifyModel, input: NotifyInput): NotifyChanges {
  const changes = { watched: new Map(), trays: new Map(), notices: new Map(), mutes: new Map(), decisions: [] };
  const byId = new Map(input.alerts.map((alert) => [alert.alertId, alert]));
  const { plan, nowMs } = input;
  const onDuty = new Set(plan.recipients.filter((one) => isOnDuty(one, nowMs)).map((one) => one.recipientId));
  const work: Work = { ...input, model, changes, byId, onDuty, puts: new Map() };
  changeDuties(work);
  watchAlerts(work);
  tellSteps(work);
  for (const recipient of input.plan.recipients) emptyTray(work, recipient);
  tidyNotices(work);
  return changes;
}

function trayOf({ model, changes }: Work, recipientId: string): Tray {
  return changes.trays.get(recipientId) ?? model.trays.get(recipientId) ?? EMPTY_TRAY;
}

function watchedNow({ model, changes }: Work): Map<string, Watched> {
  const all = new Map<string, Watched>(model.watched);
  for (const [id, one] of changes.watched) {
    if (one === undefined) all.delete(id);
    else all.set(id, one);
  }
  return all;
}

/** Whoever begins is told of what is open; whoever ends is told nothing more, and no mute goes over that. */
function changeDuties(work: Work): void {
  const { model, plan, nowMs, changes, byId } = work;
  const known = new Set(plan.recipients.map((one) => one.recipientId));
  for (const id of model.trays.keys()) if (!known.has(id)) changes.trays.set(id, undefined);
  for (const [id, mute] of model.mutes) if (!known.has(id) || !isMuted(mute, nowMs)) changes.mutes.set(id, undefined);
  for (const recipient of plan.recipients) {
    const { recipientId, role } = recipient;
    const before = model.trays.get(recipientId);
    const onDuty = work.onDuty.has(recipientId);
    if (before !== undefined && before.onDuty === onDuty) continue;
    if (before !== undefined) changes.mutes.set(recipientId, undefined);
    const open: Gathered[] = [];
    for (const [alertId, watched] of onDuty ? model.watched : []) {
      const alert = byId.get(alertId);
      if (alert === undefined || !isPressing(alert) || !concerns(recipient, alert, work.placeOf)) continue;
      if (watched.step <= stepOf(chainOf(plan, alert.priority), role)) continue;
      open.push({ alertId, occurrence: watched.occurrence, reason: "hand-over", atMs: nowMs });
    }
    const tray = gather({ ...(before ?? EMPTY_TRAY), gathered: [], onDuty }, open);
    changes.trays.set(recipientId, tray);
    if (before !== undefined || tray.gathered.length > 0) {
      changes.decisions.push({ why: onDuty ? "shift-begins" : "shift-ends", recipientId });
    }
  }
}

function watchAlerts(work: Work): void {
  const { model, changes, byId, nowMs } = work;
  for (const alertId of new Set([...model.watched.keys(), ...byId.keys()])) {
    const before = model.watched.get(alertId);
    const step = stepWatch(before, byId.get(alertId), nowMs);
    if (step.watched === undefined || isOther(before, step.watched)) changes.watched.set(alertId, step.watched);
    if (step.told === undefined) continue;
    changes.decisions.push({ why: step.told, alertId });
    if (step.told !== "returned") continue;
    const alert = byId.get(alertId) ?? before?.alert;
    if (alert === undefined) continue;
    const occurrence = step.watched?.occurrence ?? (before?.occurrence ?? 0) + 1;
    for (const recipient of work.plan.recipients) {
      if (recipient.returns !== true || !work.onDuty.has(recipient.recipientId)) continue;
      if (!concerns(recipient, alert, work.placeOf)) continue;
      put(work, recipient, { alertId, occurrence, reason: "returned", over: { ...alert, state: "normal" } });
    }
  }
}

function isOther(before: Watched | undefined, after: Watched): boolean {
  if (before === undefined) return true;
  const { state, priority, occurrence } = after;
  return before.state !== state || before.priority !== priority || before.occurrence !== occurrence;
}

interface Told {
  readonly alertId: string;
  readonly occurrence: number;
  readonly reason: NoticeReason;
  readonly over?: Alert;
}

function put({ puts, nowMs }: Work, { recipientId }: Recipient, told: Told): void {
  const one = { ...told, atMs: nowMs };
  const before = puts.get(recipientId);
  if (before === undefined) puts.set(recipientId, [one]);
  else before.push(one);
}

/** Is to be told of it at this step of its escalation, and is on duty. */
function isTold(
  { plan, onDuty, placeOf }: Work,
  one: Recipient,
  alert: Alert,
  isStep: (step: number) => boolean,
): boolean {
  return (
    onDuty.has(one.recipientId) &&
    isStep(stepOf(chainOf(plan, alert.priority), one.role)) &&
    concerns(one, alert, placeOf)
  );
}

/** Tells the steps of the escalation that are due, and repeats. */
function tellSteps(work: Work): void {
  const { plan, nowMs, changes, byId } = work;
  const hopeless = hopelessMatters(work);
  for (const [alertId, watched] of watchedNow(work)) {
    const alert = byId.get(alertId);
    if (alert === undefined || watched.occurrence === 0 || watched.reason === "returned") continue;
    if (!(isPressing(alert) || (isWaiting(alert) && watched.step === 0))) continue;
    const matter = `${alertId}@${watched.occurrence}`;
    const isThere = (done: number) =>
      plan.recipients.some(
        (one) =>
          isTold(work, one, alert, (step) => step < done) && !isMuted(work.model.mutes.get(one.recipientId), nowMs),
      );
    const step = dueSteps(watched, chainOf(plan, alert.priority), {
      nowMs,
      priority: alert.priority,
      lacks: (done) => (isThere(done) ? (hopeless.has(matter) ? "nobody-reached" : undefined) : "nobody-there"),
    });
    if (step.watched === watched) continue;
    changes.watched.set(alertId, step.watched);
    for (const { step: number, reason, why } of step.told) {
      const to = plan.recipients.filter((one) => isTold(work, one, alert, (at) => at === number));
      if (why !== undefined) changes.decisions.push({ why, alertId });
      if (to.length === 0) changes.decisions.push({ why: "nobody-at-this-step", alertId });
      for (const one of to) put(work, one, { alertId, occurrence: watched.occurrence, reason });
    }
  }
}

/** Matters of which every notice so far has tried all its channels in vain. */
function hopelessMatters({ model, nowMs }: Work): ReadonlySet<string> {
  const hopeful = new Set<string>();
  const tried = new Set<string>();
  for (const [recipientId, { gathered }] of model.trays) {
    if (isMuted(model.mutes.get(recipientId), nowMs)) continue;
    for (const { alertId, occurrence } of gathered) hopeful.add(`${alertId}@${occurrence}`);
  }
  for (const { notice, rounds, about } of model.notices.values()) {
    const isInVain = isDone(notice) ? notice.state !== "delivered" : rounds > 0;
    for (const matter of about) (isInVain ? tried : hopeful).add(matter);
  }
  return new Set([...tried].filter((matter) => !hopeful.has(matter)));
}

function emptyTray(work: Work, recipient: Recipient): void {
  const { model, changes, plan, nowMs, byId } = work;
  const { recipientId } = recipient;
  const told = work.puts.get(recipientId) ?? [];
  const before = told.length === 0 ? trayOf(work, recipientId) : gather(trayOf(work, recipientId), told);
  if (before.gathered.length === 0) return;
  if (told.length > 0) changes.trays.set(recipientId, before);
  const mute = changes.mutes.has(recipientId) ? undefined : model.mutes.get(recipientId);
  const messagesMax = plan.messagesMax ?? MESSAGES_MAX_DEFAULT;
  const step = stepTray(before, { recipient, mute, messagesMax, nowMs, alertOf: (id) => byId.get(id) });
  if (step.due.length === 0 && step.tray.gathered.length === before.gathered.length) return;
  changes.trays.set(recipientId, step.tray);
  if (step.due.length === 0) return;
  const kept = noticeOf(work, recipient, step.due);
  changes.notices.set(kept.notice.noticeId, kept);
  changes.decisions.push({ why: `notice-${kept.notice.reason}`, alertId: kept.notice.alertIds[0] ?? "", recipientId });
}

function noticeOf(work: Work, recipient: Recipient, due: readonly TrayItem[]): KeptNotice {
  const { plan, nowMs, placeOf } = work;
  const { recipientId, role, language = "nl" } = recipient;
  const first = due[0] as TrayItem;
  const { parts, headline, lines } = composeMessage(due, language, placeOf);
  const expiresMs = nowMs + (plan.expireMin ?? EXPIRE_MIN_DEFAULT) * 60_000;
  return {
    notice: {
      noticeId: idOf(work, recipientId, first.gathered),
      recipientId,
      role,
      reason: first.gathered.reason,
      priority: first.alert.priority,
      alertIds: due.slice(0, ABOUT_MAX).map(({ alert }) => alert.alertId),
      count: due.length,
      headline,
      lines: [...lines],
      state: "waiting",
      createdAt: toInstant(nowMs),
      expiresAt: toInstant(expiresMs),
      attempts: [],
    },
    about: due.map(({ gathered }) => `${gathered.alertId}@${gathered.occurrence}`),
    language,
    parts,
    at: 0,
    tries: 0,
    rounds: 0,
    nextMs: nowMs,
    isHandedOn: false,
    refusedBy: [],
  };
}

/** Made of what it is about and not of the moment: a gateway that was killed before it was kept makes the same again. */
function idOf({ model, changes }: Work, recipientId: string, { alertId, occurrence, reason }: Told): string {
  const base = `${recipientId}-${alertId}-${occurrence}-${reason}`;
  const isTaken = (id: string) => model.notices.has(id) || changes.notices.has(id);
  for (let number = 1; ; number++) {
    const id = number === 1 ? base : `${base}-${number}`;
    if (!isTaken(id)) return id;
  }
}

/** Somebody has seen all that it is about: nobody else has to be called for it. */
function isHandled({ byId }: Work, { notice }: KeptNotice): boolean {
  if (notice.state !== "waiting" || notice.reason === "returned" || notice.count > notice.alertIds.length) return false;
  return notice.alertIds.every((alertId) => {
    const alert = byId.get(alertId);
    return alert === undefined || !isWaiting(alert);
  });
}

function withdrawn(kept: KeptNotice): KeptNotice {
  const { nextAt: _, ...notice } = kept.notice;
  return { ...kept, notice: { ...notice, state: kept.isHandedOn ? "delivered" : "expired", handled: true } };
}

/** What is over its time ends; what was done long ago is forgotten. */
function tidyNotices(work: Work): void {
  const { model, changes, plan, nowMs } = work;
  const channelsOf = new Map(plan.recipients.map((one) => [one.recipientId, one.channels.length]));
  const done: KeptNotice[] = [];
  for (const [id, kept] of model.notices) {
    const next = isHandled(work, kept)
      ? withdrawn(kept)
      : stepExpiry(kept, channelsOf.get(kept.notice.recipientId) ?? 0, nowMs);
    if (next !== kept) {
      changes.notices.set(id, next);
      changes.decisions.push({ why: `notice-${next.notice.state}`, recipientId: next.notice.recipientId });
    } else if (isDone(kept.notice)) done.push(kept);
  }
  done.sort((a, b) => Date.parse(a.notice.createdAt) - Date.parse(b.notice.createdAt));
  const tooMany = Math.max(0, model.notices.size - NOTICES_MAX);
  done.forEach((kept, i) => {
    const { createdAt, noticeId } = kept.notice;
    if (i < tooMany || nowMs - Date.parse(createdAt) > KEPT_MS) changes.notices.set(noticeId, undefined);
  });
}
