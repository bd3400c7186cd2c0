// LoRaWAN for who keeps it: base stations, devices, and what is done to them. Keys stand in the answer that made them and in no other.
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply, FastifyRequest } from "fastify";
import Type from "typebox";
import {
  type IssuedKeys,
  IssuedKeysSchema,
  LorawanDeviceChangeSchema,
  LorawanDeviceSchema,
  LorawanImportSchema,
  LorawanStationSchema,
  NewLorawanDeviceSchema,
  NewLorawanKeysSchema,
  NewLorawanReplacementSchema,
} from "../../protocol/index.ts";
import { type Action, isAllowed } from "../domain/permission.ts";
import { GatewayError } from "../errors.ts";
import { refer } from "./documents.ts";
import type { ApiDoer, ApiLorawan } from "./interfaces.ts";
import { sessionOf } from "./session-routes.ts";
import type { Sessions } from "./sessions.ts";

export interface LorawanRouteDeps {
  readonly lorawan: ApiLorawan;
  readonly sessions: Sessions;
}

const IMPORT_BYTES_MAX = 4 * 1024 * 1024;
const SVG = "image/svg+xml";
const One = Type.Object({ deviceId: Type.String({ minLength: 1, maxLength: 80 }) });
const Uuid = Type.String({ pattern: "^[0-9a-fA-F-]{36}$", description: "as ChirpStack has it" });
const Closed = { additionalProperties: false } as const;
const Target = Type.Object({ applicationId: Uuid, deviceProfileId: Uuid }, Closed);
const DryRun = Type.Object(
  { dryRun: Type.Optional(Type.Union([Type.Literal("true"), Type.Literal("false")])) },
  Closed,
);
const Bodies = Type.Array(Type.Unsafe<object>({ type: "object", additionalProperties: true }));
const ONCE =
  "The keys stand in this answer and in no other: keep it. With accept image/svg+xml it is a label to print.";

export const lorawanRoutes: FastifyPluginAsyncTypebox<LorawanRouteDeps> = async (app, { lorawan, sessions }) => {
  const tags = ["lorawan"];
  const allow = (action: Action) => async (request: FastifyRequest) => {
    const { role } = sessionOf(request, sessions);
    if (!isAllowed(role, action)) throw new GatewayError("NOT_ALLOWED", { role });
  };
  const [look, administer] = [allow("look-up"), allow("administer")];
  const doer = (request: FastifyRequest) => ({
    by: sessionOf(request, sessions).name,
    origin: `http ${request.ip}`,
  });
  /** As JSON, or the label. */
  const issue = (reply: FastifyReply, accept: string | undefined, issued: IssuedKeys) => {
    void reply.code(201);
    if (!String(accept ?? "").includes(SVG)) return issued;
    void reply.type(SVG).serializer((whole: unknown) => String(whole));
    return lorawan.label(issued) as never;
  };
  const issuing = { 201: refer(IssuedKeysSchema) };

  app.get(
    "/lorawan/stations",
    {
      schema: {
        summary: "Base stations: when they were heard, and their time on the air (coordinator, admin)",
        tags,
        response: { 200: Type.Array(refer(LorawanStationSchema)) },
      },
      preValidation: look,
    },
    async () => [...lorawan.stations()],
  );
  app.get(
    "/lorawan/devices",
    {
      schema: {
        summary: "LoRaWAN devices and their sessions; no keys (coordinator, admin)",
        tags,
        response: { 200: Type.Array(refer(LorawanDeviceSchema)) },
      },
      preValidation: look,
    },
    async () => [...lorawan.devices()],
  );
  app.post(
    "/lorawan/devices",
    {
      schema: {
        summary: "Add a device (admin)",
        description: ONCE,
        tags,
        body: refer(NewLorawanDeviceSchema),
        response: issuing,
      },
      preValidation: administer,
    },
    async (request, reply) => issue(reply, request.headers.accept, await lorawan.add(request.body, doer(request))),
  );
  app.post(
    "/lorawan/devices/:deviceId/replacement",
    {
      schema: {
        ...{ summary: "Another device takes its place from now on (admin)", description: ONCE, tags, params: One },
        ...{ body: refer(NewLorawanReplacementSchema), response: issuing },
      },
      preValidation: administer,
    },
    async (request, reply) => {
      const { deviceId } = request.params;
      return issue(reply, request.headers.accept, await lorawan.replace(deviceId, request.body, doer(request)));
    },
  );
  app.post(
    "/lorawan/devices/:deviceId/keys",
    {
      schema: {
        ...{ summary: "Give a device new keys; it has to join again (admin)", description: ONCE, tags, params: One },
        ...{ body: refer(NewLorawanKeysSchema), response: issuing },
      },
      preValidation: administer,
    },
    async (request, reply) => {
      const { deviceId } = request.params;
      return issue(reply, request.headers.accept, await lorawan.rekey(deviceId, request.body.keys, doer(request)));
    },
  );
  await app.register(actRoutes, { lorawan, doer, administer });
};

interface ActDeps {
  readonly lorawan: ApiLorawan;
  doer(request: FastifyRequest): ApiDoer;
  administer(request: FastifyRequest): Promise<void>;
}

/** Those that make no keys. */
const actRoutes: FastifyPluginAsyncTypebox<ActDeps> = async (app, { lorawan, doer, administer }) => {
  const tags = ["lorawan"];
  app.patch(
    "/lorawan/devices/:deviceId",
    {
      schema: {
        ...{ summary: "Hear a device no more, or again (admin)", tags, params: One },
        ...{ body: refer(LorawanDeviceChangeSchema), response: { 200: refer(LorawanDeviceSchema) } },
      },
      preValidation: administer,
    },
    async (request) => lorawan.disable(request.params.deviceId, request.body.disabled, doer(request)),
  );
  for (const [what, summary, act] of [
    ["nonces", "Let a device that lost count join with any DevNonce again (admin)", lorawan.flushNonces],
    [
      "session",
      "End a device's session: it has to join again, or begins its counters anew (admin)",
      lorawan.forgetSession,
    ],
  ] as const)
    app.delete(
      `/lorawan/devices/:deviceId/${what}`,
      {
        schema: { ...{ summary, tags, params: One }, response: { 204: { type: "null", description: "done" } } },
        preValidation: administer,
      },
      async (request, reply) => {
        await act((request.params as { readonly deviceId: string }).deviceId, doer(request));
        return reply.code(204).send(null);
      },
    );
  app.get(
    "/lorawan/export",
    {
      schema: {
        summary:
          "All devices as bodies of ChirpStack's API, without keys (admin): 'waakvlam lorawan export --keys' has those",
        ...{ tags, querystring: Target, response: { 200: Bodies } },
      },
      preValidation: administer,
    },
    async (request) => [...(await lorawan.exportAll(request.query, doer(request)))],
  );
  app.post(
    "/lorawan/import",
    {
      bodyLimit: IMPORT_BYTES_MAX,
      schema: {
        summary: "Devices and keys out of ChirpStack: bodies or answers of its API (admin), or see what that would do",
        ...{ tags, querystring: DryRun, body: Bodies, response: { 200: refer(LorawanImportSchema) } },
      },
      preValidation: administer,
    },
    async (request) => lorawan.importAll(request.body, request.query.dryRun === "true", doer(request)),
  );
};
