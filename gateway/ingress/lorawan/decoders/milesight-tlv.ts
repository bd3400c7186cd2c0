// Milesight's form: channel, type and value one after another, little-endian, on FPort 85 (payload definitions in its user guides).
import type { Quantity } from "../../../../protocol/index.ts";
import { type Decoded, type Decoder, type LogEntry, refused } from "./decoder.ts";

const PORT = 85;
const LOW_BATTERY_PCT = 10;

/** What a payload says so far. */
export interface Taken {
  readonly channels: Record<string, Quantity>;
  readonly log: LogEntry[];
  isLowBattery: boolean;
}

/** One pair of channel and type. */
export interface Entry {
  /** Bytes of the value that begins there; undefined when it cannot be known. */
  length(view: DataView, at: number): number | undefined;
  take?(into: Taken, view: DataView, at: number): void;
}

/** By channel and type, four hexadecimal digits. */
export type Table = Readonly<Record<string, Entry>>;

/** A value of so many bytes, and what it says. */
export function fixed(bytes: number, take?: Entry["take"]): Entry {
  return { length: () => bytes, ...(take === undefined ? {} : { take }) };
}

/** Settings that a device repeats when they were set. */
const ANSWERS: Readonly<Record<string, number>> = {
  ...{ "02": 2, "03": 2, "04": 1, "10": 1, "11": 4, "17": 2, "27": 1, "28": 1 },
  ...{ "3b": 1, "4a": 1, "68": 1, "69": 1, "6a": 3 },
};

/** What every model of this maker sends beside its readings: versions, serial numbers, its state, answers to commands. */
const COMMON: Table = {
  ...lengths("ff", { "01": 1, "08": 6, "09": 2, "0a": 2, "0b": 1, "0f": 1, "16": 8, "1f": 4, ff: 2, fe: 1 }),
  ...lengths("ff", ANSWERS),
  ...lengths("fe", ANSWERS),
  "0175": fixed(1, (into, view, at) => {
    into.isLowBattery = view.getUint8(at) <= LOW_BATTERY_PCT;
  }),
};

function lengths(channel: string, types: Readonly<Record<string, number>>): Table {
  return Object.fromEntries(Object.entries(types).map(([type, bytes]) => [`${channel}${type}`, fixed(bytes)]));
}

/** Reads a payload by its table; an unknown pair ends it, since nobody knows how long it is. */
export function createTlvDecoder(table: Table): Decoder {
  const entries: Table = { ...COMMON, ...table };
  return (port, payload) => {
    if (port !== PORT) return refused("wrong-port");
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    const into: Taken = { channels: {}, log: [], isLowBattery: false };
    let at = 0;
    while (at < payload.length) {
      if (at + 2 > payload.length) return { ...into, problem: "truncated" };
      const entry = entries[view.getUint16(at).toString(16).padStart(4, "0")];
      if (entry === undefined) return { ...into, problem: "unknown-channel" };
      at += 2;
      const length = entry.length(view, at);
      if (length === undefined || at + length > payload.length) return { ...into, problem: "truncated" };
      entry.take?.(into, view, at);
      at += length;
    }
    return into satisfies Decoded;
  };
}

export function bytesOf(view: DataView, at: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, length).slice();
}
