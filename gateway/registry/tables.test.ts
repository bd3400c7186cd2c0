import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NOUNS, type Registry } from "../../protocol/index.ts";
import { temporaryFolder } from "../../tests/fixtures.ts";
import { listProblems } from "../config/problems.ts";
import type { GatewayError } from "../errors.ts";
import { numberText, parseCsv, parseNumber, writeCsv } from "./csv.ts";
import { readSource, writeFolder } from "./folder.ts";
import { EMPTY_REGISTRY } from "./shape.ts";
import { readTables, tableOf } from "./tables.ts";

const DEMO = JSON.parse(readFileSync(new URL("../../tests/demo/registry.json", import.meta.url), "utf8")) as Registry;
/** With all that a demo has no use for. */
const FULL: Registry = {
  ...DEMO,
  points: DEMO.points.map((point, i) =>
    i > 0
      ? point
      : {
          ...point,
          bagId: "0034010000000001",
          capacity: { day: 1000, night: 0 },
          connection: {
            phases: 3,
            voltageV: 400,
            ceeA: 63,
            earthing: "TT",
            cableM: 12.125,
            fillerCap: 'links; achter "de deur"',
          },
        },
  ),
  assets: [
    ...DEMO.assets,
    {
      assetId: "set-7",
      type: "generator",
      kind: "mobile",
      ratedKw: 30.125,
      tankId: "tank-3",
      organisation: "brandweer-gv",
    },
    {
      assetId: "tank-3",
      type: "tank",
      capacityL: 900,
      deadVolumeL: 12.5,
      table: [
        { levelPct: 0, litres: 0 },
        { levelPct: 50.5, litres: 300.25 },
      ],
    },
  ],
  assignments: [
    ...DEMO.assignments,
    { assetId: "set-7", pointId: "alm-05", from: "2026-11-27T10:00:00Z", until: "2027-01-01" },
  ],
  contacts: [...DEMO.contacts, { pointId: "alm-01", role: "=1+1", phone: "+31 88 000 00 02", name: "X\nY" }],
};

describe("a CSV text", () => {
  test("with semicolons or commas, a mark, quotes and lines in cells is read with the line of each row", () => {
    const table = parseCsv('\uFEFFa;"b;c"\r\n1;"x ""y""\nz"\r\n\r\n;\r\n3,5;\r\n');
    expect(table).toEqual({
      heads: ["a", "b;c"],
      separator: ";",
      rows: [
        { line: 2, cells: ["1", 'x "y"\nz'] },
        { line: 6, cells: ["3,5", ""] },
      ],
    });
    expect(parseCsv("a,b\n1,2")).toMatchObject({ separator: ",", rows: [{ line: 2, cells: ["1", "2"] }] });
  });

  test.each([
    ["a,b\n1\n", [{ line: 2, text: "has 1 cells, and there are 2 columns" }]],
    ["a,a\n", [{ line: 1, text: "column a is there twice" }]],
    ["a,\n1,2\n", [{ line: 1, text: "column 2 has no name" }]],
    ["", [{ line: 1, text: "there is no line with the names of the columns" }]],
    ['a\nx"y\n', [{ line: 2, text: "cell 1 has a quote in the middle: put all of it in quotes" }]],
    ['a\n"x"y\n', [{ line: 2, text: "cell 1 goes on after its closing quote" }]],
    ['a\n"x\n', [{ line: 2, text: "cell 1 has no closing quote" }]],
  ])("that is none says where: %j", (text, faults) => expect(parseCsv(text)).toEqual({ faults }));

  test("what is written is what is read, whatever the cells hold", () => {
    const cell = fc.string({ unit: fc.constantFrom("a", '"', ";", ",", "\n", " ", "é"), maxLength: 6 });
    const rows = fc.array(
      fc.tuple(cell, cell, cell).filter((row) => row.some((one) => one !== "")),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(rows, fc.constantFrom(";" as const, "," as const), (cells, separator) => {
        const read = parseCsv(writeCsv(["x", "y", "z"], cells, separator));
        expect(read).toMatchObject({ separator, rows: cells.map((row) => ({ cells: row })) });
      }),
    );
  });

  test("numbers: decimals by comma or point, and none that is a thousand to somebody else", () => {
    expect(parseNumber("12,5")).toEqual({ value: 12.5 });
    expect(parseNumber("-3")).toEqual({ value: -3 });
    expect(parseNumber("0,125")).toEqual({ value: 0.125 });
    expect(parseNumber("52.371", true)).toEqual({ value: 52.371 });
    expect(parseNumber("1.000")).toEqual({ fault: "can be read in two ways: write 1000 or 1.0000" });
    for (const text of ["1.000,5", "1e3", "NaN", "0x1", "", "1 000", "Infinity"])
      expect([text, parseNumber(text)]).toEqual([text, { fault: "is not a number" }]);
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.constantFrom(";" as const, "," as const),
        (value, mark) => {
          const rounded = Math.round(value * 1000) / 1000;
          expect(parseNumber(numberText(rounded, mark))).toEqual({ value: rounded === 0 ? 0 : rounded });
        },
      ),
    );
  });
});

