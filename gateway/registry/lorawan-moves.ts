// What an operator does to LoRaWAN devices in the registry, each giving another registry. Pure: whoever calls keeps it.
import type { Device, Registry } from "../../protocol/index.ts";
import { nearest } from "../../protocol/nearest.ts";
import { toInstant } from "../domain/instant.ts";
import { GatewayError } from "../errors.ts";
import { inForce } from "./check.ts";
import { registryOf } from "./registry.ts";
import type { ListProblems } from "./shape.ts";

/** A device as it is added: its row, with a DevEUI. */
export type LorawanDevice = Device & { readonly lorawan: NonNullable<Device["lorawan"]> };

export interface Replacement {
  readonly registry: Registry;
  readonly device: LorawanDevice;
  readonly left: string;
}

export function isLorawan(device: Device): device is LorawanDevice {
  return device.lorawan !== undefined;
}

/** Of each device with a DevEUI the row in force; between two, or after the last, the last. */
export function lorawanRows({ devices }: Registry, nowMs: number): LorawanDevice[] {
  const found = new Map<string, LorawanDevice>();
  for (const row of devices.filter(isLorawan)) {
    const before = found.get(row.deviceId);
    if (before === undefined || !inForce(before, nowMs)) found.set(row.deviceId, row);
  }
  return [...found.values()];
}

/** Throws DEVICE_UNKNOWN, also for one without a DevEUI. */
export function lorawanRow(registry: Registry, deviceId: string, nowMs: number): LorawanDevice {
  const known = lorawanRows(registry, nowMs);
  const found = known.find((one) => one.deviceId === deviceId);
  if (found !== undefined) return found;
  const near = nearest(
    deviceId,
    known.map((one) => one.deviceId),
  );
  const isOther = registry.devices.some((one) => one.deviceId === deviceId);
  throw new GatewayError("DEVICE_UNKNOWN", {
    deviceId,
    ...(isOther ? { reason: "it has no DevEUI" } : near === undefined ? {} : { near }),
  });
}

/** Throws DEVICE_EXISTS; REGISTRY_INVALID with all that is wrong with it. */
export function addDevice(registry: Registry, device: LorawanDevice, listProblems: ListProblems): Registry {
  const { deviceId } = device;
  if (registry.devices.some((one) => one.deviceId === deviceId)) throw new GatewayError("DEVICE_EXISTS", { deviceId });
  return registryOf({ ...registry, devices: [...registry.devices, device] }, "registry", listProblems);
}

/**
 * Another device takes the place of one from now on: under a name of its own, because its records begin anew, and with all that
 * the registry says of the place. Throws DEVICE_UNKNOWN, DEVICE_EXISTS, REGISTRY_INVALID.
 */
export function replaceDevice(
  registry: Registry,
  ask: { readonly deviceId: string; readonly by: Pick<LorawanDevice, "deviceId" | "lorawan">; readonly nowMs: number },
  listProblems: ListProblems,
): Replacement {
  const { deviceId, by, nowMs } = ask;
  const old = lorawanRow(registry, deviceId, nowMs);
  if (registry.devices.some((one) => one.deviceId === by.deviceId))
    throw new GatewayError("DEVICE_EXISTS", { deviceId: by.deviceId });
  const at = toInstant(Math.floor(nowMs / 1000) * 1000);
  const { from: _from, until, disabled: _disabled, ...place } = old;
  const device: LorawanDevice = { ...place, ...by, from: at, ...(until === undefined ? {} : { until }) };
  const devices = [...registry.devices.map((one) => (one === old ? { ...old, until: at } : one)), device];
  return { registry: registryOf({ ...registry, devices }, "registry", listProblems), device, left: old.pointId };
}

/** Heard no more, or heard again, where it stands now. Throws DEVICE_UNKNOWN. */
export function setDisabled(
  registry: Registry,
  ask: { readonly deviceId: string; readonly isDisabled: boolean; readonly nowMs: number },
  listProblems: ListProblems,
): { readonly registry: Registry; readonly device: LorawanDevice; readonly isChange: boolean } {
  const { deviceId, isDisabled, nowMs } = ask;
  const old = lorawanRow(registry, deviceId, nowMs);
  if ((old.disabled === true) === isDisabled) return { registry, device: old, isChange: false };
  const { disabled: _disabled, ...bare } = old;
  const device: LorawanDevice = isDisabled ? { ...bare, disabled: true } : bare;
  const devices = registry.devices.map((one) => (one === old ? device : one));
  return { registry: registryOf({ ...registry, devices }, "registry", listProblems), device, isChange: true };
}
