// What people do to alerts.
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import Type from "typebox";
import { AcknowledgementSchema, AlertSchema } from "../../protocol/index.ts";
import { isAllowed } from "../domain/permission.ts";
import { GatewayError } from "../errors.ts";
import { refer } from "./documents.ts";
import type { ApiEngine } from "./interfaces.ts";
import { sessionOf } from "./session-routes.ts";
import type { Sessions } from "./sessions.ts";

export interface AcknowledgementDeps {
  readonly engine: Pick<ApiEngine, "acknowledge">;
  readonly sessions: Sessions;
}

export const acknowledgementRoutes: FastifyPluginAsyncTypebox<AcknowledgementDeps> = async (
  app,
  { engine, sessions },
) => {
  app.post(
    "/alerts/:alertId/acknowledgements",
    {
      schema: {
        summary: "Acknowledge an alert (coordinator, admin)",
        tags: ["alerts"],
        params: Type.Object({ alertId: Type.String({ minLength: 1, maxLength: 80 }) }),
        body: refer(AcknowledgementSchema),
        response: { 200: refer(AlertSchema) },
      },
      // Before the body: who may not act learns nothing from it.
      preValidation: async (request) => {
        const { role } = sessionOf(request, sessions);
        if (!isAllowed(role, "acknowledge")) throw new GatewayError("NOT_ALLOWED", { role });
      },
    },
    async (request) => {
      const { name } = sessionOf(request, sessions);
      const { note } = request.body;
      const act = { by: name, origin: `http ${request.ip}`, ...(note === undefined ? {} : { note }) };
      return engine.acknowledge(request.params.alertId, act);
    },
  );
};
