import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import type { FastifyInstance, InjectOptions } from "fastify";
import Type from "typebox";
import { Value } from "typebox/value";
import { afterEach, describe, expect, test } from "vitest";
import {
  type Alert,
  AlertSchema,
  type DeviceState,
  DeviceStateSchema,
  type GatewayState,
  NAMED_SCHEMAS,
  OverviewSchema,
  type PointState,
  PointStateSchema,
  type Problem,
  ProblemSchema,
} from "../../protocol/index.ts";
import { NO_DOWNLINKS, NO_LORAWAN, NO_NOTICES, NO_REGISTRY, NO_REQUESTS } from "../../tests/api-fixtures.ts";
import { NOON_MS, temporaryFolder, waitFor } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { alarmMetrics, noFigures } from "../domain/alerts/alarm-figures.ts";
import { notReady, READY_BEHIND_ROWS_MAX } from "../domain/readiness.ts";
import { GatewayError } from "../errors.ts";
import { createCertificates } from "../registry/certificates.ts";
import { type ApiOptions, BODY_BYTES_MAX, createApi } from "./api.ts";
import { GUESSES_MAX } from "./guesses.ts";
import type { ApiAct, ApiEngine, ApiJournal, EngineNews } from "./interfaces.ts";
import { SESSION_MS } from "./sessions.ts";
import { STREAMS_MAX } from "./stream.ts";

const AT = "2026-11-24T12:00:00.000Z";
const ALERT: Alert = {
  alertId: "power-alm-01-1",
  ruleId: "endurance-low",
  priority: 2,
  state: "unacknowledged",
  subject: { kind: "point", id: "alm-01", name: "De Waterlelie", pointId: "alm-01" },
  raisedAt: AT,
  values: { enduranceH: 9.5, reason: "low" },
  text: {
    nl: { what: "Energie laag", consequence: "nog 9:30 u", action: "Plan bijvullen." },
    en: { what: "Energy low", consequence: "9:30 h left", action: "Plan a refill." },
  },
  updatedAt: AT,
};
const POINT: PointState = {
  pointId: "alm-01",
  name: "De Waterlelie",
  kind: "community-centre",
  municipality: "Almere",
  region: "Flevoland",
  coordination: false,
  location: { lat: 52.37, lon: 5.21 },
  phase: "open",
  contact: "present",
  lastSampleAt: AT,
  mains: "lost",
  source: "generator",
  generator: "running",
  fuel: { levelPct: 63.5, litres: 60.25, usableL: 55, capacityL: 100, at: AT },
  endurance: {
    kind: "estimate",
    method: "fitted",
    limitedBy: "fuel",
    p10H: 8.5,
    p50H: 9.5,
    p90H: 10.5,
    emptyAt: AT,
    emptyEarliestAt: AT,
    emptyLatestAt: AT,
    reaches72h: "no",
    shortage: { hours: 40, litres: 210 },
    carriedForward: false,
    hypothetical: false,
    asOf: AT,
  },
  priority: 2,
  readings: [{ name: "battery.batteryV", deviceId: "alm-01-d1", value: "absent", at: AT, quality: "bad" }],
  updatedAt: AT,
};
const DEVICE: DeviceState = {
  deviceId: "alm-01-d1",
  pointId: "alm-01",
  contact: "present",
  sequence: 7,
  records: 7,
  undecoded: 0,
  missing: 0,
  leftOut: 0,
  report: { phase: "open", power: { fuelLevelPct: 63.5, mains: "lost" } },
};
const gatewayState = (engineBehindRows = 0): GatewayState => ({
  gatewayId: "test",
  version: "0",
  startedAt: AT,
  asOf: AT,
  nextBefore: "2026-11-24T12:00:15.000Z",
  clockTrusted: true,
  points: { total: 1, reaching: 0, notReaching: 1, unknown: 0, current: 1 },
  people: { present: 0, capacity: 0 },
  alerts: { unacknowledged: 1, acknowledged: 0 },
  journal: { newestId: 5, pendingRows: 0, engineBehindRows, setAside: 0 },
  refusals: { "bad-tag": 3 },
  sinks: [],
});

