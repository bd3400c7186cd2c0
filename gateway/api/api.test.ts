import { request as httpRequest } from "node:http";
import type { FastifyInstance } from "fastify";
import { afterEach, describe, expect, test } from "vitest";
import type { Alert, GatewayState } from "../../protocol/index.ts";
import { NOON_MS, waitFor } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { GatewayError } from "../errors.ts";
import { createApi } from "./api.ts";
import { GUESSES_MAX } from "./guesses.ts";
import type { ApiEngine } from "./interfaces.ts";
import { SESSION_MS } from "./sessions.ts";

const ALERT: Alert = {
  alertId: "power-alm-01-1",
  ruleId: "endurance-low",
  priority: 2,
  state: "unacknowledged",
  subject: { kind: "point", id: "alm-01", name: "De Waterlelie", pointId: "alm-01" },
  raisedAt: "2026-11-24T12:00:00.000Z",
  values: { enduranceH: 9.5 },
  text: {
    nl: { what: "Energie laag", consequence: "nog 9:30 u", action: "Plan bijvullen." },
    en: { what: "Energy low", consequence: "9:30 h left", action: "Plan a refill." },
  },
  updatedAt: "2026-11-24T12:00:00.000Z",
};
const GATEWAY: GatewayState = {
  gatewayId: "test",
  version: "0",
  startedAt: "2026-11-24T12:00:00.000Z",
  asOf: "2026-11-24T12:00:00.000Z",
  nextBefore: "2026-11-24T12:00:15.000Z",
  clockTrusted: true,
  points: { total: 0, reaching: 0, notReaching: 0, unknown: 0, current: 0 },
  people: { present: 0, capacity: 0 },
  alerts: { unacknowledged: 1, acknowledged: 0 },
  journal: { newestId: 5, pendingRows: 0, engineBehindRows: 0, setAside: 0 },
  refusals: {},
  sinks: [],
};

let app: FastifyInstance;
afterEach(async () => app.close());

