// Devices as a network server asks for them: who has keys, and who may use the network now.
import type { Registry } from "../../protocol/index.ts";
import { inForce } from "./check.ts";
import type { LorawanKeyStore, LorawanKeys } from "./lorawan-keys.ts";
import { isLorawan } from "./lorawan-moves.ts";

/** A device as its network knows it. */
export type LorawanIdentity = {
  readonly devEui: string;
  readonly deviceId: string;
  readonly version: "1.0.2" | "1.0.3" | "1.0.4";
  /** In force, and not disabled. */
  readonly isEnabled: boolean;
} & (
  | { readonly joinEui?: string; readonly appKey: string; readonly abp?: undefined }
  | { readonly abp: Exclude<LorawanKeys, { appKey: string }>; readonly appKey?: undefined }
);

/** All that have keys. Where a DevEUI goes from one device to another, whichever has it now. */
export function lorawanIdentities(registry: Registry, keys: LorawanKeyStore, nowMs: number): LorawanIdentity[] {
  const found = new Map<string, LorawanIdentity>();
  for (const row of registry.devices.filter(isLorawan)) {
    const { devEui, joinEui, version = "1.0.3" } = row.lorawan;
    const own = keys.get(devEui);
    if (own === undefined || found.get(devEui)?.isEnabled === true) continue;
    const isEnabled = row.disabled !== true && inForce(row, nowMs);
    const known = { devEui, deviceId: row.deviceId, version, isEnabled };
    if (own.appKey === undefined) found.set(devEui, { ...known, abp: own });
    else found.set(devEui, { ...known, ...(joinEui === undefined ? {} : { joinEui }), appKey: own.appKey });
  }
  return [...found.values()];
}

/** Periods begin and end; of each frame nothing is computed anew. */
const FRESH_MS = 1_000;

/** As a network server asks for them, at each frame. */
export interface LorawanIdentities {
  byDevEui(devEui: string): LorawanIdentity | undefined;
  all(): readonly LorawanIdentity[];
}

export function createLorawanIdentities(
  read: () => { readonly registry: Registry; readonly keys: LorawanKeyStore },
  nowMs: () => number,
): LorawanIdentities {
  let known:
    | { readonly from: ReturnType<typeof read>; readonly atMs: number; readonly all: readonly LorawanIdentity[] }
    | undefined;
  let byEui = new Map<string, LorawanIdentity>();
  const fresh = () => {
    const [from, atMs] = [read(), nowMs()];
    const isSame = known?.from.registry === from.registry && known.from.keys === from.keys;
    if (known !== undefined && isSame && Math.abs(atMs - known.atMs) < FRESH_MS) return known.all;
    known = { from, atMs, all: lorawanIdentities(from.registry, from.keys, atMs) };
    byEui = new Map(known.all.map((one) => [one.devEui, one]));
    return known.all;
  };
  return {
    all: fresh,
    byDevEui: (devEui) => {
      fresh();
      return byEui.get(devEui);
    },
  };
}
