// What a point's model keeps of its fuel: hours, dips, deliveries. It belongs to one set and its tank: another one begins anew, with
// the dips that its tank brings along.
import type { Delivery } from "../../../protocol/index.ts";
import type { Generator, PointView } from "../point.ts";
import type { AssetModel } from "./asset-model.ts";
import { confirmed, type DeliveryRecord, mayRise, rejected, type ToldDelivery, withRises } from "./deliveries.ts";
import { DIPS_MAX, type Dip } from "./dips.ts";
import { type Hour, hoursUntil } from "./hours.ts";
import type { Entry } from "./series.ts";
import { litresAtMm } from "./tank.ts";

export interface FuelModel {
  /** Of the set that all this is about; empty for one without a name. */
  readonly assetId: string;
  /** Of the tank that it is linked to; absent for a tank of its own. */
  readonly tankId?: string;
  readonly hours: readonly Hour[];
  readonly dips: readonly Dip[];
  readonly deliveries: readonly DeliveryRecord[];
}

export const EMPTY_FUEL: FuelModel = { assetId: "", hours: [], dips: [], deliveries: [] };

/** True when the fuel is that of the set and the tank that stand here now. One kept before tanks had names is of any. */
export function isOfSet(fuel: FuelModel, generator: Generator | undefined): boolean {
  const { assetId = "", tankId } = generator ?? {};
  return fuel.assetId === assetId && (fuel.tankId ?? tankId) === tankId;
}

/** The fuel of the set and the tank that stand here now: the same one while they do. `tank` is what was learned of the tank. */
export function fuelOfSet(fuel: FuelModel, generator: Generator | undefined, tank: AssetModel | undefined): FuelModel {
  const { assetId = "", tankId } = generator ?? {};
  const isSame = isOfSet(fuel, generator);
  if (isSame && fuel.tankId === tankId) return withDipsOf(fuel, tank);
  const named = { assetId, ...(tankId === undefined ? {} : { tankId }) };
  return withDipsOf({ ...(isSame ? fuel : EMPTY_FUEL), ...named }, tank);
}

/** With what dips said of this tank at other points; those here from before say what was in it before it went away. */
function withDipsOf(fuel: FuelModel, tank: AssetModel | undefined): FuelModel {
  if (tank === undefined || tank.dips.length === 0) return fuel;
  const known = new Set(fuel.dips.map((dip) => dip.atMs));
  const brought = tank.dips.filter((dip) => !known.has(dip.atMs));
  if (brought.length === 0) return fuel;
  const untilMs = Math.max(...brought.map((dip) => dip.atMs));
  const all = [...fuel.dips, ...brought].sort((a, b) => a.atMs - b.atMs).slice(-DIPS_MAX);
  return { ...fuel, dips: all.map((dip) => (dip.atMs <= untilMs ? { ...dip, elsewhere: true } : dip)) };
}

/** The deliveries that a new level shows: one of `atMs`, which is the newest, or comes late between others. */
export function withLevels(fuel: FuelModel, levels: readonly Entry[], view: PointView, atMs: number): FuelModel {
  if (view.generator === undefined) return fuel;
  const { pointId, generator } = view;
  const isNewest = levels[levels.length - 1]?.[0] === atMs;
  if (isNewest && !mayRise(fuel.deliveries, levels, generator.tank.capacityL)) return fuel;
  const deliveries = withRises(fuel.deliveries, levels, { pointId, tank: generator.tank });
  return deliveries === fuel.deliveries ? fuel : { ...fuel, deliveries };
}

/** Forgets hours ahead of a moment. */
export function fuelUntil(fuel: FuelModel, untilMs: number): FuelModel {
  const hours = hoursUntil(fuel.hours, untilMs);
  return hours === fuel.hours ? fuel : { ...fuel, hours };
}

export interface ToldDip {
  readonly atMs: number;
  /** What the stick shows above the bottom, or what is in the tank. */
  readonly mm?: number;
  readonly litres?: number;
  readonly told: NonNullable<Delivery["told"]>;
}

/** Litres of a dip; undefined when the tank has no table for its millimetres, or when it says more than the tank holds. */
export function dipLitres(generator: Generator, { mm, litres }: Pick<ToldDip, "mm" | "litres">): number | undefined {
  const found = litres ?? (mm === undefined ? undefined : litresAtMm(generator.tank, mm));
  return found === undefined || found > DIP_SHARE_MAX * generator.tank.capacityL ? undefined : found;
}

/** A tank may be a little larger than its plate. */
const DIP_SHARE_MAX = 1.05;
/** A level and a dip that are further apart say nothing of each other. */
const BESIDE_MS = 20 * 60_000;

/** The fuel after a dip; the same one when the tank cannot be read by it. `levels` say what the sensor showed then. */
export function withDip(fuel: FuelModel, view: PointView, levels: readonly Entry[], dip: ToldDip): FuelModel {
  const litres = view.generator === undefined ? undefined : dipLitres(view.generator, dip);
  if (litres === undefined) return fuel;
  const { atMs, told } = dip;
  const sensorL = levelBeside(levels, atMs);
  const made: Dip = { atMs, litres, ...told, ...(sensorL === undefined ? {} : { sensorL }) };
  const others = fuel.dips.filter((one) => one.atMs !== atMs);
  const dips = [...others, made].sort((a, b) => a.atMs - b.atMs).slice(-DIPS_MAX);
  return { ...fuel, dips };
}

function levelBeside(levels: readonly Entry[], atMs: number): number | undefined {
  let [nearest, awayMs]: [number | undefined, number] = [undefined, BESIDE_MS];
  for (const entry of levels) {
    const away = Math.abs(entry[0] - atMs);
    if (away <= awayMs) [nearest, awayMs] = [entry[1], away];
  }
  return nearest;
}

/** The fuel after a delivery that a person told of. With a sensor the level has it already; without one the litres rise. */
export function withDelivery(fuel: FuelModel, delivery: ToldDelivery, entryId: string): FuelModel {
  return { ...fuel, deliveries: confirmed(fuel.deliveries, delivery, entryId) };
}

/** The fuel after a person said that a detected delivery was none. */
export function withoutDelivery(fuel: FuelModel, deliveryId: string, told: ToldDelivery["told"]): FuelModel {
  return { ...fuel, deliveries: rejected(fuel.deliveries, deliveryId, told) };
}
