// Everything that is only read: points, alerts, devices, and the gateway itself.
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import Type from "typebox";
import {
  AlarmMetricsSchema,
  AlertSchema,
  AlertStateSchema,
  DeviceStateSchema,
  GatewayStateSchema,
  OverviewSchema,
  PointStateSchema,
  RefusalsSchema,
} from "../../protocol/index.ts";
import { GatewayError } from "../errors.ts";
import { refer } from "./documents.ts";
import type { ApiEngine, ApiRefusals } from "./interfaces.ts";

export interface ReadRouteDeps {
  readonly engine: Omit<ApiEngine, "acknowledge" | "entries" | "onChange">;
  readonly refusals: ApiRefusals;
}

const Closed = { additionalProperties: false } as const;
const Id = Type.String({ minLength: 1, maxLength: 80 });
const AlertQuery = Type.Object({ state: Type.Optional(AlertStateSchema) }, Closed);

export const readRoutes: FastifyPluginAsyncTypebox<ReadRouteDeps> = async (app, { engine, refusals }) => {
  const state = ["state"];
  const alerts = ["alerts"];
  const gateway = ["gateway"];

  app.get(
    "/overview",
    { schema: { summary: "The whole picture at once", tags: state, response: { 200: refer(OverviewSchema) } } },
    async () => engine.overview(),
  );
  app.get(
    "/points",
    {
      schema: {
        summary: "All points",
        tags: state,
        response: { 200: Type.Array(refer(PointStateSchema)) },
      },
    },
    async () => engine.overview().points,
  );
  app.get(
    "/points/:pointId",
    {
      schema: {
        summary: "One point",
        tags: state,
        params: Type.Object({ pointId: Id }),
        response: { 200: refer(PointStateSchema) },
      },
    },
    async (request) => {
      const { pointId } = request.params;
      const point = engine.point(pointId);
      if (point === undefined) throw new GatewayError("POINT_UNKNOWN", { pointId });
      return point;
    },
  );
  app.get(
    "/alerts",
    {
      schema: {
        summary: "Open alerts",
        tags: alerts,
        querystring: AlertQuery,
        response: { 200: Type.Array(refer(AlertSchema)) },
      },
    },
    async (request) => {
      const wanted = request.query.state;
      return engine.overview().alerts.filter((alert) => wanted === undefined || alert.state === wanted);
    },
  );
  app.get(
    "/alerts/:alertId",
    {
      schema: {
        summary: "One open alert",
        tags: alerts,
        params: Type.Object({ alertId: Id }),
        response: { 200: refer(AlertSchema) },
      },
    },
    async (request) => {
      const { alertId } = request.params;
      const alert = engine.alert(alertId);
      if (alert === undefined) throw new GatewayError("ALERT_UNKNOWN", { alertId });
      return alert;
    },
  );
  app.get(
    "/alarm-metrics",
    {
      schema: {
        summary: "How the alerts themselves do: rate, floods, what comes and goes, what stands too long",
        tags: alerts,
        response: { 200: refer(AlarmMetricsSchema) },
      },
    },
    async () => engine.alarmMetrics(),
  );
  app.get(
    "/devices",
    {
      schema: {
        summary: "All devices",
        tags: state,
        response: { 200: Type.Array(refer(DeviceStateSchema)) },
      },
    },
    async () => [...engine.devices()],
  );
  app.get(
    "/devices/:deviceId",
    {
      schema: {
        summary: "One device, with its newest report",
        tags: state,
        params: Type.Object({ deviceId: Id }),
        response: { 200: refer(DeviceStateSchema) },
      },
    },
    async (request) => {
      const { deviceId } = request.params;
      const device = engine.device(deviceId);
      if (device === undefined) throw new GatewayError("DEVICE_UNKNOWN", { deviceId });
      return device;
    },
  );
  app.get(
    "/gateway",
    { schema: { summary: "The gateway about itself", tags: gateway, response: { 200: refer(GatewayStateSchema) } } },
    async () => engine.gateway(),
  );
  app.get(
    "/refusals",
    {
      schema: {
        summary: "Frames that were refused: counts by reason, and the newest",
        tags: gateway,
        response: { 200: refer(RefusalsSchema) },
      },
    },
    async () => refusals.list(),
  );
};
