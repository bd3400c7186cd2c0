// LoRaWAN over HTTP: who may see and do what, and which answer has keys.
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { IssuedKeys, LorawanDeviceState, Problem } from "../../protocol/index.ts";
import { NO_LORAWAN, peopleWith, serveApi, signIn } from "../../tests/api-fixtures.ts";
import { GatewayError } from "../errors.ts";

const ROLES = { anna: "viewer", coen: "coordinator", ada: "admin" } as const;
type Name = keyof typeof ROLES;
const ISSUED: IssuedKeys = {
  ...{ deviceId: "alm-01-t1", pointId: "alm-01", devEui: "24e124713d491234", joinEui: "0000000000000000" },
  keys: { appKey: "0123456789abcdef0123456789abcdef" },
};
const DEVICE: LorawanDeviceState = {
  ...{ deviceId: "alm-01-t1", pointId: "alm-01", devEui: "24e124713d491234", version: "1.0.3", activation: "otaa" },
  ...{ disabled: false, hasKeys: true },
};
const NEW = { deviceId: "alm-01-t1", pointId: "alm-01", devEui: "24E124713D491234", model: "EM500-UDL" };
const UUID = "4a4ac9c0-3b6e-4f1b-9a3f-7f0f4a6a1c11";
const ONE = "/v1/lorawan/devices/alm-01-t1";
let app: FastifyInstance;
let called: unknown[] = [];
const cookies = new Map<Name, string>();

beforeEach(() => {
  called = [];
});
afterAll(() => app.close());
beforeAll(async () => {
  const noting =
    <T>(name: string, answer: T) =>
    async (...args: unknown[]) => {
      called.push([name, ...args]);
      return answer;
    };
  app = await serveApi({
    people: peopleWith((name) => ROLES[name as Name]),
    lorawan: {
      ...NO_LORAWAN,
      devices: () => [DEVICE],
      add: noting("add", ISSUED),
      replace: noting("replace", ISSUED),
      rekey: noting("rekey", ISSUED),
      disable: noting("disable", { ...DEVICE, disabled: true }),
      flushNonces: noting("flush", undefined),
      forgetSession: () => Promise.reject(new GatewayError("LORAWAN_OFF")),
      label: ({ deviceId }) => `<svg>${deviceId}</svg>`,
      exportAll: noting("export", [{ device: { devEui: DEVICE.devEui } }]),
      importAll: noting("import", { dryRun: true, added: [], keyed: ["alm-01-t1"], unchanged: [], warnings: [] }),
    },
  });
  for (const name of Object.keys(ROLES) as Name[]) {
    cookies.set(name, await signIn(app, name));
  }
});

type Method = "GET" | "POST" | "PATCH" | "DELETE";
function call(name: Name, method: Method, url: string, payload?: object, accept?: string) {
  const headers = { cookie: cookies.get(name) ?? "", ...(accept && { accept }) };
  return app.inject({ method, url, headers, ...(payload && { payload }) });
}
const DOER = { by: "ada", origin: "http 127.0.0.1" };

test.each<[Method, string, object | undefined, number, unknown]>([
  ["POST", "/v1/lorawan/devices", NEW, 201, ["add", NEW, DOER]],
  [
    "POST",
    `${ONE}/replacement`,
    { deviceId: "alm-01-t2" },
    201,
    ["replace", "alm-01-t1", { deviceId: "alm-01-t2" }, DOER],
  ],
  ["POST", `${ONE}/keys`, {}, 201, ["rekey", "alm-01-t1", undefined, DOER]],
  ["PATCH", ONE, { disabled: true }, 200, ["disable", "alm-01-t1", true, DOER]],
  ["DELETE", `${ONE}/nonces`, undefined, 204, ["flush", "alm-01-t1", DOER]],
  [
    "GET",
    `/v1/lorawan/export?applicationId=${UUID}&deviceProfileId=${UUID}`,
    undefined,
    200,
    ["export", { applicationId: UUID, deviceProfileId: UUID }, DOER],
  ],
  ["POST", "/v1/lorawan/import?dryRun=true", [{ device: {} }], 200, ["import", [{ device: {} }], true, DOER]],
])("%s %s is for the admin alone", async (method, url, body, status, expected) => {
  for (const name of ["anna", "coen"] as const) expect((await call(name, method, url, body)).statusCode).toBe(403);
  expect(called).toEqual([]);
  expect((await call("ada", method, url, body)).statusCode).toBe(status);
  expect(called).toEqual([expected]);
});

test("keys stand in the answer that makes them, or on its label; no cache keeps it", async () => {
  const answer = await call("ada", "POST", "/v1/lorawan/devices", NEW);
  expect([answer.json(), answer.headers["cache-control"]]).toEqual([ISSUED, "no-store"]);
  const label = await call("ada", "POST", `${ONE}/keys`, {}, "image/svg+xml");
  expect([label.body, label.headers["content-type"]]).toEqual(["<svg>alm-01-t1</svg>", "image/svg+xml"]);
});

test("devices and base stations are for coordinators too", async () => {
  expect((await call("coen", "GET", "/v1/lorawan/devices")).json()).toEqual([DEVICE]);
  expect((await call("coen", "GET", "/v1/lorawan/stations")).json()).toEqual([]);
  expect((await call("anna", "GET", "/v1/lorawan/stations")).statusCode).toBe(403);
});

test("what does not fit is told without what was in it", async () => {
  const appKey = "0123456789abcdef0123456789abcdeg";
  const answer = await call("ada", "POST", "/v1/lorawan/devices", { ...NEW, keys: { appKey } });
  expect([answer.statusCode, answer.body.includes(appKey)]).toEqual([400, false]);
  const off = await call("ada", "DELETE", `${ONE}/session`);
  expect([off.statusCode, off.json<Problem>().code]).toEqual([409, "LORAWAN_OFF"]);
});
