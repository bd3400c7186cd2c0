// Which points deviate, and which comes first.
import type { Alert, PointState } from "../../../protocol/schema/index.ts";
import { lastToldMs } from "./words.ts";

/** Hours left for sorting: no number counts as unknown and stands before the healthy. */
function hoursOf(point: PointState): number {
  if (point.endurance.kind === "estimate") return point.endurance.p50H;
  return point.endurance.reason === "no-backup" && point.mains !== "present" ? 0 : 1_000;
}

/** Nobody knows how it is there: its device is silent, or it has none and nobody told anything. */
export function isUnheard(point: PointState): boolean {
  if (point.contact === "no-device") return lastToldMs(point) === undefined;
  return point.contact !== "present";
}

/** Without an outage a point of which nothing is asked, as it has no device, does not deviate. */
export function isDeviating(point: PointState, isOutage: boolean): boolean {
  if (point.priority !== 0) return true;
  if (point.contact === "no-device" && !isOutage) return false;
  if (isUnheard(point)) return true;
  if (point.endurance.kind === "none") return point.mains !== "present";
  if (point.capacity !== undefined && point.capacity > 0 && (point.occupancy?.people ?? 0) >= point.capacity)
    return true;
  return point.endurance.reaches72h === "no" && !point.endurance.hypothetical;
}

/** Silence without a number sorts among the warnings: nobody knows. */
function rankOf(point: PointState): number {
  if (point.priority !== 0) return point.priority;
  return isUnheard(point) ? 2.5 : isDeviating(point, true) ? 3 : 4;
}

export function byUrgency(a: PointState, b: PointState): number {
  return rankOf(a) - rankOf(b) || hoursOf(a) - hoursOf(b) || a.name.localeCompare(b.name);
}

/** To be looked at by somebody; what is hidden and what was seen is not. */
export function isUnseen({ state }: Alert): boolean {
  return state === "unacknowledged" || state === "returned-unacknowledged" || state === "latched-unacknowledged";
}

export function isSeen({ state }: Alert): boolean {
  return state === "acknowledged" || state === "latched-acknowledged";
}

/** Shelved, behind another one, or out of service. */
export function isHidden({ state }: Alert): boolean {
  return state === "shelved" || state === "suppressed" || state === "out-of-service";
}

/** The most pressing first; of those the one with the least time to act: what is critical and names no time is due at once. */
export function alertOrder(a: Alert, b: Alert): number {
  return a.priority - b.priority || respondMs(a) - respondMs(b) || Date.parse(a.raisedAt) - Date.parse(b.raisedAt);
}

function respondMs({ respondBy, priority, raisedAt }: Alert): number {
  if (respondBy !== undefined) return Date.parse(respondBy);
  return priority === 1 ? Date.parse(raisedAt) : Number.MAX_SAFE_INTEGER;
}

/** The point that fails first of those without mains. */
export function firstToFail(points: readonly PointState[]): PointState | undefined {
  let first: PointState | undefined;
  for (const point of points) {
    if (point.endurance.kind !== "estimate" || point.endurance.hypothetical) continue;
    if (first === undefined || hoursOf(point) < hoursOf(first)) first = point;
  }
  return first;
}

/** Hours to spare at the goal, of points that reach it, few to many. */
export function margins(
  points: readonly PointState[],
  nowMs: number,
  goalMs: number,
): { readonly name: string; readonly hours: number }[] {
  return points
    .flatMap((point) =>
      point.endurance.kind === "estimate"
        ? [{ name: point.name, hours: point.endurance.p50H - (goalMs - nowMs) / 3_600_000 }]
        : [],
    )
    .sort((a, b) => a.hours - b.hours);
}
