import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { namesOf, ROW_CONTEXT, rowsOfEverything } from "../../tests/influx-rows.ts";
import { dictionaryMarkdown, measurementOf } from "./dictionary.ts";
import { lineOf } from "./lines.ts";
import { valuesOf } from "./values.ts";

test("docs/data-dictionary.md is made from the dictionary", () => {
  const file = readFileSync(new URL("../../docs/data-dictionary.md", import.meta.url), "utf8");
  const tables = file.slice(file.indexOf("## "));
  expect(tables, "run node gateway/sinks/write-dictionary.ts").toBe(dictionaryMarkdown());
});

test("every value of a row has a field of its type in the dictionary, and so stands in the line", () => {
  for (const row of rowsOfEverything()) {
    const { measurement, values } = valuesOf(row);
    const types = new Map(measurementOf(measurement).fields.map(({ name, type }) => [name, type]));
    for (const [name, value] of values) {
      expect(types.get(name), `${measurement}.${name}`).toBe(typeof value === "number" ? "float" : "string");
    }
    expect([...namesOf(lineOf(row, ROW_CONTEXT)).fields].sort()).toEqual([...values.keys()].sort());
  }
});

test("a measurement that nobody has listed is a fault of the program", () => {
  expect(() => measurementOf("weather")).toThrow("there is no measurement weather");
});
