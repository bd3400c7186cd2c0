// Starts the gateway: journal, engine, history, ingress, sinks, API, in the order in which each is safe to use. Nothing is listened to
// before the engine has taken what the journal holds.
import type { GatewayConfig } from "../protocol/index.ts";
import type { ApiHealth } from "./api/health-routes.ts";
import type { Schedule } from "./backup/schedule.ts";
import { type Clock, isPlausibleWallTime, systemClock } from "./clock.ts";
import { supervisorOf } from "./config/environment.ts";
import { profileOf } from "./config/profile.ts";
import { unknownPoints } from "./config/rules-file.ts";
import { notReady } from "./domain/readiness.ts";
import { createEngine, type Engine } from "./engine/engine.ts";
import type { History } from "./history/history.ts";
import { type Commands, openCommands } from "./ingress/commands.ts";
import type { MqttIngress } from "./ingress/mqtt.ts";
import { openJournal } from "./journal/journal.ts";
import { createLogs, type Logs } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { registryView } from "./registry/view.ts";
import { askForMissing, nameSetBack, startCopy } from "./wiring/copy.ts";
import { startHelpLamps } from "./wiring/help-lamps.ts";
import { openHistory } from "./wiring/history.ts";
import { startApi } from "./wiring/http.ts";
import { publishStates, startIngress } from "./wiring/ingress.ts";
import { type Lorawan, startLorawan } from "./wiring/lorawan.ts";
import { silentPaths } from "./wiring/lorawan-network.ts";
import { startMetrics } from "./wiring/metrics.ts";
import { createMetricsToken, type MetricsToken } from "./wiring/metrics-token.ts";
import { type Notify, startNotify } from "./wiring/notify.ts";
import { type Parts, VERSION } from "./wiring/parts.ts";
import { createReload, type Reload } from "./wiring/reload.ts";
import { createSelfFigures, type SelfFigures } from "./wiring/self.ts";
import { createSinkSet } from "./wiring/sink-set.ts";
import { createRunners } from "./wiring/sinks.ts";
import { openStore, watchStore } from "./wiring/store.ts";
import { startSupervision } from "./wiring/supervision.ts";
import { createSupply, type Supply } from "./wiring/supply.ts";
import { createListenerCertificates } from "./wiring/tls.ts";

export interface AppDeps {
  readonly clock?: Clock;
  readonly logs?: Logs;
  /** Built screens. */
  readonly staticDir?: string;
  /** Reads the configuration again, for `reload`; throws where none may take the place of the one in force. */
  readConfig?(inForce: GatewayConfig): GatewayConfig;
  /** Its file, for the lines of problems. */
  readonly configPath?: string;
}

export interface App {
  readonly mqtt: { readonly host: string; readonly port: number };
  readonly http: { readonly host: string; readonly port: number; readonly url: string };
  /** Where base stations are heard; absent without them. */
  readonly lorawan?: { readonly address: string; readonly port: number };
  readonly engine: Engine;
  readonly ingress: MqttIngress;
  readonly history: History;
  /** Looks at the files in the data folder and at the configuration again. */
  reload(): Promise<Reload>;
  stop(): Promise<void>;
}

type Stop = () => Promise<void> | void;

/** Parts that are asked before they are there: they listen only when the rest is ready. */
interface Late {
  history?: History;
  ingress?: MqttIngress;
  lorawan?: Lorawan;
  copy?: Schedule | undefined;
  notify?: Notify;
}

/** Starts the gateway; resolves when it listens. Throws GatewayError with what to do in its detail. */
export async function startApp(config: GatewayConfig, deps: AppDeps = {}): Promise<App> {
  const { clock = systemClock, staticDir } = deps;
  const logs = deps.logs ?? createLogs({ level: config.log.level });
  nameSetBack({ config, logs });
  const journal = await openJournal({ ...config.data, clock });
  const stops: Stop[] = [() => journal.close()];
  let stopping = false;
  try {
    const store = openStore(config.data.dir, clock.nowMs);
    const late: Late = {};
    const sinks = createSinkSet(config, (next) => createRunners({ config: next, clock, logs, journal, store }));
    const { supply, self } = watchItself({ config, clock, logs, journal, sinks }, late, stops);
    const engine = engineOf({ config, clock, logs, journal, store, sinks }, self, late);
    const metrics = startMetrics({ engine, journal, self, sinks, late });
    stops.push(metrics.stop);
    await engine.start();
    stops.push(() => engine.stop());
    const kept = await openHistory({ config, clock, logs, journal });
    late.history = kept;
    stops.push(() => kept.stop());
    const parts: Parts = { config, clock, logs, journal, store, engine, history: kept, sinks };
    const commands = await openCommandsOf(parts, stops);
    const listening = await startIngress(parts, { observePuback: metrics.observePuback, commands });
    late.ingress = listening;
    stops.push(() => listening.close(), publishStates(engine, listening));
    const lorawan = await startLorawan(parts, { ingress: listening, commands });
    late.lorawan = lorawan;
    stops.push(lorawan.stop);
    late.copy = startCopy(parts, deps.configPath);
    if (late.copy !== undefined) stops.push(late.copy.stop);
    await sinks.start();
    stops.push(sinks.stop);
    const token = createMetricsToken(config);
    const health = healthOf(parts, { ingress: listening, metrics, token, isStopping: () => stopping });
    const watch = watchStore(parts, listening);
    stops.push(() => watch.timer.stop());
    const notify = await startNotify(parts, { ingress: listening, commands, setProblem: self.setConfigProblem });
    late.notify = notify;
    stops.push(() => notify.stop());
    const ways = { ...lorawan.own, health, notify, commands, staticDir, look: watch.look };
    const http = await startApi(parts, listening, ways);
    stops.push(() => http.app.close());
    superviseIfAsked(parts, stops);
    const certificates = createListenerCertificates(http.app.server, listening);
    const reloadConfig = reloadOf(parts, { supply, token, certificates, self, notify }, deps);
    warnOfRules(parts, self);
    sayWhere(logs, listening, lorawan, http.url);
    return {
      mqtt: listening.address,
      ...(lorawan.own === undefined ? {} : { lorawan: lorawan.own.stations.address }),
      http: { host: config.http.host, port: http.port, url: http.url },
      engine,
      ingress: listening,
      history: kept,
      reload: () => {
        watch.look();
        return reloadConfig();
      },
      stop: () => {
        stopping = true;
        return stopAll(stops);
      },
    };
  } catch (error) {
    await stopAll(stops);
    throw error;
  }
}

