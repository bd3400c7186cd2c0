// The live stream of a screen, as Server-Sent Events.
import type { FastifyPluginAsync } from "fastify";
import { sendProblem } from "./problems.ts";
import { tokenOf } from "./session-routes.ts";
import type { Sessions } from "./sessions.ts";
import type { StreamHub } from "./stream.ts";

export interface StreamRouteDeps {
  readonly hub: StreamHub;
  readonly sessions: Sessions;
}

const DESCRIPTION =
  "Server-Sent Events: `overview` (Overview) first, then `point` (PointState), `alert` (Alert; state `normal` is closed), " +
  "`request` (HelpRequest) and `gateway` (GatewayState) at least every 5 seconds. Hearing nothing for 15 seconds means that contact is lost.";

export const streamRoutes: FastifyPluginAsync<StreamRouteDeps> = async (app, { hub, sessions }) => {
  const content = { "text/event-stream": { schema: { type: "string" } } };
  app.get(
    "/stream",
    {
      // A HEAD would hold a stream that nobody reads.
      exposeHeadRoute: false,
      schema: {
        summary: "What changes, live",
        description: DESCRIPTION,
        tags: ["state"],
        response: { 200: { description: "An endless stream of events", content } },
      },
    },
    (request, reply) => {
      if (hub.isFull()) {
        const detail = "Too many screens are open. Close one, or use one browser for several tabs.";
        void sendProblem(reply, { code: "STREAMS_FULL", detail });
        return;
      }
      const token = tokenOf(request);
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) reply.raw.setHeader(name, value);
      }
      reply.hijack();
      hub.open({ response: reply.raw, isAllowed: () => sessions.find(token) !== undefined });
    },
  );
};
