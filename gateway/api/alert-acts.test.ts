// What people do to alerts over HTTP: who may, what reaches the engine, and what is refused before it does.
import type { FastifyInstance } from "fastify";
import { afterEach, expect, test } from "vitest";
import type { Role } from "../../protocol/index.ts";
import { peopleWith, serveApi, signIn } from "../../tests/api-fixtures.ts";
import { GatewayError } from "../errors.ts";
import type { ApiDeed, ApiEngine } from "./interfaces.ts";

let app: FastifyInstance;
afterEach(() => app.close());

const UNTIL = "2026-11-24T14:00:00Z";

async function start(role: Role) {
  const deeds: [string, ApiDeed, string][] = [];
  const engine = {
    onChange: () => () => {},
    act: async (alertId: string, deed: ApiDeed, { by }: { by: string }) => {
      if (alertId === "gone") throw new GatewayError("ALERT_UNKNOWN", { alertId });
      deeds.push([alertId, deed, by]);
      throw new GatewayError("ALERT_ACT_REFUSED", { alertId, act: deed.kind, state: "shelved", reason: "hidden" });
    },
  };
  app = await serveApi({
    engine: engine as unknown as ApiEngine,
    people: peopleWith(() => role),
  });
  const cookie = await signIn(app, "somebody");
  const post = (path: string, payload?: object, id = "power-alm-01-1") =>
    app.inject({
      method: "POST",
      url: `/v1/alerts/${id}/${path}`,
      headers: { cookie },
      ...(payload === undefined ? {} : { payload }),
    });
  return { deeds, post };
}

const CASES: readonly [path: string, payload: object | undefined, deed: ApiDeed][] = [
  ["acknowledgements", { note: "seen" }, { kind: "acknowledge", note: "seen" }],
  ["shelvings", { until: UNTIL, reason: "truck" }, { kind: "shelve", until: UNTIL, reason: "truck" }],
  ["unshelvings", undefined, { kind: "unshelve" }],
  ["removals", { reason: "gauge out" }, { kind: "take-out", reason: "gauge out" }],
  ["returns", undefined, { kind: "put-back" }],
  ["resets", undefined, { kind: "reset" }],
];

test.each(CASES)("%s reach the engine in the person's name, and its refusal is told", async (path, payload, deed) => {
  const { deeds, post } = await start("coordinator");
  const answer = await post(path, payload);
  expect(deeds).toEqual([["power-alm-01-1", deed, "somebody"]]);
  expect(answer.json()).toMatchObject({ status: 409, code: "ALERT_ACT_REFUSED" });
  expect(answer.json().detail).toContain("state shelved");
  expect((await post(path, payload, "gone")).json()).toMatchObject({ status: 404, code: "ALERT_UNKNOWN" });
});

test.each(CASES)("%s are not for who only looks", async (path, payload) => {
  const { deeds, post } = await start("viewer");
  expect((await post(path, payload)).json()).toMatchObject({ status: 403, code: "NOT_ALLOWED" });
  expect(deeds).toEqual([]);
});

test.each([
  ["shelvings", { until: UNTIL }],
  ["shelvings", { reason: "truck" }],
  ["shelvings", { until: "later", reason: "truck" }],
  ["shelvings", { until: UNTIL, reason: "" }],
  ["removals", {}],
])("%s without a reason and an end are refused: %j", async (path, payload) => {
  const { deeds, post } = await start("admin");
  expect((await post(path, payload)).json()).toMatchObject({ status: 400, code: "REQUEST_INVALID" });
  expect(deeds).toEqual([]);
});
