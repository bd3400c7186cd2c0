// The API and the screens.
import type { FastifyInstance } from "fastify";
import { createApi } from "../api/api.ts";
import type { ApiHealth } from "../api/health-routes.ts";
import { isPlausibleWallTime } from "../clock.ts";
import { toInstant } from "../domain/instant.ts";
import { shownProfile } from "../domain/profile.ts";
import { GatewayError } from "../errors.ts";
import type { MqttIngress } from "../ingress/mqtt.ts";
import { createEntries } from "./entries.ts";
import { historyForApi } from "./history.ts";
import { type Parts, VERSION } from "./parts.ts";
import { tlsFilesOf } from "./tls.ts";

export async function startApi(
  parts: Parts,
  ingress: MqttIngress,
  { health, staticDir, look }: { readonly health: ApiHealth; readonly staticDir: string | undefined; look(): void },
): Promise<{ app: FastifyInstance; port: number; url: string }> {
  const { config, clock, logs, engine, store, journal, history } = parts;
  const { host, port } = config.http;
  const tls = tlsFilesOf(config.http);
  const recent = () =>
    ingress.refusals.recent.map(({ atMs, reason, sender, topic, bytes }) => ({
      at: toInstant(atMs),
      reason,
      ...(sender === undefined ? {} : { deviceId: sender }),
      topic,
      hex: Buffer.from(bytes).toString("hex"),
    }));
  const app = await createApi({
    engine,
    entries: createEntries({ journal, engine, clock, isClockTrusted: () => isPlausibleWallTime(clock.nowMs()) }),
    people: store.people,
    journal,
    refusals: { list: () => ({ counts: Object.fromEntries(ingress.refusals.counts), recent: recent() }) },
    history: historyForApi(history, store),
    registry: {
      whole: store.registry,
      // The files are what is in force: they are read as after an import.
      save: (next) => {
        store.save(next);
        look();
      },
      profile: () => shownProfile(engine.profile()),
    },
    health,
    clock,
    version: VERSION,
    ...(staticDir === undefined ? {} : { staticDir }),
    ...(tls === undefined ? {} : { tls }),
    log: logs.area("http").error,
  });
  try {
    const url = await app.listen({ host, port });
    return { app, port: Number(new URL(url).port), url };
  } catch (cause) {
    await app.close();
    if ((cause as NodeJS.ErrnoException).code === "EADDRINUSE")
      throw new GatewayError("ADDRESS_IN_USE", { host, port }, { cause });
    throw cause;
  }
}
