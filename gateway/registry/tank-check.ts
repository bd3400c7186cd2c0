// What a schema cannot say of a tank: tables that fall or hold more than the tank, an inside that is another tank's, a sensor beside it.
import type { Tank } from "../../protocol/index.ts";
import { heightMmOf, insideLitres } from "../domain/endurance/tank.ts";

/** Plates are rounded, walls and baffles take room, a cylinder has domed ends: so far the inside may be from `capacityL`. */
export const INSIDE_TOLERANCE = 0.1;
/** Further off than this, somebody took another unit. */
const UNIT_FACTOR = 50;

/** Each problem with its place under `path`. */
export function checkTank(tank: Tank, path: string): string[] {
  const { capacityL, deadVolumeL = 0, table = [], strapping = [] } = tank;
  return [
    ...(deadVolumeL >= capacityL ? [`${path}/deadVolumeL is not less than capacityL`] : []),
    ...checkRows(table, { at: (row) => row.levelPct, capacityL, path: `${path}/table` }),
    ...checkRows(strapping, { at: (row) => row.mm, capacityL, path: `${path}/strapping` }),
    ...checkInside(tank, path),
    ...checkSensor(tank, path),
  ];
}

interface RowCheck<T> {
  at(row: T): number;
  readonly capacityL: number;
  readonly path: string;
}

/** Rows are shown as a cell of a CSV file has them: `400:120.5`. */
function checkRows<T extends { readonly litres: number }>(
  rows: readonly T[],
  { at, capacityL, path }: RowCheck<T>,
): string[] {
  const shown = (row: T) => `${at(row)}:${row.litres}`;
  return rows.flatMap((row, i) => {
    const before = rows[i - 1];
    const rises = before === undefined || (at(row) > at(before) && row.litres > before.litres);
    return [
      ...(rises ? [] : [`${path}/${i} ${shown(row)} does not rise above the row before it, ${shown(before)}`]),
      ...(row.litres > capacityL ? [`${path}/${i}/litres ${shown(row)} is more than capacityL, ${capacityL}`] : []),
    ];
  });
}

function checkInside({ capacityL, geometry, strapping }: Tank, path: string): string[] {
  if (geometry === undefined) return [];
  const litres = insideLitres(geometry);
  const apart = litres / capacityL;
  const problems: string[] = [];
  if (Math.abs(apart - 1) > INSIDE_TOLERANCE) {
    const figures = geometry.shape === "box" ? "lengthMm, widthMm and heightMm" : "lengthMm and diameterMm";
    const unit = apart > UNIT_FACTOR || apart < 1 / UNIT_FACTOR ? ": are they millimetres?" : "";
    const allowed = `more than ${100 * INSIDE_TOLERANCE} % from it${unit}`;
    problems.push(
      `${path}/capacityL ${capacityL} does not fit the geometry: ${figures} give ${rounded(litres)} l, ${allowed}`,
    );
  }
  const heightMm = geometry.shape === "box" ? geometry.heightMm : geometry.diameterMm;
  const above = (strapping ?? []).findIndex((row) => row.mm > heightMm);
  if (above >= 0) {
    const mm = strapping?.[above]?.mm;
    problems.push(`${path}/strapping/${above}/mm ${mm} is above the inside of the geometry, ${heightMm} mm high`);
  }
  return problems;
}

/** A sensor none of whose span lies in the tank says nothing of it. */
function checkSensor(tank: Tank, path: string): string[] {
  const heightMm = heightMmOf(tank);
  if (tank.sensor === undefined || heightMm === undefined) return [];
  const { offsetMm = 0, spanMm = heightMm } = tank.sensor;
  if (offsetMm < heightMm && offsetMm + spanMm > 0) return [];
  const span = `${offsetMm} to ${offsetMm + spanMm} mm`;
  return [
    `${path}/sensor/offsetMm ${offsetMm} puts the span of the sensor, ${span}, outside the tank, 0 to ${heightMm} mm`,
  ];
}

function rounded(litres: number): number {
  return litres < 10 ? Number(litres.toPrecision(3)) : Math.round(litres);
}
