// Milesight UC300: inputs, outputs, counters, current loops, voltages, PT100 and Modbus registers, each by its own pair.
import type { Quantity } from "../../../../protocol/index.ts";
import { bytesOf, type Entry, fixed, type Table } from "./milesight-tlv.ts";

/** Names of its channels in the order of the maker's mask, and where their pairs begin. */
const INPUTS = [3, 4, 5, 6];
const OUTPUTS = [7, 8];
const PROBES = [9, 10];
const CURRENTS = [11, 12];
const VOLTAGES = [13, 14];
/** Of a value with its most, its least and its mean, as half floats. */
const STATISTICS_BYTES = 8;
const TEXT_BYTES = 48;
const REGISTERS_MAX = 32;

function halfAt(view: DataView, at: number): Quantity {
  const value = view.getFloat16(at, true);
  return Number.isFinite(value) ? Math.round(value * 1000) / 1000 : "unknown";
}

/** One value a channel: `{name}{number}{unit}`. */
function row(
  ids: readonly number[],
  type: string,
  name: readonly [before: string, unit: string],
  read: { readonly bytes: number; value(view: DataView, at: number): Quantity },
): [string, Entry][] {
  return ids.map((id, i) => [
    `${id.toString(16).padStart(2, "0")}${type}`,
    fixed(read.bytes, ({ channels }, view, at) => {
      channels[`${name[0]}${i + 1}${name[1]}`] = read.value(view, at);
    }),
  ]);
}

const byte = { bytes: 1, value: (view: DataView, at: number) => view.getUint8(at) };
const counter = { bytes: 4, value: (view: DataView, at: number) => view.getUint32(at, true) };
const hundredths = { bytes: 4, value: (view: DataView, at: number) => view.getUint32(at, true) / 100 };
const tenths = { bytes: 2, value: (view: DataView, at: number) => view.getInt16(at, true) / 10 };
const statistics = { bytes: STATISTICS_BYTES, value: halfAt };

/** Kinds of Modbus values: the low seven bits; the top bit says signed. */
const WIDTHS = [1, 1, 2, 2, 4, 4, 4, 4, 4, 4, 4, 4];
const FLOATS = [5, 7];
/** The later half of four bytes. */
const SECOND_HALVES = [9, 11];
const WHOLE_INTEGERS = [4, 6];

function registerValue(view: DataView, at: number, type: number): Quantity | undefined {
  const kind = type & 0x7f;
  const isSigned = (type & 0x80) !== 0;
  const width = WIDTHS[kind];
  if (width === undefined || at + width > view.byteLength) return undefined;
  if (FLOATS.includes(kind)) {
    const value = view.getFloat32(at, true);
    return Number.isFinite(value) ? value : "corrupt";
  }
  if (width === 1) return isSigned ? view.getInt8(at) : view.getUint8(at);
  if (WHOLE_INTEGERS.includes(kind)) return isSigned ? view.getInt32(at, true) : view.getUint32(at, true);
  const half = at + (SECOND_HALVES.includes(kind) ? 2 : 0);
  return isSigned ? view.getInt16(half, true) : view.getUint16(half, true);
}

/** Register, length and type, then the value. */
const register: Entry = {
  length: (view, at) => (at + 3 > view.byteLength ? undefined : 3 + view.getUint8(at + 1)),
  take: ({ channels }, view, at) => {
    const value = registerValue(view, at + 3, view.getUint8(at + 2));
    const number = view.getUint8(at) + 1;
    if (value !== undefined && number <= REGISTERS_MAX) channels[`register${number}`] = value;
  },
};

/** Nothing answers on the bus. */
const registerError = fixed(1, ({ channels }, view, at) => {
  const number = view.getUint8(at) + 1;
  if (number <= REGISTERS_MAX) channels[`register${number}`] = "open-circuit";
});

interface Part {
  readonly bytes: number;
  take(channels: Record<string, Quantity>, view: DataView, at: number): void;
}

function part(bytes: number, name: string, value: (view: DataView, at: number) => Quantity): Part {
  return {
    bytes,
    take: (channels, view, at) => {
      channels[name] = value(view, at);
    },
  };
}

