// The built screens: files of this machine only, under a policy that lets a page ask nobody else.
import { existsSync } from "node:fs";
import fastifyHelmet from "@fastify/helmet";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

export async function installSecurityHeaders(app: FastifyInstance, isTls: boolean): Promise<void> {
  const self = ["'self'"];
  const none = ["'none'"];
  await app.register(fastifyHelmet, {
    hsts: isTls,
    referrerPolicy: { policy: "no-referrer" },
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        "default-src": self,
        "object-src": none,
        "frame-ancestors": none,
        "base-uri": none,
        "form-action": self,
      },
    },
  });
}

/** One word, as screens are named: `/meldingen`. Files have a dot, the API a number. */
const SCREEN_PATH = "/:screen(^[a-z-]{1,40}$)";

/** Serves the folder when it is there; a screen's own address gives the page, which finds its way itself. */
export async function installScreens(app: FastifyInstance, dir: string | undefined): Promise<void> {
  if (dir === undefined || !existsSync(dir)) return;
  await app.register(fastifyStatic, { root: dir, index: ["index.html"] });
  app.get(SCREEN_PATH, { schema: { hide: true } }, (request, reply) => {
    // A program that mistypes a path is told so; only a browser asks for a page.
    if (request.headers.accept?.includes("text/html") !== true) return reply.callNotFound();
    return reply.sendFile("index.html");
  });
}
