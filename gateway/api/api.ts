// The HTTP API and the screens, as one Fastify instance. A session for everything but the documents and the health page.
import { existsSync } from "node:fs";
import fastifyCookie from "@fastify/cookie";
import fastifyHelmet from "@fastify/helmet";
import fastifyStatic from "@fastify/static";
import fastifySwagger from "@fastify/swagger";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import createFastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import type { Clock } from "../clock.ts";
import { GatewayError } from "../errors.ts";
import { acknowledgementRoutes } from "./acknowledgement-routes.ts";
import type { ApiEngine, ApiPeople, ApiRefusals } from "./interfaces.ts";
import { installProblems, sendProblem } from "./problems.ts";
import { readRoutes } from "./read-routes.ts";
import { COOKIE, sessionRoutes } from "./session-routes.ts";
import { createSessions } from "./sessions.ts";
import { createStreamHub } from "./stream.ts";

const BODY_BYTES_MAX = 64 * 1024;
const REQUEST_TIMEOUT_MS = 15_000;

export interface ApiOptions {
  readonly engine: ApiEngine;
  readonly people: ApiPeople;
  readonly refusals: ApiRefusals;
  readonly clock: Clock;
  readonly version: string;
  /** Built screens; without them only the API is served. */
  readonly staticDir?: string;
  readonly tls?: { readonly key: string; readonly cert: string };
  log?(event: string, detail: Readonly<Record<string, string | number>>): void;
}

/** Paths under /v1 that need no session. */
const OPEN = ["/v1/session", "/v1/openapi.json"];

export async function createApi(options: ApiOptions): Promise<FastifyInstance> {
  const sessions = createSessions(options.clock);
  const hub = createStreamHub(options.engine, options.clock);
  const app = createFastify({
    ...(options.tls === undefined ? {} : { https: { key: options.tls.key, cert: options.tls.cert } }),
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: true } },
  }).withTypeProvider<TypeBoxTypeProvider>();
  const paths: string[] = [];
  app.addHook("onRoute", (route) => void paths.push(route.url));
  installProblems(
    app,
    () => paths,
    (error) => options.log?.("request failed", { error: error.message }),
  );
  await app.register(fastifyHelmet, { contentSecurityPolicy: contentPolicy(), hsts: options.tls !== undefined });
  await app.register(fastifyCookie);
  await app.register(fastifySwagger, {
    openapi: { info: { title: "Waakvlam", version: options.version } },
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => String(json["$id"] ?? `schema-${i}`) },
  });

  app.addHook("onRequest", async (request, reply) => {
    void reply.header("API-Version", options.version);
    refuseForeignOrigin(request);
    // By the route that was found, never by the text of the address: "/%761/overview" finds the same route.
    const route = request.routeOptions.url ?? "";
    if (!route.startsWith("/v1/")) return;
    void reply.header("cache-control", "no-store");
    if (OPEN.includes(route)) return;
    if (sessions.find(request.cookies[COOKIE] ?? "") === undefined) throw new GatewayError("SIGN_IN_NEEDED");
  });

  const { engine, people, refusals, clock } = options;
  await app.register(sessionRoutes, {
    prefix: "/v1",
    sessions,
    people,
    clock,
    secureCookies: options.tls !== undefined,
  });
  await app.register(readRoutes, { prefix: "/v1", engine, refusals, hub, sessions });
  await app.register(acknowledgementRoutes, { prefix: "/v1", engine, sessions });
  app.get("/v1/openapi.json", { schema: { hide: true } }, async () => app.swagger());
  app.get("/healthz", { schema: { hide: true } }, async () => ({ status: "ok" }));
  app.get("/readyz", { schema: { hide: true } }, async (_, reply) => {
    const { journal } = engine.gateway();
    if (journal.engineBehindRows <= READY_BEHIND_ROWS) return { status: "ok" };
    const detail = `The engine is ${journal.engineBehindRows} rows behind the journal; it is catching up.`;
    return sendProblem(reply, { status: 503, code: "CATCHING_UP", detail });
  });
  if (options.staticDir !== undefined && existsSync(options.staticDir)) {
    await app.register(fastifyStatic, { root: options.staticDir, index: ["index.html"] });
  }
  app.addHook("preClose", async () => hub.close());
  return app;
}

const READY_BEHIND_ROWS = 1_000;

function contentPolicy() {
  return {
    useDefaults: false,
    directives: {
      "default-src": ["'self'"],
      "style-src": ["'self'", "'unsafe-inline'"],
      "img-src": ["'self'", "data:"],
      "object-src": ["'none'"],
      "frame-ancestors": ["'none'"],
      "base-uri": ["'none'"],
      "form-action": ["'self'"],
    },
  };
}

/** A page of another origin may not act in a person's name, whatever cookie the browser sends along. */
function refuseForeignOrigin(request: FastifyRequest): void {
  const { origin, host } = request.headers;
  if (request.method === "GET" || request.method === "HEAD" || origin === undefined) return;
  if (origin.replace(/^https?:\/\//, "") !== host) throw new GatewayError("NOT_ALLOWED", { origin });
}
