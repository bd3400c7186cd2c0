// Gathers the facts: every look is bounded in time, changes nothing, and a look that fails is a fact as well.
import { X509Certificate } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync, statfsSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { GatewayConfig, NotifyPlan } from "../../protocol/index.ts";
import { type Clock, isPlausibleWallTime } from "../clock.ts";
import { isLoopbackHost, linedProblems } from "../config/config.ts";
import { fileProblems } from "../config/files.ts";
import { readNotifyPlan } from "../config/notify-plan.ts";
import { listProblems } from "../config/problems.ts";
import { GatewayError } from "../errors.ts";
import { ownCarriers, usedCarriers } from "../notify/carriers.ts";
import type { Carriers } from "../notify/channel.ts";
import { SIM_WAITS } from "../notify/modem.ts";
import { TORN } from "../registry/file.ts";
import { keyedDevices } from "../registry/keys.ts";
import { LORAWAN_KEYS_FILE } from "../registry/lorawan-keys.ts";
import { listPeople } from "../registry/people.ts";
import { loadRegistry } from "../registry/registry.ts";
import { askUps } from "../ups/ask.ts";
import { upsFactsOf } from "../ups/nut.ts";
import { probeCopy } from "./copy-facts.ts";
import type { CertificateFacts, DoctorFacts, MachineFacts, RegistryFacts, Unreadable } from "./facts.ts";
import { answers, askGateway, probeJournal, readClock, readUnit } from "./probes.ts";

/** A configuration that can be read. */
export interface Patient {
  readonly config: GatewayConfig;
  readonly path?: string;
  readonly clock: Clock;
}

/** A file that cannot be read as a configuration, and why. */
export interface UnreadPatient {
  readonly path?: string;
  readonly problems: readonly string[];
  readonly clock: Clock;
}

export function gatherMachine({ path, problems, clock }: UnreadPatient): MachineFacts {
  const nowMs = clock.nowMs();
  const synchronised = readClock();
  const unit = readUnit();
  return {
    nowMs,
    node: { version: process.version, sqlite: process.versions["sqlite"] ?? "0" },
    account: accountName(),
    config: { ...(path === undefined ? {} : { path }), problems },
    clock: { plausible: isPlausibleWallTime(nowMs), ...(synchronised === undefined ? {} : { synchronised }) },
    ...(unit === undefined ? {} : { unit }),
  };
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    // One without a name has a number.
    return String(process.getuid?.() ?? "");
  }
}

export async function gather({ config, path, clock }: Patient): Promise<DoctorFacts> {
  const { dir } = config.data;
  const at = (host: string) => (host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host);
  const { host, port } = config.mqtt;
  const disk = readDisk(config.data);
  const machine = gatherMachine({ ...(path === undefined ? {} : { path }), problems: named(config, path), clock });
  const [{ journal, history }, http, isMqttTaken, targets, notify, ups, copy] = await Promise.all([
    probeJournal(dir, clock),
    askGateway(config.http, at(config.http.host), clock),
    answers({ host: at(host), port }, clock),
    readTargets(config, clock),
    readNotify(config, clock),
    readUps(config, clock),
    probeCopy(config, clock),
  ]);
  return {
    ...machine,
    folder: readFolder(config),
    ...(disk === undefined ? {} : { disk }),
    journal,
    history,
    registry: readRegistry(dir),
    people: readPeople(dir),
    certificates: readCertificates(config),
    http: { host: config.http.host, port: config.http.port, ...http },
    mqtt: { host, port, answers: isMqttTaken === undefined },
    targets,
    ...(notify === undefined ? {} : { notify }),
    ...(copy === undefined ? {} : { copy }),
    ...(ups === undefined ? {} : { ups }),
  };
}

/** What is wrong with what the configuration names. */
function named(config: GatewayConfig, path: string | undefined): readonly string[] {
  const found = fileProblems(config);
  return path === undefined || found.length === 0 ? found : linedProblems(path, found);
}

function readFolder(config: GatewayConfig): DoctorFacts["folder"] {
  const { dir } = config.data;
  const own = ["keys.json", LORAWAN_KEYS_FILE, "people.json"].map((name) => join(dir, name));
  const keys = [config.http.tlsKey, config.mqtt.tlsKey].filter((path) => path !== undefined);
  const { influxdb, webhook, upstream, metrics, backup, notify, smtp, sms } = config;
  const files = [
    influxdb?.tokenFile,
    webhook?.tokenFile,
    webhook?.secretFile,
    upstream?.passwordFile,
    metrics.tokenFile,
    backup?.passphraseFile,
    // Phone numbers stand in the first.
    notify?.file,
    smtp?.passwordFile,
    sms?.pinFile,
  ];
  const tokens = files.filter((path) => path !== undefined);
  const secrets = [...new Set([...own, ...keys, ...tokens])].flatMap((path) => {
    const mode = modeOf(path);
    return mode === undefined ? [] : [{ path, mode: mode & 0o777 }];
  });
  const mode = modeOf(dir);
  if (mode === undefined) return { dir, exists: false, writable: false, secrets };
  let writable = true;
  try {
    accessSync(dir, constants.W_OK | constants.X_OK);
  } catch {
    writable = false;
  }
  return { dir, exists: true, writable, mode: mode & 0o777, secrets };
}

