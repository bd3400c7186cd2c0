// Every query of the dashboards against a real InfluxDB that the sink has filled.
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BOARDS } from "../../dashboards/grafana/boards.ts";
import { systemClock } from "../../gateway/clock.ts";
import { MEASUREMENTS } from "../../gateway/sinks/dictionary.ts";
import { createInfluxSink } from "../../gateway/sinks/influxdb.ts";
import { NOON_MS, temporaryFolder } from "../fixtures.ts";
import { ROW_CONTEXT, rowsOfEverything } from "../influx-rows.ts";
import { type Influx, startInflux } from "./influx.ts";

const HAS_INFLUX = existsSync("/usr/bin/influxd");
const DAY_MS = 86_400_000;
const ROWS = rowsOfEverything();
const QUERIES = Object.entries(BOARDS).flatMap(([name, { panels, variables }]) => [
  ...panels.flatMap((panel) => panel.queries.map((query) => [`${name}: ${panel.en}`, query] as const)),
  ...variables.map(({ en, query }) => [`${name}: choice of ${en}`, query] as const),
]);

/** As Grafana fills its variables in. */
function filledIn(query: string): string {
  return query
    .replaceAll("$timeFilter", `time >= ${NOON_MS}ms AND time < ${NOON_MS + DAY_MS}ms`)
    .replaceAll("$__interval", "10m")
    .replaceAll("/^$point$/", "/^(alm-01|alm-02)$/");
}

describe.skipIf(!HAS_INFLUX)(`the dashboards (needs influxdb${HAS_INFLUX ? "" : ": not installed"})`, () => {
  const folder = temporaryFolder();
  let influx: Influx;

  beforeAll(async () => {
    influx = await startInflux(folder.path);
    const sink = createInfluxSink({
      url: influx.url,
      org: "o",
      bucket: "waakvlam",
      token: "test-token",
      batchRowsMax: 500,
      timeoutMs: 10_000,
      clock: systemClock,
      context: ROW_CONTEXT,
    });
    expect(await sink.deliver(ROWS)).toEqual({ kind: "accepted" });
    // Sent again, it overwrites itself.
    expect(await sink.deliver(ROWS)).toEqual({ kind: "accepted" });
  });
  afterAll(async () => {
    await influx.stop();
    folder.remove();
  });

  test("InfluxDB holds each row once, with the fields and types of the dictionary", async () => {
    let rows = 0;
    for (const { name, fields } of MEASUREMENTS) {
      const listed = fields.map((field) => [field.name, field.type]).sort();
      expect((await influx.query(`SHOW FIELD KEYS FROM "${name}"`)).sort(), name).toEqual(listed);
      rows += (await influx.query(`SELECT "row" FROM "${name}"`)).length;
    }
    expect(rows).toBe(ROWS.length);
  });

  test.each(QUERIES)("%s gets rows back", async (_, query) => {
    const rows = await influx.query(filledIn(query));
    expect(rows.length).toBeGreaterThan(0);
    // The first column is the time; something must stand beside it.
    expect(rows.some((row) => row.slice(1).some((value) => value !== null))).toBe(true);
  });

  test("the control: a query for a field that is not there gets none", async () => {
    expect(await influx.query(filledIn('SELECT mean("fuel_pct") FROM "report" WHERE $timeFilter'))).toEqual([]);
  });
});
