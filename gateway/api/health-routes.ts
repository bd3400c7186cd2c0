// For whatever watches the gateway from outside: does it run, does it do its work, and how well?
import type { FastifyInstance, FastifyRequest } from "fastify";
import { isLoopback } from "../domain/permission.ts";
import type { NotReady } from "../domain/readiness.ts";
import { sendProblem } from "./problems.ts";

export interface ApiHealth {
  /** Every reason why not; empty when the gateway does its work. */
  notReady(): readonly NotReady[];
  readonly metrics: {
    readonly contentType: string;
    text(): Promise<string>;
    isRightToken(token: string): boolean;
  };
}

export function healthRoutes(app: FastifyInstance, health: ApiHealth): void {
  app.get("/healthz", { schema: { hide: true } }, async () => ({ status: "ok" }));
  app.get("/readyz", { schema: { hide: true } }, async (_request, reply) => {
    const reasons = health.notReady();
    if (reasons.length === 0) return { status: "ok" };
    const catchingUp = reasons.every((one) => one.code === "engine-behind");
    const problems = reasons.map((one) => `${one.code}: ${one.detail}`);
    const detail = `The gateway does not do all of its work: ${problems.join("; ")}. Ask again in a minute.`;
    return sendProblem(reply, { code: catchingUp ? "CATCHING_UP" : "NOT_READY", detail, problems });
  });
  app.get("/metrics", { schema: { hide: true } }, async (request, reply) => {
    if (!mayRead(request, health)) {
      void reply.header("www-authenticate", 'Bearer realm="metrics"');
      const detail =
        "Metrics are read from the gateway's own machine, or with 'Authorization: Bearer TOKEN' and the token of metrics.tokenFile.";
      return sendProblem(reply, { code: "TOKEN_NEEDED", detail });
    }
    return reply
      .header("cache-control", "no-store")
      .type(health.metrics.contentType)
      .send(await health.metrics.text());
  });
}

/** What came through a proxy of this machine came from elsewhere. */
const FORWARDED = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

function mayRead(request: FastifyRequest, { metrics }: ApiHealth): boolean {
  const isHere =
    isLoopback(request.socket.remoteAddress) && FORWARDED.every((name) => request.headers[name] === undefined);
  const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  return isHere || (token !== undefined && metrics.isRightToken(token));
}
