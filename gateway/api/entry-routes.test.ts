import type { FastifyInstance } from "fastify";
import { Value } from "typebox/value";
import { afterEach, describe, expect, test } from "vitest";
import {
  type Entry,
  EntrySchema,
  type NewEntry,
  type PointState,
  type Problem,
  type Role,
} from "../../protocol/index.ts";
import { peopleWith, serveApi, signIn } from "../../tests/api-fixtures.ts";
import { entry } from "../../tests/engine-fixtures.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { GatewayError } from "../errors.ts";
import type { ApiEngine, ApiEntries } from "./interfaces.ts";

const COUNT = { via: "voice", statement: { kind: "count", people: 12 } };
const POINT = { pointId: "alm-01" } as PointState;
const LIST = [
  entry({ kind: "note", text: "the road is blocked" }, NOON_MS),
  entry({ kind: "count", people: 9 }, NOON_MS - 1),
];
let app: FastifyInstance;
afterEach(() => app.close());

const NEVER = () => Promise.reject(new Error("not asked here"));

async function serve(role: Role, tell: ApiEntries["tell"] = async () => POINT) {
  const asked: [number, number][] = [];
  const engine = {
    onChange: () => () => {},
    point: (pointId: string) => (pointId === "alm-01" ? POINT : undefined),
    entries: (_: string, limit: number, beforeMs: number) => {
      asked.push([limit, beforeMs]);
      return LIST;
    },
  };
  app = await serveApi({
    engine: engine as unknown as ApiEngine,
    entries: { tell },
    people: peopleWith(() => role),
  });
  const cookie = await signIn(app, "somebody");
  const send = (payload: object, pointId = "alm-01") =>
    app.inject({ method: "POST", url: `/v1/points/${pointId}/entries`, headers: { cookie }, payload });
  const list = (query = "", pointId = "alm-01") =>
    app.inject({ method: "GET", url: `/v1/points/${pointId}/entries${query}`, headers: { cookie } });
  return { send, list, asked };
}

describe("telling something of a point", () => {
  test.each(["coordinator", "admin"] as const)("is for the %s, in the name that is signed in", async (role) => {
    const told: [string, NewEntry, string][] = [];
    const { send } = await serve(role, async (...one) => {
      told.push(one);
      throw new GatewayError("POINT_UNKNOWN", { pointId: "alm-01" });
    });
    expect((await send(COUNT)).statusCode).toBe(404);
    expect(told).toEqual([["alm-01", COUNT, "somebody"]]);
  });

  test("is not for a viewer, nor for who is not signed in, whatever is in the body", async () => {
    const { send } = await serve("viewer", NEVER);
    for (const body of [COUNT, {}]) {
      const answer = await send(body);
      expect([answer.statusCode, answer.json<Problem>().code]).toEqual([403, "NOT_ALLOWED"]);
    }
    const bare = await app.inject({ method: "POST", url: "/v1/points/alm-01/entries", payload: COUNT });
    expect([bare.statusCode, bare.json<Problem>().code]).toEqual([401, "SIGN_IN_NEEDED"]);
  });

  test.each([
    ["no via", { statement: COUNT.statement }],
    ["an unknown phase", { via: "voice", statement: { kind: "phase", phase: "asleep" } }],
    ["a count below zero", { via: "voice", statement: { kind: "count", people: -1 } }],
    ["a score above five", { via: "voice", statement: { kind: "supplies", water: 6 } }],
    ["an entryId that is too short", { ...COUNT, entryId: "abc" }],
    ["a note without end", { ...COUNT, note: "x".repeat(281) }],
    ["a name of its own choice", { ...COUNT, by: "somebody-else" }],
  ])("is refused with %s", async (_, body) => {
    const { send } = await serve("coordinator", NEVER);
    const answer = await send(body);
    expect([answer.statusCode, answer.json<Problem>().code]).toEqual([400, "REQUEST_INVALID"]);
    expect(answer.json<Problem>().problems?.length).toBeGreaterThan(0);
  });

  test.each([
    ["ENTRY_INVALID", { problems: ["/at lies ahead of now"] }, 422, /'problems'/],
    ["JOURNAL_UNUSABLE", { reason: "the disk is full" }, 503, /the disk is full.*same entryId/],
    ["JOURNAL_BUSY", { pending: 9 }, 503, /Try again/],
  ] as const)("says %s with what to do", async (code, detail, status, text) => {
    const { send } = await serve("admin", () => Promise.reject(new GatewayError(code, detail)));
    const answer = await send(COUNT);
    expect([answer.statusCode, answer.json<Problem>().code]).toEqual([status, code]);
    expect(answer.json<Problem>().detail).toMatch(text);
    if ("problems" in detail) expect(answer.json<Problem>().problems).toEqual(detail.problems);
  });
});

describe("what was told", () => {
  test("is there for a viewer, a page at a time", async () => {
    const { list, asked } = await serve("viewer");
    const answer = await list();
    expect(answer.statusCode).toBe(200);
    for (const one of answer.json<Entry[]>()) expect(Value.Check(EntrySchema, one)).toBe(true);
    expect(answer.json()).toEqual(LIST);
    await list("?limit=2&before=2026-11-24T11:00:00Z");
    await list("?limit=999");
    expect(asked).toEqual([
      [50, Number.POSITIVE_INFINITY],
      [2, NOON_MS - 3_600_000],
      [128, Number.POSITIVE_INFINITY],
    ]);
  });

  test.each([
    ["?limit=0", "REQUEST_INVALID"],
    ["?since=1", "REQUEST_INVALID"],
    ["?before=2026-13-01T00:00:00Z", "RANGE_INVALID"],
  ])("is refused for %s", async (query, code) => {
    const { list } = await serve("viewer");
    expect((await list(query)).json<Problem>().code).toBe(code);
  });

  test("of a point that is not there is nothing", async () => {
    const { list } = await serve("viewer");
    expect((await list("", "alm-99")).json<Problem>().code).toBe("POINT_UNKNOWN");
  });
});

test("the document of the interface says that no names belong in a note", async () => {
  await serve("viewer");
  const document = (await app.inject({ method: "GET", url: "/v1/openapi.json" })).json();
  const { post, get } = document.paths["/v1/points/{pointId}/entries"];
  expect(post.description).toContain("no names of people");
  expect(post.requestBody.content["application/json"].schema).toEqual({ $ref: "#/components/schemas/NewEntry" });
  expect(get.responses["200"].content["application/json"].schema.items).toEqual({ $ref: "#/components/schemas/Entry" });
});
