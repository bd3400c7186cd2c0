// The API and the screens.
import type { FastifyInstance } from "fastify";
import { createApi } from "../api/api.ts";
import type { ApiHealth } from "../api/health-routes.ts";
import type { ApiNotices } from "../api/interfaces.ts";
import { isPlausibleWallTime } from "../clock.ts";
import { toInstant } from "../domain/instant.ts";
import { callList } from "../domain/notify/call-list.ts";
import { shownProfile } from "../domain/profile.ts";
import type { Commands } from "../ingress/commands.ts";
import type { MqttIngress } from "../ingress/mqtt.ts";
import { listenFault } from "../listen-fault.ts";
import { createDownlinks } from "./downlinks.ts";
import { createEntries } from "./entries.ts";
import { historyForApi } from "./history.ts";
import { type LorawanWays, startLorawanDesk } from "./lorawan-desk.ts";
import { createPlaces, type Notify } from "./notify.ts";
import { type Parts, VERSION } from "./parts.ts";
import { tlsFilesOf } from "./tls.ts";

/** `network` and `stations` are absent where LoRaWAN is none of this gateway's. */
export interface HttpMore extends LorawanWays {
  readonly health: ApiHealth;
  readonly notify: Notify;
  readonly commands: Commands;
  readonly staticDir: string | undefined;
  look(): void;
}

/** Throws ADDRESS_IN_USE, ADDRESS_UNKNOWN, ADDRESS_NOT_ALLOWED. */
export async function startApi(
  parts: Parts,
  ingress: MqttIngress,
  { health, notify, commands, staticDir, look, ...lorawan }: HttpMore,
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
  const { dir } = config.data;
  const desk = startLorawanDesk({ ...lorawan, dir, clock, journal, look, log: logs.area("lorawan").warn });
  const app = await createApi({
    engine,
    entries: createEntries({ journal, engine, clock, isClockTrusted: () => isPlausibleWallTime(clock.nowMs()) }),
    people: store.people,
    journal,
    refusals: { list: () => ({ counts: Object.fromEntries(ingress.refusals.counts), recent: recent() }) },
    history: historyForApi(history, store, journal),
    registry: {
      whole: store.registry,
      // The files are what is in force: they are read as after an import.
      save: (next) => {
        store.save(next);
        look();
      },
      profile: () => shownProfile(engine.profile()),
    },
    notices: noticesForApi(parts, notify),
    downlinks: createDownlinks({ commands, registry: store.registry, clock }),
    lorawan: desk,
    health,
    clock,
    version: VERSION,
    ...(staticDir === undefined ? {} : { staticDir }),
    ...(tls === undefined ? {} : { tls }),
    log: logs.area("http").error,
  });
  app.addHook("onClose", () => desk.stop());
  try {
    const url = await app.listen({ host, port });
    return { app, port: Number(new URL(url).port), url };
  } catch (cause) {
    await app.close();
    throw listenFault(cause, { host, port });
  }
}

function noticesForApi({ store, engine, clock }: Parts, notify: Notify): ApiNotices {
  const placeOf = createPlaces({ store, clock });
  return {
    list: notify.list,
    mute: notify.outbox.mute,
    unmute: notify.outbox.unmute,
    callList: (language) => {
      const { contacts } = store.registry();
      const input = { alerts: engine.alerts(), contacts, plan: notify.plan(), placeOf, nowMs: clock.nowMs(), language };
      return callList(input);
    },
  };
}
