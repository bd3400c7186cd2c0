// Milesight: channel, type and value one after another, little-endian, on FPort 85 (payload definitions in the makers' user guides).
import type { Quantity } from "../../../../protocol/index.ts";
import { type Decoded, type Decoder, type LogEntry, refused } from "./decoder.ts";

const PORT = 85;
const LOW_BATTERY_PCT = 10;

/** One pair of channel and type: how long its value is, and what it says. */
export interface Entry {
  /** Bytes of the value; undefined when it does not end within the payload. */
  length(view: DataView, at: number): number | undefined;
  take?(into: Taken, view: DataView, at: number): void;
}

export interface Taken {
  readonly channels: Record<string, Quantity>;
  readonly log: LogEntry[];
  isLowBattery: boolean;
}

export type Table = Readonly<Record<string, Entry>>;

/** A value of so many bytes, which the table says what to do with. */
export function fixed(bytes: number, take?: Entry["take"]): Entry {
  return { length: () => bytes, ...(take === undefined ? {} : { take }) };
}

/** What every model of this maker sends beside its readings: versions, serial numbers, its state. */
export const COMMON: Table = {
  ff01: fixed(1),
  ff08: fixed(6),
  ff09: fixed(2),
  ff0a: fixed(2),
  ff0b: fixed(1),
  ff0f: fixed(1),
  ff16: fixed(8),
  ff1f: fixed(4),
  ffff: fixed(2),
  fffe: fixed(1),
  "0175": fixed(1, (into, view, at) => {
    into.isLowBattery = view.getUint8(at) <= LOW_BATTERY_PCT;
  }),
};

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
      const length = entry.length(view, at + 2);
      if (length === undefined || at + 2 + length > payload.length) return { ...into, problem: "truncated" };
      entry.take?.(into, view, at + 2);
      at += 2 + length;
    }
    return into satisfies Decoded;
  };
}

/** Ultrasound: nothing is heard back from nearer, or from further away. */
function ultrasound(mm: number): Quantity {
  return mm === 0 || mm === 0xffff ? "out-of-range" : mm;
}

export const decodeEm500Udl: Decoder = createTlvDecoder({
  "0382": fixed(2, ({ channels }, view, at) => {
    channels["distanceMm"] = ultrasound(view.getUint16(at, true));
  }),
  // Distance and how much it has changed, both in tenths of a millimetre by the maker's decoder, and an alarm.
  "83e9": fixed(5, ({ channels }, view, at) => {
    channels["distanceMm"] = ultrasound(view.getUint16(at, true) / 10);
  }),
  "20ce": fixed(6, ({ log }, view, at) => {
    log.push({
      timeS: view.getUint32(at, true),
      channels: { distanceMm: ultrasound(view.getUint16(at + 4, true)) },
      bytes: new Uint8Array(view.buffer, view.byteOffset + at, 6).slice(),
    });
  }),
});
