// Litres in a tank from the level of its sensor.
import type { Tank } from "../../protocol/index.ts";

/** Litres at `levelPct` of the sensor's span; undefined outside the table, which is never extrapolated. */
export function litresAt(tank: Tank, levelPct: number): number | undefined {
  if (!(levelPct >= 0 && levelPct <= 100)) return undefined;
  const table = tank.table;
  if (table === undefined) return (levelPct / 100) * tank.capacityL;
  for (let i = 1; i < table.length; i++) {
    const low = table[i - 1];
    const high = table[i];
    if (low === undefined || high === undefined || levelPct < low.levelPct || levelPct > high.levelPct) continue;
    const share = (levelPct - low.levelPct) / (high.levelPct - low.levelPct);
    return low.litres + share * (high.litres - low.litres);
  }
  return undefined;
}

/** What the generator can draw: not what lies under the suction pipe. */
export function usableLitres(tank: Tank, litres: number): number {
  return Math.max(0, litres - (tank.deadVolumeL ?? 0));
}

/** Rectangular tank, metres to litres. */
export function boxLitres(lengthM: number, widthM: number, heightM: number): number {
  return lengthM * widthM * heightM * 1000;
}

/** Lying cylinder of radius R and length L, filled to height h; metres to litres. */
export function cylinderLitres(radiusM: number, lengthM: number, heightM: number): number {
  const h = Math.min(Math.max(heightM, 0), 2 * radiusM);
  const segment =
    radiusM ** 2 * Math.acos((radiusM - h) / radiusM) - (radiusM - h) * Math.sqrt(2 * radiusM * h - h ** 2);
  return segment * lengthM * 1000;
}
