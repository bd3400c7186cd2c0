// Who put a point where, and when: its phase changes, from the log of acts.
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import Type from "typebox";
import { PHASE_CHANGES_PAGE_MAX, type PointPhases, PointPhasesSchema } from "../../protocol/index.ts";
import { GatewayError } from "../errors.ts";
import { refer } from "./documents.ts";
import type { ApiHistory } from "./interfaces.ts";

export interface PhaseRouteDeps {
  readonly history: Pick<ApiHistory, "hasPoint" | "phases">;
}

const LIMIT_DEFAULT = 50;
const Query = Type.Object(
  {
    limit: Type.Optional(
      Type.String({
        pattern: "^[1-9]\\d{0,3}$",
        description: `most changes, 1 to ${PHASE_CHANGES_PAGE_MAX}; ${LIMIT_DEFAULT} when left out`,
      }),
    ),
    after: Type.Optional(Type.String({ pattern: "^\\d{1,15}$", description: "`next` of the page before" })),
  },
  { additionalProperties: false },
);
const ABOUT =
  "From the log of acts, and kept as long. What came late and moved nothing is not in it, nor is a phase that is unknown because " +
  "nobody has heard of the point: that is no change, and ends with the next word.";

export const phaseRoutes: FastifyPluginAsyncTypebox<PhaseRouteDeps> = async (app, { history }) => {
  app.get(
    "/points/:pointId/phases",
    {
      schema: {
        summary: "Phase changes of a point, the newest first: when, by what way, and by whom",
        description: ABOUT,
        tags: ["history"],
        params: Type.Object({ pointId: Type.String({ minLength: 1, maxLength: 80 }) }),
        querystring: Query,
        response: { 200: refer(PointPhasesSchema) },
      },
    },
    async (request): Promise<PointPhases> => {
      const { pointId } = request.params;
      if (!history.hasPoint(pointId)) throw new GatewayError("POINT_UNKNOWN", { pointId });
      const { limit, after } = request.query;
      const most = Math.min(Number(limit ?? LIMIT_DEFAULT), PHASE_CHANGES_PAGE_MAX);
      const { changes, next } = await history.phases(pointId, most, after === undefined ? undefined : Number(after));
      return { pointId, changes: [...changes], ...(next === undefined ? {} : { next: String(next) }) };
    },
  );
};
