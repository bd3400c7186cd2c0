// The registry: read whole or a list at a time, replaced whole, and assets moved. Every change is in the log of acts.
import { createHash } from "node:crypto";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyRequest } from "fastify";
import Type from "typebox";
import {
  MovedSchema,
  NewAssignmentSchema,
  NOUNS,
  type Noun,
  ProfileSchema,
  type Registry,
  RegistryChangesSchema,
  RegistrySchema,
} from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import { listProblems } from "../config/problems.ts";
import { type Action, isAllowed } from "../domain/permission.ts";
import { GatewayError } from "../errors.ts";
import { type Change, registryChanges } from "../registry/difference.ts";
import { moveAsset } from "../registry/moves.ts";
import { registryOf, registryText } from "../registry/registry.ts";
import { tableOf } from "../registry/tables.ts";
import { warningsBetween, warningsOf } from "../registry/warnings.ts";
import { refer } from "./documents.ts";
import type { ApiAct, ApiRegistry } from "./interfaces.ts";
import { sessionOf } from "./session-routes.ts";
import type { Sessions } from "./sessions.ts";

/** With room for a layout of its own beside `REGISTRY_BYTES_MAX`. */
export const BODY_BYTES_MAX = 4 * 1024 * 1024;
const CHANGES_MAX = 1_000;
const CSV_TYPE = "text/csv";

export interface RegistryRouteDeps {
  readonly registry: ApiRegistry;
  readonly sessions: Sessions;
  readonly clock: Clock;
  record(act: ApiAct): void;
}

const Closed = { additionalProperties: false } as const;
const NounParams = Type.Object({ noun: Type.Union(NOUNS.map((noun) => Type.Literal(noun))) });
const DryRun = Type.Object(
  { dryRun: Type.Optional(Type.Union([Type.Literal("true"), Type.Literal("false")])) },
  Closed,
);
const rowsOrCsv = {
  description: "The rows; as CSV (RFC 4180, UTF-8) for who accepts text/csv",
  content: {
    "application/json": { schema: Type.Array(Type.Unsafe<unknown>({ type: "object", additionalProperties: true })) },
    [CSV_TYPE]: { schema: Type.String() },
  },
};

/** True when CSV is asked for before JSON: both stand in the list by preference here, without weights. */
function wantsCsv(accept: string | undefined): boolean {
  const types = (accept ?? "").split(",").map((one) => one.split(";")[0]?.trim());
  const [csv, json] = [types.indexOf(CSV_TYPE), types.indexOf("application/json")];
  return csv >= 0 && (json < 0 || csv < json);
}

function etagOf(registry: Registry): string {
  return `"${createHash("sha256").update(registryText(registry)).digest("base64url")}"`;
}

/** `2 points changed, 1 contacts added`: no data, since the log is kept longer than a phone number should be. */
function summary(changes: readonly Change[]): string {
  const counts = new Map<string, number>();
  for (const { noun, kind } of changes) counts.set(`${noun} ${kind}`, (counts.get(`${noun} ${kind}`) ?? 0) + 1);
  return [...counts].map(([what, count]) => `${count} ${what}`).join(", ") || "nothing changed";
}

export const registryRoutes: FastifyPluginAsyncTypebox<RegistryRouteDeps> = async (app, deps) => {
  const { registry, sessions, clock, record } = deps;
  const tags = ["registry"];
  const allow = (action: Action) => async (request: FastifyRequest) => {
    const { role } = sessionOf(request, sessions);
    if (!isAllowed(role, action)) throw new GatewayError("NOT_ALLOWED", { role });
  };
  const act = (request: FastifyRequest, part: Pick<ApiAct, "action" | "object" | "detail">) => {
    const { name } = sessionOf(request, sessions);
    record({ atMs: clock.nowMs(), actor: name, result: "done", origin: `http ${request.ip}`, ...part });
  };

  app.get(
    "/profile",
    { schema: { summary: "The norms in force, with their sources", tags, response: { 200: refer(ProfileSchema) } } },
    async () => registry.profile(),
  );
  app.get(
    "/registry",
    {
      schema: { summary: "The whole registry (admin); no keys", tags, response: { 200: refer(RegistrySchema) } },
      preValidation: allow("administer"),
    },
    async (_request, reply) => {
      void reply.header("etag", etagOf(registry.whole()));
      return registry.whole();
    },
  );
  app.get(
    "/registry/:noun",
    {
      schema: {
        summary: "One list of the registry, as JSON or CSV (coordinator, admin)",
        tags,
        params: NounParams,
        response: { 200: rowsOrCsv },
      },
      preValidation: allow("look-up"),
    },
    async (request, reply) => {
      const noun = request.params.noun as Noun;
      void reply.header("vary", "accept");
      if (!wantsCsv(request.headers.accept))
        return reply.type("application/json; charset=utf-8").send(registry.whole()[noun]);
      void reply.header("content-disposition", `attachment; filename="${noun}.csv"`);
      return reply.type(`${CSV_TYPE}; charset=utf-8; header=present`).send(tableOf(noun, registry.whole(), ","));
    },
  );
  app.put(
    "/registry",
    {
      bodyLimit: BODY_BYTES_MAX,
      schema: {
        summary: "Replace the whole registry (admin), or see what that would change; version 1 is taken as well",
        tags,
        querystring: DryRun,
        body: refer(RegistrySchema),
        response: { 200: refer(RegistryChangesSchema) },
      },
      // Before the schema has its say: ours names the rows, and every one of them.
      preValidation: async (request) => {
        await allow("administer")(request);
        request.body = registryOf(request.body, "body", listProblems);
      },
    },
    async (request) => {
      const before = registry.whole();
      const read = request.headers["if-match"];
      // A set that was moved meanwhile would stand where it no longer is.
      if (read !== undefined && read !== etagOf(before)) throw new GatewayError("REGISTRY_CHANGED");
      const changes = registryChanges(before, request.body);
      const dryRun = request.query.dryRun === "true";
      const warnings = [...warningsOf(request.body), ...warningsBetween(before, request.body)];
      if (!dryRun && changes.length > 0) {
        registry.save(request.body);
        act(request, { action: "registry-replaced", object: "registry", detail: summary(changes) });
      }
      return { dryRun, changes: changes.slice(0, CHANGES_MAX), changesTotal: changes.length, warnings };
    },
  );
  app.post(
    "/assignments",
    {
      schema: {
        summary: "Move an asset to a point, or away, from now or from a moment (coordinator, admin)",
        tags,
        body: refer(NewAssignmentSchema),
        response: { 201: refer(MovedSchema) },
      },
      preValidation: allow("assign"),
    },
    async (request, reply) => {
      const { assetId } = request.body;
      const move = moveAsset(registry.whole(), request.body, clock.nowMs());
      const { left, from } = move;
      const to = move.assignment?.pointId;
      if (move.isChange) {
        registry.save(move.registry);
        const detail = `${left ?? "nowhere"} → ${to ?? "nowhere"} from ${from}`;
        act(request, { action: "asset-moved", object: assetId, detail });
      }
      const moved = {
        assetId,
        from,
        ...(to === undefined ? {} : { pointId: to }),
        ...(left === undefined ? {} : { left }),
      };
      return reply.code(201).send(moved);
    },
  );
};
