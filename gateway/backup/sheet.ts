// The recovery sheet: the devices' keys on paper, for a safe. What is typed from it is checked line by line, so that a slip of a
// finger is found before a device is.
import { crc32 } from "node:zlib";
import type { LorawanKeys } from "../registry/lorawan-keys.ts";

/** A key is 32 bytes: sixteen groups of four characters, and one more that checks the line. */
const GROUP = 4;
const KEY_HEX = 64;
/** Of LoRaWAN, under its DevEUI: an AppKey, or DevAddr, NwkSKey and AppSKey behind each other. */
const LORAWAN = /^eui-([0-9a-f]{16})$/;
const APP_KEY_HEX = 32;
const SESSION_HEX = 72;

export interface SheetKey {
  readonly deviceId: string;
  /** Hexadecimal: 64 characters, or 32 or 72 of LoRaWAN. */
  readonly key: string;
}

/** Under which the keys of LoRaWAN stand. */
export function sheetName(devEui: string): string {
  return `eui-${devEui}`;
}

export function lorawanRow(devEui: string, keys: LorawanKeys): SheetKey {
  const key = keys.appKey ?? `${keys.devAddr}${keys.nwkSKey}${keys.appSKey}`;
  return { deviceId: sheetName(devEui), key };
}

/** Its DevEUI and keys; undefined for the key of a device's frames. */
export function lorawanOf({ deviceId, key }: SheetKey): readonly [string, LorawanKeys] | undefined {
  const devEui = LORAWAN.exec(deviceId)?.[1];
  if (devEui === undefined || key.length === KEY_HEX) return undefined;
  if (key.length === APP_KEY_HEX) return [devEui, { appKey: key }];
  return [devEui, { devAddr: key.slice(0, 8), nwkSKey: key.slice(8, 40), appSKey: key.slice(40) }];
}

function lengthsOf(deviceId: string): readonly number[] {
  return LORAWAN.test(deviceId) ? [APP_KEY_HEX, SESSION_HEX, KEY_HEX] : [KEY_HEX];
}

export type SheetRead =
  | { readonly kind: "keys"; readonly keys: readonly SheetKey[] }
  | { readonly kind: "faults"; readonly faults: readonly string[] };

function checkOf({ deviceId, key }: SheetKey): string {
  return (crc32(`${deviceId} ${key}`) & 0xffff).toString(16).padStart(4, "0");
}

function groups(hex: string): string {
  return (hex.match(new RegExp(`.{${GROUP}}`, "g")) ?? []).join(" ");
}

export function sheetText(keys: readonly SheetKey[], title: string): string {
  const head = [
    title,
    "Keep this in a safe. Who has it can speak for every device.",
    "Type it into a file as it stands, and give that to: waakvlam restore COPY --sheet FILE",
    "",
  ];
  const lines = keys.flatMap((one) => [`${one.deviceId}:`, `  ${groups(one.key + checkOf(one))}`]);
  return `${[...head, ...lines].join("\n")}\n`;
}

/** The first word of what was typed as a key in which something else stands. */
function strangeIn(typed: string): string {
  return typed.split(/\s+/).find((word) => /[^0-9a-f]/i.test(word)) ?? "";
}

/** What was typed: spaces, capitals and line breaks within a key do not matter. */
export function readSheet(text: string): SheetRead {
  const keys: SheetKey[] = [];
  const faults: string[] = [];
  const parts = text.split(/^\s*([a-z0-9-]{3,32})[ \t]*:/im);
  for (let i = 1; i + 1 < parts.length; i += 2) {
    const deviceId = (parts[i] as string).toLowerCase();
    const typed = parts[i + 1] as string;
    const hex = typed.replace(/\s/g, "").toLowerCase();
    const one = { deviceId, key: hex.slice(0, -GROUP) };
    const lengths = lengthsOf(deviceId).map((length) => length + GROUP);
    if (!/^[0-9a-f]*$/.test(hex)) {
      // It may be the next name, whose colon was forgotten.
      faults.push(
        `${deviceId}: a character that is none of 0–9 and a–f, in '${strangeIn(typed)}'; a name needs a colon`,
      );
    } else if (!lengths.includes(hex.length))
      faults.push(`${deviceId}: ${hex.length} characters, not ${lengths.join(" or ")}`);
    else if (checkOf(one) !== hex.slice(-GROUP)) faults.push(`${deviceId}: a wrong character somewhere in its line`);
    else keys.push(one);
  }
  if (parts.length < 3) faults.push("no device is named: a line with its name and a colon, then its key");
  return faults.length === 0 ? { kind: "keys", keys } : { kind: "faults", faults };
}
