// Minimum levels of critical processes: whether an own post has what each of them needs. Unknown is never met.
import type { PointState } from "../../protocol/index.ts";
import type { Minimum } from "./point.ts";
import { numberOf, type PointModel } from "./point-model.ts";

export type MinimumState = NonNullable<PointState["minimums"]>[number];

type Known = Pick<PointState, "endurance"> & {
  readonly fuel: PointState["fuel"];
  readonly battery: PointState["battery"];
};

function levelOf(quantity: Minimum["quantity"], model: PointModel, { endurance, fuel, battery }: Known) {
  switch (quantity) {
    case "enduranceH":
      return endurance.kind === "estimate" ? endurance.p50H : undefined;
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

export function minimumsOf(minimums: readonly Minimum[], model: PointModel, known: Known): MinimumState[] {
  return minimums.map((one) => {
    const value = levelOf(one.quantity, model, known);
    if (value === undefined) return { ...one, met: "unknown" };
    return { ...one, value, met: value >= one.minimum ? "yes" : "no" };
  });
}
