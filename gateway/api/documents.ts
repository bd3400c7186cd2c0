// The two documents of the interface, made from the schemas: OpenAPI 3.1 for HTTP, AsyncAPI 3 for MQTT. Open to anyone,
// also to a page of another origin, as the Dutch API design rules ask.
import fastifySwagger, { type FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import type { FastifyInstance, FastifyReply } from "fastify";
import Type, { type Static, type TSchema } from "typebox";
import { asyncApiDocument, NAMED_SCHEMAS, withReferences } from "../../protocol/index.ts";
import { PROBLEM_TYPE } from "./problems.ts";

export const OPENAPI_PATH = "/v1/openapi.json";
export const ASYNCAPI_PATH = "/v1/asyncapi.json";

/** A named schema by its name, so that the document has it once; the type stays. */
export function refer<T extends TSchema>(schema: T) {
  return Type.Unsafe<Static<T>>({ $ref: `${(schema as { $id?: string }).$id}#` });
}

/** Registers the named schemas and the collector of routes; before the routes themselves. */
export async function installDocuments(
  app: FastifyInstance,
  about: { readonly version: string; readonly cookie: string },
): Promise<void> {
  for (const schema of NAMED_SCHEMAS) app.addSchema(withReferences(schema, (name) => `${name}#`));
  // Every answer of the API may be a problem; those of the health pages are not in the document.
  app.addHook("onRoute", (route) => {
    if (route.schema === undefined || route.schema.hide === true) return;
    const problem = { description: "What is wrong, where, and what to do", content: problemContent() };
    route.schema.response = { ...(route.schema.response as object), default: problem };
  });
  const options: FastifyDynamicSwaggerOptions = {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Waakvlam",
        version: about.version,
        description: "How long each emergency support point can go on, live.",
        license: { name: "EUPL-1.2", identifier: "EUPL-1.2" },
      },
      servers: [{ url: "/", description: "The gateway of this coordination point" }],
      tags: [
        "session",
        "state",
        "entries",
        "history",
        "downlinks",
        "alerts",
        "requests",
        "notices",
        "registry",
        "lorawan",
        "gateway",
      ].map((name) => ({
        name,
      })),
      components: { securitySchemes: { session: { type: "apiKey", in: "cookie", name: about.cookie } } },
      security: [{ session: [] }],
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => String(json["$id"] ?? `schema-${i}`) },
  };
  await app.register(fastifySwagger, options);
}

function problemContent() {
  return { [PROBLEM_TYPE]: { schema: { $ref: "Problem#" } } };
}

/** Any page may read these: they hold no data. */
function open(reply: FastifyReply): FastifyReply {
  return reply.headers({ "access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin" });
}

export function documentRoutes(app: FastifyInstance, version: string): void {
  const asyncApi = asyncApiDocument(version);
  app.get(OPENAPI_PATH, { schema: { hide: true } }, async (_request, reply) => open(reply).send(app.swagger()));
  app.get(ASYNCAPI_PATH, { schema: { hide: true } }, async (_request, reply) => open(reply).send(asyncApi));
}
