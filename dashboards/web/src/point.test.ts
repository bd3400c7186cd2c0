import { describe, expect, test } from "vitest";
import type { PointHistory, PointState } from "../../../protocol/schema/index.ts";
import { hourRows, linesOf, niceTop, pathOf, summaryOf, yOf } from "./chart.ts";
import { findPoints } from "./find-points.ts";
import { createFormat } from "./format.ts";
import { hrefOf, parseRoute, type Route } from "./route.ts";
import {
  emptyWords,
  lastToldMs,
  marginText,
  nextPhases,
  PHASES,
  phaseWord,
  readingName,
  readingWord,
  saidWords,
  sourceWord,
} from "./words.ts";

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 24, 10, 0);
const nl = createFormat("nl");
const en = createFormat("en");

describe("the address", () => {
  test("is read back as it was written", () => {
    const routes: Route[] = [
      { kind: "overview" },
      { kind: "point", pointId: "alm-01" },
      { kind: "point", pointId: "a/b é" },
      { kind: "entry" },
      { kind: "entry", pointId: "alm-01" },
      { kind: "entry", pointId: "alm-01", what: "dip" },
    ];
    for (const route of routes) expect(parseRoute(hrefOf(route))).toEqual(route);
  });

  test("is the overview when it is none of ours, and no broken code stops the screen", () => {
    for (const hash of ["", "#", "#/", "#/punt", "#/punt/", "#search", "#/elders/alm-01"])
      expect(parseRoute(hash)).toEqual({ kind: "overview" });
    expect(parseRoute("#/punt/%E0%A4%A")).toEqual({ kind: "point", pointId: "%E0%A4%A" });
    expect(parseRoute("#/invoer/alm-01/geen")).toEqual({ kind: "entry", pointId: "alm-01" });
  });
});

describe("the moment at which it is empty", () => {
  const iso = (hours: number) => new Date(NOW + hours * HOUR).toISOString();
  const point = (low: number, mid: number, high: number) =>
    ({
      endurance: { kind: "estimate", emptyAt: iso(mid), emptyEarliestAt: iso(low), emptyLatestAt: iso(high) },
    }) as PointState;

  test("is a day, a time and how far it may be off", () => {
    expect(emptyWords(point(0.5, 3.5, 6.5), NOW, nl)).toBe("leeg di 14:30 (±3 u)");
    expect(emptyWords(point(0.5, 3.5, 6.5), NOW, en)).toBe("empty Tue 14:30 (±3 h)");
    expect(emptyWords(point(200, 200.5, 201), NOW, nl)).toBe("leeg wo 2 dec 19:30 (±30 min)");
  });

  test("tells both sides apart where one is much wider, and never less than nothing", () => {
    expect(marginText(1, 3, "u")).toBe("−1/+3 u");
    expect(marginText(11.2, 12.1, "u")).toBe("±12 u");
    expect(marginText(-1, 0.2, "u")).toBe("±6 min");
  });
});

describe("words", () => {
  test("every phase has its name, and what usually follows is another phase", () => {
    for (const phase of PHASES) {
      expect(phaseWord(phase, nl)).not.toBe(phase === "open" || phase === "opening" ? "" : phase);
      expect(nextPhases(phase)).not.toContain(phase);
      expect(nextPhases(phase).length).toBeGreaterThan(0);
    }
    expect(nextPhases("unknown").length).toBeGreaterThan(0);
    expect([phaseWord("absent", nl), phaseWord("reserved-9", nl)]).toEqual(["onbekend", "reserved-9"]);
  });

  test("a reading is a figure with its unit, or the reason why there is none", () => {
    const words = (name: string, value: number | string) => readingWord({ name, value }, nl);
    expect(words("power.fuelLevelPct", 6.25)).toBe("6,3 %");
    expect(words("power.loadKw", 3.4)).toBe("3,4 kW");
    expect(words("battery.batteryV", 25.8)).toBe("25,8 V");
    expect(words("environment.temperatureC", 18.5)).toBe("18,5 °C");
    expect(words("occupancy.occupancy", 84)).toBe("84");
    expect(words("supplies.water", 2)).toBe("2 van 5");
    expect(words("power.fuelLevelPct", "open-circuit")).toBe("draadbreuk");
    expect(words("phase", "full")).toBe("vol");
    expect([readingName("supplies.medical", nl), readingName("power.mains", en)]).toEqual(["EHBO, medisch", "Mains"]);
  });

  test("who says it: a device by its name, a person by name and way", () => {
    expect(sourceWord({ deviceId: "alm-01-d1" }, nl)).toBe("sensor alm-01-d1");
    expect(sourceWord({ told: { by: "coordinator-1", via: "voice" } }, nl)).toBe("coordinator-1, via porto");
    const at = (hours: number) => new Date(NOW - hours * HOUR).toISOString();
    const told = { by: "c", via: "runner" };
    const point = {
      occupancy: { at: at(1) },
      fuel: { at: at(3), told },
      readings: [{ at: at(2), told }, { at: at(0) }],
    } as unknown as PointState;
    expect(lastToldMs(point)).toBe(NOW - 2 * HOUR);
    expect(lastToldMs({ readings: [] } as unknown as PointState)).toBeUndefined();
  });

  test("a delivery that was seen says when and how much, and that nobody has confirmed it", () => {
    const seen = { time: nl.moment(NOW), n: nl.whole(600) };
    expect(nl.text("deliveryOf", seen)).toBe(`${nl.moment(NOW)}, gemeten 600 l`);
    expect(nl.text("deliveryMeasured", { n: nl.whole(1_600) })).toBe("gemeten 1.600 l");
    expect(nl.text("delivery-detected")).toBe("gezien, niet bevestigd");
    expect(en.text("deliveryOf", { time: en.moment(NOW), n: en.whole(600) })).toBe(`${en.moment(NOW)}, measured 600 l`);
    expect(en.text("deliveryMeasured", { n: en.whole(1_600) })).toBe("measured 1,600 l");
    expect(en.text("delivery-detected")).toBe("seen, not confirmed");
  });

  test("a statement in one line, as it is read back", () => {
    expect(saidWords({ kind: "count", people: 1203 }, nl)).toBe("1.203 mensen");
    expect(saidWords({ kind: "dip", mm: 410 }, nl)).toBe("peilstok 410 mm");
    expect(saidWords({ kind: "dip", litres: 82.5 }, nl)).toBe("peilstok 82,5 l");
    expect(saidWords({ kind: "power", mains: "lost", generator: "running", loadKw: 3.4 }, nl)).toBe(
      "netspanning weg, aggregaat draait, belasting 3,4 kW",
    );
    expect(saidWords({ kind: "supplies", water: 0, medical: 5 }, en)).toBe("Water 0, First aid, medical 5");
  });
});

