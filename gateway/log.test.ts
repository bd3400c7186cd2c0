import { describe, expect, test } from "vitest";
import { createLogs, type LogLevel, REPEATS_MAX, REPEATS_WINDOW_MS, textLine } from "./log.ts";

function start(level: LogLevel = "info") {
  const lines: string[] = [];
  let nowMs = 0;
  const logs = createLogs({
    level,
    destination: { write: (line: string) => void lines.push(line) },
    clock: { monotonicMs: () => nowMs },
  });
  const rows = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { logs, lines, rows, pass };
}

describe("the log", () => {
  test("is one JSON object a line, with a fixed event and its figures", () => {
    const { logs, lines, rows } = start();
    logs.area("sinks").warn("sink cannot deliver", { sink: "influxdb", reason: "two\nlines" });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\{[^\n]*\}\n$/);
    expect(rows()[0]).toEqual({
      level: "warn",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      area: "sinks",
      event: "sink cannot deliver",
      sink: "influxdb",
      reason: "two\nlines",
    });
  });

  test("says nothing below its level, and a new level holds for every area at once", () => {
    const { logs, rows } = start("error");
    const area = logs.area("app");
    area.info("one");
    area.warn("two");
    area.error("three");
    logs.setLevel("info");
    area.info("four");
    logs.area("other").info("five");
    expect(rows().map((row) => row["event"])).toEqual(["three", "four", "five"]);
  });

  test("hides what is secret by its name, at any depth, and keeps its own names apart", () => {
    const { logs, lines, rows } = start();
    const detail = {
      password: "p4ss",
      token: "t0k",
      level: "x",
      time: "y",
      nested: { key: "k3y", list: [{ secret: "s3c" }] },
    };
    logs.area("app").info("configured", { ...detail, keys: 4, tokenFile: "influx.token" });
    expect(lines[0]).not.toMatch(/p4ss|t0k|k3y|s3c/);
    expect(rows()[0]).toMatchObject({ level: "info", level_: "x", time_: "y", tokenFile: "influx.token" });
    expect(lines[0]?.match(/"level":/g)).toHaveLength(1);
  });

  test("cuts what is long", () => {
    const { logs, lines } = start();
    const deep = { a: { b: { c: { d: { e: 1 } } } } };
    logs.area("app").warn("long", { text: "x".repeat(50_000), list: Array.from({ length: 5_000 }, (_, i) => i), deep });
    expect(lines[0]?.length).toBeLessThan(4_000);
  });

  test("holds back what repeats, counts it, and lets other events pass", () => {
    const { logs, rows, pass } = start();
    const area = logs.area("mqtt");
    for (let i = 0; i < REPEATS_MAX + 500; i++) area.warn("frame refused", { i });
    area.warn("something else");
    logs.area("http").warn("frame refused");
    expect(rows()).toHaveLength(REPEATS_MAX + 2);
    expect(rows().every((row) => row["suppressed"] === undefined)).toBe(true);
    pass(REPEATS_WINDOW_MS);
    area.warn("frame refused", { i: "after" });
    expect(rows().at(-1)).toMatchObject({ event: "frame refused", i: "after", suppressed: 500 });
    area.warn("frame refused");
    expect(rows().at(-1)).not.toHaveProperty("suppressed");
  });

  test("as text for people: time, level, area, event, figures; a list one a line", () => {
    const row = { level: "warn", time: "2026-11-24T12:00:05.123Z", area: "sinks", event: "sink cannot deliver" };
    expect(textLine(JSON.stringify({ ...row, sink: "influxdb", reason: "no route", n: 3 }))).toBe(
      '12:00:05 WARN  sinks    sink cannot deliver  sink=influxdb reason="no route" n=3\n',
    );
    expect(textLine(JSON.stringify({ ...row, problems: ["a b", "c"] }))).toMatch(/deliver\n +- a b\n +- c\n$/);
  });
});
