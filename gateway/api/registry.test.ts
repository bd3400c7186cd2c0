// The registry over HTTP: who may see and change what, what is refused and in which words, and that every change is on record.
import { readFileSync } from "node:fs";
import type { FastifyInstance, InjectOptions } from "fastify";
import { afterEach, describe, expect, test } from "vitest";
import { NOUNS, type Problem, type Registry } from "../../protocol/index.ts";
import { NO_REGISTRY, peopleWith, serveApi, signIn } from "../../tests/api-fixtures.ts";
import type { ApiAct } from "./interfaces.ts";
import { BODY_BYTES_MAX } from "./registry-routes.ts";

const DEMO = JSON.parse(readFileSync(new URL("../../tests/demo/registry.json", import.meta.url), "utf8")) as Registry;
const ROLES = { viewer: "viewer", coordinator: "coordinator", admin: "admin" } as const;
type Name = keyof typeof ROLES;

let app: FastifyInstance;
afterEach(() => app.close());

async function start() {
  let registry = DEMO;
  const acts: ApiAct[] = [];
  app = await serveApi({
    people: peopleWith((name) => ROLES[name as Name]),
    registry: {
      ...NO_REGISTRY,
      whole: () => registry,
      save: (next) => {
        registry = next;
      },
    },
    journal: { documents: async () => [], save: async (change) => void acts.push(...(change.acts ?? [])) },
  });
  const changes = () => acts.filter((act) => /^(registry|asset)-/.test(act.action));
  return { registry: () => registry, changes };
}

async function as(name: Name, options: InjectOptions) {
  const cookie = await signIn(app, name);
  return app.inject({ ...options, headers: { ...options.headers, cookie } });
}

describe("reading", () => {
  test("whole for an administrator, by list for who coordinates, and the norms for everybody", async () => {
    await start();
    expect((await as("admin", { url: "/v1/registry" })).json()).toEqual(DEMO);
    for (const noun of NOUNS)
      expect((await as("coordinator", { url: `/v1/registry/${noun}` })).json()).toEqual(DEMO[noun]);
    for (const [name, url] of [
      ["coordinator", "/v1/registry"],
      ["viewer", "/v1/registry"],
      ["viewer", "/v1/registry/contacts"],
    ] as const)
      expect((await as(name, { url })).json()).toMatchObject({ status: 403, code: "NOT_ALLOWED" });
    const profile = (await as("viewer", { url: "/v1/profile" })).json();
    expect(profile).toMatchObject({
      name: "concept-2026",
      norms: { version: "2026.1", autonomyH: { value: 72, unit: "h", standing: "own" } },
      rules: expect.arrayContaining([expect.objectContaining({ ruleId: "endurance-critical", priority: 1 })]),
    });
    expect(profile.norms.supplies).toHaveLength(9);
  });

  test("as CSV for who accepts it first", async () => {
    await start();
    const url = "/v1/registry/points";
    const csv = await as("coordinator", { url, headers: { accept: "text/csv, application/json;q=0.5" } });
    expect(csv.headers["content-type"]).toBe("text/csv; charset=utf-8; header=present");
    expect(csv.body.split("\r\n")).toHaveLength(36);
    expect(csv.body).toContain(
      "alm-01,Wijkcentrum De Waterlelie,community-centre,,almere,gemeente-almere,52.371,5.217,",
    );
    const json = await as("coordinator", { url, headers: { accept: "application/json, text/csv" } });
    expect(json.headers["content-type"]).toBe("application/json; charset=utf-8");
    expect((await as("coordinator", { url: "/v1/registry/point" })).json()).toMatchObject({ code: "REQUEST_INVALID" });
  });
});

