// What people tell of a point: typed in by whoever has it from a radio, a runner or their own eyes.
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import Type from "typebox";
import {
  ENTRIES_PAGE_MAX,
  EntrySchema,
  InstantSchema,
  NewEntrySchema,
  PointStateSchema,
} from "../../protocol/index.ts";
import { isAllowed } from "../domain/permission.ts";
import { GatewayError } from "../errors.ts";
import { refer } from "./documents.ts";
import type { ApiEngine, ApiEntries } from "./interfaces.ts";
import { sessionOf } from "./session-routes.ts";
import type { Sessions } from "./sessions.ts";

export interface EntryRouteDeps {
  readonly engine: Pick<ApiEngine, "point" | "entries">;
  readonly entries: ApiEntries;
  readonly sessions: Sessions;
}

const Params = Type.Object({ pointId: Type.String({ minLength: 1, maxLength: 80 }) });
const LIMIT_DEFAULT = 50;
const Query = Type.Object(
  {
    limit: Type.Optional(
      Type.String({
        pattern: "^[1-9]\\d{0,2}$",
        description: `most entries, 1 to ${ENTRIES_PAGE_MAX}; ${LIMIT_DEFAULT} when left out. Those of one moment stay together`,
      }),
    ),
    before: Type.Optional(
      Type.String({ ...InstantSchema, description: "excluded: `at` of the last entry of the page before" }),
    ),
  },
  { additionalProperties: false },
);
const ABOUT =
  "Answered when it is on disk, with the point as it is now. With an entryId of the client's it counts once, however often it is " +
  "sent. Write no names of people in a note and nothing by which somebody can be known: notes are shown to all who may read, and " +
  "go with the rows of the journal.";

export const entryRoutes: FastifyPluginAsyncTypebox<EntryRouteDeps> = async (app, { engine, entries, sessions }) => {
  const tags = ["entries"];
  app.post(
    "/points/:pointId/entries",
    {
      schema: {
        summary: "Tell something of a point (coordinator, admin)",
        description: ABOUT,
        tags,
        params: Params,
        body: refer(NewEntrySchema),
        response: { 200: refer(PointStateSchema) },
      },
      // Before the body: who may not tell learns nothing from it.
      preValidation: async (request) => {
        const { role } = sessionOf(request, sessions);
        if (!isAllowed(role, "tell")) throw new GatewayError("NOT_ALLOWED", { role });
      },
    },
    async (request) => {
      const { name } = sessionOf(request, sessions);
      return entries.tell(request.params.pointId, request.body, name);
    },
  );
  app.get(
    "/points/:pointId/entries",
    {
      schema: {
        summary: "What people told of a point, the newest first",
        tags,
        params: Params,
        querystring: Query,
        response: { 200: Type.Array(refer(EntrySchema)) },
      },
    },
    async (request) => {
      const { pointId } = request.params;
      if (engine.point(pointId) === undefined) throw new GatewayError("POINT_UNKNOWN", { pointId });
      const { limit, before } = request.query;
      const beforeMs = before === undefined ? Number.POSITIVE_INFINITY : Date.parse(before);
      if (Number.isNaN(beforeMs)) throw new GatewayError("RANGE_INVALID", { before: before ?? "" });
      const most = Math.min(Number(limit ?? LIMIT_DEFAULT), ENTRIES_PAGE_MAX);
      return [...engine.entries(pointId, most, beforeMs)];
    },
  );
};
