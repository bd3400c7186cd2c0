// Who is to be told of an alert now: by what it is about, by duty, by quiet hours and mutes. Pure.
import type { Alert, Escalation, Mute, NotifyPlan, Priority, Recipient } from "../../../protocol/index.ts";
import { isInside, isOnShift, nextHandOver } from "./week.ts";

/** Where a point is. */
export interface Place {
  readonly name: string;
  readonly address?: string;
  readonly municipality: string;
  readonly region: string;
}

export type PlaceOf = (pointId: string) => Place | undefined;

/** As long as a shelf: longer than a shift nobody is left out. */
export const MUTE_HOURS_MAX = 12;
const HOUR_MS = 3_600_000;

/** The alert is of a kind and at a place that this recipient looks after. A line about many counts where it names the region. */
export function concerns(recipient: Recipient, alert: Alert, placeOf: PlaceOf): boolean {
  const { priorities, kinds, regions, municipalities } = recipient;
  if (priorities !== undefined && !priorities.includes(alert.priority)) return false;
  if (kinds !== undefined && !kinds.includes(alert.subject.kind)) return false;
  const { kind, id, pointId = kind === "point" ? id : undefined } = alert.subject;
  const place = pointId === undefined ? undefined : placeOf(pointId);
  if (place !== undefined) {
    const isRegion = regions === undefined || regions.includes(place.region);
    return isRegion && (municipalities === undefined || municipalities.includes(place.municipality));
  }
  const named = String(alert.values["regions"] ?? "");
  return regions === undefined || named === "" || regions.some((region) => named.includes(region));
}

export function isOnDuty({ shifts }: Recipient, nowMs: number): boolean {
  return shifts === undefined || shifts.some((shift) => isOnShift(shift, nowMs));
}

/** Quiet hours hold this back. */
export function isHeldBack({ quiet = [] }: Recipient, priority: Priority, nowMs: number): boolean {
  return quiet.some((one) => isInside(one, nowMs) && !(one.breakThrough ?? [1]).includes(priority));
}

export function isMuted(mute: Mute | undefined, nowMs: number): boolean {
  // A clock that went back does not make a mute longer.
  return mute !== undefined && nowMs < Date.parse(mute.until) && nowMs >= Date.parse(mute.at) - HOUR_MS;
}

/** Until when a mute may last: never past the end of a shift or a handing over. */
export function muteEnd(recipient: Recipient, plan: Pick<NotifyPlan, "handOvers">, ask: MuteAsk): number {
  const handOver = nextHandOver(recipient.shifts ?? [], plan.handOvers ?? [], ask.nowMs);
  return Math.min(ask.untilMs, ask.nowMs + MUTE_HOURS_MAX * HOUR_MS, handOver);
}

export interface MuteAsk {
  readonly untilMs: number;
  readonly nowMs: number;
}

const ALL_AT_ONCE: Pick<Escalation, "steps" | "repeatMin"> = { steps: [] };

export function chainOf({ escalation = [] }: NotifyPlan, priority: Priority): Pick<Escalation, "steps" | "repeatMin"> {
  return escalation.find((one) => one.priorities.includes(priority)) ?? ALL_AT_ONCE;
}

/** The step at which a role is told; one that no step names is told at once. */
export function stepOf({ steps }: Pick<Escalation, "steps">, role: string): number {
  const found = steps.findIndex((step) => step.roles.includes(role));
  return Math.max(0, found);
}
