// What a schema cannot say of a registry: references, overlaps, tables that fall. Every problem, each with its path.
import type { Registry, Tank } from "../../protocol/index.ts";

interface Period {
  readonly from?: string;
  readonly until?: string;
}

const FIRST_DAY = "0000-01-01";
const LAST_DAY = "9999-12-31";

/** True on every day from `from` (included) until `until` (excluded). */
export function inForce(period: Period, day: string): boolean {
  return day >= (period.from ?? FIRST_DAY) && day < (period.until ?? LAST_DAY);
}

function overlap(a: Period, b: Period): boolean {
  return (a.from ?? FIRST_DAY) < (b.until ?? LAST_DAY) && (b.from ?? FIRST_DAY) < (a.until ?? LAST_DAY);
}

export function checkRegistry(registry: Registry): string[] {
  return [
    ...twice(
      registry.municipalities.map((one) => one.id),
      "municipalities",
      "id",
    ),
    ...twice(
      registry.points.map((one) => one.pointId),
      "points",
      "pointId",
    ),
    ...registry.points.flatMap((point, i) => checkPoint(registry, point, `points/${i} (${point.pointId})`)),
    ...checkDevices(registry),
  ];
}

function twice(ids: readonly string[], list: string, key: string): string[] {
  const first = new Map<string, number>();
  return ids.flatMap((id, i) => {
    const before = first.get(id);
    first.set(id, before ?? i);
    return before === undefined ? [] : [`${list}/${i}/${key} ${id} is there already as ${list}/${before}`];
  });
}

function checkPeriods(periods: readonly Period[], path: string): string[] {
  const problems: string[] = [];
  periods.forEach((period, i) => {
    if (period.from !== undefined && period.until !== undefined && period.from >= period.until) {
      problems.push(`${path}/${i} ends (${period.until}) before it begins (${period.from})`);
    }
    for (let j = 0; j < i; j++) {
      if (overlap(period, periods[j] as Period)) problems.push(`${path}/${i} overlaps ${path}/${j} in time`);
    }
  });
  return problems;
}

function checkPoint(registry: Registry, point: Registry["points"][number], path: string): string[] {
  const known = new Set(registry.municipalities.map((one) => one.id));
  return [
    ...point.municipalities.flatMap((one, i) => {
      return known.has(one.id) ? [] : [`${path}/municipalities/${i}/id ${one.id} is not among the municipalities`];
    }),
    ...checkPeriods(point.municipalities, `${path}/municipalities`),
    ...checkPeriods(point.generators ?? [], `${path}/generators`),
    ...checkPeriods(point.batteries ?? [], `${path}/batteries`),
    ...(point.generators ?? []).flatMap((one, i) => checkTank(one.tank, `${path}/generators/${i}/tank`)),
  ];
}

function checkTank(tank: Tank, path: string): string[] {
  const problems: string[] = [];
  if ((tank.deadVolumeL ?? 0) >= tank.capacityL) problems.push(`${path}/deadVolumeL is not less than capacityL`);
  const table = tank.table ?? [];
  table.forEach((row, i) => {
    const before = table[i - 1];
    if (before !== undefined && !(row.levelPct > before.levelPct && row.litres > before.litres)) {
      problems.push(`${path}/table/${i} does not rise above the row before it`);
    }
    if (row.litres > tank.capacityL) problems.push(`${path}/table/${i}/litres is more than capacityL`);
  });
  return problems;
}

function checkDevices(registry: Registry): string[] {
  const points = new Set(registry.points.map((point) => point.pointId));
  const rows = new Map<string, { index: number; period: Period }[]>();
  const problems: string[] = [];
  registry.devices.forEach((device, i) => {
    const path = `devices/${i} (${device.deviceId})`;
    if (!points.has(device.pointId)) problems.push(`${path}/pointId ${device.pointId} is not among the points`);
    const others = rows.get(device.deviceId) ?? [];
    for (const other of others) {
      if (overlap(device, other.period))
        problems.push(`${path} is assigned at the same time in devices/${other.index}`);
    }
    rows.set(device.deviceId, [...others, { index: i, period: device }]);
  });
  return problems;
}