function engineOf(
  { config, clock, logs, journal, store, sinks }: Omit<Parts, "engine" | "history">,
  self: SelfFigures,
  late: Late,
): Engine {
  return createEngine({
    journal,
    registry: registryView(store.registry()),
    profile: profileOf(config),
    clock,
    gatewayId: config.gateway.id,
    version: VERSION,
    surroundings: {
      refusals: () => Object.fromEntries(late.ingress?.refusals.counts ?? []),
      deadPaths: () => silentPaths(late.lorawan?.own?.stations.states() ?? []),
      sinks: sinks.states,
      isClockTrusted: () => isPlausibleWallTime(clock.nowMs()),
      self: self.facts,
      notify: () => self.facts().notify,
    },
    log: logs.area("engine").warn,
  });
}

function pointIdsOf(store: Parts["store"]): readonly string[] {
  return store.registry().points.map((point) => point.pointId);
}

/** Rules at points that the registry no longer has stop no start: people are told, and the rest holds. */
function warnOfRules({ engine, store, logs }: Parts, self: SelfFigures): void {
  const overrides = [...engine.profile().overrides];
  const problems = unknownPoints({ overrides }, pointIdsOf(store));
  if (problems.length === 0) return;
  logs.area("config").warn("rules name points that the registry does not have", { problems });
  self.setConfigProblem(problems[0]);
}

function reloadOf(
  { config, logs, engine, sinks, store }: Parts,
  shared: Pick<Parameters<typeof createReload>[0], "supply" | "token" | "certificates" | "self" | "notify">,
  source: AppDeps,
): () => Promise<Reload> {
  return createReload({ config, logs, engine, sinks, ...shared, pointIds: () => pointIdsOf(store), source });
}

function sayWhere(logs: Logs, { address }: MqttIngress, { own }: Lorawan, http: string): void {
  const lorawan = own === undefined ? {} : { lorawan: own.address };
  logs.area("app").info("gateway listens", { mqtt: `${address.host}:${address.port}`, ...lorawan, http });
}

/** Commands that wait for their devices: what a restored gateway asks, and the lamps of who asked for help. */
async function openCommandsOf(parts: Parts, stops: Stop[]): Promise<Commands> {
  const { journal, clock, logs, engine } = parts;
  const isClockTrusted = () => isPlausibleWallTime(clock.nowMs());
  const log = logs.area("commands").warn;
  const commands = await openCommands({ journal, clock, isClockTrusted, log });
  await askForMissing(parts, commands);
  stops.push(startHelpLamps({ engine, commands, clock, log }));
  return commands;
}

function superviseIfAsked({ clock, journal, logs }: Parts, stops: Stop[]): void {
  const supervisor = supervisorOf();
  if (supervisor === undefined) return;
  const { warn } = logs.area("app");
  const supervision = startSupervision({ supervisor, clock, journal, pid: process.pid, log: warn });
  stops.push(() => supervision.stop());
}

/** What the gateway knows of itself, from before the engine judges it. */
function watchItself(
  { config, clock, logs, journal, sinks }: Pick<Parts, "config" | "clock" | "logs" | "journal" | "sinks">,
  late: Late,
  stops: Stop[],
): { readonly supply: Supply; readonly self: SelfFigures } {
  const supply = createSupply(clock, logs.area("ups").warn);
  supply.use(config.ups);
  stops.push(supply.stop);
  const { dir, lowWaterMb } = config.data;
  const { warn } = logs.area("app");
  const self = createSelfFigures({
    ...{ dir, clock, journal, lowWaterMb, sinks: sinks.states },
    history: () => late.history?.state(),
    copy: () => late.copy?.state(),
    notify: () => late.notify?.state(),
    networks: () => late.lorawan?.networks() ?? [],
    ups: supply.facts,
    log: warn,
  });
  stops.push(self.stop);
  return { supply, self };
}

interface HealthParts {
  readonly ingress: MqttIngress;
  readonly metrics: Metrics;
  readonly token: MetricsToken;
  isStopping(): boolean;
}

function healthOf({ engine, journal }: Parts, { ingress, metrics, token, isStopping }: HealthParts): ApiHealth {
  return {
    notReady: () => {
      const { failing } = journal.health();
      return notReady({
        engineBehindRows: engine.gateway().journal.engineBehindRows,
        devicesListen: ingress.isListening(),
        stopping: isStopping(),
        ...(failing === undefined ? {} : { journalFailing: failing }),
      });
    },
    metrics: { contentType: metrics.contentType, text: metrics.text, isRightToken: token.isRight },
  };
}

/** In the opposite order of the start: no new work, then what is under way, then the file. */
async function stopAll(stops: Stop[]): Promise<void> {
  for (const stop of stops.splice(0).reverse()) await stop();
}