describe("finding a point", () => {
  const points = [
    { pointId: "alm-01", name: "Buurthuis De Kern", municipality: "Almere" },
    { pointId: "hil-02", name: "MFA 't Trefpunt", municipality: "Hilversum" },
    { pointId: "hil-03", name: "Café Kernhem", municipality: "Hilversum" },
    ...Array.from({ length: 12 }, (_, i) => ({ pointId: `dro-${i}`, name: `Dorpshuis ${i}`, municipality: "Dronten" })),
  ] as PointState[];
  const ids = (text: string) => findPoints(points, text).map((point) => point.pointId);

  test("by a part of name, place or id, without its accents and signs", () => {
    expect(ids("trefp")).toEqual(["hil-02"]);
    expect(ids("t tref")).toEqual(["hil-02"]);
    expect(ids("cafe")).toEqual(["hil-03"]);
    expect(ids("kern")).toEqual(["alm-01", "hil-03"]);
    expect(ids("kern hilv")).toEqual(["hil-03"]);
    expect(ids("ALM-01")).toEqual(["alm-01"]);
    expect(ids("nergens")).toEqual([]);
    expect(ids("dorpshuis")).toHaveLength(8);
  });
});

describe("the chart", () => {
  const history = (last: readonly (number | string | null)[], stepS = 1800) =>
    ({
      from: new Date(NOW - 72 * HOUR).toISOString(),
      stepS,
      steps: last.length,
      series: [{ deviceId: "d1", field: "f", last }],
    }) as unknown as PointHistory;

  test("keeps a gap as a gap, also where a reason stands instead of a number", () => {
    const [line] = linesOf(history([1, 2, null, "stuck", 5, null, 7]), "f");
    expect(line?.runs.map((run) => run.map((dot) => dot.value))).toEqual([[1, 2], [5], [7]]);
    expect(line?.values).toEqual([1, 2, undefined, undefined, 5, undefined, 7]);
    expect(linesOf(history([null, null]), "f")).toEqual([]);
    expect(linesOf(history([1]), "other")).toEqual([]);
    expect(summaryOf(linesOf(history([3, null, 9, 4]), "f"))).toEqual({ low: 3, high: 9, last: 4, gaps: 1 });
    expect(summaryOf([])).toBeUndefined();
  });

  test("draws inside its frame, and a lonely sample so that it is seen", () => {
    const frame = { width: 100, height: 50, fromMs: 0, toMs: 100, top: 10 };
    const run = [
      { ms: 0, value: 0 },
      { ms: 50, value: 5 },
      { ms: 100, value: 99 },
    ];
    expect(pathOf(run, frame)).toBe("M0 50L50 25L100 0");
    expect(pathOf(run.slice(1, 2), frame)).toBe("M50 25h0");
    expect(yOf(frame, -3)).toBe(50);
    expect([0, 1, 7, 120, 201, 999].map(niceTop)).toEqual([1, 1, 10, 200, 500, 1000]);
  });

  test("is a table by the hour, newest first, with its gaps", () => {
    const told = history([1, 2, null, null, 5, null]);
    const rows = hourRows(told, linesOf(told, "f"));
    expect(rows.map((row) => row.values)).toEqual([[5], [undefined], [2]]);
    expect(rows[2]?.ms).toBe(NOW - 72 * HOUR);
    expect(hourRows(history([1, 2, 3], 7200), linesOf(history([1, 2, 3], 7200), "f"))).toHaveLength(3);
  });
});
