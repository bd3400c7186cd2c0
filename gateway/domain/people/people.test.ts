import { describe, expect, test } from "vitest";
import type { PointState } from "../../../protocol/index.ts";
import { NOON_MS } from "../../../tests/fixtures.ts";
import { CONCEPT_2026 } from "../profile.ts";
import { enteredBetween, stepCounter } from "./counters.ts";
import { type OccupancyMoment, occupancyOf } from "./occupancy.ts";
import { ownersOf } from "./owners.ts";
import {
  estimatePeople,
  NO_PEOPLE,
  type PeopleModel,
  spreadOf,
  withCount,
  withCounter,
  withDeviceCount,
} from "./people.ts";
import { distanceKm, roomAt } from "./room.ts";

const norms = CONCEPT_2026.people;
const at = (minute: number) => NOON_MS + minute * 60_000;
const BY = { by: "coordinator-1", via: "visit" } as const;

function sample(
  people: PeopleModel,
  minute: number,
  occupancy: number | string,
  part: { entries?: number; id?: string; sequence?: number } = {},
) {
  const { entries, id = "d1", sequence = minute } = part;
  return withCounter(people, id, { sequence, atMs: at(minute), receivedMs: at(minute), occupancy, entries });
}
const count = (people: PeopleModel, minute: number, number: number, receivedMinute = minute) =>
  withCount(people, { people: number, atMs: at(minute), receivedMs: at(receivedMinute), told: BY });
const estimate = (people: PeopleModel, ids = ["d1"]) => estimatePeople(people, ids, norms);
const moment = (part: Partial<OccupancyMoment> = {}): OccupancyMoment => {
  return { nowMs: at(60), staleMs: 210_000, owners: ["d1"], others: [], phase: "open", capacity: 150, norms, ...part };
};

describe("counting", () => {
  test.each([
    [0, 10, 10],
    [16_370, 4, 10],
    [16_375, 0, 1],
    [50, 50, 0],
    [9_000, 0, 7_376],
    [400, 3, undefined],
  ])("entries from %d to %d are %s", (before, after, entered) => {
    expect(enteredBetween(before, after)).toBe(entered);
  });

  test("people are those that came in less those that went out, since the last count", () => {
    let people = sample(NO_PEOPLE, 0, 0, { entries: 0 });
    people = sample(people, 10, 40, { entries: 45 });
    expect(estimate(people)).toMatchObject({ people: 40, passages: 50, perHour: 40 });
    people = count(people, 11, 43);
    expect(estimate(people)).toMatchObject({ people: 43, passages: 0, plusMinus: 0 });
    people = sample(people, 12, 38, { entries: 46 });
    expect(estimate(people)).toMatchObject({ people: 41, passages: 4 });
  });

  test("a counter that begins anew adds what it counts from zero", () => {
    const people = sample(sample(NO_PEOPLE, 0, 60, { entries: 400 }), 1, 3, { entries: 3 });
    expect(estimate(people)?.people).toBe(63);
  });

  test("a reason in place of a number changes nothing, and what comes late changes only the past", () => {
    const people = sample(sample(NO_PEOPLE, 0, 0, { entries: 0 }), 120, 50, { entries: 50 });
    expect(sample(people, 121, "out-of-range")).toBe(people);
    expect(estimate(people)?.perHour).toBe(50);
    const late = sample(people, 55, 45, { entries: 45 });
    expect(estimate(late)).toMatchObject({ people: 50, perHour: 5 });
  });

  test("a count of an earlier moment is moved on by what passed since", () => {
    let people = sample(sample(NO_PEOPLE, 0, 10, { entries: 10 }), 30, 30, { entries: 30 });
    people = count(people, 5, 12, 31);
    expect(estimate(people)).toMatchObject({ people: 32, passages: 20 });
    expect(count(people, 4, 99)).toBe(people);
  });

  test("a count on the device is no flow", () => {
    let people = sample(NO_PEOPLE, 0, 45, { entries: 45 });
    people = withDeviceCount(people, { people: 40, atMs: at(1), receivedMs: at(1), deviceId: "d1", sequence: 1 });
    expect(estimate(sample(people, 2, 41, { entries: 46 }))).toMatchObject({ people: 41, passages: 1 });
  });

  test("counters at one point add up, and their errors in squares", () => {
    let people = sample(sample(NO_PEOPLE, 0, 0, { entries: 0 }), 9, 100, { entries: 250 });
    people = sample(people, 0, 0, { entries: 0, id: "d2" });
    people = sample(people, 9, -60, { entries: 170, id: "d2" });
    const both = estimate(people, ["d1", "d2"]);
    expect(both).toMatchObject({ people: 40, passages: 800 });
    expect(both?.plusMinus).toBe(Math.round(Math.hypot(spreadOf(400, norms), spreadOf(400, norms))));
  });

  test("3 % to one side and 400 passages are 12 people; the misses at random add little", () => {
    expect(spreadOf(400, { ...norms, missShare: 0 })).toBeCloseTo(12, 6);
    expect(spreadOf(400, norms)).toBeCloseTo(13.2, 1);
    // At random: the root. To one side: the number.
    const random = { ...norms, biasShare: 0 };
    expect(spreadOf(400, random) / spreadOf(100, random)).toBeCloseTo(2, 6);
    expect(spreadOf(400, { ...norms, missShare: 0 }) / spreadOf(100, { ...norms, missShare: 0 })).toBeCloseTo(4, 6);
  });

  test("a counter's memory has an end", () => {
    let counter = stepCounter(undefined, { sequence: 0, atMs: at(0), receivedMs: at(0), occupancy: 0, entries: 0 });
    for (let i = 1; i < 2_000; i++)
      counter = stepCounter(counter, { sequence: i, atMs: at(i), receivedMs: at(i), occupancy: i, entries: i });
    expect(counter?.series).toHaveLength(37);
  });
});