const numbered = (count: number, make: (i: number) => Part) => Array.from({ length: count }, (_, i) => make(i + 1));

/** Channels of a kept reading in the order of the bits of its mask. */
const KEPT: readonly Part[] = [
  ...numbered(4, (i) => ({
    bytes: 5,
    take: (channels, view, at) => {
      channels[`${view.getUint8(at) === 0 ? "input" : "counter"}${i}`] = view.getUint32(at + 1, true);
    },
  })),
  ...numbered(2, (i) => part(1, `output${i}`, byte.value)),
  ...numbered(2, (i) => part(2, `temperature${i}C`, halfAt)),
  ...numbered(2, (i) => part(STATISTICS_BYTES, `current${i}Ma`, halfAt)),
  ...numbered(2, (i) => part(STATISTICS_BYTES, `voltage${i}V`, halfAt)),
  { bytes: TEXT_BYTES, take: () => undefined },
];
const KEPT_HEAD = 6;
const KEPT_REGISTERS_HEAD = 8;
/** Type and four bytes, whatever the width of the value. */
const KEPT_REGISTER_BYTES = 5;

function keptParts(view: DataView, at: number): readonly Part[] | undefined {
  if (at + KEPT_HEAD > view.byteLength) return undefined;
  const mask = view.getUint16(at + 4, true);
  return mask >> KEPT.length === 0 ? KEPT.filter((_, bit) => (mask >> bit) & 1) : undefined;
}

const kept: Entry = {
  length: (view, at) => keptParts(view, at)?.reduce((sum, { bytes }) => sum + bytes, KEPT_HEAD),
  take: ({ log }, view, at) => {
    const channels: Record<string, Quantity> = {};
    let next = at + KEPT_HEAD;
    for (const one of keptParts(view, at) ?? []) {
      one.take(channels, view, next);
      next += one.bytes;
    }
    log.push({ timeS: view.getUint32(at, true), channels, bytes: bytesOf(view, at, next - at) });
  },
};

function registersOf(mask: number): number[] {
  return Array.from({ length: REGISTERS_MAX }, (_, i) => i).filter((bit) => (mask >>> bit) & 1);
}

const keptRegisters: Entry = {
  length: (view, at) => {
    if (at + KEPT_REGISTERS_HEAD > view.byteLength) return undefined;
    return KEPT_REGISTERS_HEAD + KEPT_REGISTER_BYTES * registersOf(view.getUint32(at + 4, true)).length;
  },
  take: ({ log }, view, at) => {
    const numbers = registersOf(view.getUint32(at + 4, true));
    const channels: Record<string, Quantity> = {};
    numbers.forEach((number, i) => {
      const from = at + KEPT_REGISTERS_HEAD + KEPT_REGISTER_BYTES * i;
      const value = registerValue(view, from + 1, view.getUint8(from));
      if (value !== undefined) channels[`register${number + 1}`] = value;
    });
    const length = KEPT_REGISTERS_HEAD + KEPT_REGISTER_BYTES * numbers.length;
    log.push({ timeS: view.getUint32(at, true), channels, bytes: bytesOf(view, at, length) });
  },
};

export const UC300_CHANNELS: Table = {
  ...Object.fromEntries([
    ...row(INPUTS, "00", ["input", ""], byte),
    ...row(INPUTS, "c8", ["counter", ""], counter),
    ...row(OUTPUTS, "01", ["output", ""], byte),
    ...row(PROBES, "67", ["temperature", "C"], tenths),
    ...row(PROBES, "e2", ["temperature", "C"], statistics),
    ...row(CURRENTS, "02", ["current", "Ma"], hundredths),
    ...row(CURRENTS, "e2", ["current", "Ma"], statistics),
    ...row(VOLTAGES, "02", ["voltage", "V"], hundredths),
    ...row(VOLTAGES, "e2", ["voltage", "V"], statistics),
  ]),
  ff19: register,
  ff15: registerError,
  "20dc": kept,
  "20dd": keptRegisters,
};
