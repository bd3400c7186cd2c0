// The occupancy of a point for people: the estimate, and whether somebody has to count again.
import type { PointState } from "../../../protocol/index.ts";
import { toInstant } from "../instant.ts";
import type { Profile } from "../profile.ts";
import { type Estimate, estimatePeople, type PeopleModel } from "./people.ts";

type Occupancy = NonNullable<PointState["occupancy"]>;
export type Recount = NonNullable<Occupancy["recount"]>;

export interface OccupancyMoment {
  readonly nowMs: number;
  /** A counter that was silent for longer is stale. */
  readonly staleMs: number;
  /** Those that count here; and those beside them, whose figures are held against theirs. */
  readonly owners: readonly string[];
  readonly others: readonly string[];
  readonly phase: PointState["phase"];
  readonly capacity: number | undefined;
  readonly norms: Profile["people"];
}

/** Undefined when nobody has counted anything. */
export function occupancyOf(people: PeopleModel, moment: OccupancyMoment): Occupancy | undefined {
  const { nowMs, staleMs, owners, norms } = moment;
  const estimate = estimatePeople(people, owners, norms);
  if (estimate === undefined) return undefined;
  const { count } = people;
  const { countersMs, perHour } = estimate;
  const isCountNewest = count !== undefined && (countersMs === undefined || count.atMs >= estimate.atMs);
  const limitMs = isCountNewest && countersMs === undefined ? norms.shiftS * 1000 : staleMs;
  const freshMs = isCountNewest && countersMs === undefined ? estimate.atMs : (countersMs ?? estimate.atMs);
  const recount = recountReason(people, estimate, moment);
  return {
    people: Math.max(0, Math.round(estimate.people)),
    at: toInstant(estimate.atMs),
    quality: nowMs - freshMs > limitMs ? "stale" : "good",
    ...(isCountNewest && count.told !== undefined ? { told: count.told } : {}),
    ...(countersMs === undefined ? {} : { plusMinus: estimate.plusMinus }),
    ...(perHour === undefined ? {} : { perHour: Math.round(perHour) }),
    ...(recount === undefined ? {} : { recount }),
  };
}

/** Phases in which people are inside. */
const OPEN: readonly string[] = ["open", "limited", "full", "closing"];

/** The most telling reason first; undefined when nobody needs to count. */
export function recountReason(
  people: PeopleModel,
  estimate: Estimate,
  { nowMs, owners, others, phase, capacity, norms }: OccupancyMoment,
): Recount | undefined {
  if (estimate.people < 0) return "below-zero";
  if (capacity !== undefined && estimate.people * 100 > capacity * norms.overPct) return "over-capacity";
  if (disagrees(people, estimate, { owners, others, norms })) return "counters-disagree";
  const { count } = people;
  if (hasDrifted(estimate, capacity, norms)) return "drift";
  if (!OPEN.includes(phase)) return undefined;
  if (count === undefined) return estimate.passages > 0 ? "never-counted" : undefined;
  return nowMs - count.atMs > norms.shiftS * 1000 ? "shift" : undefined;
}

/** Too uncertain to say whether there is room; with room for all that can be inside, the count of the shift is soon enough. */
function hasDrifted({ people, plusMinus }: Estimate, capacity: number | undefined, norms: Profile["people"]): boolean {
  if (plusMinus <= Math.max(norms.driftMin, (people * norms.driftPct) / 100)) return false;
  return capacity === undefined || (people + plusMinus) * 100 >= capacity * norms.roomPct;
}

/** Other counters say something that neither error explains. */
function disagrees(
  people: PeopleModel,
  estimate: Estimate,
  { owners, others, norms }: Pick<OccupancyMoment, "owners" | "others" | "norms">,
): boolean {
  if (owners.length === 0 || estimate.countersMs === undefined) return false;
  const beside = estimatePeople(people, others, norms);
  if (beside?.countersMs === undefined) return false;
  const apart = Math.abs(beside.people - estimate.people);
  return apart > Math.max(norms.apartMin, estimate.plusMinus + beside.plusMinus);
}
