// Devices of the registry by their DevEUI.
import type { Device, Registry } from "../../protocol/index.ts";
import { inForce } from "./check.ts";

export type EuiRows = ReadonlyMap<string, readonly Device[]>;

/** All rows of each DevEUI: a device moves, and another board can take its place. */
export function rowsByEui({ devices }: Registry): EuiRows {
  const rows = new Map<string, Device[]>();
  for (const device of devices) {
    const { devEui } = device.lorawan ?? {};
    if (devEui !== undefined) rows.set(devEui, [...(rows.get(devEui) ?? []), device]);
  }
  return rows;
}

/** The row in force at a moment; undefined when there is none. */
export function rowOfEui(rows: EuiRows, devEui: string, atMs: number): Device | undefined {
  return rows.get(devEui)?.find((one) => inForce(one, atMs));
}
