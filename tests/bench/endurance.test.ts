// The judge judged: its scores by hand, its limits on forecasters of which all is known, and traces of others.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Endurance } from "../../protocol/index.ts";
import { POINT } from "../engine-fixtures.ts";
import { temporaryFolder } from "../fixtures.ts";
import { bench } from "./endurance.ts";
import { movingAverage, ratedTable, sheetLitresPerH } from "./endurance-baselines.ts";
import type { Asked, Feed, Judged } from "./endurance-feed.ts";
import { type Heard, NOTHING_HEARD, type Sample } from "./endurance-heard.ts";
import { honestyOf } from "./endurance-honesty.ts";
import { CONTROL_POINTS_MIN, CONTROLS, coverageOffMax, dishonestBy, missedBy } from "./endurance-limits.ts";
import { coverageOf, errorPairs, model, PEERS, pinballOf } from "./endurance-score.ts";

const NOW_MS = Date.UTC(2026, 10, 25);
const BATTERY = { chemistry: "lfp", capacityKwh: 10, nominalV: 50, floorPct: 20 } as const;

function feed(part: Partial<Feed> = {}): Feed {
  return {
    view: POINT,
    hasDevice: true,
    intervalS: 60,
    startMs: NOW_MS,
    classes: [],
    fromH: 0,
    toH: 48,
    emptyH: () => 48,
    until: () => [],
    ...part,
  };
}

function estimate(p10H: number, p50H: number, p90H: number): Endurance {
  const at = "2026-11-25T00:00:00Z";
  const clock = { emptyAt: at, emptyEarliestAt: at, emptyLatestAt: at, asOf: at };
  const words = { kind: "estimate", method: "fitted", limitedBy: "fuel", reaches72h: "no" } as const;
  return { ...words, ...clock, p10H, p50H, p90H, carriedForward: false, hypothetical: false };
}

const none = (reason: "no-device" | "no-data" | "too-early" | "bad-sensor" | "no-backup"): Endurance => {
  return { kind: "none", reason, asOf: "2026-11-25T00:00:00Z" };
};

function asked(truthH: number | undefined, endurance: Endurance, part: Partial<Asked> = {}): Asked {
  const heard = { ...NOTHING_HEARD };
  return {
    hour: 48 - (truthH ?? 0),
    truthH,
    endurance,
    rated: undefined,
    average: undefined,
    heard,
    nowMs: NOW_MS,
    ...part,
  };
}

function sample(part: Partial<Sample>): Sample {
  const nothing = {
    levelPct: undefined,
    loadKw: undefined,
    volts: undefined,
    amperes: undefined,
    chargePct: undefined,
  };
  return { atMs: NOW_MS, generator: "running", mains: "lost", ...nothing, ...part };
}

/** Points that last so long, asked every half hour, each answer by a rule. */
function pointsAsked(count: number, answer: (truthH: number) => Partial<Asked> & { readonly endurance: Endurance }) {
  return Array.from({ length: count }, (_, number): Judged => {
    const hours = Array.from({ length: 100 }, (_, i) => 50 - i / 2);
    const view = { ...POINT, pointId: `known-${number}` };
    return { feed: feed({ view }), asked: hours.map((truthH) => asked(truthH, none("no-data"), answer(truthH))) };
  });
}

describe("scores", () => {
  test("a point weighs the same, however often it was asked", () => {
    const sure = { feed: feed(), asked: Array.from({ length: 9 }, () => asked(10, estimate(9, 10, 11))) };
    const bold = { feed: feed(), asked: [asked(10, estimate(11, 12, 13))] };
    expect(coverageOf([sure, bold], model)).toEqual({ points: 2, inside: 0.5, early: 0.5, late: 0 });
  });

  test("what has no known end is not scored", () => {
    expect(coverageOf([{ feed: feed(), asked: [asked(undefined, estimate(1, 2, 3))] }], model).points).toBe(0);
  });

  test("errors are compared where both gave a number, one a point, at the horizon", () => {
    const at = (truthH: number, p50H: number, rated: number | undefined) =>
      asked(truthH, estimate(1, p50H, 99), { rated });
    const judged = [
      { feed: feed(), asked: [at(7, 3, 3), at(6.1, 5, 9), at(5.9, 0, 0)] },
      { feed: feed(), asked: [at(6, 5, undefined)] },
    ];
    const pairs = errorPairs(judged, 6, model, PEERS["rated-table"] ?? model);
    expect(pairs).toHaveLength(1);
    expect(pairs[0]?.mine).toBeCloseTo(1.1, 9);
    expect(pairs[0]?.theirs).toBeCloseTo(2.9, 9);
  });

  test("the loss is the mean of three pinballs", () => {
    const judged = [{ feed: feed(), asked: [asked(6, estimate(4, 7, 9))] }];
    // 0.1 × 2, 0.5 × 1, 0.1 × 3.
    expect(pinballOf(judged, 6, model)).toBeCloseTo((0.2 + 0.5 + 0.3) / 3, 9);
  });
});

