// Keys of LoRaWAN devices, by DevEUI: a store of their own like that of the devices' frame keys, readable by the gateway's user alone,
// never in a registry file, log or answer but the one that made them. Random for each device, and derived from nothing (LoRaWAN 1.0.x
// section 6.2.3).
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Registry } from "../../protocol/index.ts";
import { GatewayError } from "../errors.ts";
import { readWhole, writeWhole } from "./file.ts";

export const LORAWAN_KEYS_FILE = "lorawan-keys.json";
const MODE = 0o600;
const KEY = /^[0-9a-f]{32}$/;
const ADDRESS = /^[0-9a-f]{8}$/;
/** Addresses of networks for anyone to use: the first seven bits are 0 (NetID 000000, LoRaWAN 1.0.x section 6.1.1). */
const ADDRESS_MASK = 0x01;
/** Written in manuals and the same in every device that nobody set: with one of them anybody can speak for it. */
const WELL_KNOWN: readonly string[] = [
  "5572404c696e6b4c6f52613230313823",
  "2b7e151628aed2a6abf7158809cf4f3c",
  "00000000000000000000000000000000",
  "00112233445566778899aabbccddeeff",
  "000102030405060708090a0b0c0d0e0f",
];

/** Hexadecimal, a–f small: of a device that joins, or of one that is personalised. */
export type LorawanKeys =
  | { readonly appKey: string; readonly devAddr?: undefined }
  | { readonly devAddr: string; readonly nwkSKey: string; readonly appSKey: string; readonly appKey?: undefined };

interface KeyFile {
  readonly version: 1;
  readonly keys: Readonly<Record<string, LorawanKeys>>;
}

export interface LorawanKeyStore {
  get(devEui: string): LorawanKeys | undefined;
  all(): readonly (readonly [string, LorawanKeys])[];
}

/** Empty when none was made yet. Throws FILE_UNREADABLE. */
export function loadLorawanKeys(dir: string): LorawanKeyStore {
  const keys = new Map(Object.entries(read(dir).keys));
  return { get: (devEui) => keys.get(devEui), all: () => [...keys] };
}

function read(dir: string): KeyFile {
  const path = join(dir, LORAWAN_KEYS_FILE);
  const text = readWhole(path);
  if (text === undefined) return { version: 1, keys: {} };
  try {
    const file = JSON.parse(text) as KeyFile;
    const wrong = Object.entries(file.keys).find(([, keys]) => keyProblem(keys) !== undefined);
    if (wrong !== undefined) throw new Error(`the keys of ${wrong[0]} are none`);
    return file;
  } catch (cause) {
    const reason = cause instanceof SyntaxError || !(cause instanceof Error) ? "not JSON" : cause.message;
    throw new GatewayError("FILE_UNREADABLE", { path, reason }, { cause });
  }
}

/** Keeps these beside the others; those of devices that the registry no longer names are dropped. */
export function putLorawanKeys(dir: string, made: Readonly<Record<string, LorawanKeys>>, registry: Registry): void {
  const named = new Set(registry.devices.map(({ lorawan }) => lorawan?.devEui));
  const all = Object.entries({ ...read(dir).keys, ...made }).filter(([devEui]) => named.has(devEui));
  const file: KeyFile = { version: 1, keys: Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1))) };
  writeWhole(join(dir, LORAWAN_KEYS_FILE), `${JSON.stringify(file)}\n`, MODE);
}

/** What is wrong with the form of keys; undefined when nothing is. Never says what is in them. */
export function keyProblem(keys: LorawanKeys): string | undefined {
  if (keys.appKey !== undefined) return KEY.test(keys.appKey) ? undefined : "AppKey has not 32 hexadecimal digits";
  if (!ADDRESS.test(keys.devAddr)) return "DevAddr has not 8 hexadecimal digits";
  if (!KEY.test(keys.nwkSKey)) return "NwkSKey has not 32 hexadecimal digits";
  return KEY.test(keys.appSKey) ? undefined : "AppSKey has not 32 hexadecimal digits";
}

/** True for a key that everybody knows. */
export function isWellKnown(keys: LorawanKeys): boolean {
  const secrets = keys.appKey === undefined ? [keys.nwkSKey, keys.appSKey] : [keys.appKey];
  return secrets.some((key) => WELL_KNOWN.includes(key));
}

export function makeAppKey(): LorawanKeys {
  return { appKey: randomBytes(16).toString("hex") };
}

/** For a device that cannot join: with an address that none of `taken` has. */
export function makeSessionKeys(taken: ReadonlySet<string>): LorawanKeys {
  let devAddr: string;
  do {
    const bytes = randomBytes(4);
    bytes[0] = (bytes[0] as number) & ADDRESS_MASK;
    devAddr = bytes.toString("hex");
  } while (taken.has(devAddr));
  return { devAddr, nwkSKey: randomBytes(16).toString("hex"), appSKey: randomBytes(16).toString("hex") };
}

/** A DevEUI for a device that has none of its own: random, and marked as locally administered (IEEE 802 clause 8.2). */
export function makeEui(): string {
  const bytes = randomBytes(8);
  bytes[0] = ((bytes[0] as number) & 0xfc) | 0x02;
  return bytes.toString("hex");
}

/** `24-E1-24-71-3D-49-12-34` and the like, as a label has it; undefined when it has not 16 hexadecimal digits. */
export function readEui(text: string): string | undefined {
  const hex = text.replaceAll(/[\s:.-]/g, "").toLowerCase();
  return /^[0-9a-f]{16}$/.test(hex) ? hex : undefined;
}
