// Tanks that cannot be: each problem by row and field, of a JSON file and of a CSV one.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Registry } from "../../protocol/index.ts";
import { listProblems } from "../config/problems.ts";
import type { GatewayError } from "../errors.ts";
import { registryOf } from "./registry.ts";
import { readTables, tableOf } from "./tables.ts";
import { checkTank } from "./tank-check.ts";

const DEMO = JSON.parse(readFileSync(new URL("../../tests/demo/registry.json", import.meta.url), "utf8")) as Registry;
const SET = { assetId: "g-9", type: "generator", kind: "fixed", ratedKw: 5 } as const;
const PLACE = "assets/31 (g-9)/tank";
/** 1,005 litres. */
const CYLINDER = { shape: "lying-cylinder", lengthMm: 2000, diameterMm: 800 } as const;
const BOX = { shape: "box", lengthMm: 1000, widthMm: 1000, heightMm: 1000 } as const;

/** In JSON: of a set's own tank. */
function problemsOf(tank: unknown): string[] {
  try {
    registryOf({ ...DEMO, assets: [...DEMO.assets, { ...SET, tank }] }, "x.json", listProblems);
    return [];
  } catch (error) {
    return (error as GatewayError).detail["problems"] as string[];
  }
}

/** In CSV: of a tank by itself of 1,000 litres, in line 2. */
function problemsIn(cells: Readonly<Record<string, string>>): readonly string[] {
  const row = { assetId: "tank-3", type: "tank", capacityL: "1000", ...cells };
  const assets = `${Object.keys(row).join(";")}\r\n${Object.values(row).join(";")}\r\n`;
  return readTables({ assets }, { ...DEMO, assignments: [] }, listProblems).problems;
}

const rows = (...all: (readonly [number, number])[]) => all.map(([mm, litres]) => ({ mm, litres }));

describe("a strapping table", () => {
  test("that rises and ends within the capacity is taken, and comes back out of a CSV file as it was", () => {
    const strapping = rows([0, 0], [500, 420.5], [1000, 1000]);
    expect(problemsOf({ capacityL: 1000, strapping })).toEqual([]);
    const assets = tableOf("assets", {
      ...DEMO,
      assets: [{ assetId: "tank-3", type: "tank", capacityL: 1000, strapping, geometry: BOX }],
    });
    const { registry, problems } = readTables({ assets }, { ...DEMO, assignments: [] }, listProblems);
    expect(problems).toEqual([]);
    expect(registry.assets[0]).toMatchObject({ strapping, geometry: BOX });
  });

  test("whose height or litres do not rise, or that holds more than the tank, says which row", () => {
    expect(problemsOf({ capacityL: 1000, strapping: rows([0, 0], [500, 600], [400, 700], [900, 1200]) })).toEqual([
      `${PLACE}/strapping/2 400:700 does not rise above the row before it, 500:600`,
      `${PLACE}/strapping/3/litres 900:1200 is more than capacityL, 1000`,
    ]);
    expect(problemsOf({ capacityL: 1000, strapping: rows([0, 0], [500, 600], [600, 600]) })).toEqual([
      `${PLACE}/strapping/2 600:600 does not rise above the row before it, 500:600`,
    ]);
    expect(problemsIn({ strapping: "0:0 500:600 400:700 900:1200" })).toEqual([
      "assets.csv line 2 (tank-3), column strapping 400:700 does not rise above the row before it, 500:600",
      "assets.csv line 2 (tank-3), column strapping 900:1200 is more than capacityL, 1000",
    ]);
  });

  test("of one row, or with a cell that is none, is refused in its form", () => {
    expect(problemsOf({ capacityL: 1000, strapping: rows([0, 0]) })).toEqual([
      `${PLACE}/strapping must not have fewer than 2 items`,
    ]);
    expect(problemsIn({ strapping: "0:0 500" })).toHaveLength(1);
    expect(problemsIn({ strapping: "0:0 500:-3" })).toEqual([
      "assets.csv line 2 (tank-3), column strapping must be >= 0",
    ]);
  });

  test("does not rise above the inside that stands beside it", () => {
    const strapping = rows([0, 0], [1000, 900], [1100, 1000]);
    expect(problemsOf({ capacityL: 1000, strapping, geometry: BOX })).toEqual([
      `${PLACE}/strapping/2/mm 1100 is above the inside of the geometry, 1000 mm high`,
    ]);
  });
});

