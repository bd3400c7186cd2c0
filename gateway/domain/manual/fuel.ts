// Fuel by word: what a dip-stick shows stands in place of a level where no good sensor says otherwise later, and is held against
// the sensor's. The one place where statements about fuel meet the models of fuel.
import type { Entry, Tank } from "../../../protocol/index.ts";
import type { PointView } from "../point.ts";
import { numberOf, type PointModel, wordOf } from "../point-model.ts";
import { withEntry } from "../series.ts";
import { litresAt } from "../tank.ts";
import { blended } from "./blend.ts";
import { TOLD_FUEL_MAX, type ToldFuel, toldBy, withToldReading } from "./told.ts";

const LEVEL = "power.fuelLevelPct";
/** The sensor's level is held against a dip when it was measured this close to it. */
const BESIDE_MS = 30 * 60_000;

/** The model after a dip or a delivery; others leave it as it is. */
export function withToldFuel(model: PointModel, view: PointView, entry: Entry): PointModel {
  const { statement, entryId } = entry;
  if (statement.kind !== "dip" && statement.kind !== "delivery" && statement.kind !== "no-delivery") return model;
  const atMs = Date.parse(entry.at);
  const sensorMoreL = statement.kind === "dip" ? sensorMore(model, statement.litres, atMs) : undefined;
  const fuel: ToldFuel = {
    entryId,
    atMs,
    statement,
    ...toldBy(entry),
    ...(sensorMoreL === undefined ? {} : { sensorMoreL }),
  };
  const all = [...model.told.fuel, fuel].sort((a, b) => a.atMs - b.atMs).slice(-TOLD_FUEL_MAX);
  const kept = { ...model, told: { ...model.told, fuel: all } };
  return statement.kind === "dip" ? withDip(kept, view, { entry, litres: statement.litres, atMs }) : kept;
}

interface Dip {
  readonly entry: Entry;
  readonly litres: number | undefined;
  readonly atMs: number;
}

function withDip(model: PointModel, view: PointView, { entry, litres, atMs }: Dip): PointModel {
  if (litres === undefined || view.generator === undefined) return model;
  const levelPct = levelOf(view.generator.tank, litres);
  if (levelPct === undefined) return model;
  const told = withToldReading(model.told, LEVEL, { value: levelPct, atMs, ...toldBy(entry) });
  const next = { ...model, told };
  // Where a sensor measures, its series stays its own: a step between the two would look like a flow.
  if (typeof model.readings[LEVEL]?.value === "number") return next;
  const counts = blended(next);
  const load = numberOf(counts, "power.loadKw");
  const generator = wordOf(counts, "power.generator");
  const runs = generator === "running" || (generator === "unknown" && wordOf(counts, "power.mains") !== "present");
  return { ...next, levels: withEntry(model.levels, [atMs, litres, runs ? 1 : 0, load ?? -1]) };
}

/** What the sensor said more than the stick, from its level nearest before the dip. */
function sensorMore({ readings, levels }: PointModel, litres: number | undefined, atMs: number): number | undefined {
  if (litres === undefined || readings[LEVEL] === undefined) return undefined;
  const beside = levels.filter(([levelMs]) => levelMs <= atMs && atMs - levelMs <= BESIDE_MS).at(-1);
  return beside === undefined ? undefined : Math.round(((beside[1] as number) - litres) * 10) / 10;
}

/** The level at which so many litres are in the tank; undefined for more than it holds, or less than its table knows. */
export function levelOf(tank: Tank, litres: number): number | undefined {
  const points = tank.table ?? [
    { levelPct: 0, litres: 0 },
    { levelPct: 100, litres: tank.capacityL },
  ];
  for (const [i, high] of points.entries()) {
    const low = points[i - 1];
    if (low === undefined || litres < low.litres || litres > high.litres) continue;
    if (high.litres === low.litres) return low.levelPct;
    const share = (litres - low.litres) / (high.litres - low.litres);
    const levelPct = low.levelPct + share * (high.levelPct - low.levelPct);
    // Rounding must not lead out of the table.
    return litresAt(tank, levelPct) === undefined ? high.levelPct : levelPct;
  }
  return undefined;
}
