import { describe, expect, test } from "vitest";
import type { GatewayState, PointState } from "../../../protocol/schema/index.ts";
import { axisOf, barOf, hasRoomForWords, percentAt, ticksOf } from "./bars.ts";
import { en } from "./en.ts";
import { ageText, createFormat, hoursText } from "./format.ts";
import { nl } from "./nl.ts";
import { byUrgency, firstToFail, isDeviating, isUnheard, margins } from "./order.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 10, 23, 8, 22);
const NOW = START + 31 * HOUR;

const gateway = (outage = true) =>
  (outage ? { outage: { startedAt: new Date(START).toISOString(), until: "" } } : {}) as GatewayState;

function point(part: Partial<PointState> & { p50H?: number } = {}): PointState {
  const { p50H = 10, ...rest } = part;
  const shortage = p50H < 41 ? { shortage: { hours: 41 - p50H, litres: 20 } } : {};
  return {
    pointId: "a",
    name: "A",
    municipality: "M",
    contact: "present",
    mains: "lost",
    priority: 0,
    endurance: {
      kind: "estimate",
      p10H: p50H * 0.8,
      p50H,
      p90H: p50H * 1.2,
      reaches72h: p50H > 45 ? "yes" : "no",
      carriedForward: false,
      hypothetical: false,
      ...shortage,
    },
    ...rest,
  } as PointState;
}

describe("the bar", () => {
  test("has one axis from the outage to 72 hours after it", () => {
    const axis = axisOf(gateway(), NOW);
    expect([axis.fromMs, axis.toMs]).toEqual([START, START + 72 * HOUR]);
    expect(percentAt(axis, NOW)).toBeCloseTo(43.06, 1);
    expect(percentAt(axis, START - HOUR)).toBe(0);
    expect(percentAt(axis, axis.toMs + HOUR)).toBe(100);
  });

  test("looks 72 hours ahead without an outage, and keeps a day ahead in a longer one", () => {
    expect(axisOf(gateway(false), NOW)).toMatchObject({ fromMs: NOW, toMs: NOW + 72 * HOUR, isOutage: false });
    const late = axisOf(gateway(), START + 100 * HOUR);
    expect(late.toMs).toBe(START + 124 * HOUR);
    expect(percentAt(late, START + 100 * HOUR)).toBeLessThan(90);
  });

  test("is solid to the tenth percentile, striped to the ninetieth, and short from there to the goal", () => {
    const axis = axisOf(gateway(), NOW);
    const bar = barOf(point(), axis);
    const width = bar === undefined ? 0 : bar.pastPct + bar.surePct + bar.mayPct;
    expect(width).toBeCloseTo(percentAt(axis, NOW + 12 * HOUR), 1);
    expect(bar?.shortFromPct).toBeCloseTo(width, 1);
    expect(bar?.emptyPct).toBeCloseTo(percentAt(axis, NOW + 10 * HOUR), 1);
    expect(barOf(point({ p50H: 60 }), axis)).toMatchObject({ emptyPct: undefined, shortFromPct: undefined });
    expect(barOf(point({ endurance: { kind: "none", reason: "bad-sensor", asOf: "" } }), axis)).toBeUndefined();
    expect(hasRoomForWords(bar, axis)).toBe(true);
    expect(hasRoomForWords(barOf(point({ p50H: 30 }), axis), axis)).toBe(false);
  });

  test("ticks every six hours of the clock here, and leaves room for the word now and for the goal", () => {
    const format = createFormat("nl");
    const axis = axisOf(gateway(), NOW);
    const ticks = ticksOf(axis, format.hourOfDay);
    expect(ticks.every((tick) => Number(format.hourOfDay(tick.ms)) % 6 === 0)).toBe(true);
    expect(ticks.every((tick) => Math.abs(tick.pct - percentAt(axis, NOW)) >= 6)).toBe(true);
    expect(ticks.filter((tick) => tick.isMidnight).length).toBeGreaterThan(1);
    // An outage may begin at any hour: the last tick never comes near its end.
    for (let hour = 0; hour < 24; hour++) {
      const started = { outage: { startedAt: new Date(START + hour * HOUR).toISOString(), until: "" } } as GatewayState;
      const all = ticksOf(axisOf(started, NOW), format.hourOfDay);
      expect(Math.max(...all.map((tick) => tick.pct))).toBeLessThanOrEqual(82);
    }
  });
});

describe("the order", () => {
  test("priority first, then hours; the silent before the healthy", () => {
    const rows = [
      point({ pointId: "healthy", p50H: 60 }),
      point({ pointId: "silent", contact: "silent", p50H: 60 }),
      point({ pointId: "advice", priority: 3, p50H: 20 }),
      point({ pointId: "critical-later", priority: 1, p50H: 3 }),
      point({ pointId: "critical", priority: 1, p50H: 2 }),
      point({ pointId: "warning", priority: 2, p50H: 8 }),
    ];
    expect([...rows].sort(byUrgency).map((row) => row.pointId)).toEqual([
      "critical",
      "critical-later",
      "warning",
      "silent",
      "advice",
      "healthy",
    ]);
    expect(rows.filter((row) => isDeviating(row, true)).map((row) => row.pointId)).not.toContain("healthy");
    expect(firstToFail(rows)?.pointId).toBe("critical");
  });

  test("a full house deviates; one at standby with its mains does not", () => {
    expect(
      isDeviating(point({ p50H: 60, capacity: 100, occupancy: { people: 100, at: "", quality: "good" } }), true),
    ).toBe(true);
    expect(
      isDeviating(point({ mains: "present", endurance: { kind: "none", reason: "no-backup", asOf: "" } }), true),
    ).toBe(false);
  });

  test("a point without a device counts as known once people told of it, and is asked after in an outage only", () => {
    const none: Partial<PointState> = { contact: "no-device", mains: "unknown", readings: [] };
    const untold = point({ ...none, endurance: { kind: "none", reason: "no-device", asOf: "" } });
    const at = new Date(NOW).toISOString();
    const told = { ...untold, occupancy: { people: 3, at, quality: "good", told: { by: "c", via: "voice" } } } as const;
    expect([isUnheard(untold), isUnheard(told)]).toEqual([true, false]);
    expect([isDeviating(untold, true), isDeviating(untold, false)]).toEqual([true, false]);
  });

  test("margins run from few hours to many", () => {
    const rows = margins([point({ name: "b", p50H: 60 }), point({ name: "a", p50H: 50 })], NOW, NOW + 41 * HOUR);
    expect(rows).toEqual([
      { name: "a", hours: 9 },
      { name: "b", hours: 19 },
    ]);
  });
});

describe("words and figures", () => {
  test("are those of people here", () => {
    const format = createFormat("nl");
    expect(hoursText(3.166)).toBe("3:10");
    expect(hoursText(-1)).toBe("0:00");
    expect([12_000, 240_000, 11_400_000, 4 * 86_400_000].map((ms) => ageText(ms, "u"))).toEqual([
      "12 s",
      "4 min",
      "3:10 u",
      "4 d",
    ]);
    expect(format.whole(3412)).toBe("3.412");
    expect(format.decimal(7.6)).toBe("7,6");
    expect(format.moment(Date.UTC(2026, 10, 24, 15, 42))).toBe("di 16:42");
    expect(format.text("ofTotal", { total: 34 })).toBe("van 34");
  });

  test("both languages fill the same places", () => {
    const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();
    for (const key of Object.keys(nl) as (keyof typeof nl)[]) expect(places(en[key]), key).toEqual(places(nl[key]));
  });
});
