// For whatever watches the gateway from outside: does it run, and does it keep up?
import type { FastifyInstance } from "fastify";
import type { ApiEngine } from "./interfaces.ts";
import { sendProblem } from "./problems.ts";

/** Rows the engine may be behind the journal: some seconds of work. */
export const READY_BEHIND_ROWS_MAX = 1_000;

export function healthRoutes(app: FastifyInstance, engine: Pick<ApiEngine, "gateway">): void {
  app.get("/healthz", { schema: { hide: true } }, async () => ({ status: "ok" }));
  app.get("/readyz", { schema: { hide: true } }, async (_request, reply) => {
    const { engineBehindRows } = engine.gateway().journal;
    if (engineBehindRows <= READY_BEHIND_ROWS_MAX) return { status: "ok" };
    const detail = `The engine is ${engineBehindRows} rows behind the journal; it is catching up. Ask again in a minute.`;
    return sendProblem(reply, { code: "CATCHING_UP", detail });
  });
}
