// What was: series of a point, samples of a device.
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import Type from "typebox";
import {
  type DeviceSamples,
  DeviceSamplesSchema,
  decodeUplink,
  HISTORY_FIELD_NAMES,
  HISTORY_POINTS_MAX,
  InstantSchema,
  type PointHistory,
  PointHistorySchema,
  SAMPLES_MAX,
} from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import { toInstant } from "../domain/instant.ts";
import { GatewayError } from "../errors.ts";
import { refer } from "./documents.ts";
import type { ApiFieldSeries, ApiHistory, ApiPlace, ApiRange, ApiRow } from "./interfaces.ts";

export interface HistoryRouteDeps {
  readonly history: ApiHistory;
  readonly clock: Pick<Clock, "nowMs">;
}

const Closed = { additionalProperties: false } as const;
const Id = Type.String({ minLength: 1, maxLength: 80 });
/** What is shown when nothing is asked: the outage that everything is made for. */
const SPAN_MS_DEFAULT = 72 * 3_600_000;
const SPAN_MS_MAX = 10 * 366 * 86_400_000;
const POINTS_DEFAULT = 500;
const LIMIT_DEFAULT = 500;

const whole = (description: string) => Type.Optional(Type.String({ pattern: "^[1-9]\\d{0,3}$", description }));
const Range = {
  from: Type.Optional(Type.String({ ...InstantSchema, description: "included; 72 hours before `to` when left out" })),
  to: Type.Optional(Type.String({ ...InstantSchema, description: "excluded; now when left out" })),
};
const SeriesQuery = Type.Object(
  {
    ...Range,
    fields: Type.Optional(
      Type.String({ maxLength: 1_000, description: "group.field names with commas between; all when left out" }),
    ),
    points: whole(`most steps, 1 to ${HISTORY_POINTS_MAX}; ${POINTS_DEFAULT} when left out`),
  },
  Closed,
);
const SamplesQuery = Type.Object(
  {
    ...Range,
    limit: whole(`most samples, 1 to ${SAMPLES_MAX}; ${LIMIT_DEFAULT} when left out`),
    after: Type.Optional(Type.String({ pattern: "^\\d{1,15}-\\d{1,15}$", description: "`next` of the page before" })),
  },
  Closed,
);

export const historyRoutes: FastifyPluginAsyncTypebox<HistoryRouteDeps> = async (app, { history, clock }) => {
  const tags = ["history"];
  app.get(
    "/points/:pointId/history",
    {
      schema: {
        summary: "Series of a point: lowest, highest, mean and last of each step; gaps stay gaps",
        tags,
        params: Type.Object({ pointId: Id }),
        querystring: SeriesQuery,
        response: { 200: refer(PointHistorySchema) },
      },
    },
    async (request): Promise<PointHistory> => {
      const { pointId } = request.params;
      if (!history.hasPoint(pointId)) throw new GatewayError("POINT_UNKNOWN", { pointId });
      const { query } = request;
      const range = rangeOf(query, clock.nowMs());
      const points = Math.min(Number(query.points ?? POINTS_DEFAULT), HISTORY_POINTS_MAX);
      const told = await history.series(pointId, { ...range, points, fields: fieldsOf(query.fields) });
      const { fromMs, stepMs, steps, resolution, damaged, series } = told;
      return {
        pointId,
        from: toInstant(fromMs),
        to: toInstant(fromMs + steps * stepMs),
        stepS: stepMs / 1000,
        steps,
        resolution,
        damaged,
        series: series.map(mutable),
      };
    },
  );
  app.get(
    "/devices/:deviceId/samples",
    {
      schema: {
        summary: "Samples of a device, one by one, as they were stored",
        tags,
        params: Type.Object({ deviceId: Id }),
        querystring: SamplesQuery,
        response: { 200: refer(DeviceSamplesSchema) },
      },
    },
    async (request): Promise<DeviceSamples> => {
      const { deviceId } = request.params;
      if (!history.hasDevice(deviceId)) throw new GatewayError("DEVICE_UNKNOWN", { deviceId });
      const { query } = request;
      const range = rangeOf(query, clock.nowMs());
      const limit = Math.min(Number(query.limit ?? LIMIT_DEFAULT), SAMPLES_MAX);
      const { rows, next, damaged } = await history.samples(deviceId, { ...range, limit, after: placeOf(query.after) });
      return {
        deviceId,
        samples: rows.map(sampleOf),
        ...(next === undefined ? {} : { next: `${next.placedMs}-${next.id}` }),
        damaged,
      };
    },
  );
};

/** Throws RANGE_INVALID. */
function rangeOf(query: { readonly from?: string; readonly to?: string }, nowMs: number): ApiRange {
  const toMs = query.to === undefined ? nowMs : Date.parse(query.to);
  const fromMs = query.from === undefined ? toMs - SPAN_MS_DEFAULT : Date.parse(query.from);
  if (!(fromMs < toMs) || toMs - fromMs > SPAN_MS_MAX || fromMs < 0) {
    throw new GatewayError("RANGE_INVALID", { from: query.from ?? "none", to: query.to ?? "none" });
  }
  return { fromMs, toMs };
}

/** Throws FIELD_UNKNOWN. */
function fieldsOf(text: string | undefined): readonly string[] | undefined {
  const fields = text?.split(",");
  const unknown = fields?.find((one) => !HISTORY_FIELD_NAMES.includes(one));
  if (unknown !== undefined) throw new GatewayError("FIELD_UNKNOWN", { field: unknown });
  return fields;
}

function placeOf(text: string | undefined): ApiPlace | undefined {
  const [placedMs, id] = text?.split("-").map(Number) ?? [];
  return placedMs === undefined || id === undefined ? undefined : { placedMs, id };
}

function sampleOf({
  sequence,
  receivedMs,
  timeMs,
  timeQuality,
  link,
  frame,
}: ApiRow): DeviceSamples["samples"][number] {
  const decoded = decodeUplink(frame);
  return {
    at: toInstant(timeMs),
    quality: timeQuality,
    receivedAt: toInstant(receivedMs),
    sequence: sequence % 65_536,
    link,
    ...(decoded.kind === "fault" ? { kind: "undecoded" } : { kind: decoded.kind, value: decoded.value }),
    hex: Buffer.from(frame).toString("hex"),
  };
}

/** The same arrays: what history gave is not changed by who tells it. */
function mutable(series: ApiFieldSeries): PointHistory["series"][number] {
  return series as PointHistory["series"][number];
}
