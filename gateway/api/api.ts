// The HTTP API and the screens, as one Fastify instance. All of it needs a session but signing in, the documents of the
// interface, the health pages and the files of the screens.
import type { Server } from "node:http";
import fastifyCookie from "@fastify/cookie";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import createFastify, { type FastifyInstance, type FastifyPluginAsync, type FastifyRequest } from "fastify";
import type { Clock } from "../clock.ts";
import { GatewayError } from "../errors.ts";
import { type AlertActDeps, alertActRoutes } from "./alert-act-routes.ts";
import { documentRoutes, installDocuments } from "./documents.ts";
import { downlinkRoutes } from "./downlink-routes.ts";
import { type EntryRouteDeps, entryRoutes } from "./entry-routes.ts";
import { createGuesses } from "./guesses.ts";
import { type ApiHealth, healthRoutes } from "./health-routes.ts";
import { type HistoryRouteDeps, historyRoutes } from "./history-routes.ts";
import type {
  ApiDownlinks,
  ApiEngine,
  ApiEntries,
  ApiHistory,
  ApiJournal,
  ApiLog,
  ApiLorawan,
  ApiNotices,
  ApiPeople,
  ApiRefusals,
  ApiRegistry,
} from "./interfaces.ts";
import { lorawanRoutes } from "./lorawan-routes.ts";
import { type NoticeRouteDeps, noticeRoutes } from "./notice-routes.ts";
import { phaseRoutes } from "./phase-routes.ts";
import { answerBrokenRequest, installProblems, sendFailure } from "./problems.ts";
import { type ReadRouteDeps, readRoutes } from "./read-routes.ts";
import { type RegistryRouteDeps, registryRoutes } from "./registry-routes.ts";
import { type RequestRouteDeps, requestRoutes } from "./request-routes.ts";
import { installScreens, installSecurityHeaders } from "./screens.ts";
import { buildSerializer } from "./serializers.ts";
import { openSessionJournal } from "./session-journal.ts";
import { COOKIE, sessionOf, sessionRoutes } from "./session-routes.ts";
import { createSessions } from "./sessions.ts";
import { createStreamHub } from "./stream.ts";
import { type StreamRouteDeps, streamRoutes } from "./stream-routes.ts";

export const BODY_BYTES_MAX = 64 * 1024;
export const HEADER_BYTES_MAX = 16 * 1024;
const REQUEST_TIMEOUT_MS = 15_000;
const HEADERS_TIMEOUT_MS = 10_000;
/** Streams, and the requests beside them. */
const CONNECTIONS_MAX = 600;
const SAFE_METHODS = ["GET", "HEAD", "OPTIONS"];

export interface ApiOptions {
  readonly engine: ApiEngine;
  readonly entries: ApiEntries;
  readonly people: ApiPeople;
  readonly refusals: ApiRefusals;
  readonly history: ApiHistory;
  readonly registry: ApiRegistry;
  readonly notices: ApiNotices;
  /** Without it nothing is told to devices here. */
  readonly downlinks?: ApiDownlinks;
  readonly lorawan?: ApiLorawan;
  readonly health: ApiHealth;
  readonly clock: Clock;
  readonly version: string;
  /** Keeps sessions over a restart, and the log of who signed in; without it they end with the process. */
  readonly journal?: ApiJournal;
  /** Built screens; without them only the API is served. */
  readonly staticDir?: string;
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly log?: ApiLog;
}

/** Not listening yet. Rejects with JOURNAL_UNUSABLE when the sessions cannot be read. */
export async function createApi(options: ApiOptions): Promise<FastifyInstance> {
  const log: ApiLog = options.log ?? (() => undefined);
  const isTls = options.tls !== undefined;
  const app = createServer(options);
  installProblems(app, log);
  await installSecurityHeaders(app, isTls);
  await app.register(fastifyCookie);
  await installDocuments(app, { version: options.version, cookie: COOKIE });
  app.addHook("onRequest", async (request, reply) => {
    void reply.header("API-Version", options.version);
    refuseForeignOrigin(request);
  });
  await app.register(v1Routes, { prefix: "/v1", options, log });
  documentRoutes(app, options.version);
  healthRoutes(app, options.health);
  await installScreens(app, options.staticDir);
  return app;
}