describe("limits", () => {
  const peers = (truthH: number) => ({ endurance: estimate(1, 2, 3), rated: truthH * 1.6, average: truthH * 0.5 });

  test.each([CONTROL_POINTS_MIN, 120, 1_000])(
    "of %i points an honest forecaster keeps to them, and every overconfident one is caught",
    (count) => {
      const judged = pointsAsked(count, peers);
      for (const { name, pick, mustHold } of CONTROLS.filter((one) => one.name.startsWith("oracle"))) {
        expect(missedBy(judged, pick).length === 0, `${name}: ${missedBy(judged, pick)}`).toBe(mustHold);
      }
    },
  );

  test("80 ± 5 % from 1,000 points on, with room for chance below", () => {
    expect(coverageOffMax(1_000)).toBe(0.05);
    expect(coverageOffMax(120)).toBeCloseTo(0.05 + 1.96 * Math.sqrt(0.16 / 120), 9);
  });

  test.each([
    { inside: 84, holds: true },
    { inside: 86, holds: false },
    { inside: 76, holds: true },
    { inside: 74, holds: false },
  ])("of 1,000 points with $inside % inside: $holds", ({ inside, holds }) => {
    const judged = Array.from({ length: 1_000 }, (_, i) => {
      const truthH = i % 100 < inside ? 10 : 20;
      return { feed: feed(), asked: [asked(truthH, estimate(9, 10, 11))] };
    });
    expect(missedBy(judged, model).length === 0).toBe(holds);
  });

  test("points of which nothing is scored do not widen the limits of the others", () => {
    const silent = Array.from({ length: 300 }, () => ({ feed: feed(), asked: [asked(10, none("no-device"))] }));
    const told = Array.from({ length: 700 }, (_, i) => {
      return { feed: feed(), asked: [asked(i % 100 < 86 ? 10 : 20, estimate(9, 10, 11))] };
    });
    expect(missedBy([...told, ...silent], model)).toHaveLength(1);
  });

  test("no better than a peer is missed", () => {
    const judged = pointsAsked(1_000, (truthH) => ({
      endurance: estimate(truthH * 0.9, truthH * 1.1, truthH * 1.2),
      rated: truthH * 1.05,
    }));
    expect(missedBy(judged, model).filter((one) => one.includes("rated-table"))).toHaveLength(4);
  });

  test.each([9, 10])("of %i pairs, a comparison is made from ten on", (count) => {
    const judged = pointsAsked(count, (truthH) => ({ endurance: estimate(0, truthH * 1.5, 99), rated: truthH }));
    expect(missedBy(judged, model).some((one) => one.includes("rated-table"))).toBe(count >= 10);
  });

  test("a range out of order is missed", () => {
    const heard: Heard = { ...NOTHING_HEARD, newest: sample({ levelPct: 50 }), levelMs: NOW_MS, levelPct: 50 };
    const judged = [
      {
        feed: feed(),
        asked: [asked(5, estimate(3, 2, 4), { heard }), asked(5, estimate(1, Number.NaN, 4), { heard })],
      },
    ];
    expect(dishonestBy(judged)).toEqual(["2 estimates out of order"]);
  });
});

