import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  backlogRowOf,
  encodeReport,
  type Field,
  FLAG_NAMES,
  GROUPS,
  PHASE,
  type Quantity,
  REASONS,
  type Report,
  takeCodes,
} from "../../protocol/wire.ts";
import {
  BATTERY_A,
  BATTERY_V,
  CHARGE,
  codeOf,
  FUEL_LEVEL,
  peopleCodes,
  putCodes,
  putHeader,
  reportBytes,
  STARTER,
  wordOf,
} from "./frames.ts";

/** Scales of the fields by name: those of which a board has none yet are as the table says. */
const SCALES: Record<string, Parameters<typeof codeOf>[1]> = {
  fuelLevelPct: FUEL_LEVEL,
  starterBatteryV: STARTER,
  batteryV: BATTERY_V,
  batteryA: BATTERY_A,
  stateOfChargePct: CHARGE,
  loadKw: [10, 10, 0, 1015],
  temperatureC: [8, 2, -80, 247],
};

/** In range and out of it, halves of a code, what is no number at all, and every reason. */
function quantityOf(field: Field): fc.Arbitrary<Quantity> {
  if ("words" in field) throw new Error("a word");
  const low = field.base / field.perUnit;
  const high = (field.rawMax + field.base) / field.perUnit;
  const ranged = fc.double({ min: low, max: high, noNaN: true });
  const halves = fc.integer({ min: 0, max: field.rawMax }).map((raw) => (raw + 0.5 + field.base) / field.perUnit);
  const beyond = fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -Infinity, low - 1, high + 1, -0, 12.75));
  const reasons = field.reasons > 2 ? REASONS : REASONS.slice(0, 2);
  // The counter of a door wraps by itself: what it gives is in range.
  const numbers = field.wraps ? fc.integer({ min: 0, max: field.rawMax }) : fc.oneof(ranged, halves, beyond);
  return fc.oneof({ weight: 3, arbitrary: numbers }, { weight: 1, arbitrary: fc.constantFrom(...reasons) });
}

function anyOf(field: Field): fc.Arbitrary<Quantity | string> {
  if (!("words" in field)) return quantityOf(field);
  const words = field.words.filter((one) => one !== "");
  return fc.constantFrom(...words, "unknown", "no such word");
}

function codeIn(field: Field, value: Quantity | string): number {
  if ("words" in field) return wordOf(field.words, value as string, field.bits);
  return codeOf(value as Quantity, SCALES[field.name] ?? [field.bits, field.perUnit, field.base, field.rawMax]);
}

const FLAGS = fc.uniqueArray(fc.constantFrom(...FLAG_NAMES));

/** A report of these groups as the protocol has it, and the row of codes of the same. */
function sample(groups: number) {
  const parts = GROUPS.filter((_, i) => groups & (1 << i));
  const fields = [PHASE, ...parts.flatMap((part) => part.fields)];
  return fc
    .record({
      values: fc.tuple(...fields.map(anyOf)),
      sequence: fc.integer({ min: 0, max: 65535 }),
      time: fc.integer({ min: 0, max: 4294967295 }),
      names: FLAGS,
    })
    .map(({ values, sequence, time, names }) => {
      const flags = Object.fromEntries(names.map((name) => [name, true]));
      const report: Record<string, unknown> = { sequence, time, flags, phase: values[0] };
      let at = 1;
      for (const part of parts) {
        report[part.name] = Object.fromEntries(part.fields.map((field) => [field.name, values[at++]]));
      }
      const codes = Uint16Array.from(fields, (field, i) => codeIn(field, values[i] as Quantity));
      const bits = names.reduce((sum, name) => sum | (128 >> FLAG_NAMES.indexOf(name)), 0);
      return { report: report as unknown as Report, codes, sequence, time, flags: bits };
    });
}

/** Every way to have the five groups or not. */
const COMBINATIONS = Array.from({ length: 32 }, (_, groups) => groups);

describe("a report made of raw codes", () => {
  test.each(COMBINATIONS)("of the groups %i is byte for byte the one of the field tables", (groups) => {
    const row = backlogRowOf(groups);
    fc.assert(
      fc.property(sample(groups), ({ report, codes, sequence, time, flags }) => {
        const frame = new Uint8Array(reportBytes(row)).fill(255);
        putHeader(frame, 1, sequence, time, flags);
        putCodes(frame, groups, row, codes);
        expect(Buffer.from(frame).toString("hex")).toBe(Buffer.from(encodeReport(report)).toString("hex"));
        const back = new Uint16Array(row.length);
        takeCodes(frame, row, back);
        expect(back).toEqual(codes);
      }),
      { numRuns: 150 },
    );
  });

  test("is as long as its row needs it to be", () => {
    expect(reportBytes(backlogRowOf(15))).toBe(22);
    expect(reportBytes(backlogRowOf(4))).toBe(13);
    expect(reportBytes(backlogRowOf(0))).toBe(10);
    for (const groups of COMBINATIONS) {
      const parts = Object.fromEntries(GROUPS.filter((_, i) => groups & (1 << i)).map((group) => [group.name, {}]));
      const report = { sequence: 0, time: 0, flags: {}, phase: "open", ...parts };
      expect(reportBytes(backlogRowOf(groups))).toBe(encodeReport(report).length);
    }
  });

  test("every raw code of every row goes in and comes out again", () => {
    for (const groups of COMBINATIONS) {
      const row = backlogRowOf(groups);
      const codes = fc.tuple(...row.map((field) => fc.integer({ min: 0, max: (1 << (field & 15)) - 1 })));
      fc.assert(
        fc.property(codes, (raw) => {
          const frame = new Uint8Array(reportBytes(row));
          putCodes(frame, groups, row, Uint16Array.from(raw));
          const back = new Uint16Array(row.length);
          takeCodes(frame, row, back);
          expect([...back]).toEqual(raw);
        }),
        { numRuns: 30 },
      );
    }
  });
});

describe("a value", () => {
  test("at the half between two codes goes up, as it looks and not as it is stored", () => {
    expect(codeOf(12.75, STARTER)).toBe(128);
    expect(codeOf(12.7499, STARTER)).toBe(127);
    expect(codeOf(-0.05, BATTERY_A)).toBe(2040);
    expect(codeOf(0.25, CHARGE)).toBe(1);
  });

  test("beyond the range stands at its end, and what is no number is unknown", () => {
    expect(codeOf(-1, FUEL_LEVEL)).toBe(0);
    expect(codeOf(100.1, FUEL_LEVEL)).toBe(1000);
    expect(codeOf(-1e9, BATTERY_A)).toBe(0);
    expect(codeOf(Number.NaN, BATTERY_V)).toBe(8190);
    expect(codeOf(Number.POSITIVE_INFINITY, BATTERY_V)).toBe(8190);
  });

  test("that is a reason has the codes from the top downwards", () => {
    expect(REASONS.map((reason) => 1023 - codeOf(reason, FUEL_LEVEL))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test("of a door is its own code, and stuck the one of the field tables", () => {
    const people = GROUPS.find((group) => group.name === "occupancy")?.fields as readonly Field[];
    expect(peopleCodes(false, 12, 345)).toEqual([12, 345]);
    expect(peopleCodes(true, 12, 345)).toEqual(people.map((field) => codeIn(field, "stuck")));
  });

  test("that is a word the list does not have is unknown", () => {
    expect(wordOf(["lost", "present"], "present", 2)).toBe(1);
    expect(wordOf(["lost", "present"], "unknown", 2)).toBe(2);
    expect(wordOf(["lost", "present"], "no such word", 2)).toBe(2);
  });
});