describe("the registry as tables", () => {
  test.each([";", ","] as const)("goes out and comes back whole, with %s", (separator) => {
    const tables = Object.fromEntries(NOUNS.map((noun) => [noun, tableOf(noun, FULL, separator)]));
    expect(readTables(tables, EMPTY_REGISTRY, listProblems)).toEqual({ registry: FULL, problems: [] });
  });

  test("for Dutch spreadsheets has decimal commas, and no text that is a formula", () => {
    expect(tableOf("points", FULL)).toContain(";52,371;5,217;143408;487027;");
    expect(tableOf("contacts", FULL)).toContain("alm-01;'=1+1;+31 88 000 00 02;");
    expect(tableOf("points", FULL, ",")).toContain(",52.371,5.217,143408,487027,");
  });

  test("a place by RD is one in degrees; both must be the same place, and not swapped", () => {
    const read = (place: string) => {
      const points = `pointId;name;kind;municipalities;location.lat;location.lon;rdX;rdY\r\nx-01;X;church;almere;${place}\r\n`;
      return readTables({ points }, { ...EMPTY_REGISTRY, municipalities: DEMO.municipalities }, listProblems);
    };
    const { registry, problems } = read(";;155000;463000");
    expect(problems).toEqual([]);
    expect(registry.points[0]?.location).toEqual({ lat: 52.1551744, lon: 5.3872062 });
    expect(read("52,1551744;5,3872062;155010;463000").problems).toEqual([]);
    expect(read("52,1551744;5,3872062;155100;463000").problems).toEqual([
      "points.csv line 2, column rdX and rdY lie 100 m from location.lat and location.lon: leave one pair out",
    ]);
    expect(read(";;463000;155000").problems[0]).toContain("are the two swapped?");
    expect(read(";;155000;").problems[0]).toBe("points.csv line 2, column rdY is missing beside the other one");
  });

  test("every problem of every file at once, by line and column, in the order of the files", () => {
    const points = tableOf("points", DEMO)
      .replace("community-centre;;almere", "buurthuis;;almere")
      .replace("connection.ceeA", "connection.cee")
      .replace("fire-station;true;almere", "fire-station;misschien;almeer");
    const assignments = "assetId;pointId;from\r\nalm-01-g1;alm-99;2026-11-27\r\nalm-01-g1;alm-01;gisteren\r\n";
    const { problems } = readTables({ points, assignments }, DEMO, listProblems);
    expect(problems).toEqual([
      "points.csv line 1: column connection.cee is not known: did you mean connection.ceeA?",
      "points.csv line 2 (alm-01), column kind must be one of community-centre, sports-hall, church, village-hall, fire-station, not buurthuis",
      "points.csv line 7, column coordination misschien is neither yes nor no: write true or false",
      "assignments.csv line 2 (alm-01-g1), column pointId alm-99 is not among the points: did you mean alm-02?",
      "assignments.csv line 3 (alm-01-g1), column from must be a day (2026-12-31) or an instant (2026-12-31T10:00:00Z)",
    ]);
  });

  test("a row that is wrong makes nobody else wrong who refers to it", () => {
    const points = tableOf("points", DEMO).replace("community-centre;;almere", "buurthuis;;almere");
    expect(readTables({ points }, DEMO, listProblems).problems).toHaveLength(1);
  });
});

describe("a folder", () => {
  let folder: ReturnType<typeof temporaryFolder>;
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => folder.remove());
  const read = (path: string) => readSource(path, () => DEMO, listProblems);
  const problemsOf = (path: string): unknown => {
    try {
      return read(path).kept;
    } catch (error) {
      return (error as GatewayError).detail["problems"];
    }
  };

  test("is written and read whole; one file of it changes its list and leaves the others", () => {
    const files = writeFolder(folder.path, FULL);
    expect(files).toHaveLength(NOUNS.length);
    expect(read(folder.path)).toEqual({ registry: FULL, kept: [] });
    const one = read(join(folder.path, "contacts.csv"));
    expect(one.registry).toEqual({ ...DEMO, contacts: FULL.contacts });
    expect(one.kept).toEqual(NOUNS.filter((noun) => noun !== "contacts"));
  });

  test("that is empty, has a file of another name, or one that is not UTF-8 says so", () => {
    expect(problemsOf(folder.path)).toEqual([expect.stringContaining("there is no CSV file in it")]);
    writeFileSync(join(folder.path, "contact.csv"), "x");
    expect(problemsOf(folder.path)).toEqual([
      "contact.csv is named after no list of the registry: did you mean contacts.csv?",
    ]);
    const other = join(folder.path, "other");
    mkdirSync(other);
    writeFileSync(
      join(other, "contacts.csv"),
      Buffer.from("pointId;role;phone\nalm-01;Co\xf6rdinator;088\n", "latin1"),
    );
    expect(problemsOf(other)).toEqual(['contacts.csv line 2 is not UTF-8: save it as "CSV UTF-8"']);
    expect(() => read(join(folder.path, "nowhere"))).toThrowError(expect.objectContaining({ code: "FILE_UNREADABLE" }));
  });
});