let app: FastifyInstance;
const folder = temporaryFolder();
afterEach(async () => {
  await app.close();
  folder.remove();
});

async function start(part: Partial<ApiOptions> & { behind?: number; clock?: ReturnType<typeof virtualClock> } = {}) {
  const { behind = 0, clock = virtualClock(NOON_MS), ...options } = part;
  const listeners = new Set<(news: EngineNews) => void>();
  const engine: ApiEngine = {
    overview: () => ({ gateway: gatewayState(behind), points: [POINT], alerts: [ALERT] }),
    point: (id) => (id === POINT.pointId ? POINT : undefined),
    alert: (id) => (id === ALERT.alertId ? ALERT : undefined),
    entries: () => [],
    requests: NO_REQUESTS,
    alarmMetrics: () => alarmMetrics(noFigures(NOON_MS), [], NOON_MS),
    devices: () => [DEVICE],
    device: (id) => (id === DEVICE.deviceId ? DEVICE : undefined),
    gateway: () => gatewayState(behind),
    act: async (id, deed, { by }) => {
      if (id !== ALERT.alertId) throw new GatewayError("ALERT_UNKNOWN", { alertId: id });
      const note = deed.kind === "acknowledge" ? deed.note : undefined;
      return {
        ...ALERT,
        state: "acknowledged",
        acknowledged: { by, at: AT, ...(note === undefined ? {} : { note }) },
      };
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  app = await createApi({
    registry: NO_REGISTRY,
    notices: NO_NOTICES,
    downlinks: NO_DOWNLINKS,
    lorawan: NO_LORAWAN,
    engine,
    clock,
    version: "0.1.0",
    entries: { tell: () => Promise.reject(new GatewayError("POINT_UNKNOWN")) },
    refusals: { list: () => ({ counts: { "bad-tag": 3 }, recent: [] }) },
    history: {
      hasPoint: () => false,
      hasDevice: () => false,
      series: () => Promise.reject(new GatewayError("HISTORY_UNUSABLE")),
      samples: () => Promise.reject(new GatewayError("HISTORY_UNUSABLE")),
      phases: () => Promise.reject(new GatewayError("JOURNAL_UNUSABLE")),
    },
    people: {
      standing: (name) => ({ role: name === "viewer-1" ? "viewer" : "coordinator", credential: "1" }),
      verify: async (name, password) => {
        await new Promise((resolve) => setImmediate(resolve));
        if (password === "busy") throw new GatewayError("SIGN_IN_BUSY", { waiting: 100 });
        if (password !== "right") return undefined;
        return name === "viewer-1" ? { name, role: "viewer" } : { name, role: "coordinator" };
      },
    },
    health: {
      notReady: () => notReady({ engineBehindRows: behind, devicesListen: true, stopping: false }),
      metrics: { contentType: "text/plain; version=0.0.4", text: async () => "up 1\n", isRightToken: () => false },
    },
    ...options,
  });
  return { clock, listeners };
}

async function signIn(name = "coordinator-1"): Promise<{ cookie: string }> {
  const answer = await app.inject({ method: "POST", url: "/v1/session", payload: { name, password: "right" } });
  expect(answer.statusCode).toBe(200);
  return { cookie: String(answer.headers["set-cookie"]).split(";")[0] ?? "" };
}

/** Asks for what must be refused: the answer is a problem that says so in full. */
async function refused(options: InjectOptions): Promise<Problem & { headers: Record<string, unknown> }> {
  const answer = await app.inject(options);
  expect([options.url, answer.headers["content-type"]]).toEqual([
    options.url,
    "application/problem+json; charset=utf-8",
  ]);
  const problem = answer.json() as Problem;
  expect(Value.Check(ProblemSchema, problem)).toBe(true);
  expect(problem.status).toBe(answer.statusCode);
  expect(problem.detail).toMatch(/^[A-Z/].*[.]$/);
  return { ...problem, headers: answer.headers };
}

async function listen(): Promise<number> {
  await app.listen({ port: 0, host: "127.0.0.1" });
  return (app.server.address() as AddressInfo).port;
}

/** What a server says to these very bytes. */
async function sayRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      answer += chunk;
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", () => resolve(answer));
  });
}

