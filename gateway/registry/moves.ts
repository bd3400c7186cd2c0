// Moves an asset: what it was assigned to ends, and the new place begins. Pure: gives another registry.
import type { Assignment, NewAssignment, Registry } from "../../protocol/index.ts";
import { nearest } from "../../protocol/nearest.ts";
import { toInstant } from "../domain/instant.ts";
import { momentMs } from "../domain/point.ts";
import { GatewayError } from "../errors.ts";
import { spanOf } from "./check.ts";

export interface Move {
  readonly registry: Registry;
  /** Where it stands from then on; undefined when it only left. */
  readonly assignment: Assignment | undefined;
  readonly left: string | undefined;
  readonly from: string;
  /** False when it stood there already. */
  readonly isChange: boolean;
}

function hint(word: string, known: readonly string[]): { readonly near?: string } {
  const near = nearest(word, known);
  return near === undefined ? {} : { near };
}

/**
 * Throws ASSET_UNKNOWN, POINT_UNKNOWN, or ASSIGNMENT_IMPOSSIBLE for a moment that is none, or before one that is planned
 * already.
 */
export function moveAsset(registry: Registry, { assetId, pointId, from }: NewAssignment, nowMs: number): Move {
  const assets = registry.assets.map((one) => one.assetId);
  if (!assets.includes(assetId)) throw new GatewayError("ASSET_UNKNOWN", { assetId, ...hint(assetId, assets) });
  const points = registry.points.map((one) => one.pointId);
  if (pointId !== undefined && !points.includes(pointId))
    throw new GatewayError("POINT_UNKNOWN", { pointId, ...hint(pointId, points) });
  const begin = from ?? toInstant(Math.floor(nowMs / 1000) * 1000);
  const beginMs = momentMs(begin);
  if (Number.isNaN(beginMs))
    throw new GatewayError("ASSIGNMENT_IMPOSSIBLE", { assetId, reason: `${begin} is no moment` });
  const own = registry.assignments.filter((one) => one.assetId === assetId);
  const later = own.find((one) => spanOf(one).fromMs >= beginMs && !(one.pointId === pointId && one.from === begin));
  if (later !== undefined) {
    const reason = `it is planned for ${later.pointId} from ${later.from} already`;
    throw new GatewayError("ASSIGNMENT_IMPOSSIBLE", { assetId, reason });
  }
  const standing = own.find((one) => spanOf(one).untilMs > beginMs);
  // Told twice, it stands where it is.
  if (standing === undefined ? pointId === undefined : standing.pointId === pointId)
    return { registry, assignment: standing, left: undefined, from: standing?.from ?? begin, isChange: false };
  const ended = standing === undefined ? undefined : { ...standing, until: begin };
  const assignment = pointId === undefined ? undefined : { assetId, pointId, from: begin };
  const kept = registry.assignments.map((one) => (one === standing && ended !== undefined ? ended : one));
  const assignments = assignment === undefined ? kept : [...kept, assignment];
  return { registry: { ...registry, assignments }, assignment, left: standing?.pointId, from: begin, isChange: true };
}
