// What counts for each quantity: the sensor's or the person's. A sensor that is good and newer wins; what was told wins over a
// sensor that is bad or absent; of a sensor that has fallen silent and a person the later one counts.
import { isBadValue, type PointModel, type ReadingState } from "../point-model.ts";
import type { ToldReading } from "./told.ts";

export type Counts = "sensor" | "told";

/** Which of the two counts; undefined when there is neither. */
export function whatCounts(sensor: ReadingState | undefined, told: ToldReading | undefined): Counts | undefined {
  if (told === undefined) return sensor === undefined ? undefined : "sensor";
  if (sensor === undefined || saysNothing(sensor.value)) return "told";
  return sensor.atMs >= told.atMs ? "sensor" : "told";
}

/** Not fitted, not known, or not to be believed. */
function saysNothing(value: number | string): boolean {
  return value === "absent" || value === "unknown" || isBadValue(value);
}

/** The model as it counts: told readings stand in place of those of the sensors that they win from. */
export function blended(model: PointModel): PointModel {
  const names = Object.keys(model.told.readings);
  if (names.length === 0) return model;
  const readings: Record<string, ReadingState> = { ...model.readings };
  for (const name of names) {
    const told = model.told.readings[name];
    if (told === undefined || whatCounts(model.readings[name], told) !== "told") continue;
    const { value, atMs, by, via } = told;
    readings[name] = { value, atMs, deviceId: "", sequence: 0, quality: "synced", told: { by, via } };
  }
  return { ...model, readings };
}
