// What lies ready for one recipient: gathered for a moment, held back in quiet hours and by a mute, and told as one message where
// many would be a flood. Pure.
import type { Alert, Mute, NoticeReason, Recipient } from "../../../protocol/index.ts";
import { isHeldBack, isMuted } from "./recipients.ts";
import { isWaiting } from "./watch.ts";

export interface Gathered {
  readonly alertId: string;
  readonly occurrence: number;
  readonly reason: NoticeReason;
  readonly atMs: number;
  /** What is told of one that is over: it may be gone by then. */
  readonly over?: Alert;
}

export interface Tray {
  readonly gathered: readonly Gathered[];
  /** When messages were made, of the last ten minutes. */
  readonly sentMs: readonly number[];
  /** Was on duty when last looked at. */
  readonly onDuty: boolean;
}

export const EMPTY_TRAY: Tray = { gathered: [], sentMs: [], onDuty: true };

/** What comes together is told together. Something urgent waits only as long as a cause takes to become a line. */
const GATHER_MS = 10_000;
const GATHER_URGENT_MS = 3_000;
export const RATE_WINDOW_MS = 600_000;
export const MESSAGES_MAX_DEFAULT = 4;
/** Above the bound, what is urgent goes so often all the same. */
const URGENT_GAP_MS = 60_000;
/** Of one recipient; a region has 500 points. */
export const GATHERED_MAX = 2_000;

export interface TrayContext {
  readonly recipient: Recipient;
  readonly mute: Mute | undefined;
  readonly messagesMax: number;
  readonly nowMs: number;
  alertOf(alertId: string): Alert | undefined;
}

export interface TrayItem {
  readonly gathered: Gathered;
  readonly alert: Alert;
}

export interface TrayStep {
  readonly tray: Tray;
  /** One message; the most pressing first. Empty when nothing is due. */
  readonly due: readonly TrayItem[];
  readonly why: "nothing" | "muted" | "quiet" | "gathering" | "rate" | "due";
}

export function gather(tray: Tray, ones: readonly Gathered[]): Tray {
  const gathered = new Map(tray.gathered.map((one) => [one.alertId, one]));
  for (const one of ones) {
    // One that changes all the time does not wait for ever.
    const atMs = Math.min(one.atMs, gathered.get(one.alertId)?.atMs ?? one.atMs);
    gathered.delete(one.alertId);
    gathered.set(one.alertId, { ...one, atMs });
  }
  return { ...tray, gathered: [...gathered.values()].slice(-GATHERED_MAX) };
}

export function stepTray(tray: Tray, context: TrayContext): TrayStep {
  const { recipient, mute, messagesMax, nowMs, alertOf } = context;
  const sentMs = tray.sentMs.filter((ms) => nowMs - ms < RATE_WINDOW_MS && ms <= nowMs);
  const items = tray.gathered.flatMap((gathered) => {
    const alert = gathered.over ?? alertOf(gathered.alertId);
    // Seen, hidden or over by now: nobody has to be woken for it.
    return alert === undefined || !isStillNews(gathered, alert) ? [] : [{ gathered, alert }];
  });
  const kept: Tray = { ...tray, sentMs, gathered: items.map((item) => item.gathered) };
  if (items.length === 0) return { tray: kept, due: [], why: "nothing" };
  if (isMuted(mute, nowMs)) return { tray: kept, due: [], why: "muted" };
  const ready = items.filter(({ alert }) => !isHeldBack(recipient, alert.priority, nowMs));
  if (ready.length === 0) return { tray: kept, due: [], why: "quiet" };
  const isUrgent = ready.some(({ alert, gathered }) => alert.priority === 1 && gathered.reason !== "returned");
  const waitedMs = Math.max(...ready.map(({ gathered }) => Math.abs(nowMs - gathered.atMs)));
  if (waitedMs < (isUrgent ? GATHER_URGENT_MS : GATHER_MS)) return { tray: kept, due: [], why: "gathering" };
  const last = sentMs.at(-1);
  const mayBreak = isUrgent && (last === undefined || nowMs - last >= URGENT_GAP_MS);
  if (sentMs.length >= messagesMax && !mayBreak) return { tray: kept, due: [], why: "rate" };
  const due = [...ready].sort((a, b) => a.alert.priority - b.alert.priority || a.gathered.atMs - b.gathered.atMs);
  const told = new Set(ready.map(({ gathered }) => gathered));
  const left = kept.gathered.filter((one) => !told.has(one));
  return { tray: { ...kept, gathered: left, sentMs: [...sentMs, nowMs] }, due, why: "due" };
}

function isStillNews({ reason }: Gathered, alert: Alert): boolean {
  return reason === "returned" || isWaiting(alert);
}
