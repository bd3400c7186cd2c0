// Fuel that came: a level that rises faster than noise is a delivery, and a person says how much it was. The level is the
// truth either way: what a person confirms late moves no estimate.
import type { Delivery, Tank } from "../../../protocol/index.ts";
import { toInstant } from "../instant.ts";
import { REFILL_L_MIN, REFILL_MS, REFILL_SHARE } from "./consumption.ts";
import { type Entry, SLOT_MS } from "./series.ts";

/** Deliveries that are kept; the oldest fall off. */
export const DELIVERIES_MAX = 16;
/** What a person tells belongs to a rise so near to it. */
const MATCH_MS = 4 * 3_600_000;
/** Parts of one filling that are no further apart. */
const JOIN_MS = REFILL_MS;

export interface DeliveryRecord {
  readonly deliveryId: string;
  /** The last moment before it rose; of one that was only told, when it came. */
  readonly atMs: number;
  /** When it stood at its highest. */
  readonly untilMs: number;
  readonly measuredL?: number;
  readonly toldL?: number;
  readonly told?: NonNullable<Delivery["told"]>;
  readonly state: Delivery["state"];
}

interface Rise {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly litres: number;
}

/** The rises in a series of levels: more than the larger of 10 litres and 5 % within half an hour. */
export function risesOf(levels: readonly Entry[], capacityL: number): Rise[] {
  const step = Math.max(REFILL_L_MIN, REFILL_SHARE * capacityL);
  const rises: Rise[] = [];
  const litres = (at: number) => (levels[at] as Entry)[1] as number;
  const ms = (at: number) => (levels[at] as Entry)[0];
  let floor = 0;
  for (let i = 1; i < levels.length; i++) {
    let low = i;
    // What was before the top of one rise is no beginning of another.
    for (let at = i - 1; at >= floor && ms(i) - ms(at) <= REFILL_MS; at--) if (litres(at) < litres(low)) low = at;
    if (litres(i) - litres(low) <= step) continue;
    let top = i;
    while (top + 1 < levels.length && ms(top + 1) - ms(top) <= JOIN_MS && litres(top + 1) > litres(top)) top++;
    rises.push({ fromMs: ms(low), untilMs: ms(top), litres: litres(top) - litres(low) });
    i = top;
    floor = top;
  }
  return rises;
}

/** True when the newest level may be part of a rise, or of one that is known: the rest of the series was looked at before. */
export function mayRise(deliveries: readonly DeliveryRecord[], levels: readonly Entry[], capacityL: number): boolean {
  const newest = levels[levels.length - 1];
  if (newest === undefined) return false;
  const step = Math.max(REFILL_L_MIN, REFILL_SHARE * capacityL);
  if (deliveries.some((one) => newest[0] - one.untilMs <= 2 * JOIN_MS)) return true;
  for (let at = levels.length - 2; at >= 0 && newest[0] - (levels[at] as Entry)[0] <= REFILL_MS; at--)
    if ((newest[1] as number) - ((levels[at] as Entry)[1] as number) > step) return true;
  return false;
}

export interface DetectOptions {
  readonly pointId: string;
  readonly tank: Tank;
}

/** The deliveries after a sample: those that the series shows, made anew, and those that it does not reach. */
export function withRises(
  deliveries: readonly DeliveryRecord[],
  levels: readonly Entry[],
  { pointId, tank }: DetectOptions,
): readonly DeliveryRecord[] {
  // A later sample of a slot takes the place of the one that a delivery began at.
  const oldestMs = Math.floor((levels[0]?.[0] ?? Number.POSITIVE_INFINITY) / SLOT_MS) * SLOT_MS;
  const rises = risesOf(levels, tank.capacityL);
  if (rises.length === 0 && !deliveries.some((one) => isSeen(one) && one.atMs >= oldestMs)) return deliveries;
  // Nobody has said anything of these, and the series still shows whether they were.
  const kept = deliveries.filter((one) => one.atMs < oldestMs || one.state !== "detected");
  const found = rises.flatMap(({ fromMs, untilMs, litres }): DeliveryRecord[] => {
    const known = kept.find((one) => near(one, fromMs, untilMs));
    const measuredL = Math.round(litres * 10) / 10;
    if (known !== undefined) {
      kept.splice(kept.indexOf(known), 1);
      // Of one that began before the series does, it shows only the end.
      if (known.atMs < oldestMs && isSeen(known)) return [known];
      return [{ ...known, atMs: fromMs, untilMs, measuredL }];
    }
    const deliveryId = `${pointId}-${Math.round(fromMs / 60_000)}`;
    return [{ deliveryId, atMs: fromMs, untilMs, measuredL, state: "detected" }];
  });
  const next = [...kept, ...found].sort((a, b) => a.atMs - b.atMs).slice(-DELIVERIES_MAX);
  return isSameList(next, deliveries) ? deliveries : next;
}

const isSeen = (one: DeliveryRecord) => one.measuredL !== undefined;

function near(one: DeliveryRecord, fromMs: number, untilMs: number): boolean {
  const reachMs = isSeen(one) ? JOIN_MS : MATCH_MS;
  return fromMs <= one.untilMs + reachMs && untilMs >= one.atMs - reachMs;
}

/** People tell late, and round the hour. */
function isAbout(one: DeliveryRecord, atMs: number): boolean {
  return atMs >= one.atMs - MATCH_MS && atMs <= one.untilMs + MATCH_MS;
}

function isSameList(a: readonly DeliveryRecord[], b: readonly DeliveryRecord[]): boolean {
  return a.length === b.length && a.every((one, i) => JSON.stringify(one) === JSON.stringify(b[i]));
}

export interface ToldDelivery {
  readonly atMs: number;
  readonly litres: number;
  /** The detected one that this confirms; by its moment when left out. */
  readonly deliveryId?: string;
  readonly told: NonNullable<Delivery["told"]>;
}

/** A person says what came. `entryId` names a delivery that no sensor saw. */
export function confirmed(
  deliveries: readonly DeliveryRecord[],
  { atMs, litres, deliveryId, told }: ToldDelivery,
  entryId: string,
): readonly DeliveryRecord[] {
  const said = { toldL: litres, told, state: "confirmed" } as const;
  const match =
    deliveries.find((one) => one.deliveryId === deliveryId) ??
    (deliveryId === undefined ? deliveries.find((one) => one.state === "detected" && isAbout(one, atMs)) : undefined);
  if (match !== undefined) return deliveries.map((one) => (one === match ? { ...one, ...said } : one));
  if (deliveries.some((one) => one.deliveryId === entryId)) return deliveries;
  const added = { deliveryId: deliveryId ?? entryId, atMs, untilMs: atMs, ...said };
  return [...deliveries, added].sort((a, b) => a.atMs - b.atMs).slice(-DELIVERIES_MAX);
}

/** A person says that nothing came: the rise was something else. */
export function rejected(
  deliveries: readonly DeliveryRecord[],
  deliveryId: string,
  told: ToldDelivery["told"],
): readonly DeliveryRecord[] {
  return deliveries.map((one) => (one.deliveryId === deliveryId ? { ...one, told, state: "rejected" } : one));
}

export function deliveryState({ atMs, untilMs: _, ...rest }: DeliveryRecord): Delivery {
  return { ...rest, at: toInstant(atMs) };
}