function createServer({ tls }: ApiOptions): FastifyInstance {
  const limits = { maxHeaderSize: HEADER_BYTES_MAX, headersTimeout: HEADERS_TIMEOUT_MS };
  const app = createFastify({
    ...(tls === undefined ? { http: limits } : { https: { ...limits, key: tls.key, cert: tls.cert } }),
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Streams would hold up the end for ever.
    forceCloseConnections: true,
    schemaController: { compilersFactory: { buildSerializer } },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: true } },
    frameworkErrors: (error, request, reply) => void sendFailure(error, request, reply),
    clientErrorHandler: answerBrokenRequest,
  }).withTypeProvider<TypeBoxTypeProvider>();
  (app.server as Server).maxConnections = CONNECTIONS_MAX;
  app.removeContentTypeParser("text/plain");
  return app as unknown as FastifyInstance;
}

interface V1Deps {
  readonly options: ApiOptions;
  readonly log: ApiLog;
}

const v1Routes: FastifyPluginAsync<V1Deps> = async (v1, { options, log }) => {
  const { engine, entries, people, refusals, history, registry, notices, clock } = options;
  const journal = await openSessionJournal(options.journal, log);
  const sessions = createSessions({ clock, people, rows: journal.rows, keep: journal.keep });
  const hub = createStreamHub(engine, clock);
  v1.addHook("preClose", async () => hub.close());
  v1.addHook("onRequest", async (_request, reply) => void reply.header("cache-control", "no-store"));
  refuseUnknownQueries(v1);
  const secureCookies = options.tls !== undefined;
  await v1.register(sessionRoutes, { sessions, guesses: createGuesses(clock), people, clock, journal, secureCookies });
  const { record } = journal;
  const { downlinks, lorawan } = options;
  const state = { engine, entries, refusals, history, registry, notices, downlinks, lorawan };
  const shared = { ...state, clock, sessions, hub, record };
  await v1.register(guardedRoutes, shared);
};

type GuardedDeps = ReadRouteDeps &
  HistoryRouteDeps &
  AlertActDeps &
  EntryRouteDeps &
  RequestRouteDeps &
  StreamRouteDeps &
  NoticeRouteDeps &
  RegistryRouteDeps & { readonly downlinks: ApiDownlinks | undefined; readonly lorawan: ApiLorawan | undefined };

/** The guard hangs on the routes themselves: there is no spelling of an address that walks around it. */
const guardedRoutes: FastifyPluginAsync<GuardedDeps> = async (app, deps) => {
  const { engine, entries, refusals, history, registry, notices, clock, sessions, hub, record } = deps;
  app.addHook("onRequest", async (request) => void sessionOf(request, sessions));
  await app.register(readRoutes, { engine, refusals });
  await app.register(historyRoutes, { history, clock });
  await app.register(phaseRoutes, { history });
  await app.register(registryRoutes, { registry, sessions, clock, record });
  await app.register(noticeRoutes, { notices, sessions });
  await app.register(alertActRoutes, { engine, sessions });
  await app.register(entryRoutes, { engine, entries, sessions });
  await app.register(requestRoutes, { engine, sessions });
  if (deps.downlinks !== undefined) await app.register(downlinkRoutes, { downlinks: deps.downlinks, sessions });
  if (deps.lorawan !== undefined) await app.register(lorawanRoutes, { lorawan: deps.lorawan, sessions });
  await app.register(streamRoutes, { hub, sessions });
};

/** A key that no route knows is a mistake that would change nothing, silently. */
function refuseUnknownQueries(app: FastifyInstance): void {
  app.addHook("onRoute", (route) => {
    if (route.schema === undefined || route.schema.querystring !== undefined) return;
    route.schema.querystring = { type: "object", properties: {}, additionalProperties: false };
  });
}

/** A page of another origin may not act in a person's name, whatever cookie the browser sends along. */
function refuseForeignOrigin(request: FastifyRequest): void {
  const { origin } = request.headers;
  if (SAFE_METHODS.includes(request.method) || origin === undefined) return;
  if (origin !== `${request.protocol}://${request.headers.host ?? ""}`)
    throw new GatewayError("ORIGIN_FOREIGN", { origin });
}
