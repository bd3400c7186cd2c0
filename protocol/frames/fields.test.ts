import { describe, expect, test } from "vitest";
import { createBitReader, createBitWriter } from "./bits.ts";
import { type Field, GROUPS, type Group, PHASE, putField, REASONS, takeField, whole } from "./fields.ts";

function through(field: Field, value: unknown): number | string {
  const out = createBitWriter(8);
  putField(out, field, value);
  return takeField(createBitReader(out.bytes(), 0), field);
}

function field(group: string, name: string): Field {
  const found = (GROUPS.find((g) => g.name === group) as Group).fields.find((f) => f.name === name);
  if (found === undefined) throw new Error(`no field ${group}.${name}`);
  return found;
}

describe("a field", () => {
  test("every code of every quantity goes through its value unchanged, within the stated range", () => {
    for (const group of GROUPS) {
      for (const f of group.fields) {
        if ("words" in f) continue;
        for (let raw = 0; raw <= f.rawMax; raw++) {
          expect(through(f, (raw + f.base) / f.perUnit), `${f.name} ${raw}`).toBe((raw + f.base) / f.perUnit);
        }
      }
    }
  });

  test("all eight reasons go through every measured field", () => {
    for (const reason of REASONS) {
      expect(through(field("power", "fuelLevelPct"), reason)).toBe(reason);
      expect(through(field("battery", "batteryA"), reason)).toBe(reason);
      expect(through(field("environment", "temperatureC"), reason)).toBe(reason);
    }
  });

  test("what is no value is unknown, never a number", () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, "nonsense", null, {}]) {
      expect(through(field("power", "loadKw"), value)).toBe("unknown");
    }
    expect(through(field("power", "loadKw"), undefined)).toBe("absent");
  });

  test("a reason that a field has no code for becomes unknown", () => {
    expect(through(field("supplies", "water"), "stuck")).toBe("unknown");
    expect(through(field("power", "mains"), "corrupt")).toBe("unknown");
    expect(through(PHASE, "reserved-9")).toBe("unknown");
  });

  test("a level saturates at both ends and a counter wraps both ways", () => {
    expect(through(field("power", "fuelLevelPct"), 1e9)).toBe(100);
    expect(through(field("power", "fuelLevelPct"), -3)).toBe(0);
    expect(through(field("occupancy", "entries"), 16_376 * 3 + 5)).toBe(5);
    expect(through(field("occupancy", "entries"), -1)).toBe(16_375);
  });

  test("a decoder takes every code above the range that is no reason", () => {
    const out = createBitWriter(2);
    out.put(247, 8);
    expect(takeField(createBitReader(out.bytes(), 0), field("battery", "stateOfChargePct"))).toBe(123.5);
  });

  test("32 bits go through unsigned", () => {
    for (const value of [0, 1, 65_535, 65_536, 2_147_483_648, 4_294_967_295]) {
      expect(through(whole("time", 32), value)).toBe(value);
    }
    expect(through(whole("time", 32), 4_294_967_296)).toBe(4_294_967_295);
  });
});
