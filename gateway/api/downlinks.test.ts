// What devices are told, over HTTP: who may ask for what, and what is answered.
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { DeviceDownlink, NewDownlink, Problem } from "../../protocol/index.ts";
import { NO_DOWNLINKS, peopleWith, serveApi, signIn } from "../../tests/api-fixtures.ts";
import { GatewayError } from "../errors.ts";
import type { ApiDownlinks } from "./interfaces.ts";

const ROLES = { anna: "viewer", coen: "coordinator", ada: "admin" } as const;
type Name = keyof typeof ROLES;
const KEPT: DeviceDownlink = {
  ...{ downlinkId: "form-1234", counter: 7, command: "locate", argument: 30, state: "queued", by: "coen" },
  ...{ askedAt: "2026-11-24T12:00:00.000Z", expiresAt: "2026-11-24T12:15:00.000Z" },
};
const URL = "/v1/devices/alm-01-d1/downlinks";
let app: FastifyInstance;
let asked: unknown[] = [];

async function serve(downlinks?: ApiDownlinks) {
  app = await serveApi({
    people: peopleWith((name) => ROLES[name as Name]),
    ...(downlinks === undefined ? {} : { downlinks }),
  });
}

async function as(name: Name) {
  const cookie = await signIn(app, name);
  return (payload?: object) =>
    app.inject({
      method: payload === undefined ? "GET" : "POST",
      url: URL,
      headers: { cookie },
      ...(payload && { payload }),
    });
}

describe("downlinks", () => {
  beforeEach(() => {
    asked = [];
  });
  afterAll(() => app.close());
  beforeAll(async () => {
    await serve({
      list: () => [KEPT],
      ask: async (...one: [string, NewDownlink, object]) => {
        asked.push(one);
        return KEPT;
      },
      withdraw: async (...one: [string, string, object]) => {
        asked.push(one);
        return { ...KEPT, state: "expired" };
      },
    });
  });

  test("are seen by all who may read, and by nobody else", async () => {
    expect((await (await as("anna"))()).json()).toEqual([KEPT]);
    expect((await app.inject({ method: "GET", url: URL })).statusCode).toBe(401);
  });

  test("are asked for in the name that is signed in", async () => {
    const ask = { command: "locate", argument: 30, downlinkId: "form-1234" };
    expect((await (await as("coen"))(ask)).json()).toEqual(KEPT);
    expect(asked).toEqual([["alm-01-d1", ask, { by: "coen", origin: "http 127.0.0.1" }]]);
  });

  test("are taken back by who may command", async () => {
    const url = `${URL}/form-1234`;
    const take = async (name: Name) => {
      const cookie = await signIn(app, name);
      return app.inject({ method: "DELETE", url, headers: { cookie } });
    };
    expect((await take("anna")).statusCode).toBe(403);
    expect((await take("coen")).json<DeviceDownlink>().state).toBe("expired");
    expect(asked).toEqual([["alm-01-d1", "form-1234", { by: "coen", origin: "http 127.0.0.1" }]]);
  });

  test.each<[Name, object, number]>([
    ["anna", { command: "locate", argument: 30 }, 403],
    ["anna", { nonsense: true }, 403],
    ["coen", { command: "reboot" }, 403],
    ["coen", { settings: { capacity: 3 } }, 403],
    ["ada", { command: "reboot" }, 200],
    ["ada", { settings: { capacity: 3 } }, 200],
  ])("%s with %j: %i", async (name, body, status) => {
    const answer = await (await as(name))(body);
    expect(answer.statusCode).toBe(status);
    expect(asked).toHaveLength(status === 200 ? 1 : 0);
  });

  test.each<[object, string]>([
    [{ settings: { reportIntervalS: 9 } }, "body/settings/reportIntervalS must be >= 10"],
    [{ settings: { reportInterval: 60 } }, "body/settings/reportInterval is not known here: leave it out"],
    [{ settings: {} }, "body/settings must NOT have fewer than 1 properties"],
    [{ command: "explode" }, "body/command must be equal to one of the allowed values"],
    [{ command: "reboot", expiresInS: 1 }, "body/expiresInS must be >= 60"],
  ])("%j does not fit", async (body, problem) => {
    const answer = await (await as("ada"))(body);
    expect([answer.statusCode, answer.json<Problem>().problems]).toEqual([400, [problem]]);
  });
});

test("why nothing was asked is told with what to do", async () => {
  await serve({
    ...NO_DOWNLINKS,
    ask: () => Promise.reject(new GatewayError("DOWNLINKS_FULL", { deviceId: "alm-01-d1" })),
  });
  const answer = await (await as("coen"))({ command: "report-now" });
  expect([answer.statusCode, answer.json<Problem>().code]).toEqual([409, "DOWNLINKS_FULL"]);
  expect(answer.json<Problem>().detail).toContain("take one back");
  await app.close();
});

test("without a queue there are no such paths", async () => {
  await serve();
  expect((await (await as("ada"))()).json<Problem>().code).toBe("PATH_UNKNOWN");
  await app.close();
});