describe("without a session", () => {
  test("every path of the document that asks for one is closed, and the open ones are known", async () => {
    await start();
    const { paths } = (await app.inject({ url: "/v1/openapi.json" })).json() as {
      paths: Record<string, Record<string, { security?: unknown[] }>>;
    };
    const free: string[] = [];
    for (const [path, methods] of Object.entries(paths)) {
      for (const [name, { security }] of Object.entries(methods)) {
        const method = name.toUpperCase() as "GET" | "POST";
        const url = path.replace(/\{\w+\}/g, "alm-01");
        if (security?.length === 0) free.push(`${method} ${url}`);
        else expect((await refused({ method, url })).code).toBe("SIGN_IN_NEEDED");
      }
    }
    expect(free.sort()).toEqual(["DELETE /v1/session", "POST /v1/session"]);
    for (const url of ["/healthz", "/readyz", "/v1/openapi.json", "/v1/asyncapi.json"]) {
      expect([url, (await app.inject({ url })).statusCode]).toEqual([url, 200]);
    }
  });

  test("no other spelling of an address gets in", async () => {
    await start();
    for (const url of ["/%761/overview", "/v1/%6Fverview", "/%76%31/%6f%76erview"]) {
      expect((await refused({ url })).code).toBe("SIGN_IN_NEEDED");
    }
    for (const url of ["//v1/overview", "/./v1/overview", "/V1/overview", "/v1/overview/", "/v1;x/overview"]) {
      expect((await app.inject({ url })).statusCode).toBeGreaterThanOrEqual(400);
    }
    const port = await listen();
    const whole = await sayRaw(port, "GET http://h/v1/overview HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    expect(whole).toMatch(/^HTTP\/1\.1 401 /);
  });
});

describe("people", () => {
  test("sign in, read, acknowledge and sign out", async () => {
    await start();
    const headers = await signIn();
    expect((await app.inject({ url: "/v1/session", headers })).json()).toEqual({
      name: "coordinator-1",
      role: "coordinator",
      until: new Date(NOON_MS + SESSION_MS).toISOString(),
    });
    const url = `/v1/alerts/${ALERT.alertId}/acknowledgements`;
    const acked = await app.inject({ method: "POST", url, headers, payload: { note: "truck under way" } });
    expect(acked.json()).toMatchObject({
      state: "acknowledged",
      acknowledged: { by: "coordinator-1", note: "truck under way" },
    });
    const left = await app.inject({ method: "DELETE", url: "/v1/session", headers });
    expect([left.statusCode, left.body]).toEqual([204, ""]);
    expect(String(left.headers["set-cookie"])).toMatch(/^waakvlam_session=;/);
    expect((await refused({ url: "/v1/overview", headers })).code).toBe("SIGN_IN_NEEDED");
  });

  test("who only looks may not act, and learns so before the body is read", async () => {
    await start();
    const headers = await signIn("viewer-1");
    expect((await app.inject({ url: "/v1/overview", headers })).statusCode).toBe(200);
    const url = `/v1/alerts/${ALERT.alertId}/acknowledgements`;
    expect(await refused({ method: "POST", url, headers, payload: { wrong: 1 } })).toMatchObject({
      status: 403,
      code: "NOT_ALLOWED",
      detail: "This role may not do that (role viewer). Ask somebody with the role coordinator or admin.",
    });
  });

  test("act only from pages of the gateway itself", async () => {
    await start();
    const session = await signIn();
    const url = `/v1/alerts/${ALERT.alertId}/acknowledgements`;
    const from = (origin: string) => ({
      method: "POST" as const,
      url,
      payload: {},
      headers: { ...session, origin, host: "gateway.local:8080" },
    });
    for (const origin of ["http://elsewhere.example", "https://gateway.local:8080", "http://gateway.local", "null"]) {
      expect((await refused(from(origin))).code).toBe("ORIGIN_FOREIGN");
    }
    expect((await app.inject(from("http://gateway.local:8080"))).statusCode).toBe(200);
  });

  test("that guess are slowed down, also when they guess all at once", async () => {
    await start();
    const guess = () => app.inject({ method: "POST", url: "/v1/session", payload: { name: "a", password: "wrong" } });
    const answers = await Promise.all(Array.from({ length: 3 * GUESSES_MAX }, guess));
    const codes = answers.map((one) => (one.json() as Problem).code);
    expect(codes.filter((code) => code === "SIGN_IN_REFUSED")).toHaveLength(GUESSES_MAX);
    expect(codes.filter((code) => code === "SIGN_IN_SLOWED")).toHaveLength(2 * GUESSES_MAX);
    expect(answers.at(-1)?.headers["retry-after"]).toBe("300");
    await signIn();
  });

  test("are told when too many sign in at once, and that is no guess", async () => {
    await start();
    const payload = { name: "a", password: "busy" };
    for (let i = 0; i < 2 * GUESSES_MAX; i++) {
      const problem = await refused({ method: "POST", url: "/v1/session", payload });
      expect(problem).toMatchObject({ status: 503, code: "SIGN_IN_BUSY" });
      expect(problem.detail).toContain("Try again in a minute");
    }
  });

  test("stay signed in over a restart, and what they did about it is written down", async () => {
    const documents = new Map<string, { key: string; json: string }>();
    const acts: ApiAct[] = [];
    const journal: ApiJournal = {
      documents: async () => [...documents.values()],
      save: async (change) => {
        for (const { key, json } of change.put ?? []) documents.set(key, { key, json });
        for (const { key } of change.remove ?? []) documents.delete(key);
        acts.push(...(change.acts ?? []));
      },
    };
    const { clock } = await start({ journal });
    const headers = await signIn();
    await app.inject({ method: "POST", url: "/v1/session", payload: { name: "b", password: "wrong" } });
    await app.close();
    await start({ journal, clock });
    expect((await app.inject({ url: "/v1/session", headers })).statusCode).toBe(200);
    await app.inject({ method: "DELETE", url: "/v1/session", headers });
    expect(documents.size).toBe(0);
    expect(acts.map(({ actor, action, result, origin }) => [actor, action, result, origin])).toEqual([
      ["coordinator-1", "sign-in", "done", "http 127.0.0.1"],
      ["b", "sign-in", "refused", "http 127.0.0.1"],
      ["coordinator-1", "sign-out", "done", "http 127.0.0.1"],
    ]);
  });

  test("have a cookie that no script and no other page can use, over TLS only when there is TLS", async () => {
    await start();
    const signInBody = { method: "POST" as const, url: "/v1/session", payload: { name: "a", password: "right" } };
    const plain = await app.inject(signInBody);
    expect(plain.headers["set-cookie"]).toMatch(
      /^waakvlam_session=[\w-]{43}; Max-Age=50400; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    expect(plain.headers["strict-transport-security"]).toBeUndefined();
    await app.close();
    mkdirSync(folder.path, { recursive: true });
    const files = await createCertificates(folder.path, ["localhost"], NOON_MS);
    await start({ tls: { key: readFileSync(files.key, "utf8"), cert: readFileSync(files.certificate, "utf8") } });
    const secure = await app.inject(signInBody);
    expect(secure.headers["set-cookie"]).toMatch(/; Secure; SameSite=Strict$/);
    expect(secure.headers["strict-transport-security"]).toMatch(/max-age/);
  });
});

describe("what is read", () => {
  test("comes through as the engine has it, in the form of its schema", async () => {
    await start();
    const headers = await signIn();
    const get = async (url: string) => (await app.inject({ url, headers })).json() as unknown;
    const overview = await get("/v1/overview");
    expect(overview).toEqual({ gateway: gatewayState(), points: [POINT], alerts: [ALERT] });
    expect(Value.Check(OverviewSchema, overview)).toBe(true);
    const point = await get("/v1/points/alm-01");
    expect(point).toEqual(POINT);
    expect(Value.Check(PointStateSchema, point)).toBe(true);
    expect(await get("/v1/points")).toEqual([POINT]);
    expect(Value.Check(Type.Array(AlertSchema), await get("/v1/alerts"))).toBe(true);
    expect(await get(`/v1/alerts/${ALERT.alertId}`)).toEqual(ALERT);
    expect(await get("/v1/devices")).toEqual([DEVICE]);
    expect(Value.Check(DeviceStateSchema, await get("/v1/devices/alm-01-d1"))).toBe(true);
    expect(await get("/v1/devices/alm-01-d1")).toEqual(DEVICE);
    expect(await get("/v1/gateway")).toEqual(gatewayState());
    expect(await get("/v1/alarm-metrics")).toMatchObject({ announced: { total: 0 }, flood: { now: false } });
    expect(await get("/v1/refusals")).toEqual({ counts: { "bad-tag": 3 }, recent: [] });
  });

  test("can be asked for by the state of an alert; another state or key is told of", async () => {
    await start();
    const headers = await signIn();
    expect((await app.inject({ url: "/v1/alerts?state=unacknowledged", headers })).json()).toHaveLength(1);
    expect((await app.inject({ url: "/v1/alerts?state=acknowledged", headers })).json()).toHaveLength(0);
    expect((await refused({ url: "/v1/alerts?state=loud", headers })).problems).toEqual([
      expect.stringMatching(/^querystring\/state must be one of unacknowledged, .*, normal$/),
    ]);
    for (const url of ["/v1/alerts?stat=normal", "/v1/points?stat=normal"]) {
      expect((await refused({ url, headers })).problems).toEqual(["querystring/stat is not known here: leave it out"]);
    }
  });

  test("is never kept by a browser, and says which version spoke", async () => {
    await start();
    const headers = await signIn();
    const answer = await app.inject({ url: "/v1/overview", headers });
    expect(answer.headers).toMatchObject({
      "api-version": "0.1.0",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "content-security-policy":
        "default-src 'self';object-src 'none';frame-ancestors 'none';base-uri 'none';form-action 'self'",
    });
  });

  test("is not ready while the engine is far behind", async () => {
    await start({ behind: READY_BEHIND_ROWS_MAX });
    expect((await app.inject({ url: "/readyz" })).json()).toEqual({ status: "ok" });
    await app.close();
    await start({ behind: READY_BEHIND_ROWS_MAX + 1 });
    expect(await refused({ url: "/readyz" })).toMatchObject({ status: 503, code: "CATCHING_UP" });
    expect((await app.inject({ url: "/healthz" })).statusCode).toBe(200);
  });
});

describe("a request that does not fit", () => {
  const post = { method: "POST" as const, url: "/v1/session" };

  test("is told of every place at once", async () => {
    await start();
    const { status, problems } = await refused({ ...post, payload: { name: 5, passwort: "x" } });
    expect([status, [...(problems ?? [])].sort()]).toEqual([
      400,
      ["body/name must be string", "body/password is missing", "body/passwort is not known here: leave it out"],
    ]);
  });

  test("is told what to send when it is not JSON, of another type, or too large", async () => {
    await start();
    const json = { "content-type": "application/json" };
    expect(await refused({ ...post, headers: json, payload: "{" })).toMatchObject({
      status: 400,
      code: "BODY_NOT_JSON",
    });
    expect(await refused({ ...post, headers: json, payload: "" })).toMatchObject({
      status: 400,
      code: "BODY_NOT_JSON",
    });
    for (const type of ["text/plain", "text/xml", "application/x-www-form-urlencoded"]) {
      const typed = await refused({ ...post, headers: { "content-type": type }, payload: "name=a" });
      expect(typed).toMatchObject({ status: 415, code: "MEDIA_TYPE_UNSUPPORTED" });
    }
    const body = (bytes: number) => `{"name":"a","password":"${"x".repeat(bytes - 26)}"}`;
    expect(Buffer.byteLength(body(BODY_BYTES_MAX))).toBe(BODY_BYTES_MAX);
    expect((await refused({ ...post, headers: json, payload: body(BODY_BYTES_MAX) })).code).toBe("REQUEST_INVALID");
    const large = await refused({ ...post, headers: json, payload: body(BODY_BYTES_MAX + 1) });
    expect(large).toMatchObject({ status: 413, code: "BODY_TOO_LARGE" });
  });

  test("is told of the path that was meant, the methods there are, and where to look", async () => {
    await start();
    const headers = await signIn();
    expect((await refused({ url: "/v1/pionts/alm-01" })).detail).toMatch(/Did you mean \/v1\/points\/\{pointId\}\?/);
    const put = await refused({ ...post, method: "PUT", payload: {} });
    expect([put.status, put.headers["allow"]]).toEqual([405, "DELETE, GET, HEAD, POST"]);
    for (const [url, code] of [
      ["/v1/points/nope", "POINT_UNKNOWN"],
      ["/v1/devices/nope", "DEVICE_UNKNOWN"],
      ["/v1/alerts/nope", "ALERT_UNKNOWN"],
    ] as const) {
      expect(await refused({ url, headers })).toMatchObject({ status: 404, code });
    }
    expect(await refused({ url: "/v1/points/%zz", headers })).toMatchObject({ status: 400, code: "REQUEST_INVALID" });
    const long = await refused({ url: `/v1/points/${"x".repeat(101)}`, headers });
    expect(long).toMatchObject({ status: 414, code: "URL_TOO_LONG" });
  });

  test("is told also when it never became one", async () => {
    await start();
    const port = await listen();
    const tooMuch = await sayRaw(port, `GET /healthz HTTP/1.1\r\nhost: h\r\nx: ${"y".repeat(20_000)}\r\n\r\n`);
    expect(tooMuch).toMatch(/^HTTP\/1\.1 431 .*application\/problem\+json.*HEADERS_TOO_LARGE/s);
    const noise = await sayRaw(port, "\u0010\u0000MQTT\r\n\r\n");
    expect(noise).toMatch(/^HTTP\/1\.1 400 .*REQUEST_INVALID/s);
    expect((await app.inject({ url: "/healthz" })).statusCode).toBe(200);
  });

  test("tells nothing of a bug but that there is one, and the log everything", async () => {
    const told: string[] = [];
    await start({
      log: (_event, detail) => void told.push(String(detail["error"])),
      refusals: {
        list: () => {
          throw new Error("secret place");
        },
      },
    });
    const problem = await refused({ url: "/v1/refusals", headers: await signIn() });
    expect([problem.status, problem.code]).toEqual([500, "INTERNAL"]);
    expect(JSON.stringify(problem)).not.toContain("secret");
    expect(told).toEqual(["secret place"]);
  });
});

describe("the documents", () => {
  test("name every schema once, and every reference leads to one", async () => {
    await start();
    const answer = await app.inject({ url: "/v1/openapi.json" });
    const document = answer.json() as { openapi: string; components: { schemas: Record<string, unknown> } };
    expect(answer.headers["access-control-allow-origin"]).toBe("*");
    expect(document.openapi).toBe("3.1.0");
    const names = NAMED_SCHEMAS.map((schema) => String((schema as { $id?: string }).$id)).sort();
    expect(Object.keys(document.components.schemas).sort()).toEqual(names);
    const references = [...answer.body.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] as string);
    expect(new Set(references)).toEqual(new Set(names.map((name) => `#/components/schemas/${name}`)));
    expect((await app.inject({ url: "/v1/asyncapi.json" })).json()).toMatchObject({ asyncapi: "3.0.0" });
  });
});

describe("the screens", () => {
  test("are served at the top and at their own names, to browsers only, and nothing beside them", async () => {
    const dir = join(folder.path, "dist");
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, "index.html"), "<p>the page</p>");
    writeFileSync(join(folder.path, "secret.txt"), "no");
    await start({ staticDir: dir });
    const browser = { accept: "text/html,application/xhtml+xml" };
    for (const url of ["/", "/index.html", "/meldingen"]) {
      expect((await app.inject({ url, headers: browser })).body).toBe("<p>the page</p>");
    }
    expect((await refused({ url: "/meldingen" })).code).toBe("PATH_UNKNOWN");
    for (const url of ["/v1/meldingen", "/missing.js", "/..%2fsecret.txt", "/%2e%2e/secret.txt"]) {
      expect((await app.inject({ url, headers: browser })).statusCode).toBeGreaterThanOrEqual(400);
    }
  });
});

