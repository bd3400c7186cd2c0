// To which point a row belongs: what it says of a point to the one at which its device stood at that moment, what it says of the
// device to the one at which that stands now. A device keeps 72 hours, and takes them along when it moves.
import type { DeviceView, PointView, Stay } from "../domain/point.ts";
import { ofSet, type PointModel, withContact } from "../domain/point-model.ts";
import type { JournalRecord } from "../domain/record.ts";
import { assetsIn } from "./assets.ts";
import { type Draft, draftPoint } from "./state.ts";

export interface Place {
  readonly device: DeviceView;
  readonly view: PointView;
}

export interface Standing {
  /** Where the device stands now; where it stood when it stands nowhere now. */
  readonly now: Place;
  /** Where it stood at the moment of the row; where no row of the registry says so, where it stands now. */
  readonly stood: Place;
  /** It stands there no longer: what it says of that point is not heard from that point. */
  readonly hasLeft: boolean;
  /** False for one that stands nowhere now. */
  readonly isHere: boolean;
}

interface Lookup {
  pointOf(pointId: string): PointView | undefined;
  deviceOf(deviceId: string): DeviceView | undefined;
  stayOf(deviceId: string, atMs: number): Stay | undefined;
}

/** Undefined for a device that the registry knows neither now nor at that moment. */
export function standingOf({ deviceId, timeMs, receivedMs }: JournalRecord, lookup: Lookup): Standing | undefined {
  const here = lookup.deviceOf(deviceId);
  // Nothing is measured after it has come in: one of the clocks is wrong, and a move that is planned is none yet.
  const stay = timeMs > receivedMs ? undefined : lookup.stayOf(deviceId, timeMs);
  const now = placeOf(here ?? stay?.device, lookup);
  const isHere = here !== undefined;
  if (now === undefined || stay === undefined || stay.device.pointId === here?.pointId)
    return now && { now, stood: now, hasLeft: false, isHere };
  const stood = placeOf(stay.device, lookup);
  if (stood === undefined) return undefined;
  // Whoever counted there then counts for that time, also where another has taken its place.
  const { groupOwners: _, ...view } = stood.view;
  const groupOwners = stay.groupOwners();
  return { now, stood: { ...stood, view: groupOwners ? { ...view, groupOwners } : view }, hasLeft: true, isHere };
}

function placeOf(device: DeviceView | undefined, lookup: Lookup): Place | undefined {
  const view = device && lookup.pointOf(device.pointId);
  return device && view && { device, view };
}

export function modelAt(draft: Draft, view: PointView): PointModel {
  return ofSet(draftPoint(draft, view.pointId), view, assetsIn(draft, view).tank);
}

/** A sign of life is of the point where the device stands now, whatever moment its row speaks of. */
export function hear(draft: Draft, { now: { view }, isHere }: Standing, receivedMs: number): void {
  if (isHere) draft.points.set(view.pointId, withContact(modelAt(draft, view), receivedMs));
}
