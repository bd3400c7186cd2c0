// Every error as `application/problem+json` (RFC 9457): what, where, and what to do.
import type { FastifyError, FastifyInstance, FastifyReply } from "fastify";
import type { Problem } from "../../protocol/index.ts";
import { type ErrorDetail, GatewayError } from "../errors.ts";

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Sign in needed",
  403: "Not allowed",
  404: "Not found",
  405: "Method not allowed",
  409: "Conflict",
  413: "Too large",
  415: "Unsupported media type",
  422: "Cannot be processed",
  429: "Too many tries",
  500: "Internal error",
  503: "Not available now",
};

const ADVICE: Readonly<Record<string, string>> = {
  SIGN_IN_NEEDED: "Sign in with POST /v1/session.",
  SIGN_IN_REFUSED: "Check the name and the password; an administrator can set a new one with 'waakvlam people'.",
  NOT_ALLOWED: "Ask somebody with the role coordinator or admin.",
  ALERT_UNKNOWN: "It may have been handled already: GET /v1/alerts lists the open ones.",
  POINT_UNKNOWN: "GET /v1/points lists the points.",
  DEVICE_UNKNOWN: "GET /v1/devices lists the devices.",
};

export function sendProblem(reply: FastifyReply, problem: Omit<Problem, "title">): FastifyReply {
  const title = TITLES[problem.status] ?? "Error";
  return reply
    .code(problem.status)
    .type("application/problem+json")
    .send({ ...problem, title });
}

function detailText(error: GatewayError): string {
  const facts = Object.entries(error.detail as ErrorDetail).map(([key, value]) => `${key} ${String(value)}`);
  const advice = ADVICE[error.code] ?? "";
  return [`${error.message}${facts.length > 0 ? ` (${facts.join(", ")})` : ""}.`, advice]
    .filter((one) => one !== "")
    .join(" ");
}

export function installProblems(
  app: FastifyInstance,
  paths: () => readonly string[],
  log: (error: Error) => void,
): void {
  app.setErrorHandler((error: FastifyError | GatewayError, _request, reply) => {
    if (error instanceof GatewayError) {
      return sendProblem(reply, { status: error.status, code: error.code, detail: detailText(error) });
    }
    if (error.validation !== undefined) {
      const where = error.validationContext ?? "body";
      const problems = error.validation
        .slice(0, 100)
        .map((one) => `${where}${one.instancePath} ${one.message ?? "does not fit"}`);
      const detail = `The ${where} does not fit: see 'problems' for each place, and /v1/openapi.json for the form.`;
      return sendProblem(reply, { status: 400, code: "REQUEST_INVALID", detail, problems });
    }
    const status = error.statusCode ?? 500;
    if (status >= 500) log(error);
    // What a bug says is for the log, not for the outside.
    const detail = status >= 500 ? "Something went wrong here; the log of the gateway says what." : error.message;
    return sendProblem(reply, { status, code: status >= 500 ? "INTERNAL" : "REQUEST_INVALID", detail });
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?")[0] ?? "";
    const near = nearestPath(path, paths());
    const detail = `There is no ${request.method} ${path}.${near === undefined ? "" : ` Did you mean ${near}?`} /v1/openapi.json lists all paths.`;
    return sendProblem(reply, { status: 404, code: "PATH_UNKNOWN", detail });
  });
}

function nearestPath(path: string, known: readonly string[]): string | undefined {
  const trimmed = path.replace(/\/+$/, "");
  if (known.includes(trimmed)) return trimmed;
  const parts = trimmed.split("/");
  return known.find((one) => one.split("/").length === parts.length && one.slice(0, 6) === trimmed.slice(0, 6));
}
