// Who was told of what, who is left out for now, and whom to call.
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyRequest } from "fastify";
import Type from "typebox";
import { CallListSchema, MuteSchema, NewMuteSchema, NOTICES_PAGE_MAX, NoticesSchema } from "../../protocol/index.ts";
import { clockText, EN, NL } from "../domain/local-time.ts";
import { callListPage, callListText } from "../domain/notify/call-list.ts";
import { type Action, isAllowed } from "../domain/permission.ts";
import { GatewayError } from "../errors.ts";
import { refer } from "./documents.ts";
import type { ApiNotices } from "./interfaces.ts";
import { sessionOf } from "./session-routes.ts";
import type { Sessions } from "./sessions.ts";

export interface NoticeRouteDeps {
  readonly notices: ApiNotices;
  readonly sessions: Sessions;
}

const Language = Type.Union([Type.Literal("nl"), Type.Literal("en")]);
const Query = Type.Object({ language: Type.Optional(Language) }, { additionalProperties: false });
const Params = Type.Object({ recipientId: Type.String({ minLength: 1, maxLength: 80 }) });

export const noticeRoutes: FastifyPluginAsyncTypebox<NoticeRouteDeps> = async (app, { notices, sessions }) => {
  const guard = (action: Action) => async (request: FastifyRequest) => {
    const { role } = sessionOf(request, sessions);
    if (!isAllowed(role, action)) throw new GatewayError("NOT_ALLOWED", { role });
  };
  const tags = ["notices"];

  app.get(
    "/notices",
    {
      schema: {
        summary: `Who was told of what: the newest ${NOTICES_PAGE_MAX}, and how the ways to people stand`,
        tags,
        response: { 200: refer(NoticesSchema) },
      },
    },
    async () => notices.list(NOTICES_PAGE_MAX),
  );
  app.post(
    "/mutes",
    {
      schema: {
        summary: "Leave a recipient out until a time (coordinator, admin); ends with the shift at the latest",
        tags,
        body: refer(NewMuteSchema),
        response: { 200: refer(MuteSchema) },
      },
      preValidation: guard("acknowledge"),
    },
    async (request) => notices.mute(request.body, sessionOf(request, sessions).name),
  );
  app.delete(
    "/mutes/:recipientId",
    {
      schema: {
        summary: "Tell a recipient again (coordinator, admin)",
        tags,
        params: Params,
        response: { 204: { type: "null", description: "it is told again" } },
      },
      preValidation: guard("acknowledge"),
    },
    async (request, reply) => {
      await notices.unmute(request.params.recipientId, sessionOf(request, sessions).name);
      return reply.code(204).send(null);
    },
  );
  app.get(
    "/call-list",
    {
      schema: {
        summary: "Whom to call for what (coordinator, admin): JSON, or by accept text/html or text/plain to print",
        tags,
        querystring: Query,
        response: { 200: refer(CallListSchema) },
      },
      preValidation: guard("look-up"),
    },
    async (request, reply) => {
      const { language = "nl" } = request.query;
      const list = notices.callList(language);
      const accept = String(request.headers.accept ?? "");
      const form = ["application/json", "text/html", "text/plain"].find((one) => accept.includes(one));
      if (form === undefined || form === "application/json") return list;
      const made = clockText(language === "nl" ? NL : EN, list.madeAt);
      const text = form === "text/html" ? callListPage(list, language, made) : callListText(list, language, made);
      // The answer's schema is that of the JSON: what is no JSON goes past it.
      return reply
        .type(`${form}; charset=utf-8`)
        .serializer((whole: unknown) => String(whole))
        .send(text as never);
    },
  );
};
