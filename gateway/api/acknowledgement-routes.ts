// What people do to alerts.
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import Type from "typebox";
import { AcknowledgementSchema, AlertSchema } from "../../protocol/index.ts";
import { isAllowed } from "../domain/permission.ts";
import { GatewayError } from "../errors.ts";
import type { ApiEngine } from "./interfaces.ts";
import { COOKIE } from "./session-routes.ts";
import type { Sessions } from "./sessions.ts";

export interface AcknowledgementDeps {
  readonly engine: ApiEngine;
  readonly sessions: Sessions;
}

export const acknowledgementRoutes: FastifyPluginAsyncTypebox<AcknowledgementDeps> = async (
  app,
  { engine, sessions },
) => {
  const params = Type.Object({ alertId: Type.String({ minLength: 1, maxLength: 80 }) });
  app.post(
    "/alerts/:alertId/acknowledgements",
    { schema: { params, body: AcknowledgementSchema, response: { 200: AlertSchema } } },
    async (request) => {
      const session = sessions.find(request.cookies[COOKIE] ?? "");
      if (session === undefined) throw new GatewayError("SIGN_IN_NEEDED");
      if (!isAllowed(session.role, "acknowledge")) throw new GatewayError("NOT_ALLOWED", { role: session.role });
      const { note } = request.body;
      const act = { by: session.name, origin: `http ${request.ip}`, ...(note === undefined ? {} : { note }) };
      return engine.acknowledge(request.params.alertId, act);
    },
  );
};
