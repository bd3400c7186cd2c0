// The registry as the engine reads it: at one instant, with what is assigned from–to looked up.
import type { Asset, Point, Registry, ReportGroup } from "../../protocol/index.ts";
import type { Battery, DeviceView, Generator, Minimum, PointView, RegistryView, Stay } from "../domain/point.ts";
import { inForce, spanOf } from "./check.ts";
import { type DeviceRows, deviceRows } from "./places.ts";

/** Between two reports, where nobody has said. */
export const INTERVAL_S_DEFAULT = 60;

interface Lookup {
  readonly registry: Registry;
  readonly municipalities: ReadonlyMap<string, Registry["municipalities"][number]>;
  readonly organisations: ReadonlyMap<string, string>;
  readonly assets: ReadonlyMap<string, Asset>;
  readonly minimums: ReadonlyMap<string, readonly Minimum[]>;
}

export function registryView(registry: Registry): RegistryView {
  const minimums = new Map<string, Minimum[]>();
  for (const { pointId, ...minimum } of registry.processes)
    minimums.set(pointId, [...(minimums.get(pointId) ?? []), minimum]);
  const lookup: Lookup = {
    registry,
    municipalities: new Map(registry.municipalities.map((one) => [one.id, one])),
    organisations: new Map(registry.organisations.map((one) => [one.id, one.name])),
    assets: new Map(registry.assets.map((one) => [one.assetId, one])),
    minimums,
  };
  const changes = changesOf(registry);
  const rows = deviceRows(registry);
  return {
    points: (atMs) => pointsAt(lookup, atMs),
    devices: (atMs) => registry.devices.filter((device) => inForce(device, atMs)).map(deviceView),
    stayOf: (deviceId, atMs) => stayOf(registry, rows, deviceId, atMs),
    nextChangeMs: (atMs) => changes.find((changeMs) => changeMs > atMs) ?? Number.POSITIVE_INFINITY,
  };
}

/** Every moment at which a period of anything begins or ends, in order. */
function changesOf({ points, assignments, devices }: Registry): number[] {
  const periods = [
    ...points.flatMap((point) => [...point.municipalities, ...(point.organisations ?? [])]),
    ...assignments,
    ...devices,
  ];
  const moments = periods.flatMap((period) => Object.values(spanOf(period)) as number[]);
  return [...new Set(moments.filter(Number.isFinite))].sort((a, b) => a - b);
}

function deviceView(device: Registry["devices"][number]): DeviceView {
  const { deviceId, pointId, link, path, ownSupplyH, reportIntervalS = INTERVAL_S_DEFAULT } = device;
  const more = { ...(path === undefined ? {} : { path }), ...(ownSupplyH === undefined ? {} : { ownSupplyH }) };
  return { deviceId, pointId, link, reportIntervalS, ...more };
}

type Owners = ReadonlyMap<string, Partial<Record<ReportGroup, string>>>;

/** Which device counts for which group, by point. */
function ownersAt(devices: Registry["devices"], atMs: number): Owners {
  const owners = new Map<string, Partial<Record<ReportGroup, string>>>();
  for (const device of devices) {
    if (device.owns === undefined || device.disabled === true || !inForce(device, atMs)) continue;
    const owned = Object.fromEntries(device.owns.map((group) => [group, device.deviceId]));
    owners.set(device.pointId, { ...owners.get(device.pointId), ...owned });
  }
  return owners;
}

function stayOf(registry: Registry, rows: DeviceRows, deviceId: string, atMs: number): Stay | undefined {
  const row = rows.get(deviceId)?.find((one) => inForce(one, atMs));
  if (row === undefined) return undefined;
  const beside = () => registry.devices.filter((one) => one.pointId === row.pointId);
  return { device: deviceView(row), groupOwners: () => ownersAt(beside(), atMs).get(row.pointId) };
}

function pointsAt(lookup: Lookup, atMs: number): PointView[] {
  const { registry } = lookup;
  const standing = standingAt(lookup, atMs);
  const owners = ownersAt(registry.devices, atMs);
  return registry.points.map((point) => {
    const groupOwners = owners.get(point.pointId);
    const view = pointAt(lookup, point, standing.get(point.pointId) ?? [], atMs);
    return groupOwners === undefined ? view : { ...view, groupOwners };
  });
}

/** What stands at each point, the last to come first. */
function standingAt({ registry, assets }: Lookup, atMs: number): Map<string, Asset[]> {
  const rows = registry.assignments.filter((one) => inForce(one, atMs)).reverse();
  const begins = new Map(rows.map((row) => [row, spanOf(row).fromMs]));
  // Stable: of those that came at the same time the last in the list counts.
  rows.sort((a, b) =>
    (begins.get(b) as number) > (begins.get(a) as number) ? 1 : begins.get(a) === begins.get(b) ? 0 : -1,
  );
  const standing = new Map<string, Asset[]>();
  for (const { assetId, pointId } of rows) {
    const asset = assets.get(assetId);
    if (asset !== undefined) standing.set(pointId, [...(standing.get(pointId) ?? []), asset]);
  }
  return standing;
}

function pointAt(lookup: Lookup, point: Point, standing: readonly Asset[], atMs: number): PointView {
  const { municipalities, organisations, minimums } = lookup;
  const member = point.municipalities.find((one) => inForce(one, atMs)) ?? point.municipalities[0];
  const municipality = municipalities.get(member?.id ?? "");
  const owner = (point.organisations ?? []).find((one) => inForce(one, atMs));
  const organisation = owner === undefined ? undefined : organisations.get(owner.id);
  const generator = generatorOf(standing, lookup);
  const levels = minimums.get(point.pointId);
  return {
    pointId: point.pointId,
    name: point.name,
    kind: point.kind,
    municipality: municipality?.name ?? "",
    region: municipality?.region ?? "",
    ...(organisation === undefined ? {} : { organisation }),
    coordination: point.coordination ?? false,
    location: point.location,
    capacity: point.capacity,
    ...(point.fuelPriority === undefined ? {} : { fuelPriority: point.fuelPriority }),
    connectionPoint: point.supply === "socket" && generator === undefined,
    generator,
    battery: batteryOf(standing),
    ...(levels === undefined ? {} : { minimums: levels }),
  };
}

function generatorOf(standing: readonly Asset[], { assets }: Lookup): Generator | undefined {
  for (const asset of standing) {
    if (asset.type !== "generator") continue;
    const { type: _type, name: _name, organisation: _owner, fuel: _fuel, tank, tankId, ...rest } = asset;
    if (tank !== undefined) return { ...rest, tank };
    const linked = assets.get(tankId ?? "");
    if (tankId === undefined || linked?.type !== "tank") continue;
    const { type: _, name: _n, organisation: _o, assetId: _a, ...litres } = linked;
    return { ...rest, tankId, tank: litres };
  }
  return undefined;
}

function batteryOf(standing: readonly Asset[]): Battery | undefined {
  for (const asset of standing) {
    if (asset.type !== "battery") continue;
    const { type: _type, name: _name, organisation: _owner, ...battery } = asset;
    return battery;
  }
  return undefined;
}
