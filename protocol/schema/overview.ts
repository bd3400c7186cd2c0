// The whole picture at once: what a screen loads first, and the first event of its stream.
import Type, { type Static } from "typebox";
import { AlertSchema } from "./alert.ts";
import { GatewayStateSchema } from "./gateway-state.ts";
import { PointStateSchema } from "./point-state.ts";
import { HelpRequestSchema } from "./request.ts";

export const POINTS_MAX = 1000;
export const ALERTS_OPEN_MAX = 5000;
export const REQUESTS_OPEN_MAX = 32_000;

export const OverviewSchema = Type.Object(
  {
    gateway: GatewayStateSchema,
    points: Type.Array(PointStateSchema, { maxItems: POINTS_MAX }),
    alerts: Type.Array(AlertSchema, { maxItems: ALERTS_OPEN_MAX }),
    /** Those that are open. */
    requests: Type.Optional(Type.Array(HelpRequestSchema, { maxItems: REQUESTS_OPEN_MAX })),
  },
  { additionalProperties: false, $id: "Overview" },
);
export type Overview = Static<typeof OverviewSchema>;