/** Undefined where there is nothing, or where this user may not look. */
function modeOf(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.mode;
  } catch {
    return undefined;
  }
}

function readDisk({ dir, lowWaterMb }: GatewayConfig["data"]): DoctorFacts["disk"] {
  if (!existsSync(dir)) return undefined;
  const { bavail, blocks, bsize } = statfsSync(dir);
  const disk = { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
  return lowWaterMb === undefined ? disk : { ...disk, lowWaterBytes: lowWaterMb * MB };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof GatewayError)) return error instanceof Error ? error.message : String(error);
  const { problems, path } = error.detail;
  const list = Array.isArray(problems) ? `: ${problems.slice(0, 3).join("; ")}` : "";
  return `${error.message}${path === undefined ? "" : ` (${String(path)})`}${list}`;
}

function unreadable(error: unknown): Unreadable {
  const { code = undefined, detail = {} } = error instanceof GatewayError ? error : {};
  const path = detail["path"];
  const isTorn = code === "REGISTRY_INVALID" || detail["reason"] === TORN;
  return { reason: reasonOf(error), isTorn, ...(typeof path === "string" ? { path } : {}) };
}

function readRegistry(dir: string): RegistryFacts {
  try {
    const registry = loadRegistry(dir, listProblems);
    const ours = registry.devices.filter(({ disabled, model }) => disabled !== true && model === undefined);
    const devices = ours.map((device) => device.deviceId);
    return { kind: "read", points: registry.points.length, devices: [...new Set(devices)], keyed: keyedDevices(dir) };
  } catch (error) {
    return { kind: "unreadable", ...unreadable(error) };
  }
}

function readPeople(dir: string): DoctorFacts["people"] {
  try {
    const people = listPeople(dir);
    return { total: people.length, admins: people.filter((person) => person.role === "admin").length };
  } catch (error) {
    return unreadable(error);
  }
}

function readCertificates(config: GatewayConfig): CertificateFacts[] {
  return (["http", "mqtt"] as const).flatMap((section) => {
    const { tlsCert: path, host } = config[section];
    if (path === undefined) return [];
    try {
      const certificate = new X509Certificate(readFileSync(path));
      const names = (certificate.subjectAltName ?? "")
        .split(", ")
        .map((name) => name.replace(/^(DNS|IP Address):/, ""));
      const isOne = host !== "0.0.0.0" && host !== "::" && !isLoopbackHost(host);
      const [fromMs, untilMs] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
      return [{ key: `${section}.tlsCert`, path, fromMs, untilMs, names, ...(isOne ? { host } : {}) }];
    } catch {
      // The configuration's own check tells of it.
      return [];
    }
  });
}

const MB = 1024 * 1024;

const PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443, "mqtt:": 1883, "mqtts:": 8883 };

/** Every address that a section sends to: a connection says enough, and changes nothing there. */
async function readTargets(config: GatewayConfig, clock: Clock): Promise<DoctorFacts["targets"]> {
  return Promise.all(
    urlsOf(config).map(async ({ key, url }) => {
      const { protocol, hostname, port } = new URL(url);
      const at = { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) || (PORTS[protocol] ?? 0) };
      const failure = await answers(at, clock);
      return { key, url: url.replace(/\/\/[^/@]*@/, "//"), ...(failure === undefined ? {} : { failure }) };
    }),
  );
}

function urlsOf(value: unknown, at = ""): { readonly key: string; readonly url: string }[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = at === "" ? key : `${at}.${key}`;
    if (key === "url" && typeof inner === "string" && URL.canParse(inner)) return [{ key: at, url: inner }];
    return urlsOf(inner, path);
  });
}

/** Whether a message would get out: asks modem and mail server, and sends nothing. */
async function readNotify(config: GatewayConfig, clock: Clock): Promise<DoctorFacts["notify"]> {
  if (config.notify === undefined) return undefined;
  const { file } = config.notify;
  let plan: NotifyPlan;
  let carriers: Carriers;
  try {
    plan = readNotifyPlan(file, config);
    carriers = usedCarriers(ownCarriers(config, clock, "look"), plan);
  } catch (error) {
    const problems = error instanceof GatewayError ? error.detail["problems"] : undefined;
    return { file, recipients: 0, ways: [], problems: Array.isArray(problems) ? problems : [reasonOf(error)] };
  }
  const ways = await Promise.all(
    Object.entries(carriers).map(async ([name, carrier]) => {
      if (carrier.look === undefined) return [];
      const failure = await carrier.look();
      carrier.close?.();
      if (failure === SIM_WAITS) return [{ name, waits: failure }];
      return [{ name, ...(failure === undefined ? {} : { failure }) }];
    }),
  );
  return { file, problems: [], recipients: plan.recipients.length, ways: ways.flat() };
}

async function readUps({ ups }: GatewayConfig, clock: Clock): Promise<DoctorFacts["ups"]> {
  if (ups === undefined) return undefined;
  const answer = await askUps(ups, clock);
  const { name } = ups;
  if (answer.kind === "failed") return { kind: "unreachable", reason: answer.reason, name };
  return { ...upsFactsOf(answer.variables), name };
}
