// Commands and settings for devices, whatever link they have: asked for, and what became of them.
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyRequest } from "fastify";
import Type from "typebox";
import { DeviceDownlinkSchema, NewDownlinkSchema } from "../../protocol/index.ts";
import { actionFor } from "../domain/new-downlink.ts";
import { type Action, isAllowed } from "../domain/permission.ts";
import { GatewayError } from "../errors.ts";
import { refer } from "./documents.ts";
import type { ApiDownlinks } from "./interfaces.ts";
import { sessionOf } from "./session-routes.ts";
import type { Sessions } from "./sessions.ts";

export interface DownlinkRouteDeps {
  readonly downlinks: ApiDownlinks;
  readonly sessions: Sessions;
}

const Id = Type.String({ minLength: 1, maxLength: 80 });
const Params = Type.Object({ deviceId: Id });
const One = Type.Object({ deviceId: Id, downlinkId: Id });
const ABOUT =
  "Answered when it is on disk. It goes out behind the device's next uplinks, one at a time and again until the device answers: then it " +
  "is applied or refused; after its time it is expired. With a downlinkId of the client's it is asked once, however often it is sent. " +
  "Settings and reboot need the role admin.";

export const downlinkRoutes: FastifyPluginAsyncTypebox<DownlinkRouteDeps> = async (app, { downlinks, sessions }) => {
  const tags = ["downlinks"];
  const allow = (request: FastifyRequest, action: Action) => {
    const { role } = sessionOf(request, sessions);
    if (!isAllowed(role, action)) throw new GatewayError("NOT_ALLOWED", { role });
  };

  app.get(
    "/devices/:deviceId/downlinks",
    {
      schema: {
        summary: "What waits for a device, in its order, and what became of the last ones, the newest first",
        tags,
        params: Params,
        response: { 200: Type.Array(refer(DeviceDownlinkSchema)) },
      },
    },
    async (request) => [...downlinks.list(request.params.deviceId)],
  );
  app.post(
    "/devices/:deviceId/downlinks",
    {
      schema: {
        summary: "Tell a device a command (coordinator, admin) or settings (admin)",
        description: ABOUT,
        tags,
        params: Params,
        body: refer(NewDownlinkSchema),
        response: { 200: refer(DeviceDownlinkSchema) },
      },
      // Before the body: who may not command learns nothing from it.
      preValidation: async (request) => allow(request, "command"),
    },
    async (request) => {
      allow(request, actionFor(request.body));
      const { name } = sessionOf(request, sessions);
      return downlinks.ask(request.params.deviceId, request.body, { by: name, origin: `http ${request.ip}` });
    },
  );
  app.delete(
    "/devices/:deviceId/downlinks/:downlinkId",
    {
      schema: {
        summary: "Take back what waits (coordinator, admin): it expires at once",
        description: "Where it was sent already it may be done all the same: an answer of the device still counts.",
        tags,
        params: One,
        response: { 200: refer(DeviceDownlinkSchema) },
      },
      preValidation: async (request) => allow(request, "command"),
    },
    async (request) => {
      const { deviceId, downlinkId } = request.params;
      const { name } = sessionOf(request, sessions);
      return downlinks.withdraw(deviceId, downlinkId, { by: name, origin: `http ${request.ip}` });
    },
  );
};
