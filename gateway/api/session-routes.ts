// Signing in and out.
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { SessionSchema, SignInSchema } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import { toInstant } from "../domain/instant.ts";
import { GatewayError } from "../errors.ts";
import type { ApiPeople } from "./interfaces.ts";
import { sendProblem } from "./problems.ts";
import { SESSION_MS, type SessionRow, type Sessions } from "./sessions.ts";

export const COOKIE = "waakvlam_session";

export interface SessionRouteDeps {
  readonly sessions: Sessions;
  readonly people: ApiPeople;
  readonly clock: Clock;
  readonly secureCookies: boolean;
}

function shown(session: SessionRow) {
  return { name: session.name, role: session.role, until: toInstant(session.untilMs) };
}

export const sessionRoutes: FastifyPluginAsyncTypebox<SessionRouteDeps> = async (app, deps) => {
  const { sessions, people, secureCookies } = deps;
  const cookie = { path: "/", httpOnly: true, sameSite: "strict", secure: secureCookies } as const;

  app.post("/session", { schema: { body: SignInSchema, response: { 200: SessionSchema } } }, async (request, reply) => {
    const { name, password } = request.body;
    const guesser = `${request.ip} ${name}`;
    if (!sessions.mayGuess(guesser)) {
      const detail = "Too many wrong passwords for this name from this address. Wait five minutes and try again.";
      return sendProblem(reply, { status: 429, code: "SIGN_IN_SLOWED", detail });
    }
    const person = await people.verify(name, password);
    if (person === undefined) {
      sessions.failed(guesser);
      throw new GatewayError("SIGN_IN_REFUSED");
    }
    const { token, session } = sessions.open(person);
    return reply.setCookie(COOKIE, token, { ...cookie, maxAge: SESSION_MS / 1000 }).send(shown(session));
  });

  app.get("/session", { schema: { response: { 200: SessionSchema } } }, async (request) => {
    const session = sessions.find(request.cookies[COOKIE] ?? "");
    if (session === undefined) throw new GatewayError("SIGN_IN_NEEDED");
    return shown(session);
  });

  app.delete("/session", async (request, reply) => {
    sessions.close(request.cookies[COOKIE] ?? "");
    return reply.clearCookie(COOKIE, cookie).code(204).send();
  });
};