describe("honesty", () => {
  const level: Heard = { ...NOTHING_HEARD, newest: sample({ levelPct: 50 }), levelMs: NOW_MS, levelPct: 50 };
  const broken: Heard = { ...NOTHING_HEARD, newest: sample({ levelPct: "open-circuit" }) };
  const giving: Heard = {
    ...NOTHING_HEARD,
    newest: sample({ amperes: -5, chargePct: 70, generator: "absent" }),
    chargeMs: NOW_MS,
    chargePct: 70,
    givingMs: NOW_MS - 3_600_000,
    gave: true,
  };
  const some = estimate(1, 2, 3);
  const alone = feed({ view: { ...POINT, generator: undefined, battery: BATTERY } });
  const both = feed({ view: { ...POINT, battery: BATTERY } });

  test.each([
    ["a level", feed(), level, some, "number"],
    ["a level, and none given", feed(), level, none("too-early"), "none-withheld"],
    ["a sensor that never worked", feed(), broken, some, "number-dishonest"],
    ["a sensor that never worked, and none given", feed(), broken, none("bad-sensor"), "none-honest"],
    ["a sensor that never worked, and another reason", feed(), broken, none("no-data"), "none-wrong-reason"],
    ["nothing", feed(), NOTHING_HEARD, some, "number-dishonest"],
    ["nothing, and none given", feed(), NOTHING_HEARD, none("no-data"), "none-honest"],
    ["no device", feed({ hasDevice: false }), NOTHING_HEARD, none("no-device"), "none-honest"],
    ["no device, and another reason", feed({ hasDevice: false }), NOTHING_HEARD, none("no-data"), "none-wrong-reason"],
    ["a battery that has been giving for an hour", alone, giving, none("too-early"), "none-withheld"],
    ["a battery that began", alone, { ...giving, givingMs: NOW_MS - 600_000 }, none("too-early"), "none-honest"],
    ["a battery that never gave", alone, { ...giving, givingMs: undefined, gave: false }, some, "number-dishonest"],
    ["a battery beside a set with unknown fuel", both, { ...giving, newest: sample({}) }, some, "number-dishonest"],
    [
      "a battery beside a set that failed",
      both,
      { ...giving, newest: sample({ generator: "failed" }) },
      some,
      "number",
    ],
    [
      "a level of an hour ago, as if it were now",
      feed(),
      { ...level, newest: sample({ atMs: NOW_MS - 3_600_000 }) },
      some,
      "number-unmarked",
    ],
    [
      "a level of an hour ago, carried forward",
      feed(),
      { ...level, newest: sample({ atMs: NOW_MS - 3_600_000 }) },
      { ...some, carriedForward: true },
      "number",
    ],
  ] as const)("%s", (_, of, heard, endurance, expected) => {
    expect(honestyOf(of, asked(5, endurance, { heard }))).toBe(expected);
  });
});

describe("baselines", () => {
  const heardOf = (recent: readonly Sample[], part: Partial<Heard>): Heard => {
    return { ...NOTHING_HEARD, newest: recent[recent.length - 1], recent, ...part };
  };
  const level = { levelMs: NOW_MS, levelPct: 50 };

  test("the table knows its own sheets, and reads between them", () => {
    expect(sheetLitresPerH(8, 0.5)).toBe(1.3);
    expect(sheetLitresPerH(8, 0.625)).toBeCloseTo(1.55, 9);
    expect(sheetLitresPerH(4, 0.5)).toBe(0.65);
  });

  test("100 litres at half load, and less once the sample is old", () => {
    const heard = heardOf([sample({})], level);
    expect(ratedTable(POINT, heard, NOW_MS)).toBeCloseTo(100 / 1.3, 6);
    expect(ratedTable(POINT, heard, NOW_MS + 3_600_000)).toBeCloseTo(100 / 1.3 - 1, 6);
  });

  test("the average takes three minutes of load, or the falling level", () => {
    const loads = [9, 2, 4].map((loadKw, i) => sample({ loadKw, atMs: NOW_MS - (2 - i) * 120_000 }));
    // 3 kW of 8: between 25 and 50 %.
    expect(movingAverage(POINT, heardOf(loads, level), NOW_MS)).toBeCloseTo(100 / sheetLitresPerH(8, 3 / 8), 6);
    const levels = [51, 50].map((levelPct, i) => sample({ levelPct, atMs: NOW_MS - (1 - i) * 3_600_000 }));
    expect(movingAverage(POINT, heardOf(levels, level), NOW_MS)).toBeCloseTo(50, 6);
    expect(movingAverage(POINT, heardOf([sample({ levelPct: 50 })], level), NOW_MS)).toBeUndefined();
  });

  test("a battery: ampere-hours above the floor, by Peukert", () => {
    const view = { ...POINT, generator: undefined, battery: BATTERY };
    const heard = heardOf([sample({ amperes: -20, chargePct: 70 })], { chargePct: 70, chargeMs: NOW_MS });
    // 100 of 200 Ah, at twice the 20-hour current.
    expect(movingAverage(view, heard, NOW_MS)).toBeCloseTo(100 / (20 * 2 ** 0.05), 6);
    expect(ratedTable(view, heard, NOW_MS)).toBeCloseTo(10, 6);
  });
});