async function start() {
  const clock = virtualClock(NOON_MS);
  const listeners = new Set<Parameters<ApiEngine["onChange"]>[0]>();
  const engine: ApiEngine = {
    overview: () => ({ gateway: GATEWAY, points: [], alerts: [ALERT] }),
    point: () => undefined,
    alert: (id) => (id === ALERT.alertId ? ALERT : undefined),
    devices: () => [],
    device: () => undefined,
    gateway: () => GATEWAY,
    acknowledge: async (id, act) => {
      if (id !== ALERT.alertId) throw new GatewayError("ALERT_UNKNOWN", { alertId: id });
      return { ...ALERT, state: "acknowledged", acknowledged: { by: act.by, at: ALERT.raisedAt } };
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  app = await createApi({
    engine,
    clock,
    version: "0.1.0",
    refusals: { list: () => ({ counts: { "bad-tag": 3 }, recent: [] }) },
    people: {
      standing: (name) => ({ role: name === "viewer-1" ? "viewer" : "coordinator", credential: "1" }),
      verify: async (name, password) => {
        if (password !== "right") return undefined;
        return name === "viewer-1" ? { name, role: "viewer" } : { name, role: "coordinator" };
      },
    },
  });
  return { clock, listeners };
}

async function signIn(name = "coordinator-1"): Promise<{ cookie: string }> {
  const answer = await app.inject({ method: "POST", url: "/v1/session", payload: { name, password: "right" } });
  expect(answer.statusCode).toBe(200);
  const cookie = String(answer.headers["set-cookie"]);
  expect(cookie).toMatch(/HttpOnly.*SameSite=Strict/);
  return { cookie: cookie.split(";")[0] ?? "" };
}

describe("the API", () => {
  test("gives nothing without a session but the documents and the health page", async () => {
    await start();
    for (const url of [
      "/v1/overview",
      "/v1/points",
      "/v1/alerts",
      "/v1/devices",
      "/v1/gateway",
      "/v1/refusals",
      "/v1/stream",
      "/v1/session",
      "/%761/overview",
      "/v1/%6Fverview",
    ]) {
      const answer = await app.inject({ url });
      expect([url, answer.statusCode, answer.headers["content-type"]]).toEqual([
        url,
        401,
        "application/problem+json; charset=utf-8",
      ]);
    }
    for (const url of ["/healthz", "/readyz", "/v1/openapi.json"])
      expect((await app.inject({ url })).statusCode).toBe(200);
  });

  test("a person signs in, reads, acknowledges and signs out", async () => {
    await start();
    const headers = await signIn();
    expect((await app.inject({ url: "/v1/session", headers })).json()).toMatchObject({
      name: "coordinator-1",
      role: "coordinator",
    });
    expect((await app.inject({ url: "/v1/overview", headers })).json().alerts).toHaveLength(1);
    expect((await app.inject({ url: "/v1/refusals", headers })).json().counts).toEqual({ "bad-tag": 3 });
    const url = `/v1/alerts/${ALERT.alertId}/acknowledgements`;
    const acked = await app.inject({ method: "POST", url, headers, payload: { note: "truck under way" } });
    expect(acked.json()).toMatchObject({ state: "acknowledged", acknowledged: { by: "coordinator-1" } });
    expect((await app.inject({ method: "DELETE", url: "/v1/session", headers })).statusCode).toBe(204);
    expect((await app.inject({ url: "/v1/overview", headers })).statusCode).toBe(401);
  });

  test("a viewer may look and not act; a session ends by itself; another origin may not act", async () => {
    const { clock } = await start();
    const viewer = await signIn("viewer-1");
    const url = `/v1/alerts/${ALERT.alertId}/acknowledgements`;
    const refused = await app.inject({ method: "POST", url, headers: viewer, payload: {} });
    expect([refused.statusCode, refused.json().code]).toEqual([403, "NOT_ALLOWED"]);
    const headers = { ...(await signIn()), origin: "http://elsewhere.example", host: "localhost" };
    expect((await app.inject({ method: "POST", url, headers, payload: {} })).statusCode).toBe(403);
    await clock.advance(SESSION_MS);
    expect((await app.inject({ url: "/v1/overview", headers: viewer })).statusCode).toBe(401);
  });

  test("wrong passwords are refused, and after ten slowed down for that name and address", async () => {
    await start();
    const guess = () => app.inject({ method: "POST", url: "/v1/session", payload: { name: "a", password: "wrong" } });
    for (let i = 0; i < GUESSES_MAX; i++) expect((await guess()).json().code).toBe("SIGN_IN_REFUSED");
    expect((await guess()).statusCode).toBe(429);
    await signIn();
  });

  test("a body that does not fit is told of with every place at once", async () => {
    await start();
    const answer = await app.inject({ method: "POST", url: "/v1/session", payload: { name: 5, passwort: "x" } });
    expect(answer.statusCode).toBe(400);
    const { problems } = answer.json() as { problems: string[] };
    expect(problems.join("\n")).toMatch(/name must be string/);
    expect(problems.join("\n")).toMatch(/password/);
    const broken = await app.inject({
      method: "POST",
      url: "/v1/session",
      headers: { "content-type": "application/json" },
      payload: "{",
    });
    expect([broken.statusCode, broken.headers["content-type"]]).toEqual([
      400,
      "application/problem+json; charset=utf-8",
    ]);
    const large = await app.inject({
      method: "POST",
      url: "/v1/session",
      payload: { name: "a", password: "x".repeat(70_000) },
    });
    expect(large.statusCode).toBe(413);
  });

  test("an unknown path names a near one, an unknown alert says where to look", async () => {
    await start();
    const headers = await signIn();
    expect((await app.inject({ url: "/v1/point", headers })).json().detail).toMatch(/Did you mean \/v1\/points\?/);
    const missing = await app.inject({ method: "POST", url: "/v1/alerts/nope/acknowledgements", headers, payload: {} });
    expect(missing.json()).toMatchObject({ status: 404, code: "ALERT_UNKNOWN" });
    expect(missing.json().detail).toMatch(/GET \/v1\/alerts/);
  });

  test("the document names its schemas", async () => {
    await start();
    const document = (await app.inject({ url: "/v1/openapi.json" })).json();
    expect(Object.keys(document.paths)).toContain("/v1/points/{pointId}");
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining(["PointState", "Alert", "DeviceState"]),
    );
  });

  test("the stream begins with the whole picture, tells of changes once a second, and beats", async () => {
    const { clock, listeners } = await start();
    const { cookie } = await signIn();
    await app.listen({ port: 0, host: "127.0.0.1" });
    const address = app.server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    let text = "";
    const stream = httpRequest({ port, host: "127.0.0.1", path: "/v1/stream", headers: { cookie } }, (response) => {
      expect(response.headers["content-type"]).toMatch(/^text\/event-stream/);
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
    });
    stream.end();
    await waitFor("the picture", () => text.includes("event: overview"));
    for (let i = 0; i < 5; i++) for (const tell of listeners) tell({ points: [], alerts: [ALERT] });
    await clock.advance(1_000);
    await waitFor("the alert", () => text.includes("event: alert"));
    await clock.advance(4_000);
    await waitFor("the beat", () => text.includes("event: gateway"));
    expect(text.match(/event: alert/g)).toHaveLength(1);
    let ended = false;
    stream.on("close", () => {
      ended = true;
    });
    await clock.advance(SESSION_MS);
    await waitFor("the end of the session", () => ended);
  });
});
