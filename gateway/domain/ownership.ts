// Two devices at one point may tell of the same quantities. The one that owns the group counts; what the other says is
// held beside it, and shown where the two differ by more than their sensors can.
import { REASONS, type Reading, type Report, type ReportGroup } from "../../protocol/index.ts";
import { toInstant } from "./instant.ts";
import type { DeviceView } from "./point.ts";
import { isBadValue, type PointModel, type ReadingState } from "./point-model.ts";

export type GroupOwners = Readonly<Partial<Record<ReportGroup, string>>>;

export interface Split {
  /** The report without the groups that another device owns. */
  readonly counted: Report;
  /** Those groups; undefined when there are none. */
  readonly checks: Partial<Report> | undefined;
}

/** A group that nobody owns counts from whoever tells of it. */
export function byOwner(report: Report, deviceId: string, owners: GroupOwners | undefined): Split {
  let counted = report;
  let checks: Partial<Report> | undefined;
  for (const [group, owner] of Object.entries(owners ?? {}) as [ReportGroup, string][]) {
    if (owner === deviceId || report[group] === undefined) continue;
    const { [group]: other, ...rest } = counted;
    counted = rest as Report;
    checks = { ...checks, [group]: other };
  }
  return { counted, checks };
}

/**
 * By how much two sound sensors of one quantity may differ: twice the error of a tank's sender (5 %), of a charge that is
 * counted (5 %), of a current clamp; a class of temperature; people who pass while one counts.
 */
export const TOLERANCES: Readonly<Record<string, number>> = {
  "power.fuelLevelPct": 10,
  "power.loadKw": 1,
  "power.starterBatteryV": 0.5,
  "battery.batteryV": 0.5,
  "battery.batteryA": 5,
  "battery.stateOfChargePct": 10,
  "occupancy.occupancy": 10,
  "environment.temperatureC": 3,
};
/** Samples further apart than this are of different moments: their difference says nothing. */
const TOGETHER_MS_MAX = 15 * 60_000;

export interface CrossCheck {
  /** What the other says more than the owner, where both are numbers. */
  readonly difference?: number;
  readonly differs: boolean;
}

/** Undefined when there is nothing to hold it against: no reading of the owner, none of that time, or no value. */
export function crossCheck(name: string, other: ReadingState, owner: ReadingState | undefined): CrossCheck | undefined {
  if (owner === undefined || Math.abs(owner.atMs - other.atMs) > TOGETHER_MS_MAX) return undefined;
  if (typeof other.value === "number" && typeof owner.value === "number") {
    const difference = Math.round((other.value - owner.value) * 100) / 100;
    return { difference, differs: Math.abs(difference) > (TOLERANCES[name] ?? Number.POSITIVE_INFINITY) };
  }
  // Of words only the state of mains and set can be held against each other; a reason why there is none cannot.
  const isWord = name === "power.mains" || name === "power.generator";
  if (!isWord || NO_VALUES.has(other.value) || NO_VALUES.has(owner.value)) return undefined;
  return { differs: other.value !== owner.value };
}

const NO_VALUES = new Set<number | string>(REASONS);

/** What those devices of a point say that do not own it, each held against the owner's reading. */
export function crossReadings(
  model: PointModel,
  owners: GroupOwners | undefined,
  moment: { readonly nowMs: number; readonly staleMs: number; readonly devices: readonly DeviceView[] },
): Reading[] {
  return Object.entries(model.crossChecks ?? {}).flatMap(([key, reading]): Reading[] => {
    const { deviceId, value, atMs } = reading;
    const name = key.slice(deviceId.length + 1);
    const owner = owners?.[name.split(".")[0] as ReportGroup];
    // It has left, or owns the group by now.
    if (owner === undefined || owner === deviceId || !moment.devices.some((one) => one.deviceId === deviceId))
      return [];
    const against = crossCheck(name, reading, model.readings[name]);
    const aged = moment.nowMs - atMs > moment.staleMs ? "stale" : "good";
    const quality = isBadValue(value) ? "bad" : reading.quality === "synced" ? aged : reading.quality;
    const check = against === undefined ? { differs: false } : against;
    return [{ name, deviceId, value, at: toInstant(atMs), quality, crossCheck: check }];
  });
}
