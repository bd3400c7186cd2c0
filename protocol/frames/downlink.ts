// Gateway to device: ack, config and command frames, here without their tag.
import { createBitReader, createBitWriter } from "./bits.ts";
import { crc32 } from "./crc32.ts";
import { modulo, putFields, takeFields, whole, word } from "./fields.ts";
import { type DecodeFault, KIND_ACK, KIND_COMMAND, KIND_CONFIG, VERSION } from "./header.ts";

/** Stored durably: bit 31 of `bitmap` = `baseSequence` … bit 0 = `baseSequence` + 31. */
export interface Ack {
  /** Unix seconds now; 0 when the gateway does not trust its clock. */
  readonly time: number;
  readonly baseSequence: number;
  readonly bitmap: number;
}

export interface Config {
  readonly counter: number;
  readonly settings: { readonly [name: string]: number };
}

export interface Command {
  readonly counter: number;
  readonly command: string;
  readonly argument: number;
}

export type Downlink =
  | { readonly kind: "ack"; readonly value: Ack }
  | { readonly kind: "config"; readonly value: Config }
  | { readonly kind: "command"; readonly value: Command };
export interface DownlinkFault {
  readonly kind: "fault";
  readonly fault: DecodeFault;
}

/** Index is the id on the wire; 0 is not a setting. */
export const SETTINGS = [
  "",
  "reportIntervalS",
  "alarmIntervalS",
  "fuelLowPct",
  "fuelCriticalPct",
  "socLowPct",
  "socCriticalPct",
  "capacity",
  "ackEvery",
] as const;

/** Index is the code on the wire; 0 is not a command. */
export const COMMANDS = [
  "",
  "send-info",
  "report-now",
  "locate",
  "reboot",
  "resend-from",
  "set-occupancy",
  "acknowledge-help",
  "clear-latched-alarm",
] as const;

/** A config frame cannot carry more: 6 bytes, 3 a setting, 8 of tag in 242. */
export const SETTINGS_MAX = 76;

const ACK_FIELDS = [whole("time", 32), modulo("baseSequence", 16), whole("bitmap", 32)];
const COUNTER_FIELD = [whole("counter", 32)];
const COMMAND_FIELDS = [whole("counter", 32), word("command", 8, COMMANDS, 0), whole("argument", 16)];
const SETTING_FIELDS = [word("setting", 8, SETTINGS, 0), whole("value", 16)];

type Values = Record<string, unknown>;

/** 11 bytes. */
export function encodeAck(ack: Ack): Uint8Array {
  const out = createBitWriter(11);
  out.put((VERSION << 4) | KIND_ACK, 8);
  putFields(out, ACK_FIELDS, ack as unknown as Values);
  return out.bytes();
}

/** 6 bytes and 3 a setting, in the order of their ids; names that are no setting are left out. */
export function encodeConfig(config: Config): Uint8Array {
  const rows = settingRows(config.settings);
  const out = createBitWriter(6 + rows.length);
  out.put((VERSION << 4) | KIND_CONFIG, 8);
  putFields(out, COUNTER_FIELD, config as unknown as Values);
  out.put(rows.length / 3, 8);
  for (let i = 0; i < rows.length; i++) out.put(rows[i] as number, 8);
  return out.bytes();
}

/** 8 bytes. */
export function encodeCommand(command: Command): Uint8Array {
  const out = createBitWriter(8);
  out.put((VERSION << 4) | KIND_COMMAND, 8);
  putFields(out, COMMAND_FIELDS, command as unknown as Values);
  return out.bytes();
}

/** CRC-32 over the settings in order of id (setting u8, value u16); a setting of 0 is none. */
export function configHash(settings: Config["settings"]): number {
  return crc32(settingRows(Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== 0))));
}

function settingRows(settings: Config["settings"]): Uint8Array {
  let count = 0;
  for (let id = 1; id < SETTINGS.length; id++) if (settings[SETTINGS[id] as string] !== undefined) count++;
  const out = createBitWriter(count * 3);
  for (let id = 1; id < SETTINGS.length; id++) {
    const name = SETTINGS[id] as string;
    const value = settings[name];
    if (value !== undefined) putFields(out, SETTING_FIELDS, { setting: name, value: value });
  }
  return out.bytes();
}

export function decodeDownlink(bytes: Uint8Array): Downlink | DownlinkFault {
  if (bytes.length === 0) return { kind: "fault", fault: "truncated" };
  const first = bytes[0] as number;
  if (first >> 4 !== VERSION) return { kind: "fault", fault: "unsupported-version" };
  const kind = first & 15;
  if (kind !== KIND_ACK && kind !== KIND_CONFIG && kind !== KIND_COMMAND)
    return { kind: "fault", fault: "unknown-kind" };
  if (kind === KIND_CONFIG && bytes.length < 6) return { kind: "fault", fault: "truncated" };
  const need = kind === KIND_ACK ? 11 : kind === KIND_COMMAND ? 8 : 6 + 3 * (bytes[5] as number);
  if (bytes.length < need) return { kind: "fault", fault: "truncated" };
  if (bytes.length > need) return { kind: "fault", fault: "trailing-bytes" };
  const input = createBitReader(bytes, 1);
  const value: Values = {};
  if (kind === KIND_CONFIG) {
    takeFields(input, COUNTER_FIELD, value);
    const settings: Record<string, number> = {};
    for (let left = input.take(8); left > 0; left--) {
      const row: Values = {};
      takeFields(input, SETTING_FIELDS, row);
      settings[row["setting"] as string] = row["value"] as number;
    }
    value["settings"] = settings;
    return { kind: "config", value: value as unknown as Config };
  }
  takeFields(input, kind === KIND_ACK ? ACK_FIELDS : COMMAND_FIELDS, value);
  return { kind: kind === KIND_ACK ? "ack" : "command", value: value } as unknown as Downlink;
}
