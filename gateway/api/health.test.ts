import createFastify, { type FastifyInstance } from "fastify";
import { afterEach, describe, expect, test } from "vitest";
import { type NotReady, notReady, READY_BEHIND_ROWS_MAX } from "../domain/readiness.ts";
import { type ApiHealth, healthRoutes } from "./health-routes.ts";

let app: FastifyInstance | undefined;
afterEach(() => app?.close());

function start(part: Partial<Omit<ApiHealth, "metrics">> = {}) {
  const made = createFastify();
  app = made;
  healthRoutes(made, {
    notReady: () => [],
    metrics: {
      contentType: "text/plain; version=0.0.4; charset=utf-8",
      text: async () => "up 1\n",
      isRightToken: (token) => token === "right-token-0123456",
    },
    ...part,
  });
}

function ask(url: string) {
  return (app as FastifyInstance).inject(url);
}

const WELL = { engineBehindRows: 0, devicesListen: true, stopping: false };

describe("readiness", () => {
  test.each([
    [WELL, []],
    [{ ...WELL, engineBehindRows: READY_BEHIND_ROWS_MAX }, []],
    [{ ...WELL, engineBehindRows: READY_BEHIND_ROWS_MAX + 1 }, ["engine-behind"]],
    [{ ...WELL, journalFailing: "database or disk is full" }, ["journal-refusing"]],
    [{ ...WELL, devicesListen: false }, ["not-listening"]],
    [{ ...WELL, devicesListen: false, stopping: true }, ["stopping", "not-listening"]],
  ])("of %j", (facts, codes) => {
    expect(notReady(facts).map((one) => one.code)).toEqual(codes);
  });

  test("is told with every reason, and 503", async () => {
    let reasons: NotReady[] = [];
    start({ notReady: () => reasons });
    expect((await ask("/readyz")).json()).toEqual({ status: "ok" });
    reasons = notReady({ ...WELL, engineBehindRows: 5_000, journalFailing: "disk is full" });
    const answer = await ask("/readyz");
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({
      code: "NOT_READY",
      problems: [
        "journal-refusing: nothing can be stored: disk is full",
        "engine-behind: 5000 rows are stored and not yet judged",
      ],
    });
    reasons = notReady({ ...WELL, engineBehindRows: 5_000 });
    expect((await ask("/readyz")).json()).toMatchObject({ status: 503, code: "CATCHING_UP" });
    expect((await ask("/healthz")).json()).toEqual({ status: "ok" });
  });
});

describe("the metrics are read", () => {
  const from = (remoteAddress: string, headers: Record<string, string> = {}) =>
    (app as FastifyInstance).inject({ url: "/metrics", remoteAddress, headers });

  test("from this machine without a token", async () => {
    start();
    for (const address of ["127.0.0.1", "::1", "::ffff:127.0.0.1"]) {
      const answer = await from(address);
      expect([answer.statusCode, answer.body, answer.headers["cache-control"]]).toEqual([200, "up 1\n", "no-store"]);
      expect(answer.headers["content-type"]).toMatch(/^text\/plain; version=0\.0\.4/);
    }
  });

  test("from elsewhere with the token alone, and what a proxy passes on came from elsewhere", async () => {
    start();
    const right = { authorization: "Bearer right-token-0123456" };
    const wrong = { authorization: "Bearer other-token-0123456" };
    expect((await from("10.0.0.9", right)).statusCode).toBe(200);
    for (const headers of [{}, wrong, { authorization: "Basic right-token-0123456" }]) {
      const answer = await from("10.0.0.9", headers);
      expect(answer.statusCode).toBe(401);
      expect(answer.json()).toMatchObject({ code: "TOKEN_NEEDED" });
      expect(answer.headers["www-authenticate"]).toBe('Bearer realm="metrics"');
    }
    expect((await from("127.0.0.1", { "x-forwarded-for": "10.0.0.9" })).statusCode).toBe(401);
    expect((await from("127.0.0.1", { "x-forwarded-for": "10.0.0.9", ...right })).statusCode).toBe(200);
    expect((await from("127.evil.example")).statusCode).toBe(401);
  });
});
