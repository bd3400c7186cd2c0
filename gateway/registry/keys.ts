// The devices' keys: a store of their own, readable by the gateway's user alone, never in a registry file, log or answer.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { type Credentials, KEY_BYTES, type Registry } from "../../protocol/index.ts";
import { readWhole, tornFile, writeWhole } from "./file.ts";

const KEYS_FILE = "keys.json";
const MODE = 0o600;

interface KeyFile {
  readonly version: 1;
  readonly keys: Record<string, string>;
}

export interface Keys {
  get(deviceId: string): Uint8Array | undefined;
}

function read(dir: string): KeyFile {
  const path = join(dir, KEYS_FILE);
  const text = readWhole(path);
  if (text === undefined) return { version: 1, keys: {} };
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (cause) {
    throw tornFile(path, cause);
  }
  if (isKeyFile(file)) return file;
  throw tornFile(path);
}

function isKeyFile(value: unknown): value is KeyFile {
  const { keys } = (value ?? {}) as Partial<KeyFile>;
  if (typeof keys !== "object" || keys === null || Array.isArray(keys)) return false;
  return Object.values(keys).every((key: unknown) => typeof key === "string" && /^[0-9a-f]+$/i.test(key));
}

/** Devices that have a key. Throws FILE_UNREADABLE. */
export function keyedDevices(dir: string): string[] {
  return Object.keys(read(dir).keys);
}

export function loadKeys(dir: string): Keys {
  const keys = new Map(
    Object.entries(read(dir).keys).map(([id, hex]) => [id, new Uint8Array(Buffer.from(hex, "hex"))]),
  );
  return { get: (deviceId) => keys.get(deviceId) };
}

/**
 * Makes keys for devices that have none, and new ones for those in `reissue`. Keys of devices that are gone are dropped:
 * a name that comes back gets another key. Gives the keys made now, and them only.
 */
export function issueKeys(dir: string, registry: Registry, reissue: readonly string[] = []): Credentials {
  const before = read(dir).keys;
  const keys: Record<string, string> = {};
  const made: { deviceId: string; pointId: string; key: string }[] = [];
  for (const { deviceId, pointId, model } of registry.devices) {
    // One that is not ours speaks no protocol of ours.
    if (keys[deviceId] !== undefined || model !== undefined) continue;
    const kept = reissue.includes(deviceId) ? undefined : before[deviceId];
    keys[deviceId] = kept ?? randomBytes(KEY_BYTES).toString("hex");
    if (kept === undefined) made.push({ deviceId, pointId, key: keys[deviceId] });
  }
  writeWhole(join(dir, KEYS_FILE), `${JSON.stringify({ version: 1, keys } satisfies KeyFile)}\n`, MODE);
  return { devices: made };
}
