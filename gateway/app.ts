// Wires the gateway: journal, engine, ingress, sinks, API. Starts in the order in which each is safe to use: nothing is
// listened to before the engine has taken what the journal holds.
import { createHash, randomInt } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { FastifyInstance } from "fastify";
import {
  alertTopic,
  GATEWAY_STATE_TOPIC,
  type GatewayConfig,
  pointStateTopic,
  type Registry,
  type Sha256,
} from "../protocol/index.ts";
import { createApi } from "./api/api.ts";
import { type Clock, isPlausibleWallTime, systemClock, type Timer } from "./clock.ts";
import { listProblems } from "./config/problems.ts";
import { profileOf } from "./config/profile.ts";
import { toInstant } from "./domain/instant.ts";
import { localDay } from "./domain/point.ts";
import { createEngine, type Engine } from "./engine/engine.ts";
import { GatewayError } from "./errors.ts";
import { createMqttIngress, type MqttIngress } from "./ingress/mqtt.ts";
import { type Journal, openJournal } from "./journal/journal.ts";
import { createLogs, type Logs } from "./log.ts";
import { loadKeys } from "./registry/keys.ts";
import { openPeople } from "./registry/people.ts";
import { loadRegistry, registryDifference, registryPath, registryView } from "./registry/registry.ts";
import { createInfluxSink } from "./sinks/influxdb.ts";
import { createRunner, type Runner } from "./sinks/runner.ts";

/** A new registry, key or person is noticed within this. */
const WATCH_MS = 2_000;
export const VERSION = "0.1.0";

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
  /** Looks at the files in the data folder again. */
  reload(): void;
  stop(): Promise<void>;
}

const sha256: Sha256 = (bytes) => createHash("sha256").update(bytes).digest();

interface Parts {
  readonly config: GatewayConfig;
  readonly clock: Clock;
  readonly logs: Logs;
  readonly journal: Journal;
  readonly store: Store;
  readonly engine: Engine;
  readonly runners: readonly Runner[];
}

/** Starts the gateway; resolves when it listens. Throws GatewayError with what to do in its detail. */
export async function startApp(config: GatewayConfig, deps: AppDeps = {}): Promise<App> {
  const clock = deps.clock ?? systemClock;
  const logs = deps.logs ?? createLogs(config.log.level);
  const log = logs.area("app");
  const journal = await openJournal({ dir: config.data.dir, clock });
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
    const parts: Parts = { config, clock, logs, journal, store, engine, runners };
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
    log.info("gateway listens", { mqtt: `${listening.address.host}:${listening.address.port}`, http: http.url });
    return {
      mqtt: listening.address,
      http: { host: config.http.host, port: http.port, url: http.url },
      engine,
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

interface Store {
  registry(): Registry;
  key(deviceId: string): Uint8Array | undefined;
  isEnabled(deviceId: string): boolean;
  readonly people: ReturnType<typeof openPeople>;
  pointOf(deviceId: string): string | undefined;
  reload(): { readonly before: Registry; readonly after: Registry };
}

function openStore(dir: string): Store {
  let registry = loadRegistry(dir, listProblems);
  let keys = loadKeys(dir);
  const people = openPeople(dir);
  const device = (deviceId: string) => registry.devices.find((one) => one.deviceId === deviceId);
  let byId = new Map(registry.devices.map((one) => [one.deviceId, one]));
  return {
    registry: () => registry,
    key: (deviceId) => (byId.has(deviceId) ? keys.get(deviceId) : undefined),
    isEnabled: (deviceId) => device(deviceId)?.disabled !== true,
    people,
    pointOf: (deviceId) => byId.get(deviceId)?.pointId,
    reload: () => {
      const before = registry;
      const after = loadRegistry(dir, listProblems);
      keys = loadKeys(dir);
      people.reload();
      registry = after;
      byId = new Map(registry.devices.map((one) => [one.deviceId, one]));
      return { before, after };
    },
  };
}

async function startIngress({ config, clock, logs, journal, store, engine }: Parts): Promise<MqttIngress> {
  const { host, port, tlsCert, tlsKey } = config.mqtt;
  const ingress = await createMqttIngress({
    host,
    port,
    ...(tlsCert === undefined || tlsKey === undefined ? {} : { tls: { cert: readPem(tlsCert), key: readPem(tlsKey) } }),
    journal,
    identities: store,
    people: store.people,
    clock,
    sha256,
    isClockTrusted: () => isPlausibleWallTime(clock.nowMs()),
    log: logs.area("mqtt").warn,
  });
  ingress.onRefusal((note) => {
    engine.note({
      kind: "refusal",
      reason: note.reason,
      ...(note.sender === undefined ? {} : { sender: note.sender }),
    });
  });
  return ingress;
}

function readPem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new GatewayError("FILE_UNREADABLE", { path }, { cause });
  }
}

