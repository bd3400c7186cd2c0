// The dashboards ask only for what is there: names of the data dictionary that lines really carry, with their units.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { MEASUREMENTS, measurementOf, TAGS } from "../../gateway/sinks/dictionary.ts";
import { lineOf } from "../../gateway/sinks/lines.ts";
import { namesOf, ROW_CONTEXT, rowsOfEverything } from "../../tests/influx-rows.ts";
import { BOARDS } from "./boards.ts";
import { DATA_SOURCE, dashboardOf, type PanelPlan } from "./panels.ts";

const WRITTEN = new Map<string, Set<string>>();
for (const row of rowsOfEverything()) {
  const { measurement, fields } = namesOf(lineOf(row, ROW_CONTEXT));
  const known = WRITTEN.get(measurement) ?? new Set();
  for (const field of fields) known.add(field);
  WRITTEN.set(measurement, known);
}

const PANELS: readonly (readonly [string, PanelPlan])[] = Object.entries(BOARDS).flatMap(([name, { panels }]) =>
  panels.map((panel) => [`${name}: ${panel.nl}`, panel] as const),
);
const QUERIES = Object.values(BOARDS).flatMap(({ panels, variables }) => [
  ...panels.flatMap(({ queries }) => queries),
  ...variables.map(({ query }) => query),
]);
const WORDS =
  /^(SELECT|FROM|WHERE|AND|GROUP|BY|ORDER|LIMIT|AS|SHOW|TAG|VALUES|WITH|KEY|DESC|time|fill|none|mean|max|min|last|count|sum|elapsed|non_negative_difference|s|point|timeFilter|__interval)$/;
const TAG_NAMES: readonly string[] = TAGS.map(({ name }) => name);
const UNITS: Readonly<Record<string, string>> = {
  "%": "percent",
  kW: "kwatt",
  V: "volt",
  A: "amp",
  Cel: "celsius",
  s: "s",
  "": "none",
  "{person}": "none",
  By: "none",
};

function namesIn(query: string): { measurement: string; names: string[] } {
  const measurement = /FROM "(\w+)"/.exec(query)?.[1] ?? "";
  const names = [...query.replace(/FROM "\w+"/g, "").matchAll(/"(\w+)"/g)].map((match) => match[1] as string);
  // What a subquery calls its column.
  return { measurement, names: names.filter((name) => name !== "elapsed" || !query.includes("elapsed(")) };
}

/** What is wrong with a query; empty when it may be asked. */
function faultsOf(query: string): string[] {
  const { measurement, names } = namesIn(query);
  if (!MEASUREMENTS.some((one) => one.name === measurement)) return [`there is no measurement ${measurement}`];
  const listed = measurementOf(measurement).fields.map(({ name }) => name);
  const written = WRITTEN.get(measurement) ?? new Set();
  const bare = query.replace(/"\w+"|'[^']*'|"\$\w+"/g, "").match(/[A-Za-z_]\w*/g) ?? [];
  return [
    ...names
      .filter((name) => !TAG_NAMES.includes(name) && !listed.includes(name))
      .map((name) => `${name} is not listed`),
    ...names.filter((name) => !TAG_NAMES.includes(name) && !written.has(name)).map((name) => `${name} is not written`),
    ...bare.filter((word) => !WORDS.test(word)).map((word) => `${word} stands without quotes`),
  ];
}

describe("the lines", () => {
  test("carry every field of the dictionary, and no other", () => {
    for (const { name, fields } of MEASUREMENTS) {
      expect([...(WRITTEN.get(name) ?? [])].sort(), name).toEqual(fields.map((field) => field.name).sort());
    }
  });
});

describe("the dashboards", () => {
  test.each(QUERIES.map((query) => [query]))("%s", (query) => expect(faultsOf(query)).toEqual([]));

  test.each([
    ['SELECT mean("fuel_pct") FROM "report"', "fuel_pct is not listed"],
    ['SELECT mean("bytes") FROM "report"', "bytes is not listed"],
    ['SELECT mean(fuelLevelPct) FROM "report"', "fuelLevelPct stands without quotes"],
    ['SELECT mean("fuelLevelPct") FROM "reports"', "there is no measurement reports"],
  ])("the control: %s is found out", (query, fault) => expect(faultsOf(query)).toContain(fault));

  test.each(PANELS)("%s has the unit of what it shows, and a title in two languages", (_, panel) => {
    expect(panel.en).not.toBe(panel.nl);
    if (panel.type !== "timeseries") return;
    for (const query of panel.queries) {
      const { measurement } = namesIn(query);
      const [, call, field] = /SELECT (\w+)\((?:\w+\()?"(\w+)"/.exec(query) ?? [];
      const listed = measurementOf(measurement).fields.find(({ name }) => name === field);
      const unit = call === "count" ? "none" : field === "elapsed" ? "s" : UNITS[listed?.unit ?? "?"];
      expect(panel.unit).toBe(unit);
    }
  });

  test("are the files that Grafana reads, and there are no others", () => {
    const folder = new URL("./dashboards/", import.meta.url);
    expect(readdirSync(folder).sort()).toEqual(
      Object.keys(BOARDS)
        .map((name) => `${name}.json`)
        .sort(),
    );
    for (const [name, plan] of Object.entries(BOARDS)) {
      const file: unknown = JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8"));
      expect(file, `${name}.json: run node dashboards/grafana/build.ts`).toEqual(dashboardOf(plan));
    }
    expect(new Set(Object.values(BOARDS).map(({ uid }) => uid)).size).toBe(Object.keys(BOARDS).length);
  });

  test("the data source that they name is provisioned, and its token is in a file", () => {
    const yaml = readFileSync(new URL("./provisioning/datasources/waakvlam.yaml", import.meta.url), "utf8");
    expect(yaml).toContain(`uid: ${DATA_SOURCE.uid}\n`);
    expect(yaml).toContain(`type: ${DATA_SOURCE.type}\n`);
    expect(yaml).toContain("version: InfluxQL\n");
    expect(yaml).toMatch(/httpHeaderValue1: Token \$__file\{\/[^}]+\}\n/);
  });
});
