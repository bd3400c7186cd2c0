// Every error as `application/problem+json` (RFC 9457): what is wrong, where, and what to do about it.
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Problem } from "../../protocol/index.ts";
import { type ErrorCode, GatewayError } from "../errors.ts";
import { listFaults } from "./faults.ts";
import type { ApiLog } from "./interfaces.ts";
import { allowedMethods, nearestPath, type RouteShape } from "./paths.ts";

export const PROBLEM_TYPE = "application/problem+json";

/** Codes of the HTTP layer itself; GatewayError has its own. They are API: never rename or reuse one. */
export const PROBLEM_CODES = {
  REQUEST_INVALID: { status: 400, title: "The request does not fit" },
  BODY_NOT_JSON: { status: 400, title: "The body is not JSON" },
  PATH_UNKNOWN: { status: 404, title: "There is nothing at this path" },
  METHOD_NOT_ALLOWED: { status: 405, title: "This path does not take that method" },
  REQUEST_TIMEOUT: { status: 408, title: "The request took too long to arrive" },
  BODY_TOO_LARGE: { status: 413, title: "The body is too large" },
  URL_TOO_LONG: { status: 414, title: "The address is too long" },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, title: "Only JSON is taken here" },
  TOKEN_NEEDED: { status: 401, title: "This page needs a token from elsewhere" },
  SIGN_IN_SLOWED: { status: 429, title: "Too many tries to sign in" },
  HEADERS_TOO_LARGE: { status: 431, title: "The headers are too large" },
  INTERNAL: { status: 500, title: "Something went wrong here" },
  CATCHING_UP: { status: 503, title: "The gateway is catching up" },
  NOT_READY: { status: 503, title: "The gateway does not do all of its work" },
  STREAMS_FULL: { status: 503, title: "Too many screens are open" },
} as const;
export type ProblemCode = keyof typeof PROBLEM_CODES;

const ADVICE: { readonly [C in ErrorCode]?: string } = {
  SIGN_IN_NEEDED: "Sign in with POST /v1/session.",
  SIGN_IN_REFUSED: "Check the name and the password; an administrator can set a new one with 'waakvlam people'.",
  NOT_ALLOWED: "Ask somebody with the role coordinator or admin.",
  ORIGIN_FOREIGN: "Open the screens at the gateway's own address.",
  ALERT_UNKNOWN: "It may have been handled already: GET /v1/alerts lists the open ones.",
  ALERT_NOT_ACKNOWLEDGEABLE: "GET /v1/alerts/{alertId} says who acknowledged it, and when.",
  ALERT_ACT_REFUSED: "GET /v1/alerts/{alertId} says in what state it is.",
  SHELF_TIME_INVALID: "Give a moment after now, 12 hours ahead at most: the next shift has to see it.",
  RANGE_INVALID: "Give 'from' before 'to', as 2026-11-24T12:00:00Z, at most ten years apart.",
  FIELD_UNKNOWN: "Fields are group.field, as in power.fuelLevelPct, or phase; leave 'fields' out for all.",
  REGISTRY_CHANGED: "Somebody changed it since: GET /v1/registry anew, and make the change in that one.",
  ASSET_UNKNOWN: "GET /v1/registry/assets lists the assets.",
  ASSIGNMENT_IMPOSSIBLE: "GET /v1/registry/assignments lists what is planned; change that in the registry first.",
  REGISTRY_INVALID:
    "'problems' lists each row; nothing was changed. 'waakvlam registry check' says the same of a file.",
  POINT_UNKNOWN: "GET /v1/points lists the points.",
  ENTRY_INVALID: "Correct what 'problems' names, and send it again.",
  REQUEST_UNKNOWN: "GET /v1/requests?state=all lists those that are kept.",
  ASK_INVALID: "Correct what 'problems' names, and send it again.",
  REQUEST_STEP_REFUSED:
    "A request goes forward only, and declining needs a reason: GET /v1/requests/{requestId} says where it is.",
  REQUESTS_FULL: "Close what was delivered or declined first.",
  JOURNAL_UNUSABLE: "Write it down on paper too; send it again with the same entryId, and it counts once.",
  DOWNLINK_INVALID: "Correct what 'problems' names, and send it again.",
  DOWNLINK_UNKNOWN: "GET /v1/devices/{deviceId}/downlinks lists what waits, and what became of the rest.",
  DOWNLINKS_FULL: "GET /v1/devices/{deviceId}/downlinks lists what waits; take one back, or wait for its answers.",
  DEVICE_EXISTS: "Give it another id, or give it new keys: POST /v1/lorawan/devices/{deviceId}/keys.",
  LORAWAN_KEY_REFUSED: "Leave keys out to have them made, and set those in the device.",
  LORAWAN_OFF: "Set the section lorawan in the configuration; devices of another network server are kept there.",
  IMPORT_INVALID: "'problems' lists each device; nothing was changed.",
  DEVICE_UNKNOWN: "GET /v1/devices lists the devices.",
};

export interface ProblemParts {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly problems?: string[];
}

