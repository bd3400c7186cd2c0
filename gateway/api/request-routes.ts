// Requests for help: asked by screen or voice, and what becomes of each of them.
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyRequest } from "fastify";
import Type from "typebox";
import {
  type HelpRequest,
  HelpRequestSchema,
  NewHelpRequestSchema,
  NewRequestStepSchema,
  REQUEST_STATES,
} from "../../protocol/index.ts";
import { isAllowed } from "../domain/permission.ts";
import { isOpenRequest } from "../domain/requests.ts";
import { GatewayError } from "../errors.ts";
import { refer } from "./documents.ts";
import type { ApiEngine } from "./interfaces.ts";
import { sessionOf } from "./session-routes.ts";
import type { Sessions } from "./sessions.ts";

export interface RequestRouteDeps {
  readonly engine: Pick<ApiEngine, "requests">;
  readonly sessions: Sessions;
}

const FILTERS = ["open", "all", ...REQUEST_STATES] as const;
type Filter = (typeof FILTERS)[number];
const Query = Type.Object(
  {
    state: Type.Optional(
      Type.Unsafe<Filter>({
        type: "string",
        enum: [...FILTERS],
        description: "open when left out; all: closed ones too",
      }),
    ),
  },
  { additionalProperties: false },
);
const ABOUT =
  "Answered when it is on disk. With a requestId of the client's it is asked once, however often it is sent. A button that is pressed " +
  "while a request of its kind is open counts up there. Write no names of people in a note.";

function fits(request: HelpRequest, filter: Filter): boolean {
  if (filter === "all") return true;
  return filter === "open" ? isOpenRequest(request) : request.state === filter;
}

export const requestRoutes: FastifyPluginAsyncTypebox<RequestRouteDeps> = async (app, { engine, sessions }) => {
  const { requests } = engine;
  const tags = ["requests"];
  const One = Type.Object({ requestId: Type.String({ minLength: 1, maxLength: 80 }) });
  // Before the body: who may not ask learns nothing from it.
  const preValidation = async (request: FastifyRequest) => {
    const { role } = sessionOf(request, sessions);
    if (!isAllowed(role, "tell")) throw new GatewayError("NOT_ALLOWED", { role });
  };
  const doer = (request: FastifyRequest) => ({
    by: sessionOf(request, sessions).name,
    origin: `http ${request.ip}`,
  });

  app.get(
    "/requests",
    {
      schema: {
        summary: "Requests for help, the oldest first",
        tags,
        querystring: Query,
        response: { 200: Type.Array(refer(HelpRequestSchema)) },
      },
    },
    async (request) => {
      const filter = request.query.state ?? "open";
      const found = requests.list().filter((one) => fits(one, filter));
      return found.sort((a, b) => Date.parse(a.askedAt) - Date.parse(b.askedAt));
    },
  );
  app.get(
    "/requests/:requestId",
    { schema: { summary: "One request for help", tags, params: One, response: { 200: refer(HelpRequestSchema) } } },
    async (request) => {
      const { requestId } = request.params;
      const found = requests.get(requestId);
      if (found === undefined) throw new GatewayError("REQUEST_UNKNOWN", { requestId });
      return found;
    },
  );
  app.post(
    "/points/:pointId/requests",
    {
      schema: {
        summary: "Ask for help for a point (coordinator, admin)",
        description: ABOUT,
        tags,
        params: Type.Object({ pointId: Type.String({ minLength: 1, maxLength: 80 }) }),
        body: refer(NewHelpRequestSchema),
        response: { 200: refer(HelpRequestSchema) },
      },
      preValidation,
    },
    async (request) => requests.ask(request.params.pointId, request.body, doer(request)),
  );
  app.post(
    "/requests/:requestId/steps",
    {
      schema: {
        summary: "Take a request a step further (coordinator, admin)",
        description: "Forward only: promised, under-way, delivered; or declined, for a reason in the note.",
        tags,
        params: One,
        body: refer(NewRequestStepSchema),
        response: { 200: refer(HelpRequestSchema) },
      },
      preValidation,
    },
    async (request) => requests.step(request.params.requestId, request.body, doer(request)),
  );
};