/** Retained states for readers: all of them at the start, then what changes; a closed alert is cleared. */
function publishStates(engine: Engine, ingress: MqttIngress): () => void {
  const { points, alerts, gateway } = engine.overview();
  const tell = (change: Parameters<Parameters<Engine["onChange"]>[0]>[0]) => {
    for (const point of change.points) ingress.publishRetained(pointStateTopic(point.pointId), JSON.stringify(point));
    for (const alert of change.alerts) {
      ingress.publishRetained(alertTopic(alert.alertId), alert.state === "normal" ? undefined : JSON.stringify(alert));
    }
    if (change.gateway !== undefined) ingress.publishRetained(GATEWAY_STATE_TOPIC, JSON.stringify(change.gateway));
  };
  tell({ points, alerts, gateway });
  return engine.onChange(tell);
}

function createRunners({ config, clock, logs, journal, store }: Omit<Parts, "engine" | "runners">): Runner[] {
  const influx = config.influxdb;
  if (influx === undefined) return [];
  const { url, org, bucket, timeoutMs, batchLinesMax } = influx;
  const token = readPem(influx.tokenFile).trim();
  const sink = createInfluxSink({ url, org, bucket, token, timeoutMs, batchRowsMax: batchLinesMax, context: store });
  return [
    createRunner({
      sink,
      journal,
      clock,
      random: () => randomInt(1_000_000) / 1_000_000,
      log: logs.area("sinks").warn,
    }),
  ];
}

async function startApi(
  parts: Parts,
  ingress: MqttIngress,
  staticDir: string | undefined,
): Promise<{ app: FastifyInstance; port: number; url: string }> {
  const { config, clock, logs, engine, store, journal } = parts;
  const { host, port, tlsCert, tlsKey } = config.http;
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
    people: store.people,
    journal,
    refusals: { list: () => ({ counts: Object.fromEntries(ingress.refusals.counts), recent: recent() }) },
    clock,
    version: VERSION,
    ...(staticDir === undefined ? {} : { staticDir }),
    ...(tlsCert === undefined || tlsKey === undefined ? {} : { tls: { cert: readPem(tlsCert), key: readPem(tlsKey) } }),
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

/** Notices a new registry by itself; a broken one leaves the old one in force. */
function watchStore(
  { config, clock, logs, store, engine }: Parts,
  ingress: MqttIngress,
): { timer: Timer; look(): void } {
  const log = logs.area("registry");
  const stamp = () =>
    ["registry.json", "keys.json", "people.json"]
      .map((name) => statSync(`${config.data.dir}/${name}`, { throwIfNoEntry: false })?.mtimeMs ?? 0)
      .join(" ");
  let seen = stamp();
  const look = () => {
    const now = stamp();
    if (now === seen) return;
    seen = now;
    const keyOf = new Map(store.registry().devices.map((one) => [one.deviceId, store.key(one.deviceId)]));
    try {
      const { before, after } = store.reload();
      engine.setRegistry(registryView(after));
      for (const [deviceId, key] of keyOf) {
        const same = Buffer.from(key ?? []).equals(Buffer.from(store.key(deviceId) ?? []));
        if (!same || !store.isEnabled(deviceId)) ingress.closeDevice(deviceId);
      }
      log.info("registry loaded", { ...registryDifference(before, after), day: localDay(clock.nowMs()) });
    } catch (error) {
      const detail = error instanceof GatewayError ? error.detail : {};
      log.error("the new registry is not valid: the old one stays in force", {
        path: registryPath(config.data.dir),
        ...detail,
      });
    }
  };
  return { timer: clock.every(WATCH_MS, look), look };
}
