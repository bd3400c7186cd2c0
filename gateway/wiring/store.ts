// Registry, keys and people as the gateway holds them, and what happens when their files change.
import { statSync } from "node:fs";
import type { Registry } from "../../protocol/index.ts";
import type { Timer } from "../clock.ts";
import { listProblems } from "../config/problems.ts";
import { localDay } from "../domain/point.ts";
import { GatewayError } from "../errors.ts";
import type { MqttIngress } from "../ingress/mqtt.ts";
import { countChanges, registryChanges } from "../registry/difference.ts";
import { issueKeys, loadKeys } from "../registry/keys.ts";
import { createLorawanIdentities, type LorawanIdentities } from "../registry/lorawan-identities.ts";
import { LORAWAN_KEYS_FILE, loadLorawanKeys } from "../registry/lorawan-keys.ts";
import { openPeople } from "../registry/people.ts";
import { deviceAt, deviceRows } from "../registry/places.ts";
import { loadRegistry, registryPath, saveRegistry } from "../registry/registry.ts";
import { registryView } from "../registry/view.ts";
import type { Parts } from "./parts.ts";

/** A new registry, key or person is noticed within this. */
const WATCH_MS = 2_000;

export interface Store {
  registry(): Registry;
  key(deviceId: string): Uint8Array | undefined;
  isEnabled(deviceId: string): boolean;
  /** Devices with LoRaWAN keys, as a network server asks for them at each frame. */
  readonly lorawan: LorawanIdentities;
  readonly people: ReturnType<typeof openPeople>;
  /** Where a device stood at that moment. */
  pointOf(deviceId: string, atMs: number): string | undefined;
  /** Writes another registry, with keys for new devices; in force with the next `reload`. Throws FILE_UNWRITABLE. */
  save(registry: Registry): void;
  reload(): { readonly before: Registry; readonly after: Registry };
}

/** `nowMs`: of a device that moves from point to point the row in force counts, and between two the last one. */
export function openStore(dir: string, nowMs: () => number): Store {
  let registry = loadRegistry(dir, listProblems);
  let keys = loadKeys(dir);
  let lorawanKeys = loadLorawanKeys(dir);
  const people = openPeople(dir);
  let byId = deviceRows(registry);
  return {
    registry: () => registry,
    key: (deviceId) => (byId.has(deviceId) ? keys.get(deviceId) : undefined),
    isEnabled: (deviceId) => deviceAt(byId, deviceId, nowMs())?.disabled !== true,
    lorawan: createLorawanIdentities(() => ({ registry, keys: lorawanKeys }), nowMs),
    people,
    pointOf: (deviceId, atMs) => deviceAt(byId, deviceId, atMs)?.pointId,
    save: (next) => {
      const [old, now] = [registry, next].map(({ devices }) => new Set(devices.map((one) => one.deviceId)));
      const isSame = old?.size === now?.size && [...(now ?? [])].every((deviceId) => old?.has(deviceId));
      if (!isSame) issueKeys(dir, next);
      saveRegistry(dir, next);
    },
    reload: () => {
      const before = registry;
      const after = loadRegistry(dir, listProblems);
      lorawanKeys = loadLorawanKeys(dir);
      keys = loadKeys(dir);
      people.reload();
      registry = after;
      byId = deviceRows(registry);
      return { before, after };
    },
  };
}

/** Notices a new registry by itself; a broken one leaves the old one in force. */
export function watchStore(
  { config, clock, logs, store, engine }: Parts,
  ingress: MqttIngress,
): { timer: Timer; look(): void } {
  const log = logs.area("registry");
  const stamp = () =>
    ["registry.json", "keys.json", LORAWAN_KEYS_FILE, "people.json"]
      .map((name) => statSync(`${config.data.dir}/${name}`, { throwIfNoEntry: false })?.mtimeMs ?? 0)
      .join(" ");
  let seen = stamp();
  const look = () => {
    const now = stamp();
    if (now === seen) return;
    seen = now;
    const keyOf = new Map(store.registry().devices.map((one) => [one.deviceId, store.key(one.deviceId)]));
    try {
      const { before, after } = store.reload();
      engine.setRegistry(registryView(after));
      for (const [deviceId, key] of keyOf) {
        const same = Buffer.from(key ?? []).equals(Buffer.from(store.key(deviceId) ?? []));
        if (!same || !store.isEnabled(deviceId)) ingress.closeDevice(deviceId);
      }
      log.info("registry loaded", { ...countChanges(registryChanges(before, after)), day: localDay(clock.nowMs()) });
    } catch (error) {
      const detail = error instanceof GatewayError ? error.detail : {};
      log.error("the new registry is not valid: the old one stays in force", {
        path: registryPath(config.data.dir),
        ...detail,
      });
    }
  };
  return { timer: clock.every(WATCH_MS, look), look };
}
