// Minimum levels of critical processes: whether an own post has what each of them needs. Unknown is never met.
import type { Norms, PointState } from "../../protocol/index.ts";
import type { AlertValues } from "./alert-text.ts";
import type { Minimum } from "./point.ts";
import { numberOf, type PointModel } from "./point-model.ts";

export type MinimumState = NonNullable<PointState["minimums"]>[number];

type Known = Pick<PointState, "endurance"> & {
  readonly fuel: PointState["fuel"];
  readonly battery: PointState["battery"];
  readonly norms: Norms;
};

function levelOf(quantity: Minimum["quantity"], model: PointModel, { endurance, fuel, battery }: Known) {
  switch (quantity) {
    case "enduranceH":
      if (endurance.kind === "estimate") return endurance.p50H;
      // Nothing to go on with is a figure, and no doubt about it.
      return endurance.reason === "no-backup" ? 0 : undefined;
    case "fuelL":
      return fuel?.usableL;
    case "stateOfChargePct":
      return battery?.stateOfChargePct;
    case "temperatureC":
      return numberOf(model, "environment.temperatureC");
    case "starterBatteryV":
      return numberOf(model, "power.starterBatteryV");
  }
}

/** Each process by its own minimum, or by that of the profile where it sets none. */
export function minimumsOf(minimums: readonly Minimum[], model: PointModel, known: Known): MinimumState[] {
  return minimums.map((one) => {
    const minimum = one.minimum ?? normOf(one.quantity, known.norms);
    const value = levelOf(one.quantity, model, known);
    const base = { ...one, ...(minimum === undefined ? {} : { minimum }) };
    const said = one.minimum === undefined && minimum !== undefined ? { ...base, byNorm: true } : base;
    if (value === undefined || minimum === undefined) return { ...said, met: "unknown" };
    return { ...said, value, met: value >= minimum ? "yes" : "no" };
  });
}

/** What a profile sets for a process that sets nothing itself; undefined for litres: those hang on the tank and the set. */
export function normOf(quantity: string, { minimumLevels }: Norms): number | undefined {
  return minimumLevels.find((one) => one.quantity === quantity)?.value;
}

/** Rules about minimum levels: each process of a point is a matter of its own, as another directorate may own the next one. */
export const PROCESS_MATTER = "process";

export function matterOfProcess(processId: string): string {
  return `${PROCESS_MATTER}-${processId}`;
}

/** So far above its minimum a level is out of danger: an estimate of hours moves more than a thermometer does. */
const MARGINS: Readonly<Record<Minimum["quantity"], (minimum: number) => number>> = {
  enduranceH: (minimum) => Math.max(1, 0.25 * minimum),
  fuelL: (minimum) => 0.05 * minimum,
  stateOfChargePct: () => 5,
  temperatureC: () => 1,
  starterBatteryV: () => 0.4,
};

export type MinimumLevel = "below" | "near" | "above" | "unknown";

/** Where a process stands to its minimum; `near` is above it and within its margin. */
export function minimumLevel({ quantity, minimum, value, met }: MinimumState): MinimumLevel {
  if (met === "unknown" || minimum === undefined || value === undefined) return "unknown";
  if (met === "no") return "below";
  return value < minimum + MARGINS[quantity](minimum) ? "near" : "above";
}

/** What an alert says of it. */
export function minimumValues({
  processId,
  name,
  directorate,
  quantity,
  minimum,
  value,
  byNorm,
}: MinimumState): AlertValues {
  return {
    processId,
    process: name,
    directorate,
    quantity,
    ...(minimum === undefined ? {} : { minimum }),
    ...(value === undefined ? {} : { value }),
    ...(byNorm === undefined ? {} : { byNorm: "yes" }),
  };
}
