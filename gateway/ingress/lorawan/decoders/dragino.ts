// Dragino: fixed layouts by FPort, big-endian; what was not acknowledged comes later in records of 11 bytes on FPort 3 (the maker's
// user manuals of LDDS75, PS-LB and CPL03).
import type { Quantity } from "../../../../protocol/index.ts";
import { type Channels, type Decoded, type Decoder, type LogEntry, NOTHING_READ, refused } from "./decoder.ts";

const DATA_PORT = 2;
const LOG_PORT = 3;
/** Settings, the device itself, and readings without times: a sign of life. */
const OTHER_PORTS = [4, 5, 6];
/** Of a series of readings on PS-LB, and of contacts on CPL03. */
const SERIES_PORT = 7;
const LOG_BYTES = 11;
const LOG_TIME_AT = 7;
/** Of lithium thionyl chloride, 3.6 V for nearly all of its life. */
const LOW_BATTERY_V = 2.8;
const BATTERY_MASK = 0x3fff;

interface Layout {
  readonly bytes: number;
  read(view: DataView): Channels;
  /** True for what has another layout on the same port. */
  isOther?(view: DataView): boolean;
  /** Where its battery stands, in millivolts. */
  readonly batteryAt?: number;
  /** One record of 11 bytes, its time left out. */
  logged(view: DataView, at: number): Channels;
  readonly series?: (view: DataView) => Channels | undefined;
}

function createDecoder(layout: Layout): Decoder {
  return (port, payload) => {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    if (port === DATA_PORT) return readLive(layout, view);
    if (port === LOG_PORT) return readLog(layout, payload, view);
    if (port === SERIES_PORT && layout.series !== undefined) {
      const channels = layout.series(view);
      return channels === undefined ? refused("truncated") : { ...NOTHING_READ, channels };
    }
    return OTHER_PORTS.includes(port) ? NOTHING_READ : refused("wrong-port");
  };
}

function readLive({ bytes, read, batteryAt, isOther }: Layout, view: DataView): Decoded {
  if (view.byteLength < bytes) return refused("truncated");
  if (isOther?.(view) === true) return refused("unknown-channel");
  const isLowBattery = batteryAt !== undefined && (view.getUint16(batteryAt) & BATTERY_MASK) < 1000 * LOW_BATTERY_V;
  return { channels: read(view), log: [], isLowBattery };
}

function readLog({ logged }: Layout, payload: Uint8Array, view: DataView): Decoded {
  const log: LogEntry[] = [];
  for (let at = 0; at + LOG_BYTES <= payload.length; at += LOG_BYTES) {
    const bytes = payload.slice(at, at + LOG_BYTES);
    // The answer of one that has nothing to tell.
    if (bytes.every((one) => one === 0)) continue;
    // In the first byte of a frame a bit says whether the device waits for an answer.
    bytes[0] = (bytes[0] as number) & 0x7f;
    log.push({ timeS: view.getUint32(at + LOG_TIME_AT), channels: logged(view, at), bytes });
  }
  const rest = payload.length % LOG_BYTES;
  return { channels: {}, log, isLowBattery: false, ...(rest === 0 ? {} : { problem: "truncated" }) };
}

/** In its first byte: a list of distances in place of one. */
const LISTS = 0x10;

/** 0: no sensor is there. 20 mm: an echo from nearer than it can tell. It reaches 7.5 m. */
function distanceMm(raw: number): Quantity {
  if (raw === 0) return "open-circuit";
  return raw <= 20 || raw > 7_500 ? "out-of-range" : raw;
}

export const decodeLdds75: Decoder = createDecoder({
  bytes: 8,
  batteryAt: 0,
  isOther: (view) => (view.getUint8(0) & LISTS) !== 0,
  read: (view) => ({ distanceMm: distanceMm(view.getUint16(2)), temperatureC: view.getInt16(5) / 10 }),
  logged: (view, at) => ({
    distanceMm: distanceMm(view.getUint16(at) & 0x7fff),
    temperatureC: view.getInt16(at + 4) / 10,
  }),
});

function inputsIn(bits: number): Channels {
  return { input1: (bits >> 3) & 1, input2: (bits >> 2) & 1 };
}

export const decodePsLb: Decoder = createDecoder({
  bytes: 9,
  batteryAt: 0,
  read: (view) => ({
    currentMa: view.getUint16(4) / 1000,
    voltageV: view.getUint16(6) / 1000,
    ...inputsIn(view.getUint8(8)),
  }),
  logged: (view, at) => ({
    currentMa: view.getUint16(at + 2) / 1000,
    voltageV: view.getUint16(at + 4) / 1000,
    ...inputsIn(view.getUint8(at + 6)),
  }),
  // Battery, then currents since the last uplink, the newest last.
  series: (view) => {
    const last = view.byteLength - 2;
    return last < 2 || last % 2 !== 0 ? undefined : { currentMa: view.getUint16(last) / 1000 };
  },
});

function u24(view: DataView, at: number): number {
  return view.getUint8(at) * 65_536 + view.getUint16(at + 1);
}

/** Of its first byte: it counts three pulses, or watches one contact. */
const COUNTS_THREE = 0x08;

/** There a bit says that the contact is open; on the port of three contacts a bit says that one is closed. */
function closedBy(flags: number): number {
  return 1 - (flags & 1);
}

export const decodeCpl03: Decoder = createDecoder({
  bytes: LOG_BYTES,
  read: (view) => {
    const flags = view.getUint8(0);
    if ((flags & COUNTS_THREE) === 0) return { contact1: closedBy(flags), pulses1: u24(view, 1) };
    return { pulses1: u24(view, 1), pulses2: u24(view, 4), pulses3: u24(view, 7) };
  },
  logged: (view, at) => {
    const flags = view.getUint8(at);
    if ((flags & COUNTS_THREE) === 0) return { contact1: closedBy(flags), pulses1: u24(view, at + 1) };
    return { pulses1: u24(view, at + 1), pulses2: u24(view, at + 4) };
  },
  series: (view) => {
    if (view.byteLength < 1) return undefined;
    const bits = view.getUint8(0);
    return { contact1: bits & 1, contact2: (bits >> 2) & 1, contact3: (bits >> 4) & 1 };
  },
});