function problemOf({ code, detail, problems }: ProblemParts): Problem {
  const { status, title } = PROBLEM_CODES[code];
  return { status, title, detail, code, ...(problems === undefined ? {} : { problems }) };
}

function send(reply: FastifyReply, problem: Problem): FastifyReply {
  void reply.header("cache-control", "no-store");
  return reply.code(problem.status).type(PROBLEM_TYPE).send(problem);
}

export function sendProblem(reply: FastifyReply, parts: ProblemParts): FastifyReply {
  return send(reply, problemOf(parts));
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function problemOfGateway(error: GatewayError): Problem {
  const { problems, ...rest } = error.detail;
  const facts = Object.entries(rest).map(([key, value]) => `${key} ${String(value)}`);
  const where = facts.length > 0 ? ` (${facts.join(", ")})` : "";
  const advice = ADVICE[error.code] ?? (error.retry ? "Try again in a minute." : "");
  return {
    status: error.status,
    title: sentence(error.message),
    detail: `${sentence(error.message)}${where}. ${advice}`.trim(),
    code: error.code,
    ...(Array.isArray(problems) ? { problems: [...problems] } : {}),
  };
}

/** What Fastify refuses by itself, in our words. */
function problemOfFastify(error: FastifyError, request: FastifyRequest): Problem | undefined {
  if (error.validation !== undefined) {
    const where = error.validationContext ?? "body";
    const detail = `The ${where} does not fit: 'problems' lists each place, /v1/openapi.json has the form.`;
    return problemOf({ code: "REQUEST_INVALID", detail, problems: listFaults(where, error.validation) });
  }
  const type = request.headers["content-type"] ?? "none";
  switch (error.code) {
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return problemOf({
        code: "MEDIA_TYPE_UNSUPPORTED",
        detail: `The content-type is ${type}. Send 'application/json'.`,
      });
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return problemOf({
        code: "BODY_TOO_LARGE",
        detail: `No body here needs more than ${(request.routeOptions.bodyLimit ?? 0) / 1024} KiB. Send less.`,
      });
    case "FST_ERR_BAD_URL":
      return problemOf({ code: "REQUEST_INVALID", detail: "A % in the path begins no valid code. Write it as %25." });
    case "FST_ERR_MAX_PARAM_LENGTH":
      return problemOf({
        code: "URL_TOO_LONG",
        detail: "An id in the path has at most 80 letters. Check the address.",
      });
  }
  if (error.statusCode !== 400) return undefined;
  const place = error instanceof SyntaxError ? error.message : "it is empty or broken";
  return problemOf({ code: "BODY_NOT_JSON", detail: `The body cannot be read as JSON: ${place}. Check its text.` });
}

export function sendFailure(error: FastifyError | GatewayError, request: FastifyRequest, reply: FastifyReply): boolean {
  const problem = error instanceof GatewayError ? problemOfGateway(error) : problemOfFastify(error, request);
  // What a bug says is for the log, not for the outside.
  const detail = "Something went wrong here; the log of the gateway says what. Try again, and tell who keeps it.";
  send(reply, problem ?? problemOf({ code: "INTERNAL", detail }));
  return problem !== undefined;
}

export function installProblems(app: FastifyInstance, log: ApiLog): void {
  const routes: RouteShape[] = [];
  app.addHook("onRoute", ({ url, method }) => {
    routes.push({ url, methods: Array.isArray(method) ? method : [method] });
  });
  app.setErrorHandler((error: FastifyError | GatewayError, request, reply) => {
    const known = sendFailure(error, request, reply);
    if (!known || reply.statusCode >= 500) log("request failed", { error: error.message, path: request.url });
    return reply;
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?")[0] ?? "";
    const methods = allowedMethods(path, routes);
    if (methods.length > 0) {
      void reply.header("allow", methods.join(", "));
      const detail = `${path} takes ${methods.join(", ")}, not ${request.method}.`;
      return sendProblem(reply, { code: "METHOD_NOT_ALLOWED", detail });
    }
    const near = nearestPath(path, routes);
    const hint = near === undefined ? "" : ` Did you mean ${near}?`;
    const detail = `There is no ${request.method} ${path}.${hint} /v1/openapi.json lists all paths.`;
    return sendProblem(reply, { code: "PATH_UNKNOWN", detail });
  });
}

/** For requests that never became one: headers too large, not HTTP, or too slow. */
export function answerBrokenRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = problemOf(brokenParts(error.code));
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? "Error"}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

function brokenParts(code: string | undefined): ProblemParts {
  if (code === "HPE_HEADER_OVERFLOW") {
    return {
      code: "HEADERS_TOO_LARGE",
      detail: "All headers together have at most 16 KiB. Send fewer or shorter ones.",
    };
  }
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return { code: "REQUEST_TIMEOUT", detail: "A request has 15 seconds to arrive. Send it again." };
  }
  return {
    code: "REQUEST_INVALID",
    detail: "This is not an HTTP/1.1 request. Check that the client speaks HTTP here.",
  };
}