describe("who counts", () => {
  const people = sample(sample(NO_PEOPLE, 0, 5, { id: "a" }), 0, 6, { id: "b" });
  test("all that stand there now, or those that the registry names", () => {
    const devices = [{ deviceId: "a" }, { deviceId: "b" }, { deviceId: "silent" }];
    expect(ownersOf(people, devices, undefined)).toEqual({ owners: ["a", "b"], others: [] });
    expect(ownersOf(people, devices, "b")).toEqual({ owners: ["b"], others: ["a"] });
    expect(ownersOf(people, [{ deviceId: "a" }], undefined)).toEqual({ owners: ["a"], others: [] });
  });
});

describe("somebody has to count again", () => {
  const fresh = count(sample(NO_PEOPLE, 0, 20, { entries: 20 }), 50, 20);
  test.each<[string, PeopleModel, Partial<OccupancyMoment>, string | undefined]>([
    ["nobody, after a count", fresh, {}, undefined],
    ["below zero", sample(count(sample(NO_PEOPLE, 0, 20), 50, 5), 55, 10), {}, "below-zero"],
    ["over 120 % of the capacity", count(NO_PEOPLE, 50, 181), {}, "over-capacity"],
    ["at 120 % not yet", count(NO_PEOPLE, 50, 180), {}, undefined],
    ["too many passages, and it may be nearly full", sample(fresh, 55, 100, { entries: 670 }), {}, "drift"],
    ["too many passages, with room for all that can be inside", sample(fresh, 55, 30, { entries: 600 }), {}, undefined],
    ["too many passages, of unknown room", sample(fresh, 55, 30, { entries: 600 }), { capacity: undefined }, "drift"],
    ["twelve hours ago", fresh, { nowMs: at(50 + 721) }, "shift"],
    ["twelve hours ago, and closed", fresh, { nowMs: at(50 + 721), phase: "closed" }, undefined],
    ["never", sample(NO_PEOPLE, 0, 20, { entries: 20 }), {}, "never-counted"],
    ["never, and nobody passed", sample(NO_PEOPLE, 0, 0, { entries: 0 }), {}, undefined],
    ["another counter", sample(fresh, 0, 60, { id: "d2", entries: 60 }), { others: ["d2"] }, undefined],
    [
      "another counter since the count",
      sample(sample(fresh, 0, 0, { id: "d2" }), 55, 50, { id: "d2", sequence: 55 }),
      { others: ["d2"] },
      "counters-disagree",
    ],
  ])("%s", (_, people, part, reason) => {
    expect(occupancyOf(people, moment(part))?.recount).toBe(reason);
  });

  test("what is shown is never below zero, and says who counted until a counter goes on", () => {
    const people = count(sample(NO_PEOPLE, 0, 20), 59, 5);
    expect(occupancyOf(people, moment())).toMatchObject({ people: 5, told: BY, at: "2026-11-24T12:59:00.000Z" });
    expect(occupancyOf(sample(people, 60, 10), moment())).toMatchObject({ people: 0, recount: "below-zero" });
    expect(occupancyOf(sample(people, 60, 10), moment())?.told).toBeUndefined();
  });

  test("by word alone it is old after a shift; with a counter when that is silent", () => {
    expect(occupancyOf(count(NO_PEOPLE, 0, 5), moment({ nowMs: at(719) }))?.quality).toBe("good");
    expect(occupancyOf(count(NO_PEOPLE, 0, 5), moment({ nowMs: at(721) }))?.quality).toBe("stale");
    expect(occupancyOf(sample(NO_PEOPLE, 0, 5), moment({ nowMs: at(4) }))?.quality).toBe("stale");
    expect(occupancyOf(NO_PEOPLE, moment())).toBeUndefined();
  });
});

