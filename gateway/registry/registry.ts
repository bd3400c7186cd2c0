// Points, assets and devices: the file that `registry import` writes, and the view of one day that the engine reads.
import { join } from "node:path";
import { type Registry, RegistrySchema } from "../../protocol/index.ts";
import type { DeviceView, PointView, RegistryView } from "../domain/point.ts";
import { GatewayError } from "../errors.ts";
import { checkRegistry, inForce } from "./check.ts";
import { readWhole, writeWhole } from "./file.ts";

export const REGISTRY_FILE = "registry.json";
const INTERVAL_S_DEFAULT = 60;

type ListProblems = (schema: typeof RegistrySchema, value: unknown) => string[];

/** The registry in a text, or every problem of it. Throws REGISTRY_INVALID with `problems`. */
export function parseRegistry(text: string, path: string, listProblems: ListProblems): Registry {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayError("REGISTRY_INVALID", { path, problems: [`not JSON: ${problem}`] }, { cause });
  }
  const shape = listProblems(RegistrySchema, value);
  const problems = shape.length > 0 ? shape : checkRegistry(value as Registry);
  if (problems.length > 0) throw new GatewayError("REGISTRY_INVALID", { path, problems });
  return value as Registry;
}

export const EMPTY_REGISTRY: Registry = { version: 1, municipalities: [], points: [], devices: [] };

export function registryPath(dir: string): string {
  return join(dir, REGISTRY_FILE);
}

/** The registry in force; empty when none was imported yet. */
export function loadRegistry(dir: string, listProblems: ListProblems): Registry {
  const text = readWhole(registryPath(dir));
  return text === undefined ? EMPTY_REGISTRY : parseRegistry(text, registryPath(dir), listProblems);
}

export function saveRegistry(dir: string, registry: Registry): void {
  writeWhole(registryPath(dir), `${JSON.stringify(registry, null, 1)}\n`, 0o640);
}

export function registryView(registry: Registry): RegistryView {
  return {
    points: (day) => registry.points.flatMap((point) => pointOn(registry, point, day)),
    devices: (day) => registry.devices.filter((device) => inForce(device, day)).map(deviceView),
  };
}

function deviceView(device: Registry["devices"][number]): DeviceView {
  const { deviceId, pointId, link } = device;
  return { deviceId, pointId, link, reportIntervalS: device.reportIntervalS ?? INTERVAL_S_DEFAULT };
}

function pointOn(registry: Registry, point: Registry["points"][number], day: string): PointView[] {
  const assigned = point.municipalities.find((one) => inForce(one, day)) ?? point.municipalities[0];
  const municipality = registry.municipalities.find((one) => one.id === assigned?.id);
  return [
    {
      pointId: point.pointId,
      name: point.name,
      kind: point.kind,
      municipality: municipality?.name ?? "",
      region: municipality?.region ?? "",
      coordination: point.coordination ?? false,
      location: point.location,
      capacity: point.capacity,
      connectionPoint: point.connectionPoint ?? false,
      generator: (point.generators ?? []).find((one) => inForce(one, day)),
      battery: (point.batteries ?? []).find((one) => inForce(one, day)),
    },
  ];
}

/** What two registries differ in, for the log: a few words, no data. */
export function registryDifference(before: Registry, after: Registry): Record<string, number> {
  const count = <T>(a: readonly T[], b: readonly T[], id: (one: T) => string) => {
    const old = new Map(a.map((one) => [id(one), JSON.stringify(one)]));
    const added = b.filter((one) => !old.has(id(one))).length;
    const changed = b.filter((one) => old.has(id(one)) && old.get(id(one)) !== JSON.stringify(one)).length;
    return { added, changed, removed: a.length - (b.length - added) };
  };
  const points = count(before.points, after.points, (one) => one.pointId);
  const devices = count(before.devices, after.devices, (one) => `${one.deviceId} ${one.from ?? ""}`);
  return {
    pointsAdded: points.added,
    pointsChanged: points.changed,
    pointsRemoved: points.removed,
    devicesAdded: devices.added,
    devicesChanged: devices.changed,
    devicesRemoved: devices.removed,
  };
}