describe("a geometry", () => {
  test.each([
    [910, true],
    [1111, true],
    [909, false],
    [1112, false],
  ])("of 1000 litres beside a capacity of %d is taken: %s", (capacityL, isTaken) => {
    expect(checkTank({ capacityL, geometry: BOX }, "t")).toHaveLength(isTaken ? 0 : 1);
  });

  test("that gives another tank's litres says what its figures give; of another unit, asks for it", () => {
    expect(problemsOf({ capacityL: 1000, geometry: CYLINDER })).toEqual([]);
    expect(problemsOf({ capacityL: 1500, geometry: CYLINDER })).toEqual([
      `${PLACE}/capacityL 1500 does not fit the geometry: lengthMm and diameterMm give 1005 l, more than 10 % from it`,
    ]);
    const metres = {
      "geometry.shape": "box",
      "geometry.lengthMm": "1",
      "geometry.widthMm": "1",
      "geometry.heightMm": "1",
    };
    expect(problemsIn(metres)).toEqual([
      "assets.csv line 2 (tank-3), column capacityL 1000 does not fit the geometry: lengthMm, widthMm and heightMm give 0.000001 l, more than 10 % from it: are they millimetres?",
    ]);
  });

  test("is told of by the form that was meant: the field that is missing, that is too many, or that cannot be", () => {
    const of = (geometry: unknown) => problemsOf({ capacityL: 1000, geometry });
    expect(of({ shape: "box", lengthMm: 1000 })).toEqual([`${PLACE}/geometry misses widthMm, heightMm`]);
    expect(of({ lengthMm: 1000 })).toEqual([`${PLACE}/geometry misses shape`]);
    expect(of({ ...CYLINDER, widthMm: 3 })).toEqual([`${PLACE}/geometry/widthMm is not a known key`]);
    expect(of({ ...BOX, lengthMm: 0, heightMm: -1 })).toEqual([
      `${PLACE}/geometry/lengthMm must be > 0`,
      `${PLACE}/geometry/heightMm must be > 0`,
    ]);
    expect(of({ ...CYLINDER, shape: "lying-cylindr" })).toEqual([
      `${PLACE}/geometry/shape must be one of box, lying-cylinder, not lying-cylindr: did you mean lying-cylinder?`,
    ]);
    expect(problemsIn({ "geometry.shape": "lying-cylinder", "geometry.lengthMm": "2000" })).toEqual([
      "assets.csv line 2 (tank-3), column geometry misses diameterMm",
    ]);
    expect(problemsIn({ "geometry.shape": "cylinder", "geometry.lengthMm": "2000" })).toEqual([
      "assets.csv line 2 (tank-3), column geometry.shape must be one of box, lying-cylinder, not cylinder",
    ]);
  });
});

test("a sensor whose span lies outside the tank, and a dead volume that is all of it", () => {
  const tank = { capacityL: 1000, geometry: BOX } as const;
  expect(problemsOf({ ...tank, sensor: { offsetMm: 50, spanMm: 900 } })).toEqual([]);
  expect(problemsOf({ ...tank, sensor: { offsetMm: 1000 } })).toEqual([
    `${PLACE}/sensor/offsetMm 1000 puts the span of the sensor, 1000 to 2000 mm, outside the tank, 0 to 1000 mm`,
  ]);
  expect(problemsOf({ ...tank, sensor: { offsetMm: -300, spanMm: 200 } })).toHaveLength(1);
  expect(problemsOf({ ...tank, deadVolumeL: 1000 })).toEqual([`${PLACE}/deadVolumeL is not less than capacityL`]);
});
