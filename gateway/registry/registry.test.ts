import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Registry } from "../../protocol/index.ts";
import { temporaryFolder } from "../../tests/fixtures.ts";
import { listProblems } from "../config/problems.ts";
import { dayBeginMs } from "../domain/point.ts";
import type { GatewayError } from "../errors.ts";
import { changeLine, countChanges, registryChanges } from "./difference.ts";
import { issueKeys, loadKeys } from "./keys.ts";
import { moveAsset } from "./moves.ts";
import {
  checkBytes,
  loadRegistry,
  parseRegistry,
  REGISTRY_BYTES_MAX,
  registryOf,
  registryText,
  saveRegistry,
} from "./registry.ts";
import { registryView } from "./view.ts";
import { warningsBetween, warningsOf } from "./warnings.ts";

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const DEMO = JSON.parse(readFileSync(new URL("../../tests/demo/registry.json", import.meta.url), "utf8")) as Registry;

const problemsOf = (value: unknown): string[] => {
  try {
    registryOf(value, "x.json", listProblems);
    return [];
  } catch (error) {
    return (error as GatewayError).detail["problems"] as string[];
  }
};

describe("the registry", () => {
  test("of the demo is valid: 34 points in 12 municipalities, and nothing in it is worth a warning", () => {
    expect(problemsOf(DEMO)).toEqual([]);
    expect(warningsOf(DEMO)).toEqual([]);
    expect([DEMO.points.length, DEMO.devices.length, DEMO.municipalities.length]).toEqual([34, 34, 12]);
  });

  test("on New Year's Eve the municipality changes and nothing else does", () => {
    const view = registryView(DEMO);
    const midnightMs = Date.parse("2026-12-31T23:00:00Z");
    expect(view.nextChangeMs(Date.parse("2026-11-26T00:00:00Z"))).toBe(midnightMs);
    expect(view.nextChangeMs(midnightMs)).toBe(Number.POSITIVE_INFINITY);
    const [before, after] = [view.points(midnightMs - 1), view.points(midnightMs)];
    const moved = after.filter((point, i) => point.municipality !== before[i]?.municipality);
    expect(moved.map((point) => [point.pointId, point.municipality, point.organisation])).toEqual([
      ["wij-01", "Hilversum", "Gemeente Hilversum"],
      ["wij-02", "Hilversum", "Gemeente Hilversum"],
    ]);
    const rest = (points: typeof before) => points.map(({ municipality: _m, organisation: _o, ...others }) => others);
    expect(rest(after)).toEqual(rest(before));
    expect(view.devices(midnightMs)).toEqual(view.devices(midnightMs - 1));
  });

  test("a mobile set that arrives at hour 10 counts from then on, goes along with its id, and leaves again", () => {
    const set = { assetId: "set-7", type: "generator", kind: "mobile", ratedKw: 30, tankId: "tank-3" } as const;
    const tank = { assetId: "tank-3", type: "tank", capacityL: 900 } as const;
    const moved: Registry = {
      ...DEMO,
      assets: [...DEMO.assets, set, tank],
      assignments: [
        ...DEMO.assignments,
        { assetId: "set-7", pointId: "alm-05", from: "2026-11-27T10:00:00Z", until: "2026-11-28T08:30:00+01:00" },
        { assetId: "set-7", pointId: "alm-01", from: "2026-11-28T07:30:00Z" },
      ],
    };
    expect(problemsOf(moved)).toEqual([]);
    const view = registryView(moved);
    const at = (instant: string, pointId: string) =>
      view.points(Date.parse(instant)).find((point) => point.pointId === pointId);
    expect(at("2026-11-27T09:59:59Z", "alm-05")).toMatchObject({ generator: undefined, connectionPoint: true });
    expect(at("2026-11-27T10:00:00Z", "alm-05")).toMatchObject({
      generator: { assetId: "set-7", tankId: "tank-3", ratedKw: 30, tank: { capacityL: 900 } },
      connectionPoint: false,
    });
    expect(at("2026-11-28T07:30:00Z", "alm-05")?.generator).toBeUndefined();
    // It came last: it counts, and the fixed set is still there.
    expect(at("2026-11-28T07:30:00Z", "alm-01")?.generator?.assetId).toBe("set-7");
    expect(at("2026-11-28T07:29:59Z", "alm-01")?.generator?.assetId).toBe("alm-01-g1");
    expect(warningsOf(moved)).toEqual([
      "assignments/32 (set-7) stands at alm-01 together with alm-01-g1: the one that came last counts",
    ]);
  });

  test("a device that is moved by overwriting its row is told of, one whose row is ended is not", () => {
    const { devices, points } = DEMO;
    const [device] = devices as [Registry["devices"][number]];
    const { owns: _, ...row } = device;
    const between = (...rows: Registry["devices"]) =>
      warningsBetween(DEMO, { ...DEMO, devices: [...rows, ...devices.slice(1)] });
    const told = expect.stringMatching(/is that point's no longer; .* add one with from: alm-01-d1 \(alm-01\)$/);
    const from = "2026-11-27T10:00:00Z";
    expect(between({ ...row, pointId: "alm-02" })).toEqual([told]);
    expect(between({ ...row, pointId: "alm-02", from })).toEqual([told]);
    expect(between({ ...device, until: from }, { ...row, pointId: "alm-02", from })).toEqual([]);
    const renamed = points.map((one) => (one.pointId === "alm-01" ? { ...one, pointId: "alm-1" } : one));
    const after = { ...DEMO, points: renamed, devices: [{ ...row, pointId: "alm-1" }, ...devices.slice(1)] };
    expect(warningsBetween(DEMO, after)).toEqual([]);
  });

  test("says where a device stood at a moment, and who counted there then", () => {
    const view = registryView({
      ...DEMO,
      devices: [
        { deviceId: "d1", pointId: "alm-01", board: "esp32", link: "mqtt", until: "2026-11-27", owns: ["power"] },
        { deviceId: "d2", pointId: "alm-01", board: "esp32", link: "mqtt", from: "2026-11-27", owns: ["power"] },
        { deviceId: "d1", pointId: "alm-02", board: "esp32", link: "mqtt", from: "2026-11-27T10:00:00Z" },
      ],
    });
    const at = (instant: string) => {
      const stay = view.stayOf?.("d1", Date.parse(instant));
      return [stay?.device.pointId, stay?.groupOwners()];
    };
    expect(at("2026-11-26T22:59:59Z")).toEqual(["alm-01", { power: "d1" }]);
    expect(at("2026-11-26T23:00:00Z")).toEqual([undefined, undefined]);
    expect(at("2026-11-27T10:00:00Z")).toEqual(["alm-02", undefined]);
    expect(view.stayOf?.("d3", 0)).toBeUndefined();
  });

  test("tells of every problem at once, each with its place and the nearest name", () => {
    const broken = structuredClone(DEMO) as Registry;
    broken.points[0]?.municipalities.push({ id: "hilversom" });
    broken.devices.push({ deviceId: "alm-01-d1", pointId: "elsewhere-01", board: "esp32", link: "mqtt" });
    broken.devices.push({ deviceId: "alm-01-d2", pointId: "alm-01", board: "esp32", link: "mqtt", owns: ["power"] });
    broken.points.push({ ...(broken.points[1] as Registry["points"][number]) });
    broken.assignments.push({ assetId: "alm-01-g1", pointId: "alm-02", from: "2027-02-30", until: "2027-01-01" });
    const problems = problemsOf(broken);
    for (const problem of [
      "points/0 (alm-01)/municipalities/1/id hilversom is not among the municipalities: did you mean hilversum?",
      "points/0 (alm-01)/municipalities/1 overlaps points/0 (alm-01)/municipalities/0 in time",
      "devices/34 (alm-01-d1)/pointId elsewhere-01 is not among the points",
      "devices/34 (alm-01-d1) is assigned at the same time in devices/0",
      "devices/35 (alm-01-d2)/owns power is owned at the same time by devices/0",
      "points/34/pointId alm-02 is there already as points/1",
      "assignments/31 (alm-01-g1)/from 2027-02-30 is no moment of any calendar",
    ])
      expect(problems).toContain(problem);
  });

  test("what has not the form says so row by row: the words fit the row, not the file", () => {
    const [point, , ...points] = DEMO.points;
    const value = {
      ...DEMO,
      contact: [],
      points: [{ ...point, capasity: 3, kind: "comunity-centre", fuelPriority: 10 }, "x", ...points],
      assets: [
        { assetId: "a b", type: "generatr" },
        { assetId: "g-9", type: "generator", kind: "fixed" },
      ],
      assignments: [{ assetId: "g-9", pointId: "alm-01", from: "1 januari" }],
    };
    const problems = problemsOf(value).join("\n");
    for (const problem of [
      "contact is not a known key: did you mean contacts?",
      "points/0 (alm-01)/capasity is not a known key: did you mean capacity?",
      "points/0 (alm-01)/kind must be one of community-centre, sports-hall, church, village-hall, fire-station, not comunity-centre: did you mean community-centre?",
      "points/0 (alm-01)/fuelPriority must be <= 9",
      "points/1 must be object",
      "assets/0 (a b)/type must be one of generator, tank, battery, not generatr: did you mean generator?",
      "assets/1 (g-9) misses ratedKw",
      "assignments/0 (g-9)/from must be a day (2026-12-31) or an instant (2026-12-31T10:00:00Z)",
    ])
      expect(problems).toContain(problem);
    expect(problemsOf({ version: 3 })).toEqual(["version must be 2 or 1, not 3"]);
    expect(problemsOf([])).toHaveLength(1);
    expect(problemsOf({ version: 2, points: {} })).toContain("points must be a list");
  });

  test("a process without a minimum goes by the norms, but for litres, of which there are none", () => {
    const [first, second, ...rest] = DEMO.processes as [
      Registry["processes"][number],
      Registry["processes"][number],
      ...Registry["processes"],
    ];
    const { minimum: _m, ...bare } = second;
    expect(problemsOf({ ...DEMO, processes: [first, bare, ...rest] })).toEqual([]);
    expect(problemsOf({ ...DEMO, processes: [first, { ...bare, quantity: "fuelL" }, ...rest] })).toEqual([
      "processes/1 (alm-w1)/minimum is missing: the norms have none for fuelL, so give it",
    ]);
  });

  test("a tank whose table falls, or whose dead volume is all of it, is refused; so is a set with two tanks or none", () => {
    const set = { assetId: "g-9", type: "generator", kind: "fixed", ratedKw: 5 } as const;
    const table = [
      { levelPct: 0, litres: 5 },
      { levelPct: 50, litres: 4 },
    ];
    const tank = { capacityL: 100, deadVolumeL: 100, table };
    const withAsset = (asset: Registry["assets"][number]) => problemsOf({ ...DEMO, assets: [...DEMO.assets, asset] });
    expect(withAsset({ ...set, tank })).toHaveLength(2);
    expect(withAsset(set)).toEqual(["assets/31 (g-9) has neither a tank of its own and a tankId: give one"]);
    expect(withAsset({ ...set, tankId: "alm-01-g1" })).toEqual([
      "assets/31 (g-9)/tankId alm-01-g1 is not among the tanks of the assets",
    ]);
  });

  test("is written whole and read back, a row a line; what is no JSON says where", () => {
    saveRegistry(folder.path, DEMO);
    expect(loadRegistry(folder.path, listProblems)).toEqual(DEMO);
    expect(registryText(DEMO).split("\n").length).toBeGreaterThan(200);
    expect(() => parseRegistry("{", "x.json", () => [])).toThrowError(
      expect.objectContaining({ code: "REGISTRY_INVALID" }),
    );
    expect(countChanges(registryChanges(DEMO, { ...DEMO, devices: DEMO.devices.slice(1) }))).toMatchObject({
      devicesRemoved: 1,
      pointsAdded: 0,
    });
  });

  test("that would be too large for the copy is refused: at the limit it is taken, above it is not", () => {
    const bytes = Buffer.byteLength(registryText(DEMO));
    const row = { pointId: "alm-01", role: "x".repeat(60), phone: "088 000 00 00" };
    const rowBytes = Buffer.byteLength(`,\n  ${JSON.stringify({ ...row, phone: "0000000" })}`);
    const fits = Math.floor((REGISTRY_BYTES_MAX - bytes) / rowBytes);
    const withContacts = (count: number) => {
      const more = Array.from({ length: count }, (_, i) => ({ ...row, phone: String(i).padStart(7, "0") }));
      return { ...DEMO, contacts: [...DEMO.contacts, ...more] };
    };
    expect(() => checkBytes(withContacts(fits), "x.json")).not.toThrow();
    expect(() => checkBytes(withContacts(fits + 1), "x.json")).toThrowError(
      expect.objectContaining({ code: "REGISTRY_INVALID" }),
    );
  });

  test("a difference names the row, the field, and both values", () => {
    const after = structuredClone(DEMO);
    (after.points[0] as { capacity?: object }).capacity = { day: 160, night: 60 };
    after.contacts.push({ pointId: "alm-01", role: "Sleutel", phone: "088 000 00 01" });
    after.assignments.shift();
    expect(registryChanges(DEMO, after).map(changeLine)).toEqual([
      "~ points alm-01: capacity.day 150 → 160",
      "- assignments alm-01-g1 alm-01",
      "+ contacts alm-01 Sleutel 088 000 00 01",
    ]);
    expect(registryChanges(DEMO, DEMO)).toEqual([]);
  });

  test("a name of a person is warned of, and so is a municipality that ends before its points leave it", () => {
    const named = [{ pointId: "alm-01", role: "Beheerder", phone: "088 000 00 00", name: "X" }];
    expect(warningsOf({ ...DEMO, contacts: named })[0]).toContain("1 contacts have a name: personal data (AVG)");
    const points = DEMO.points.map((point) =>
      point.pointId === "wij-01" ? { ...point, municipalities: [{ id: "wijdemeren" }] } : point,
    );
    expect(warningsOf({ ...DEMO, points })).toEqual([
      "points/30 (wij-01)/municipalities has wijdemeren after that has ended (2027-01-01)",
    ]);
  });
});

describe("a registry of version 1", () => {
  const POINT_1 = {
    pointId: "alm-01",
    name: "Wijkcentrum",
    kind: "community-centre",
    municipalities: [{ id: "almere" }],
    location: { lat: 52.371, lon: 5.217 },
    capacity: 150,
  };
  const FIXED = { kind: "fixed", ratedKw: 8, tank: { capacityL: 200 } };
  const VERSION_1 = {
    version: 1,
    profile: "concept-2026",
    municipalities: [{ id: "almere", name: "Almere", region: "Flevoland" }],
    points: [
      {
        ...POINT_1,
        generators: [
          { ...FIXED, until: "2026-12-01" },
          { ...FIXED, kind: "mobile", from: "2026-12-02" },
        ],
        batteries: [{ chemistry: "lfp", capacityKwh: 5, nominalV: 25.6 }],
      },
      { ...POINT_1, pointId: "alm-02", connectionPoint: true },
    ],
    devices: [{ deviceId: "alm-01-d1", pointId: "alm-01", board: "virtual", link: "mqtt" }],
  };

  test("loads as version 2: sets and batteries become assets that stand where they stood, when they did", () => {
    const registry = registryOf(VERSION_1, "x.json", listProblems);
    expect(registry.version).toBe(2);
    expect(registry.assignments).toEqual([
      { assetId: "alm-01-g1", pointId: "alm-01", until: "2026-12-01" },
      { assetId: "alm-01-g2", pointId: "alm-01", from: "2026-12-02" },
      { assetId: "alm-01-b1", pointId: "alm-01" },
    ]);
    const generatorOn = (day: string) => registryView(registry).points(dayBeginMs(day))[0]?.generator;
    expect(generatorOn("2026-11-30")).toEqual({ assetId: "alm-01-g1", ...FIXED });
    expect(generatorOn("2026-12-01")).toBeUndefined();
    expect(generatorOn("2026-12-02")).toEqual({ assetId: "alm-01-g2", ...FIXED, kind: "mobile" });
    expect(registryView(registry).points(0)).toMatchObject([
      { capacity: { day: 150, night: 150 }, battery: { assetId: "alm-01-b1", capacityKwh: 5 }, connectionPoint: false },
      { connectionPoint: true },
    ]);
    // The same at every reading, and what comes out is a file of version 2.
    expect(registryOf(VERSION_1, "x.json", listProblems)).toEqual(registry);
    expect(parseRegistry(registryText(registry), "y.json", listProblems)).toEqual(registry);
  });

  test("is held to its own form", () => {
    expect(problemsOf({ ...VERSION_1, assets: [] })).toEqual(["assets is not a known key"]);
    expect(problemsOf({ ...VERSION_1, points: [{ ...POINT_1, generators: [{ kind: "fixed" }] }] })).toEqual([
      "points/0 (alm-01)/generators/0 misses ratedKw, tank",
    ]);
  });

  test("two long names that are cut alike get ids of their own", () => {
    const long = "a".repeat(30);
    const points = ["x1", "x2"].map((end) => ({ ...POINT_1, pointId: `${long}${end}`, generators: [FIXED] }));
    const { assets } = registryOf({ ...VERSION_1, points, devices: [] }, "x.json", listProblems);
    expect(assets.map((one) => one.assetId)).toEqual([`${"a".repeat(29)}-g1`, `${"a".repeat(29)}-g2`]);
  });
});

describe("moving an asset", () => {
  const NOW_MS = Date.parse("2026-11-27T10:00:00.400Z");

  test("ends where it stood and begins where it goes; told twice it stands", () => {
    const move = moveAsset(DEMO, { assetId: "alm-01-g1", pointId: "alm-05" }, NOW_MS);
    expect(move.left).toBe("alm-01");
    expect(move.registry.assignments.filter((one) => one.assetId === "alm-01-g1")).toEqual([
      { assetId: "alm-01-g1", pointId: "alm-01", until: "2026-11-27T10:00:00.000Z" },
      { assetId: "alm-01-g1", pointId: "alm-05", from: "2026-11-27T10:00:00.000Z" },
    ]);
    expect(problemsOf(move.registry)).toEqual([]);
    const again = moveAsset(move.registry, { assetId: "alm-01-g1", pointId: "alm-05" }, NOW_MS + 60_000);
    expect(again.registry).toBe(move.registry);
    const away = moveAsset(move.registry, { assetId: "alm-01-g1", from: "2026-11-28" }, NOW_MS);
    expect(away.assignment).toBeUndefined();
    expect(away.registry.assignments.at(-1)).toMatchObject({ pointId: "alm-05", until: "2026-11-28" });
  });

  test("is refused for what is not there, and before what is planned already", () => {
    const move = (part: Parameters<typeof moveAsset>[1], registry = DEMO) => moveAsset(registry, part, NOW_MS);
    expect(() => move({ assetId: "alm-01-g2", pointId: "alm-05" })).toThrowError(
      expect.objectContaining({ code: "ASSET_UNKNOWN", detail: { assetId: "alm-01-g2", near: "alm-01-g1" } }),
    );
    expect(() => move({ assetId: "alm-01-g1", pointId: "nowhere" })).toThrowError(
      expect.objectContaining({ code: "POINT_UNKNOWN" }),
    );
    const planned = move({ assetId: "alm-01-g1", pointId: "alm-05", from: "2026-12-24" }).registry;
    expect(() => move({ assetId: "alm-01-g1", pointId: "lel-01" }, planned)).toThrowError(
      expect.objectContaining({ code: "ASSIGNMENT_IMPOSSIBLE" }),
    );
    expect(() => move({ assetId: "alm-01-g1", pointId: "lel-01", from: "2026-99-99" })).toThrowError(
      expect.objectContaining({ code: "ASSIGNMENT_IMPOSSIBLE" }),
    );
  });
});

describe("keys", () => {
  test("are made once, kept over imports, replaced on request, readable by nobody else", () => {
    const first = issueKeys(folder.path, DEMO);
    expect(first.devices).toHaveLength(34);
    expect(new Set(first.devices.map((one) => one.key)).size).toBe(34);
    expect(statSync(join(folder.path, "keys.json")).mode & 0o777).toBe(0o600);
    expect(issueKeys(folder.path, DEMO).devices).toEqual([]);
    const kept = loadKeys(folder.path).get("alm-02-d1");
    const again = issueKeys(folder.path, DEMO, ["alm-01-d1"]);
    expect(again.devices.map((one) => one.deviceId)).toEqual(["alm-01-d1"]);
    expect(again.devices[0]?.key).not.toBe(first.devices[0]?.key);
    expect(loadKeys(folder.path).get("alm-02-d1")).toEqual(kept);
  });

  test("of a device that went are gone: its name comes back with another", () => {
    const [first] = issueKeys(folder.path, DEMO).devices;
    issueKeys(folder.path, { ...DEMO, devices: DEMO.devices.slice(1) });
    const [again] = issueKeys(folder.path, DEMO).devices;
    expect(again?.deviceId).toBe(first?.deviceId);
    expect(again?.key).not.toBe(first?.key);
  });

  test("a broken file is told of and never overwritten by itself", () => {
    writeFileSync(join(folder.path, "keys.json"), "{");
    expect(() => loadKeys(folder.path)).toThrowError(expect.objectContaining({ code: "FILE_UNREADABLE" }));
    expect(() => issueKeys(folder.path, DEMO)).toThrowError(expect.objectContaining({ code: "FILE_UNREADABLE" }));
    expect(readFileSync(join(folder.path, "keys.json"), "utf8")).toBe("{");
  });

  test.each(["{}", "null", "[]", '{"keys":[]}', '{"keys":{"a":7}}', '{"keys":{"a":"no key"}}'])(
    "a file that is JSON and nothing we wrote is told of so: %s",
    (text) => {
      writeFileSync(join(folder.path, "keys.json"), text);
      const wanted = {
        code: "FILE_UNREADABLE",
        detail: expect.objectContaining({ reason: expect.stringMatching(/torn/) }),
      };
      expect(() => loadKeys(folder.path)).toThrowError(expect.objectContaining(wanted));
    },
  );
});
