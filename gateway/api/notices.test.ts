// Notices, mutes and the call list over HTTP: who may see and do what, and in which form.
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CallList, Mute } from "../../protocol/index.ts";
import { NO_NOTICES, peopleWith, serveApi, signIn } from "../../tests/api-fixtures.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { openAlert, PLACES, planWith, recipient } from "../../tests/notify-fixtures.ts";
import { callList, callListText } from "../domain/notify/call-list.ts";
import { GatewayError } from "../errors.ts";

const ROLES = { anna: "viewer", coen: "coordinator" } as const;
type Name = keyof typeof ROLES;
const LIST: CallList = callList({
  alerts: [
    openAlert({ priority: 2, pointId: "hil-01" }),
    openAlert(),
    openAlert({ pointId: "alm-02", state: "suppressed" }),
    openAlert({ alertId: "disk-1", priority: 2, subject: { kind: "gateway", id: "gateway", name: "gateway" } }),
  ],
  contacts: [{ pointId: "alm-01", role: "beheerder <sleutel>", phone: "036 123 4567" }],
  plan: planWith([
    recipient({ name: "Piket", priorities: [1] }),
    recipient({ recipientId: "post", channels: [{ type: "mqtt" }] }),
  ]),
  placeOf: PLACES,
  nowMs: NOON_MS,
  language: "nl",
});

let app: FastifyInstance;
let muted: Mute[];

beforeEach(async () => {
  muted = [];
  app = await serveApi({
    people: peopleWith((name) => ROLES[name as Name]),
    notices: {
      ...NO_NOTICES,
      callList: () => LIST,
      mute: async ({ recipientId, until, reason }, by) => {
        if (recipientId === "niemand") throw new GatewayError("RECIPIENT_UNKNOWN", { recipientId });
        const mute = { recipientId, by, at: new Date(NOON_MS).toISOString(), until, reason };
        muted.push(mute);
        return mute;
      },
      unmute: async () => void muted.pop(),
    },
  });
});
afterEach(() => app.close());

async function as(name: Name) {
  const cookie = await signIn(app, name);
  return (method: "GET" | "POST" | "DELETE", url: string, more: { payload?: object; accept?: string } = {}) =>
    app.inject({
      method,
      url,
      headers: { cookie, ...(more.accept === undefined ? {} : { accept: more.accept }) },
      ...(more.payload === undefined ? {} : { payload: more.payload }),
    });
}

describe("notices over HTTP", () => {
  const payload = { recipientId: "officier", until: "2026-11-24T14:00:00Z", reason: "in overleg" };

  test("everybody who signs in sees what was told, nobody else", async () => {
    expect((await app.inject({ url: "/v1/notices" })).statusCode).toBe(401);
    const call = await as("anna");
    expect((await call("GET", "/v1/notices")).json()).toEqual(NO_NOTICES.list(1));
  });

  test("a coordinator mutes, with a reason, and lets go; a viewer does neither", async () => {
    const viewer = await as("anna");
    expect((await viewer("POST", "/v1/mutes", { payload })).statusCode).toBe(403);
    expect((await viewer("DELETE", "/v1/mutes/officier")).statusCode).toBe(403);
    const call = await as("coen");
    expect((await call("POST", "/v1/mutes", { payload: { ...payload, reason: "" } })).statusCode).toBe(400);
    expect((await call("POST", "/v1/mutes", { payload: { ...payload, recipientId: "niemand" } })).statusCode).toBe(404);
    expect((await call("POST", "/v1/mutes", { payload })).json()).toMatchObject({ by: "coen", reason: "in overleg" });
    expect((await call("DELETE", "/v1/mutes/officier")).statusCode).toBe(204);
    expect(muted).toEqual([]);
  });

  test("the call list has phone numbers: it is for coordinators, as JSON, text or a page", async () => {
    expect((await (await as("anna"))("GET", "/v1/call-list")).statusCode).toBe(403);
    const call = await as("coen");
    expect((await call("GET", "/v1/call-list")).json()).toEqual(LIST);
    expect((await call("GET", "/v1/call-list?language=fr")).statusCode).toBe(400);
    const text = await call("GET", "/v1/call-list", { accept: "text/plain" });
    expect([text.headers["content-type"], text.body]).toEqual([
      "text/plain; charset=utf-8",
      callListText(LIST, "nl", "di 13:00"),
    ]);
    const page = await call("GET", "/v1/call-list?language=en", { accept: "text/html,*/*" });
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(page.body).toContain("☎ 036 123 4567 · beheerder &lt;sleutel&gt;");
    expect(page.body).not.toContain("<sleutel>");
  });
});

test("the list: the most pressing point first, its contacts, and nothing that is hidden", () => {
  expect(LIST.people).toEqual([
    { role: "officier", name: "Piket", phone: "+31600000001", onDuty: true, priorities: [1] },
  ]);
  expect(LIST.points.map((one) => [one.pointId, one.alerts.length, one.contacts.length])).toEqual([
    ["alm-01", 1, 1],
    ["hil-01", 1, 0],
  ]);
  expect(LIST.general).toHaveLength(1);
  const text = callListText(LIST, "nl", "di 13:00");
  expect(text).toContain("geen contact in het register");
  expect(text.indexOf("alm-01")).toBeLessThan(text.indexOf("hil-01"));
  const quiet = callListText({ ...LIST, general: [], points: [] }, "nl", "di 13:00");
  expect(quiet).toContain("Er staat niets open.");
});
