// What people do to alerts: one path for each act, so that a log of requests reads like the log of acts.
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyRequest } from "fastify";
import Type from "typebox";
import { AcknowledgementSchema, AlertSchema, RemovalSchema, ShelvingSchema } from "../../protocol/index.ts";
import { isAllowed } from "../domain/permission.ts";
import { GatewayError } from "../errors.ts";
import { refer } from "./documents.ts";
import type { ApiEngine } from "./interfaces.ts";
import { sessionOf } from "./session-routes.ts";
import type { Sessions } from "./sessions.ts";

export interface AlertActDeps {
  readonly engine: Pick<ApiEngine, "act">;
  readonly sessions: Sessions;
}

/** Acts that say nothing more than that they are done. */
const PLAIN = [
  { path: "unshelvings", kind: "unshelve", summary: "Take a shelved alert back" },
  { path: "resets", kind: "reset", summary: "Reset a latched alert that has been acknowledged" },
  { path: "returns", kind: "put-back", summary: "Put an alert back into service" },
] as const;

export const alertActRoutes: FastifyPluginAsyncTypebox<AlertActDeps> = async (app, { engine, sessions }) => {
  const params = Type.Object({ alertId: Type.String({ minLength: 1, maxLength: 80 }) });
  const schemaOf = <S extends string>(summary: S) => ({
    summary: `${summary} (coordinator, admin)`,
    tags: ["alerts"],
    params,
    response: { 200: refer(AlertSchema) },
  });
  // Before the body: who may not act learns nothing from it.
  const preValidation = async (request: FastifyRequest) => {
    const { role } = sessionOf(request, sessions);
    if (!isAllowed(role, "acknowledge")) throw new GatewayError("NOT_ALLOWED", { role });
  };
  const doer = (request: FastifyRequest) => ({
    by: sessionOf(request, sessions).name,
    origin: `http ${request.ip}`,
  });

  app.post(
    "/alerts/:alertId/acknowledgements",
    { schema: { ...schemaOf("Acknowledge an alert"), body: refer(AcknowledgementSchema) }, preValidation },
    async (request) => {
      const { note } = request.body;
      const deed = { kind: "acknowledge", ...(note === undefined ? {} : { note }) } as const;
      return engine.act(request.params.alertId, deed, doer(request));
    },
  );
  app.post(
    "/alerts/:alertId/shelvings",
    {
      schema: { ...schemaOf("Put an alert away until a time, for a reason"), body: refer(ShelvingSchema) },
      preValidation,
    },
    async (request) => engine.act(request.params.alertId, { kind: "shelve", ...request.body }, doer(request)),
  );
  app.post(
    "/alerts/:alertId/removals",
    {
      schema: { ...schemaOf("Take an alert out of service, for a reason"), body: refer(RemovalSchema) },
      preValidation,
    },
    async (request) => engine.act(request.params.alertId, { kind: "take-out", ...request.body }, doer(request)),
  );
  for (const { path, kind, summary } of PLAIN) {
    app.post(`/alerts/:alertId/${path}`, { schema: schemaOf(summary), preValidation }, async (request) =>
      engine.act((request.params as { alertId: string }).alertId, { kind }, doer(request)),
    );
  }
};
