// Everything that is only read: points, alerts, devices, the gateway, and the live stream.
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import Type from "typebox";
import {
  AlertSchema,
  AlertStateSchema,
  DeviceStateSchema,
  GatewayStateSchema,
  OverviewSchema,
  PointStateSchema,
  RefusalsSchema,
} from "../../protocol/index.ts";
import { GatewayError } from "../errors.ts";
import type { ApiEngine, ApiRefusals } from "./interfaces.ts";
import { sendProblem } from "./problems.ts";
import { COOKIE } from "./session-routes.ts";
import type { Sessions } from "./sessions.ts";
import type { StreamHub } from "./stream.ts";

export interface ReadRouteDeps {
  readonly engine: ApiEngine;
  readonly refusals: ApiRefusals;
  readonly hub: StreamHub;
  readonly sessions: Sessions;
}

const Id = Type.String({ minLength: 1, maxLength: 80 });

export const readRoutes: FastifyPluginAsyncTypebox<ReadRouteDeps> = async (
  app,
  { engine, refusals, hub, sessions },
) => {
  app.get("/overview", { schema: { response: { 200: OverviewSchema } } }, async () => engine.overview());

  app.get(
    "/points",
    { schema: { response: { 200: Type.Array(PointStateSchema) } } },
    async () => engine.overview().points,
  );
  app.get(
    "/points/:pointId",
    { schema: { params: Type.Object({ pointId: Id }), response: { 200: PointStateSchema } } },
    async (request) => {
      const point = engine.point(request.params.pointId);
      if (point === undefined) throw new GatewayError("POINT_UNKNOWN", { pointId: request.params.pointId });
      return point;
    },
  );

  const AlertQuery = Type.Object({ state: Type.Optional(AlertStateSchema) }, { additionalProperties: false });
  app.get(
    "/alerts",
    { schema: { querystring: AlertQuery, response: { 200: Type.Array(AlertSchema) } } },
    async (request) => {
      const { state } = request.query;
      return engine.overview().alerts.filter((alert) => state === undefined || alert.state === state);
    },
  );
  app.get(
    "/alerts/:alertId",
    { schema: { params: Type.Object({ alertId: Id }), response: { 200: AlertSchema } } },
    async (request) => {
      const alert = engine.alert(request.params.alertId);
      if (alert === undefined) throw new GatewayError("ALERT_UNKNOWN", { alertId: request.params.alertId });
      return alert;
    },
  );

  app.get("/devices", { schema: { response: { 200: Type.Array(DeviceStateSchema) } } }, async () => [
    ...engine.devices(),
  ]);
  app.get(
    "/devices/:deviceId",
    { schema: { params: Type.Object({ deviceId: Id }), response: { 200: DeviceStateSchema } } },
    async (request) => {
      const device = engine.device(request.params.deviceId);
      if (device === undefined) throw new GatewayError("DEVICE_UNKNOWN", { deviceId: request.params.deviceId });
      return device;
    },
  );

  app.get("/gateway", { schema: { response: { 200: GatewayStateSchema } } }, async () => engine.gateway());
  app.get("/refusals", { schema: { response: { 200: RefusalsSchema } } }, async () => refusals.list());

  app.get(
    "/stream",
    { schema: { description: "Server-Sent Events: overview, then point, alert and gateway." } },
    (request, reply) => {
      const token = request.cookies[COOKIE] ?? "";
      const opened = hub.open({ response: reply.raw, isAllowed: () => sessions.find(token) !== undefined });
      if (opened) {
        reply.hijack();
        return;
      }
      const detail = "Too many screens are open. Close one, or use one browser for several tabs.";
      void sendProblem(reply, { status: 503, code: "STREAMS_FULL", detail });
    },
  );
};
