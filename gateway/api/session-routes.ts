// Signing in and out, and the question who is signed in.
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyRequest } from "fastify";
import Type from "typebox";
import { SessionSchema, SignInSchema } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import { toInstant } from "../domain/instant.ts";
import { GatewayError } from "../errors.ts";
import { refer } from "./documents.ts";
import type { Guesses } from "./guesses.ts";
import type { ApiPeople } from "./interfaces.ts";
import { sendProblem } from "./problems.ts";
import type { SessionJournal } from "./session-journal.ts";
import { SESSION_MS, type SessionRow, type Sessions } from "./sessions.ts";

export const COOKIE = "waakvlam_session";

export interface SessionRouteDeps {
  readonly sessions: Sessions;
  readonly guesses: Guesses;
  readonly people: ApiPeople;
  readonly clock: Clock;
  readonly journal: Pick<SessionJournal, "record">;
  readonly secureCookies: boolean;
}

export function tokenOf(request: FastifyRequest): string {
  return request.cookies[COOKIE] ?? "";
}

/** The session of this request. Throws SIGN_IN_NEEDED. */
export function sessionOf(request: FastifyRequest, sessions: Sessions): SessionRow {
  const session = sessions.find(tokenOf(request));
  if (session === undefined) throw new GatewayError("SIGN_IN_NEEDED");
  return session;
}

function shown(session: SessionRow) {
  return { name: session.name, role: session.role, until: toInstant(session.untilMs) };
}

export const sessionRoutes: FastifyPluginAsyncTypebox<SessionRouteDeps> = async (app, deps) => {
  const { sessions, guesses, people, secureCookies } = deps;
  const cookie = { path: "/", httpOnly: true, sameSite: "strict", secure: secureCookies } as const;
  const record = (request: FastifyRequest, actor: string, act: { action: string; result: string }) => {
    const origin = `http ${request.ip}`;
    deps.journal.record({ atMs: deps.clock.nowMs(), actor, object: "session", origin, detail: "{}", ...act });
  };

  app.post(
    "/session",
    {
      schema: {
        summary: "Sign in",
        tags: ["session"],
        security: [],
        body: refer(SignInSchema),
        response: { 200: refer(SessionSchema) },
      },
    },
    async (request, reply) => {
      const { name, password } = request.body;
      const waitS = guesses.begin(request.ip, name);
      if (waitS > 0) {
        const detail = `Too many tries to sign in from this address. Wait ${waitS} seconds and try again.`;
        void reply.header("retry-after", waitS);
        return sendProblem(reply, { code: "SIGN_IN_SLOWED", detail });
      }
      const person = await people.verify(name, password).catch((error: unknown) => {
        guesses.undo(request.ip, name);
        throw error;
      });
      const opened = person === undefined ? undefined : sessions.open(person.name);
      if (opened === undefined) {
        record(request, name, { action: "sign-in", result: "refused" });
        throw new GatewayError("SIGN_IN_REFUSED");
      }
      guesses.forgive(request.ip, name);
      // A browser that signs in anew leaves no second session behind.
      sessions.close(tokenOf(request));
      record(request, name, { action: "sign-in", result: "done" });
      return reply
        .setCookie(COOKIE, opened.token, { ...cookie, maxAge: SESSION_MS / 1000 })
        .send(shown(opened.session));
    },
  );

  app.get(
    "/session",
    { schema: { summary: "Who is signed in", tags: ["session"], response: { 200: refer(SessionSchema) } } },
    async (request) => shown(sessionOf(request, sessions)),
  );

  app.delete(
    "/session",
    {
      schema: {
        summary: "Sign out; done also when nobody was signed in",
        tags: ["session"],
        security: [],
        response: { 204: Type.Null({ description: "Signed out" }) },
      },
    },
    async (request, reply) => {
      const session = sessions.close(tokenOf(request));
      if (session !== undefined) record(request, session.name, { action: "sign-out", result: "done" });
      return reply.clearCookie(COOKIE, cookie).code(204).send(null);
    },
  );
};