describe("replacing", () => {
  const put = (name: Name, payload: unknown, query = "") =>
    as(name, { method: "PUT", url: `/v1/registry${query}`, payload: payload as object });
  const changed = () => {
    const [first, ...rest] = DEMO.points;
    return { ...DEMO, points: [{ ...first, fuelPriority: 9 }, ...rest], devices: DEMO.devices.slice(1) };
  };

  test("a dry run tells what would change and changes nothing; then it is in force and on record", async () => {
    const { registry, changes } = await start();
    const told = {
      changes: [
        { noun: "points", id: "alm-01", kind: "changed", fields: [{ field: "fuelPriority", before: "4", after: "9" }] },
        { noun: "devices", id: "alm-01-d1", kind: "removed", fields: [] },
      ],
      changesTotal: 2,
      warnings: ["devices that are no longer named lose their keys, and have to be flashed to come back: alm-01-d1"],
    };
    expect((await put("admin", changed(), "?dryRun=true")).json()).toEqual({ dryRun: true, ...told });
    expect(registry()).toBe(DEMO);
    expect((await put("admin", changed())).json()).toEqual({ dryRun: false, ...told });
    expect(registry()).toEqual(changed());
    expect(changes()).toMatchObject([
      {
        actor: "admin",
        action: "registry-replaced",
        object: "registry",
        detail: "1 points changed, 1 devices removed",
      },
    ]);
    // The same again is no change, and no act.
    expect((await put("admin", changed())).json()).toMatchObject({ changes: [] });
    expect(changes()).toHaveLength(1);
  });

  test("what is not valid is refused whole, with every problem", async () => {
    const { registry, changes } = await start();
    const [first, second, ...rest] = DEMO.points;
    const points = [{ ...first, kind: "bunker" }, { ...second, municipalities: [{ id: "almeer" }] }, ...rest];
    const problem = (await put("admin", { ...DEMO, points })).json() as Problem;
    expect(problem).toMatchObject({
      status: 422,
      code: "REGISTRY_INVALID",
      problems: [
        "points/0 (alm-01)/kind must be one of community-centre, sports-hall, church, village-hall, fire-station, not bunker",
        "points/1 (alm-02)/municipalities/0/id almeer is not among the municipalities: did you mean almere?",
      ],
    });
    expect(problem.detail).not.toContain("bunker");
    expect((await put("admin", [])).json()).toMatchObject({ code: "REGISTRY_INVALID" });
    expect((await put("admin", DEMO, "?dryrun=true")).json()).toMatchObject({ code: "REQUEST_INVALID" });
    expect((await put("coordinator", { nothing: 1 })).json()).toMatchObject({ code: "NOT_ALLOWED" });
    const large = `{"x":"${"x".repeat(BODY_BYTES_MAX)}"}`;
    const refused = await as("admin", {
      method: "PUT",
      url: "/v1/registry",
      payload: large,
      headers: { "content-type": "application/json" },
    });
    expect(refused.json()).toMatchObject({
      code: "BODY_TOO_LARGE",
      detail: "No body here needs more than 4096 KiB. Send less.",
    });
    expect(registry()).toBe(DEMO);
    expect(changes()).toEqual([]);
  });

  test("with if-match only over what was read: a set that was moved meanwhile stays moved", async () => {
    const { registry } = await start();
    const etag = String((await as("admin", { url: "/v1/registry" })).headers.etag);
    const replace = (match: string) =>
      as("admin", { method: "PUT", url: "/v1/registry", payload: changed(), headers: { "if-match": match } });
    await as("coordinator", { method: "POST", url: "/v1/assignments", payload: { assetId: "alm-01-g1" } });
    expect((await replace(etag)).json()).toMatchObject({ status: 412, code: "REGISTRY_CHANGED" });
    expect(registry().assignments[0]?.until).toBe("2026-11-24T12:00:00.000Z");
    const now = String((await as("admin", { url: "/v1/registry" })).headers.etag);
    expect((await replace(now)).statusCode).toBe(200);
  });

  test("a file of version 1 is taken as version 2", async () => {
    const { registry } = await start();
    const old = { version: 1, municipalities: DEMO.municipalities, points: [], devices: [] };
    expect((await put("admin", old)).statusCode).toBe(200);
    expect(registry()).toMatchObject({ version: 2, points: [], assets: [] });
  });
});

describe("moving an asset", () => {
  const post = (name: Name, payload: object) => as(name, { method: "POST", url: "/v1/assignments", payload });

  test("is for who coordinates, from now or a moment, and on record", async () => {
    const { registry, changes } = await start();
    const move = { assetId: "alm-01-g1", pointId: "alm-05" };
    expect((await post("viewer", move)).json()).toMatchObject({ code: "NOT_ALLOWED" });
    const answer = await post("coordinator", move);
    expect([answer.statusCode, answer.json()]).toEqual([
      201,
      { assetId: "alm-01-g1", pointId: "alm-05", from: "2026-11-24T12:00:00.000Z", left: "alm-01" },
    ]);
    expect((await post("coordinator", move)).statusCode).toBe(201);
    expect(registry().assignments.filter((one) => one.assetId === "alm-01-g1")).toHaveLength(2);
    expect(changes()).toMatchObject([
      {
        actor: "coordinator",
        action: "asset-moved",
        object: "alm-01-g1",
        detail: "alm-01 → alm-05 from 2026-11-24T12:00:00.000Z",
      },
    ]);
    const away = await post("coordinator", { assetId: "alm-01-g1", from: "2026-12-01" });
    expect(away.json()).toEqual({ assetId: "alm-01-g1", from: "2026-12-01", left: "alm-05" });
  });

  test("of what is not there, or before what is planned, says so", async () => {
    await start();
    expect((await post("admin", { assetId: "alm-01-g9", pointId: "alm-05" })).json()).toMatchObject({
      status: 404,
      code: "ASSET_UNKNOWN",
      detail: expect.stringContaining("near alm-01-g1"),
    });
    expect((await post("admin", { assetId: "alm-01-g1", pointId: "alm-05", from: "2027-01-02" })).statusCode).toBe(201);
    expect((await post("admin", { assetId: "alm-01-g1", pointId: "alm-04" })).json()).toMatchObject({
      status: 409,
      code: "ASSIGNMENT_IMPOSSIBLE",
    });
  });
});
