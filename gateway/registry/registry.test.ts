import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Registry } from "../../protocol/index.ts";
import { temporaryFolder } from "../../tests/fixtures.ts";
import { checkRegistry } from "./check.ts";
import { issueKeys, loadKeys } from "./keys.ts";
import { addPerson, listPeople, openPeople, removePerson, SIGN_INS_WAITING_MAX } from "./people.ts";
import { loadRegistry, parseRegistry, registryDifference, registryView, saveRegistry } from "./registry.ts";

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const DEMO = JSON.parse(readFileSync(new URL("../../tests/demo/registry.json", import.meta.url), "utf8")) as Registry;

describe("the registry", () => {
  test("of the demo is valid: 34 points in 12 municipalities", () => {
    expect(checkRegistry(DEMO)).toEqual([]);
    expect([DEMO.points.length, DEMO.devices.length, DEMO.municipalities.length]).toEqual([34, 34, 12]);
  });

  test("on New Year's Eve the municipality changes and nothing else does", () => {
    const view = registryView(DEMO);
    const [before, after] = [view.points("2026-12-31"), view.points("2027-01-01")];
    const moved = after.filter((point, i) => point.municipality !== before[i]?.municipality);
    expect(moved.map((point) => [point.pointId, point.municipality])).toEqual([
      ["wij-01", "Hilversum"],
      ["wij-02", "Hilversum"],
    ]);
    const rest = (points: typeof before) => points.map(({ municipality: _m, region: _r, ...others }) => others);
    expect(rest(after)).toEqual(rest(before));
  });

  test("tells of every problem at once, each with its path", () => {
    const broken = structuredClone(DEMO) as Registry & { points: { municipalities: object[] }[] };
    broken.points[0]?.municipalities.push({ id: "nowhere" });
    broken.devices.push({ deviceId: "alm-01-d1", pointId: "zzz-01", board: "esp32", link: "mqtt" });
    broken.points.push({ ...(broken.points[1] as Registry["points"][number]) });
    const problems = checkRegistry(broken).join("\n");
    expect(problems).toContain("points/0 (alm-01)/municipalities/1/id nowhere is not among the municipalities");
    expect(problems).toContain(
      "points/0 (alm-01)/municipalities/1 overlaps points/0 (alm-01)/municipalities/0 in time",
    );
    expect(problems).toContain("devices/34 (alm-01-d1)/pointId zzz-01 is not among the points");
    expect(problems).toContain("devices/34 (alm-01-d1) is assigned at the same time in devices/0");
    expect(problems).toContain("points/34/pointId alm-02 is there already as points/1");
  });

  test("a tank whose table falls, or whose dead volume is all of it, is refused", () => {
    const broken = structuredClone(DEMO);
    const generator = broken.points[0]?.generators?.[0];
    if (generator !== undefined)
      generator.tank = {
        capacityL: 100,
        deadVolumeL: 100,
        table: [
          { levelPct: 0, litres: 5 },
          { levelPct: 50, litres: 4 },
        ],
      };
    expect(checkRegistry(broken)).toHaveLength(2);
  });

  test("is written whole and read back; what is no JSON says where", () => {
    saveRegistry(folder.path, DEMO);
    expect(loadRegistry(folder.path, () => [])).toEqual(DEMO);
    expect(() => parseRegistry("{", "x.json", () => [])).toThrowError(
      expect.objectContaining({ code: "REGISTRY_INVALID" }),
    );
    expect(registryDifference(DEMO, { ...DEMO, devices: DEMO.devices.slice(1) })).toMatchObject({
      devicesRemoved: 1,
      pointsAdded: 0,
    });
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
});

test("who comes when too many sign in at once is told so, and who waits is not forgotten", async () => {
  await addPerson(folder.path, { name: "a", role: "viewer" }, "a-long-password");
  const people = openPeople(folder.path);
  const tries = Array.from({ length: SIGN_INS_WAITING_MAX + 5 }, () => people.verify("a", "a-long-password"));
  const results = await Promise.allSettled(tries);
  const busy = results.filter((one) => one.status === "rejected");
  expect(busy).toHaveLength(3);
  for (const one of busy) expect(one.reason).toMatchObject({ code: "SIGN_IN_BUSY" });
  expect(results.filter((one) => one.status === "fulfilled" && one.value?.name === "a")).toHaveLength(102);
}, 60_000);

test("people sign in with their own password only", async () => {
  await addPerson(folder.path, { name: "a", role: "viewer" }, "a-long-password");
  await addPerson(folder.path, { name: "b", role: "admin" }, "another-password");
  await expect(addPerson(folder.path, { name: "a", role: "admin" }, "x")).rejects.toMatchObject({
    code: "PERSON_EXISTS",
  });
  expect(readFileSync(join(folder.path, "people.json"), "utf8")).not.toContain("password");
  const people = openPeople(folder.path);
  expect(await people.verify("a", "a-long-password")).toEqual({ name: "a", role: "viewer" });
  expect(await people.verify("a", "another-password")).toBeUndefined();
  expect(await people.verify("nobody", "a-long-password")).toBeUndefined();
  expect(removePerson(folder.path, "a")).toBe(true);
  people.reload();
  expect(await people.verify("a", "a-long-password")).toBeUndefined();
  expect(listPeople(folder.path)).toEqual([{ name: "b", role: "admin" }]);
});
