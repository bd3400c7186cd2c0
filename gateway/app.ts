// Starts the gateway: journal, engine, history, ingress, sinks, API, in the order in which each is safe to use. Nothing is listened to
// before the engine has taken what the journal holds.
import type { GatewayConfig } from "../protocol/index.ts";
import { type Clock, isPlausibleWallTime, systemClock } from "./clock.ts";
import { supervisorOf } from "./config/environment.ts";
import { profileOf } from "./config/profile.ts";
import { createEngine, type Engine } from "./engine/engine.ts";
import type { History } from "./history/history.ts";
import type { MqttIngress } from "./ingress/mqtt.ts";
import { openJournal } from "./journal/journal.ts";
import { createLogs, type Logs } from "./log.ts";
import { registryView } from "./registry/registry.ts";
import { openHistory } from "./wiring/history.ts";
import { startApi } from "./wiring/http.ts";
import { publishStates, startIngress } from "./wiring/ingress.ts";
import { type Parts, VERSION } from "./wiring/parts.ts";
import { createRunners } from "./wiring/sinks.ts";
import { openStore, watchStore } from "./wiring/store.ts";
import { startSupervision } from "./wiring/supervision.ts";

export interface AppDeps {
  readonly clock?: Clock;
  readonly logs?: Logs;
  /** Built screens. */
  readonly staticDir?: string;
}

export interface App {
  readonly mqtt: { readonly host: string; readonly port: number };
  readonly http: { readonly host: string; readonly port: number; readonly url: string };
  readonly engine: Engine;
  readonly ingress: MqttIngress;
  readonly history: History;
  /** Looks at the files in the data folder again. */
  reload(): void;
  stop(): Promise<void>;
}

/** Starts the gateway; resolves when it listens. Throws GatewayError with what to do in its detail. */
export async function startApp(config: GatewayConfig, deps: AppDeps = {}): Promise<App> {
  const clock = deps.clock ?? systemClock;
  const logs = deps.logs ?? createLogs(config.log.level);
  const log = logs.area("app");
  const journal = await openJournal({ ...config.data, clock });
  const stops: (() => Promise<void> | void)[] = [() => journal.close()];
  try {
    const store = openStore(config.data.dir);
    let ingress: MqttIngress | undefined;
    const runners = createRunners({ config, clock, logs, journal, store });
    const engine = createEngine({
      journal,
      registry: registryView(store.registry()),
      profile: profileOf(config),
      clock,
      gatewayId: config.gateway.id,
      version: VERSION,
      surroundings: {
        refusals: () => Object.fromEntries(ingress?.refusals.counts ?? []),
        sinks: () => runners.map((runner) => runner.state()),
        isClockTrusted: () => isPlausibleWallTime(clock.nowMs()),
      },
      log: logs.area("engine").warn,
    });
    await engine.start();
    stops.push(() => engine.stop());
    const history = await openHistory({ config, clock, logs, journal });
    stops.push(() => history.stop());
    const parts: Parts = { config, clock, logs, journal, store, engine, history, runners };
    ingress = await startIngress(parts);
    const listening = ingress;
    stops.push(() => listening.close());
    stops.push(publishStates(engine, listening));
    for (const runner of runners) await runner.start();
    stops.push(async () => void (await Promise.all(runners.map((runner) => runner.stop()))));
    const http = await startApi(parts, listening, deps.staticDir);
    stops.push(() => http.app.close());
    const watch = watchStore(parts, listening);
    stops.push(() => watch.timer.stop());
    const supervisor = supervisorOf();
    if (supervisor !== undefined) {
      const supervision = startSupervision({ supervisor, clock, journal, pid: process.pid, log: log.warn });
      stops.push(() => supervision.stop());
    }
    log.info("gateway listens", { mqtt: `${listening.address.host}:${listening.address.port}`, http: http.url });
    return {
      mqtt: listening.address,
      http: { host: config.http.host, port: http.port, url: http.url },
      engine,
      ingress: listening,
      history,
      reload: watch.look,
      stop: () => stopAll(stops),
    };
  } catch (error) {
    await stopAll(stops);
    throw error;
  }
}

/** In the opposite order of the start: no new work, then what is under way, then the file. */
async function stopAll(stops: (() => Promise<void> | void)[]): Promise<void> {
  for (const stop of stops.splice(0).reverse()) await stop();
}
