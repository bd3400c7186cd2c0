// Litres in a tank from the level of its sensor, or from what a dip stick shows.
import type { Tank } from "../../../protocol/index.ts";

/** Litres at `levelPct` of the sensor's span; undefined outside a table, which is never extrapolated. */
export function litresAt(tank: Tank, levelPct: number): number | undefined {
  if (!(levelPct >= 0 && levelPct <= 100)) return undefined;
  if (tank.table !== undefined) return between(tank.table, levelPct, levelPctOf);
  const heightMm = heightMmOf(tank);
  if (heightMm === undefined) return (levelPct / 100) * tank.capacityL;
  const { offsetMm = 0, spanMm = heightMm } = tank.sensor ?? {};
  return litresAtMm(tank, offsetMm + (levelPct / 100) * spanMm);
}

/** Litres at a height of the fuel above the bottom; undefined where the tank has no table for that height. */
export function litresAtMm(tank: Tank, mm: number): number | undefined {
  if (tank.strapping !== undefined) return between(tank.strapping, mm, mmOf);
  const heightMm = heightMmOf(tank);
  if (heightMm === undefined || !(mm >= 0 && mm <= heightMm)) return undefined;
  return tank.geometry === undefined ? undefined : insideLitres(tank.geometry, mm);
}

/** Litres in this inside at a height of the fuel above its bottom; all that goes in when left out. */
export function insideLitres(geometry: NonNullable<Tank["geometry"]>, mm?: number): number {
  const lengthM = geometry.lengthMm / 1000;
  if (geometry.shape === "box") return boxLitres(lengthM, geometry.widthMm / 1000, (mm ?? geometry.heightMm) / 1000);
  return cylinderLitres(geometry.diameterMm / 2000, lengthM, (mm ?? geometry.diameterMm) / 1000);
}

const levelPctOf = (row: { readonly levelPct: number }) => row.levelPct;
const mmOf = (row: { readonly mm: number }) => row.mm;

/** Between the rows of a rising table. */
function between<T extends { readonly litres: number }>(
  rows: readonly T[],
  at: number,
  key: (row: T) => number,
): number | undefined {
  for (let i = 1; i < rows.length; i++) {
    const low = rows[i - 1] as T;
    const high = rows[i] as T;
    if (at < key(low) || at > key(high)) continue;
    return low.litres + ((at - key(low)) / (key(high) - key(low))) * (high.litres - low.litres);
  }
  return undefined;
}

/** The inside height, where the tank is described in millimetres. */
export function heightMmOf({ strapping, geometry }: Tank): number | undefined {
  if (strapping !== undefined) return strapping[strapping.length - 1]?.mm;
  if (geometry === undefined) return undefined;
  return geometry.shape === "box" ? geometry.heightMm : geometry.diameterMm;
}

/** What the generator can draw: not what lies under the suction pipe. */
export function usableLitres(tank: Tank, litres: number): number {
  return Math.max(0, litres - (tank.deadVolumeL ?? 0));
}

/** What can still be filled in: never to the brim. */
export function roomLitres(tank: Tank, litres: number): number {
  return Math.max(0, ((tank.maxFillPct ?? MAX_FILL_PCT) / 100) * tank.capacityL - litres);
}

const MAX_FILL_PCT = 97;

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
