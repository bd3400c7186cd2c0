// Every query of the dashboards against a real InfluxDB that the sink has filled.
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BOARDS } from "../../dashboards/grafana/boards.ts";
import { systemClock } from "../../gateway/clock.ts";
import type { JournalRecord } from "../../gateway/domain/record.ts";
import { MEASUREMENTS } from "../../gateway/sinks/dictionary.ts";
import { createInfluxSink } from "../../gateway/sinks/influxdb.ts";
import type { Sink } from "../../gateway/sinks/pump.ts";
import { encodeReport } from "../../protocol/index.ts";
import { NOON_MS, report, temporaryFolder } from "../fixtures.ts";
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
function filledIn(query: string, fromMs = NOON_MS): string {
  return query
    .replaceAll("$timeFilter", `time >= ${fromMs}ms AND time < ${fromMs + DAY_MS}ms`)
    .replaceAll("$__interval", "10m")
    .replaceAll("/^$point$/", "/^(alm-01|alm-02)$/");
}

describe.skipIf(!HAS_INFLUX)(`the dashboards (needs influxdb${HAS_INFLUX ? "" : ": not installed"})`, () => {
  const folder = temporaryFolder();
  let influx: Influx;
  let sink: Sink;

  beforeAll(async () => {
    influx = await startInflux(folder.path);
    sink = createInfluxSink({
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

  test("the table of points shows a sample of one moment: no number from before its sensor failed", async () => {
    const rowOf = (id: number, fuelLevelPct: number | "open-circuit"): JournalRecord => {
      const timeMs = NOON_MS + DAY_MS + id * 3_600_000;
      const power = { fuelLevelPct, generator: "running", mains: "lost", loadKw: 4, starterBatteryV: 13 } as const;
      const frame = encodeReport(report({ sequence: id, time: timeMs / 1000, power }));
      const head = { id, deviceId: "alm-01-d1", sequence: 65_536 + id, receivedMs: timeMs, timeMs };
      return { ...head, timeQuality: "synced", link: "mqtt", frame };
    };
    expect(await sink.deliver([rowOf(1, 60), rowOf(2, "open-circuit")])).toEqual({ kind: "accepted" });
    const [query = ""] = BOARDS["overview"]?.panels[0]?.queries ?? [];
    const [row] = await influx.query(filledIn(query, NOON_MS + DAY_MS));
    expect(row).toContain("open-circuit");
    expect(row).not.toContain(60);
    expect(row?.[0]).toMatch(/^2026-11-25T14:00:00/);
  });

  test("the control: a query for a field that is not there gets none", async () => {
    expect(await influx.query(filledIn('SELECT mean("fuel_pct") FROM "report" WHERE $timeFilter'))).toEqual([]);
  });
});