describe("traces", () => {
  let folder: ReturnType<typeof temporaryFolder>;
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => folder.remove());

  const HEAD = "point,time,fuel_pct,generator,mains,load_kw";
  const FACTS = {
    points: {
      hal: {
        outageAt: "2027-01-04T06:00:00Z",
        emptyAt: "2027-01-05T06:00:00Z",
        generator: { kind: "fixed", ratedKw: 8, tank: { capacityL: 100 } },
      },
    },
  };

  function put(rows: readonly string[], facts: unknown = FACTS): string {
    const path = join(folder.path, "trace.csv");
    writeFileSync(path, `${rows.join("\n")}\n`);
    writeFileSync(join(folder.path, "trace.json"), JSON.stringify(facts));
    return path;
  }

  /** 36 litres in a day at 3.9 kW: empty when it says. */
  const rows = Array.from({ length: 24 * 12 }, (_, i) => {
    const at = new Date(Date.parse("2027-01-04T06:00:00Z") + i * 300_000).toISOString();
    return `hal,${at},${(36 - i / 8).toFixed(1)},running,lost,3.9`;
  });

  const runOn = (trace: string) => bench.run({ flags: { trace }, log: () => {} });

  test("a point that drinks evenly is forecast by the gateway, and judged", async () => {
    const figures = await runOn(put([HEAD, ...rows]));
    const figureOf = (name: string) => figures.find((row) => row.case === name && row.subject === "waakvlam")?.value;
    expect(figureOf("asked")).toBe(48);
    // Those of the last half hour come after the last question.
    expect(figureOf("reports")).toBe(rows.length - 5);
    expect(figureOf("error-6h")).toBeLessThan(1.5);
    expect(figureOf("number-dishonest")).toBe(0);
  });

  test.each([
    ["row 2: 12:00 is no instant", [HEAD, "hal,12:00,50,running,lost,"], FACTS],
    ["row 2: fuel_pct is a number", [HEAD, "hal,2027-01-04T06:00:00Z,half,running,lost,"], FACTS],
    ["row 2: generator is none, stopped", [HEAD, "hal,2027-01-04T06:00:00Z,50,on,lost,"], FACTS],
    ["nothing is said of point zaal", [HEAD, "zaal,2027-01-04T06:00:00Z,50,running,lost,"], FACTS],
    ["there is no column litres", ["point,time,litres", "hal,2027-01-04T06:00:00Z,50"], FACTS],
    ["the column time is missing", ["point", "hal"], FACTS],
    ["has no points", [HEAD], FACTS],
    ["points", [HEAD, ...rows], { points: { hal: {} } }],
  ])("a user is told where: %s", async (said, lines, facts) => {
    await expect(runOn(put(lines, facts))).rejects.toThrow(said);
  });

  test("a file that is not there is said", async () => {
    await expect(runOn(join(folder.path, "none.csv"))).rejects.toThrow("cannot be read: ENOENT");
  });

  test("the example of the documents is read", async () => {
    const text = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const [csv, json] = [
      /```csv\n([\s\S]*?)```/.exec(text)?.[1],
      /```json\n(\{\s*"points": \{[\s\S]*?)```/.exec(text)?.[1],
    ];
    const figures = await runOn(put((csv ?? "").trim().split("\n"), JSON.parse(json ?? "")));
    expect(figures.find((row) => row.case === "reports")?.value).toBe(3);
  });
});