describe("room elsewhere", () => {
  const place = (pointId: string, part: object): PointState => {
    const occupancy = { people: 10, at: "", quality: "good" };
    return {
      pointId,
      name: pointId,
      phase: "open",
      capacity: 100,
      occupancy,
      location: { lat: 52.37, lon: 5.22 },
      ...part,
    } as unknown as PointState;
  };
  const people = (number: number, part: object = {}) => ({ people: number, at: "", quality: "good", ...part });
  const full = place("full", { occupancy: people(90) });

  test("the distance is the great circle's", () => {
    // Almere to Lelystad: 22.8 km by the WGS84 ellipsoid's geodesic, within a third of a percent.
    expect(distanceKm({ lat: 52.3702, lon: 5.2141 }, { lat: 52.5083, lon: 5.4747 })).toBeCloseTo(23.4, 0);
    expect(distanceKm({ lat: 0, lon: 0 }, { lat: 0, lon: 180 })).toBeCloseTo(Math.PI * 6_371, 3);
  });

  test("the three nearest open points with room, only where nine of ten places are taken", () => {
    const away = (name: string, lon: number, part: object = {}) =>
      place(name, { location: { lat: 52.37, lon }, ...part });
    const all = [
      full,
      away("d", 5.6),
      away("a", 5.3),
      away("c", 5.5),
      away("b", 5.4),
      away("closed", 5.23, { phase: "closed" }),
      away("crowded", 5.24, { occupancy: people(97) }),
      away("unsure", 5.25, { occupancy: people(85, { plusMinus: 12 }) }),
      away("old", 5.26, { occupancy: people(1, { quality: "stale" }) }),
      away("uncounted", 5.27, { occupancy: undefined }),
    ];
    expect(roomAt(full, all, norms).map(({ pointId, km, free }) => [pointId, km, free])).toEqual([
      ["a", 5.4, 90],
      ["b", 12.2, 90],
      ["c", 19, 90],
    ]);
    expect(roomAt(place("quiet", { occupancy: people(89) }), all, norms)).toEqual([]);
    expect(roomAt(place("said", { phase: "full" }), all, norms)).toHaveLength(3);
  });
});
