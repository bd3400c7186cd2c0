// Fuel by word: the one place where what people tell of fuel meets the model of fuel.
import type { Entry } from "../../../protocol/index.ts";
import type { PointView } from "../point.ts";
import { type PointModel, withDelivery, withDip, withoutDelivery } from "../point-model.ts";
import { toldBy } from "./told.ts";

export interface FuelTold {
  readonly model: PointModel;
  /** Something newer of the kind is known, or the tank cannot be read so. */
  readonly isLate: boolean;
}

/** The model after a dip or a delivery; other statements leave it as it is. */
export function withToldFuel(model: PointModel, view: PointView, entry: Entry): FuelTold {
  const { statement, entryId } = entry;
  const atMs = Date.parse(entry.at);
  const told = toldBy(entry);
  switch (statement.kind) {
    case "dip": {
      const { mm, litres } = statement;
      const newest = model.fuel.dips[model.fuel.dips.length - 1];
      const stick = { ...(mm === undefined ? {} : { mm }), ...(litres === undefined ? {} : { litres }) };
      const next = withDip(model, view, { atMs, ...stick, told });
      return { model: next, isLate: next === model || (newest !== undefined && newest.atMs > atMs) };
    }
    case "delivery": {
      const { litres, deliveryId } = statement;
      const came = { atMs, litres, ...(deliveryId === undefined ? {} : { deliveryId }), told };
      return { model: withDelivery(model, view, came, entryId), isLate: false };
    }
    case "no-delivery":
      return { model: withoutDelivery(model, statement.deliveryId, told), isLate: false };
    default:
      return { model, isLate: false };
  }
}
