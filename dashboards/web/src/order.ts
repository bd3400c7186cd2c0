// Which points deviate, and which comes first.
import type { Alert, PointState } from "../../../protocol/schema/index.ts";

/** Hours left for sorting: no number counts as unknown and stands before the healthy. */
function hoursOf(point: PointState): number {
  if (point.endurance.kind === "estimate") return point.endurance.p50H;
  return point.endurance.reason === "no-backup" && point.mains !== "present" ? 0 : 1_000;
}

export function isDeviating(point: PointState): boolean {
  if (point.priority !== 0 || point.contact === "silent" || point.contact === "never") return true;
  if (point.endurance.kind === "none") return point.mains !== "present";
  if (point.capacity !== undefined && point.capacity > 0 && (point.occupancy?.people ?? 0) >= point.capacity)
    return true;
  return point.endurance.reaches72h === "no" && !point.endurance.hypothetical;
}

/** Silence without a number sorts among the warnings: nobody knows. */
function rankOf(point: PointState): number {
  if (point.priority !== 0) return point.priority;
  return point.contact === "silent" || point.contact === "never" ? 2.5 : isDeviating(point) ? 3 : 4;
}

export function byUrgency(a: PointState, b: PointState): number {
  return rankOf(a) - rankOf(b) || hoursOf(a) - hoursOf(b) || a.name.localeCompare(b.name);
}

export function alertOrder(a: Alert, b: Alert): number {
  return a.priority - b.priority || Date.parse(a.raisedAt) - Date.parse(b.raisedAt);
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
