// What a network server of somebody else says and is told over its broker, whichever it is; and reading its JSON without trust:
// fields of the wrong kind are as if they were left out, and a server leaves out what is zero, empty or false.
import type { Eui, NetworkDownlink, NetworkUplink, Reception } from "../interfaces.ts";

export type ServerEvent =
  /** `address`: where its downlinks go to, in the words of that server. */
  | { readonly kind: "uplink"; readonly uplink: NetworkUplink; readonly address: string }
  | { readonly kind: "join"; readonly devEui: Eui }
  /** A downlink has left that server's queue. */
  | { readonly kind: "sent"; readonly devEui: Eui }
  | { readonly kind: "status"; readonly devEui: Eui; readonly marginDb?: number; readonly batteryPct?: number }
  /** That server tells of trouble with a device; `isAlert` when a person has to look. */
  | { readonly kind: "trouble"; readonly devEui: Eui; readonly reason: string; readonly isAlert: boolean }
  | { readonly kind: "refused"; readonly reason: EventRefusal; readonly sender?: string }
  /** Nothing that concerns us. */
  | { readonly kind: "other" };

export type EventRefusal = "unreadable-event" | "name-mismatch" | "encrypted-payload" | "simulated" | "event-too-long";

export interface Dialect {
  readonly network: "chirpstack" | "things-stack";
  /** Filters to subscribe to. */
  readonly topics: readonly string[];
  read(topic: string, payload: Uint8Array): ServerEvent;
  downlink(to: DownlinkAddress, downlink: NetworkDownlink): { readonly topic: string; readonly payload: string };
}

export interface DownlinkAddress {
  readonly devEui: Eui;
  readonly address: string;
  /** By that server's clock, milliseconds since 1970: not to be sent after this. */
  readonly expiresMs?: number;
}

/** An uplink with the metadata of a dozen base stations has some 10 kB. */
export const EVENT_BYTES_MAX = 65_536;
/** Base stations of one uplink that are kept. */
const RECEPTIONS_MAX = 16;
/** The longest payload of LoRaWAN (RP002, DR6). */
const PAYLOAD_BYTES_MAX = 242;

export type Json = Readonly<Record<string, unknown>>;

export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function parseJson(payload: Uint8Array): Json | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString("utf8"));
    return isJson(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A field of a field; an empty one where there is none. */
export function inner(json: Json, ...keys: readonly string[]): Json {
  let at: unknown = json;
  for (const key of keys) at = isJson(at) ? at[key] : undefined;
  return isJson(at) ? at : {};
}

/** Also of a number that is written as a text. */
export function numberIn(json: Json, key: string): number {
  const value = json[key];
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : 0;
}

export function textIn(json: Json, key: string): string {
  const value = json[key];
  return typeof value === "string" ? value : "";
}

/** A whole number in a range, or undefined. */
export function wholeIn(json: Json, key: string, max: number): number | undefined {
  const value = numberIn(json, key);
  return Number.isInteger(value) && value >= 0 && value <= max ? value : undefined;
}

export function euiOf(text: string): Eui | undefined {
  const eui = text.toLowerCase();
  return /^[0-9a-f]{16}$/.test(eui) ? eui : undefined;
}

export function momentIn(json: Json, key: string): { readonly atMs?: number } {
  const atMs = Date.parse(textIn(json, key));
  return Number.isNaN(atMs) ? {} : { atMs };
}

/** Undefined for what is not base64, or more than LoRaWAN carries. */
export function payloadIn(json: Json, key: string): Uint8Array | undefined {
  const text = textIn(json, key);
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length > 4 * Math.ceil(PAYLOAD_BYTES_MAX / 3)) return undefined;
  const bytes = Buffer.from(text, "base64");
  return bytes.length > PAYLOAD_BYTES_MAX ? undefined : new Uint8Array(bytes);
}

/** Those whose station can be named. */
export function receptionsIn(rows: unknown, stationOf: (row: Json) => string): Reception[] {
  if (!Array.isArray(rows)) return [];
  return rows
    .filter(isJson)
    .slice(0, RECEPTIONS_MAX)
    .flatMap((row) => {
      const stationId = euiOf(stationOf(row));
      return stationId === undefined ? [] : [{ stationId, rssi: numberIn(row, "rssi"), snr: numberIn(row, "snr") }];
    });
}

export function refusedEvent(reason: EventRefusal, sender?: string): ServerEvent {
  return { kind: "refused", reason, ...(sender === undefined ? {} : { sender }) };
}
