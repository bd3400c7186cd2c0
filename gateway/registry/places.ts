// By which of its rows in the registry a device goes at a moment: one that moves from point to point has several.
import type { Device, Registry } from "../../protocol/index.ts";
import { inForce } from "./check.ts";

export type DeviceRows = ReadonlyMap<string, readonly Device[]>;

export function deviceRows({ devices }: Registry): DeviceRows {
  const rows = new Map<string, Device[]>();
  for (const one of devices) rows.set(one.deviceId, [...(rows.get(one.deviceId) ?? []), one]);
  return rows;
}

/** The row in force then, and where none is the last one. */
export function deviceAt(rows: DeviceRows, deviceId: string, atMs: number): Device | undefined {
  const own = rows.get(deviceId);
  if (own === undefined || own.length === 1) return own?.[0];
  return own.find((one) => inForce(one, atMs)) ?? own.at(-1);
}