describe("the live stream", () => {
  async function openStream(port: number, cookie: string): Promise<{ response: IncomingMessage; text(): string }> {
    let text = "";
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { port, host: "127.0.0.1", path: "/v1/stream", headers: { cookie }, agent: false };
      httpRequest(options, resolve).on("error", reject).end();
    });
    response.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    response.on("error", () => undefined);
    return { response, text: () => text };
  }

  test("has the headers of every answer, the picture, changes and the beat, and ends with its session", async () => {
    const { clock, listeners } = await start();
    const { cookie } = await signIn();
    const { response, text } = await openStream(await listen(), cookie);
    expect(response.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "api-version": "0.1.0",
      "x-content-type-options": "nosniff",
    });
    await waitFor("the picture", () => text().includes("event: overview"));
    for (let i = 0; i < 5; i++) for (const tell of listeners) tell({ points: [], alerts: [ALERT] });
    await clock.advance(1_000);
    await waitFor("the alert", () => text().includes("event: alert"));
    await clock.advance(4_000);
    await waitFor("the beat", () => text().includes("event: gateway"));
    expect(text().match(/event: alert/g)).toHaveLength(1);
    await app.inject({ method: "DELETE", url: "/v1/session", headers: { cookie } });
    const ended = new Promise((resolve) => response.once("end", resolve));
    await clock.advance(5_000);
    await ended;
  });

  test("cannot be held by a request without a body, nor by more screens than there may be", async () => {
    await start();
    const { cookie } = await signIn();
    expect((await app.inject({ method: "HEAD", url: "/v1/stream", headers: { cookie } })).statusCode).toBe(405);
    const port = await listen();
    const open = await Promise.all(Array.from({ length: STREAMS_MAX }, () => openStream(port, cookie)));
    expect(open.every(({ response }) => response.statusCode === 200)).toBe(true);
    expect(await refused({ url: "/v1/stream", headers: { cookie } })).toMatchObject({
      status: 503,
      code: "STREAMS_FULL",
    });
    open[0]?.response.destroy();
    await waitFor("the place to be free", async () => {
      const again = await openStream(port, cookie);
      return again.response.statusCode === 200;
    });
    const ended = open.slice(1).map(({ response }) => new Promise((resolve) => response.once("close", resolve)));
    await app.close();
    await Promise.all(ended);
  });
});
