// The files that a command reads: settings, keys, and the program that was built. Keys go onto the board and nowhere else.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Credentials } from "../../protocol/index.ts";
import { nearest } from "../../protocol/nearest.ts";
import { SETTINGS } from "../../protocol/wire.ts";
import { numberedSettings } from "../build/image.ts";
import { type DeviceConfig, isSetting } from "../device/settings.ts";
import type { CliIo } from "./io.ts";

export interface ConfigOptions {
  readonly device: string;
  readonly credentials: string;
  readonly settings: string;
}

const TOP = ["wifi", "host", "port", "lorawan", "settings", "sensors", "shuntOhm", "starterFullScaleV"] as const;
const EUI_DIGITS = 16;
const KEY_DIGITS = 32;

function readJson(path: string, io: CliIo): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    io.err(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

type Identity = Pick<Credentials["devices"][number], "deviceId" | "key" | "lorawan">;

function keyOf(options: ConfigOptions, io: CliIo): Identity | undefined {
  const credentials = readJson(options.credentials, io) as Partial<Credentials> | undefined;
  if (credentials === undefined) return undefined;
  const found = credentials.devices?.find((one) => one.deviceId === options.device);
  if (found !== undefined) return found;
  const known = (credentials.devices ?? []).map((one) => one.deviceId);
  const near = nearest(options.device, known);
  io.err(
    `${options.credentials} has no key for ${options.device}${near === undefined ? "" : `: did you mean ${near}?`}`,
  );
  io.err("Keys are written once: waakvlam registry import FILE --credentials FILE --reissue DEVICE makes a new one.");
  return undefined;
}

/** The file's own shape: settings by name. */
type Settings = Omit<Partial<DeviceConfig>, "settings"> & { readonly settings?: Readonly<Record<string, number>> };

/** LoRaWAN's identity in the form that the modem takes. Faults name the field, never what is in it. */
function lorawanOf(given: NonNullable<Settings["lorawan"]>, faults: string[]): NonNullable<DeviceConfig["lorawan"]> {
  const hex = (name: "devEui" | "joinEui" | "appKey", digits: number): string => {
    const text = String(given[name] ?? "").replaceAll(/[^0-9a-z]/gi, "");
    if (!new RegExp(`^[0-9a-f]{${digits}}$`, "i").test(text))
      faults.push(`lorawan.${name} has not ${digits} hex digits`);
    return text.toUpperCase();
  };
  const { rate } = given;
  if (rate !== undefined && ![2, 3, 5].includes(rate)) faults.push("lorawan.rate is none of 2, 3, 5");
  return {
    devEui: hex("devEui", EUI_DIGITS),
    joinEui: hex("joinEui", EUI_DIGITS),
    appKey: hex("appKey", KEY_DIGITS),
    ...(rate === undefined ? {} : { rate }),
  };
}

function faultsIn(settings: Settings, hasLorawan: boolean): string[] {
  const faults: string[] = [];
  for (const name of Object.keys(settings)) {
    if ((TOP as readonly string[]).includes(name)) continue;
    const near = nearest(name, TOP);
    faults.push(`${name} is not known${near === undefined ? "" : `: did you mean ${near}?`}`);
  }
  for (const [name, value] of Object.entries(settings.settings ?? {})) {
    const id = (SETTINGS as readonly string[]).indexOf(name);
    const near = nearest(name, SETTINGS.slice(1));
    if (id < 1) faults.push(`settings.${name} is not known${near === undefined ? "" : `: did you mean ${near}?`}`);
    else if (!Number.isInteger(value) || !isSetting(id, value)) faults.push(`settings.${name} cannot be ${value}`);
  }
  if (settings.sensors === undefined) faults.push("sensors is missing");
  const overWifi = ["wifi", "host", "port"] as const;
  const missing = overWifi.filter((name) => settings[name] === undefined);
  if (!hasLorawan && missing.length === overWifi.length)
    faults.push("there is no way to the gateway: give wifi, host and port, or lorawan");
  else if (missing.length > 0 && missing.length < overWifi.length) faults.push(`${missing.join(" and ")} is missing`);
  return faults;
}

/** What goes into the board's configuration, or undefined and a word about each fault. */
export function readConfig(options: ConfigOptions, io: CliIo): DeviceConfig | undefined {
  const identity = keyOf(options, io);
  const settings = readJson(options.settings, io) as Settings | undefined;
  if (settings === undefined) return undefined;
  // What the gateway made for this device goes before what somebody typed.
  const radio = identity?.lorawan ?? settings.lorawan;
  const faults = faultsIn(settings, radio !== undefined);
  const lorawan = radio === undefined ? undefined : lorawanOf(radio, faults);
  for (const fault of faults) io.err(`${options.settings}: ${fault}.`);
  if (faults.length > 0) io.err("firmware/README.md shows an example.");
  if (identity === undefined || faults.length > 0) return undefined;
  const { shuntOhm = 150, starterFullScaleV = 36.3 } = settings;
  const own = numberedSettings(settings.settings ?? {});
  const ways = lorawan === undefined ? {} : { lorawan };
  const { deviceId, key } = identity;
  return {
    ...(settings as unknown as DeviceConfig),
    deviceId,
    key,
    ...ways,
    settings: own,
    shuntOhm,
    starterFullScaleV,
  };
}

/** The program that `npm run build:firmware` has made. */
export function readProgram(board: string, profile: string, io: CliIo): Uint8Array | undefined {
  const path = fileURLToPath(new URL(`../dist/${board}-${profile}/app.js`, import.meta.url));
  if (existsSync(path)) return new Uint8Array(readFileSync(path));
  io.err(`The firmware is not built. Build it first: npm run build:firmware -- --board ${board} --profile ${profile}`);
  return undefined;
}
