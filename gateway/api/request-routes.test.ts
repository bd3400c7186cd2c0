import type { FastifyInstance } from "fastify";
import { Value } from "typebox/value";
import { afterEach, describe, expect, test } from "vitest";
import { type HelpRequest, HelpRequestSchema, type Problem, type Role } from "../../protocol/index.ts";
import { NO_REQUESTS, peopleWith, serveApi, signIn } from "../../tests/api-fixtures.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { askedBy, stepRequest } from "../domain/requests.ts";
import { GatewayError } from "../errors.ts";
import type { ApiEngine, ApiRequests } from "./interfaces.ts";

const ASK = { kind: "fuel", via: "voice", quantity: 200 } as const;
const asked = (requestId: string, afterMs: number) =>
  askedBy(ASK, { pointId: "alm-01", requestId, by: "coordinator-1", nowMs: NOON_MS + afterMs });
const OPEN = asked("form-0001", 60_000);
const OLDER = asked("form-0002", 0);
const CLOSED = stepRequest(asked("form-0003", 0), { state: "delivered" }, { by: "a", nowMs: NOON_MS }).kept;
const LIST = [OPEN, OLDER, CLOSED].map(({ request }) => request);
let app: FastifyInstance;
afterEach(() => app.close());

async function serve(role: Role, part: Partial<ApiRequests> = {}) {
  const requests: ApiRequests = {
    ...NO_REQUESTS,
    list: () => LIST,
    get: (requestId) => LIST.find((one) => one.requestId === requestId),
    ...part,
  };
  app = await serveApi({
    engine: { onChange: () => () => {}, requests } as unknown as ApiEngine,
    people: peopleWith(() => role),
  });
  const cookie = await signIn(app, "somebody");
  const post = (url: string, payload: object) => app.inject({ method: "POST", url, headers: { cookie }, payload });
  const get = (url: string) => app.inject({ method: "GET", url, headers: { cookie } });
  return { post, get };
}

const ids = (answer: { json: <T>() => T }) => answer.json<HelpRequest[]>().map(({ requestId }) => requestId);

describe("the list", () => {
  test("is for everybody who may read: open ones when nothing is said, the oldest first", async () => {
    const { get } = await serve("viewer");
    const answer = await get("/v1/requests");
    expect(ids(answer)).toEqual(["form-0002", "form-0001"]);
    for (const one of answer.json<HelpRequest[]>()) expect(Value.Check(HelpRequestSchema, one)).toBe(true);
    expect(ids(await get("/v1/requests?state=all"))).toHaveLength(3);
    expect(ids(await get("/v1/requests?state=delivered"))).toEqual(["form-0003"]);
    expect((await get("/v1/requests?state=lost")).statusCode).toBe(400);
  });

  test("has one of each, and says when there is none", async () => {
    const { get } = await serve("viewer");
    expect((await get("/v1/requests/form-0003")).json<HelpRequest>()).toEqual(CLOSED.request);
    const answer = await get("/v1/requests/form-0099");
    expect([answer.statusCode, answer.json<Problem>().code]).toEqual([404, "REQUEST_UNKNOWN"]);
  });
});

describe("asking and stepping", () => {
  test.each(["coordinator", "admin"] as const)("is for the %s, in the name that is signed in", async (role) => {
    const done: unknown[] = [];
    const { post } = await serve(role, {
      ask: async (...one) => {
        done.push(one);
        return OPEN.request;
      },
      step: async (requestId, step) => {
        done.push([requestId, step]);
        throw new GatewayError("REQUEST_STEP_REFUSED", { requestId });
      },
    });
    expect((await post("/v1/points/alm-01/requests", ASK)).json<HelpRequest>()).toEqual(OPEN.request);
    const refused = await post("/v1/requests/form-0001/steps", { state: "declined" });
    expect([refused.statusCode, refused.json<Problem>().code]).toEqual([409, "REQUEST_STEP_REFUSED"]);
    const doer = { by: "somebody", origin: "http 127.0.0.1" };
    expect(done).toEqual([
      ["alm-01", ASK, doer],
      ["form-0001", { state: "declined" }],
    ]);
  });

  test("is not for a viewer, whatever is in the body", async () => {
    const { post } = await serve("viewer");
    for (const url of ["/v1/points/alm-01/requests", "/v1/requests/form-0001/steps"]) {
      const answer = await post(url, {});
      expect([answer.statusCode, answer.json<Problem>().code]).toEqual([403, "NOT_ALLOWED"]);
    }
  });

  test.each([
    ["/v1/points/alm-01/requests", { ...ASK, kind: "pizza" }],
    ["/v1/points/alm-01/requests", { ...ASK, via: "button" }],
    ["/v1/points/alm-01/requests", { ...ASK, quantity: 0 }],
    ["/v1/points/alm-01/requests", { ...ASK, requestId: "short" }],
    ["/v1/points/alm-01/requests", { ...ASK, note: "x".repeat(281) }],
    ["/v1/requests/form-0001/steps", { state: "asked" }],
    ["/v1/requests/form-0001/steps", { state: "promised", by: "somebody else" }],
  ])("%s refuses %o by its schema", async (url, body) => {
    const { post } = await serve("coordinator");
    expect((await post(url, body)).statusCode).toBe(400);
  });
});
