// The field tables and the one walker over them. The tables are the specification of protocol version 1: shipped
// layouts are frozen, a change is a new version.
import type { BitReader, BitWriter } from "./bits.ts";

/** Why there is no value. In this order from the top code of a field downwards. */
export const REASONS = [
  "absent",
  "unknown",
  "open-circuit",
  "short-circuit",
  "out-of-range",
  "stuck",
  "corrupt",
  "untrusted",
] as const;
export type Reason = (typeof REASONS)[number];
export type Quantity = number | Reason;

/** A number: raw = value × perUnit − base. The top `reasons` codes (in the order of REASONS) are no values. */
export interface QuantityField {
  readonly name: string;
  readonly bits: number;
  readonly perUnit: number;
  readonly base: number;
  /** Highest code an encoder writes: the stated range. */
  readonly rawMax: number;
  readonly reasons: number;
  /** A counter starts again at zero after rawMax instead of staying there. */
  readonly wraps: boolean;
}

/** A word by its index; with reasons, the top code is absent and the one below it unknown. */
export interface WordField {
  readonly name: string;
  readonly bits: number;
  readonly words: readonly string[];
  readonly reasons: number;
}

export type Field = QuantityField | WordField;

function quantity(name: string, bits: number, perUnit: number, base: number, rawMax: number): QuantityField {
  return { name: name, bits: bits, perUnit: perUnit, base: base, rawMax: rawMax, reasons: 8, wraps: false };
}

function counter(name: string, bits: number): QuantityField {
  const rawMax = (1 << bits) - 9;
  return { name: name, bits: bits, perUnit: 1, base: 0, rawMax: rawMax, reasons: 8, wraps: true };
}

function score(name: string): QuantityField {
  return { name: name, bits: 3, perUnit: 1, base: 0, rawMax: 5, reasons: 2, wraps: false };
}

/** A whole number without reasons; it saturates. */
export function whole(name: string, bits: number): QuantityField {
  const rawMax = bits === 32 ? 4294967295 : (1 << bits) - 1;
  return { name: name, bits: bits, perUnit: 1, base: 0, rawMax: rawMax, reasons: 0, wraps: false };
}

/** A whole number that counts on modulo its size: sequence. */
export function modulo(name: string, bits: number): QuantityField {
  return { name: name, bits: bits, perUnit: 1, base: 0, rawMax: (1 << bits) - 1, reasons: 0, wraps: true };
}

export function word(name: string, bits: number, words: readonly string[], reasons: number): WordField {
  return { name: name, bits: bits, words: words, reasons: reasons };
}

export const PHASES = ["standby", "opening", "open", "limited", "full", "closing", "closed", "out-of-service"] as const;
export const GENERATOR_STATES = ["none", "stopped", "starting", "running", "cooling", "failed"] as const;
export const MAINS_STATES = ["lost", "present"] as const;
export const SUPPLY_NAMES = [
  "communications",
  "power",
  "food",
  "water",
  "warmth",
  "shelter",
  "sanitation",
  "medical",
  "safety",
] as const;

export interface Group {
  readonly name: string;
  readonly fields: readonly Field[];
}

/** In bit order; bits 5 to 7 of the groups byte are reserved. */
export const GROUPS: readonly Group[] = [
  {
    name: "power",
    fields: [
      quantity("fuelLevelPct", 10, 10, 0, 1000),
      word("generator", 3, GENERATOR_STATES, 2),
      word("mains", 2, MAINS_STATES, 2),
      quantity("loadKw", 10, 10, 0, 1015),
      quantity("starterBatteryV", 9, 10, 0, 503),
    ],
  },
  {
    name: "battery",
    fields: [
      quantity("batteryV", 13, 100, 0, 8183),
      quantity("batteryA", 12, 10, -2040, 4087),
      quantity("stateOfChargePct", 8, 2, 0, 200),
    ],
  },
  { name: "occupancy", fields: [quantity("occupancy", 11, 1, 0, 2039), counter("entries", 14)] },
  { name: "environment", fields: [quantity("temperatureC", 8, 2, -80, 247)] },
  { name: "supplies", fields: SUPPLY_NAMES.map(score) },
];

export const PHASE = word("phase", 4, PHASES, 2);

/** Sum of the bits of a row of fields. */
export function bitsOf(fields: readonly Field[]): number {
  let bits = 0;
  for (let i = 0; i < fields.length; i++) bits += (fields[i] as Field).bits;
  return bits;
}

function codeOf(reason: string, field: Field): number {
  const top = field.bits === 32 ? 4294967295 : (1 << field.bits) - 1;
  const at = REASONS.indexOf(reason as Reason);
  // What a field has no code for is not known.
  return at >= 0 && at < field.reasons ? top - at : top - 1;
}

function rawOfQuantity(field: QuantityField, value: unknown): number {
  if (value === undefined && field.reasons > 0) return codeOf("absent", field);
  // NaN and infinity are not known either; fields without reasons have nothing better than zero.
  if (typeof value !== "number" || !(value > -Infinity && value < Infinity))
    return field.reasons > 0 ? codeOf(String(value), field) : 0;
  // Six decimals first, so that 12.75 V at 0.1 V is the half that it looks like and not a hair below.
  const q = Math.floor((value * field.perUnit - field.base) * 1000000 + 0.5) / 1000000;
  const raw = Math.floor(q + 0.5);
  if (field.wraps) {
    const size = field.rawMax + 1;
    return ((raw % size) + size) % size;
  }
  return Math.min(Math.max(raw, 0), field.rawMax);
}

function rawOfWord(field: WordField, value: unknown): number {
  if (value === undefined && field.reasons > 0) return codeOf("absent", field);
  const at = field.words.indexOf(value as string);
  if (at >= 0 && value !== "") return at;
  return field.reasons > 0 ? codeOf(String(value), field) : 0;
}

/** Writes one field; what cannot be said in it is written as unknown, never as a value. */
export function putField(out: BitWriter, field: Field, value: unknown): void {
  const raw = "words" in field ? rawOfWord(field, value) : rawOfQuantity(field, value);
  if (field.bits > 16) out.put(Math.floor(raw / 65536) & 65535, field.bits - 16);
  out.put(raw & 65535, Math.min(field.bits, 16));
}

function valueOfWord(field: WordField, raw: number): string {
  const top = (1 << field.bits) - 1;
  if (field.reasons > 0 && raw > top - field.reasons) return REASONS[top - raw] as string;
  const found = field.words[raw];
  return found === undefined || found === "" ? `reserved-${raw}` : found;
}

/** Reads one field. Every code that is not a reason is a value, also above the stated range. */
export function takeField(input: BitReader, field: Field): number | string {
  const raw = field.bits <= 16 ? input.take(field.bits) : input.take(16) * 65536 + input.take(16);
  if ("words" in field) return valueOfWord(field, raw);
  const top = field.bits === 32 ? 4294967295 : (1 << field.bits) - 1;
  if (field.reasons > 0 && raw > top - field.reasons) return REASONS[top - raw] as string;
  return (raw + field.base) / field.perUnit;
}

export function putFields(out: BitWriter, fields: readonly Field[], values: Readonly<Record<string, unknown>>): void {
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as Field;
    putField(out, field, values[field.name]);
  }
}

export function takeFields(input: BitReader, fields: readonly Field[], into: Record<string, unknown>): void {
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as Field;
    into[field.name] = takeField(input, field);
  }
}
