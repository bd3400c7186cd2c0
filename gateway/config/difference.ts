// What a new configuration changes, key by key, and when: at once, or only with a restart.
import type { GatewayConfig } from "../../protocol/index.ts";
import type { FileSums } from "./files.ts";

export type Effect = "now" | "restart";

/** Every section has its answer here; a new one does not compile without. */
const SECTIONS: Readonly<Record<keyof GatewayConfig, Effect>> = {
  gateway: "restart",
  data: "restart",
  mqtt: "restart",
  http: "restart",
  profile: "now",
  history: "restart",
  influxdb: "now",
  webhook: "now",
  upstream: "now",
  chirpstack: "restart",
  thingsStack: "restart",
  ups: "now",
  lorawan: "restart",
  notify: "now",
  smtp: "now",
  sms: "now",
  backup: "restart",
  metrics: "now",
  log: "now",
};
/** Keys that differ from their section. */
const KEYS: Readonly<Record<string, Effect>> = { "log.format": "restart" };

/** Read anew at every reload, where there was TLS and still is. */
const TLS_FILE = /^(?:http|mqtt)\.tls(?:Cert|Key)$/;

export function effectOf(key: string): Effect {
  return KEYS[key] ?? SECTIONS[key.split(".")[0] as keyof GatewayConfig];
}

export interface Change {
  /** `influxdb.url` */
  readonly key: string;
  readonly before: string;
  readonly after: string;
  readonly effect: Effect;
}

/** Changed keys in the order of their names. */
export function configDifference(before: GatewayConfig, after: GatewayConfig): Change[] {
  const [old, next] = [flat(shownConfig(before)), flat(shownConfig(after))];
  const raw = [flat(before), flat(after)] as const;
  const keys = [...new Set([...old.keys(), ...next.keys()])].sort();
  return keys
    .filter((key) => raw[0].get(key) !== raw[1].get(key))
    .map((key) => {
      const effect = TLS_FILE.test(key) && old.has(key) && next.has(key) ? "now" : effectOf(key);
      return { key, before: old.get(key) ?? "not set", after: next.get(key) ?? "not set", effect };
    });
}

/** `influxdb.url: "http://a" → "http://b" (at once)` */
export function changeText({ key, before, after, effect }: Change): string {
  return `${key}: ${before} → ${after} (${effect === "now" ? "at once" : "after a restart"})`;
}

/** Files of the same name in which something else stands, and when that holds. */
export function fileDifference(before: FileSums, after: FileSums): { readonly key: string; readonly effect: Effect }[] {
  return [...after].flatMap(([key, { path, sum }]) => {
    const old = before.get(key);
    if (old === undefined || old.path !== path || old.sum === sum) return [];
    return [{ key, effect: TLS_FILE.test(key) ? "now" : effectOf(key) }];
  });
}

/** `metrics.tokenFile: read anew (at once)` */
export function fileChangeText({ key, effect }: { readonly key: string; readonly effect: Effect }): string {
  return effect === "now" ? `${key}: read anew (at once)` : `${key}: another text in the file (after a restart)`;
}

/** Those in force after a reload: of what takes a restart, the old ones. */
export function sumsAfterReload(before: FileSums, after: FileSums): FileSums {
  const late = new Set(fileDifference(before, after).flatMap(({ key, effect }) => (effect === "restart" ? [key] : [])));
  return new Map([...after].map(([key, sum]) => [key, late.has(key) ? (before.get(key) ?? sum) : sum]));
}

/** The configuration in force after a reload: what takes a restart stays as it was. */
export function afterReload(before: GatewayConfig, next: GatewayConfig): GatewayConfig {
  const kept = Object.keys(SECTIONS).filter((name) => SECTIONS[name as keyof GatewayConfig] === "restart");
  const sections = Object.fromEntries(kept.map((name) => [name, before[name as keyof GatewayConfig]]));
  return {
    ...next,
    ...sections,
    http: withTlsOf(before.http, next.http),
    mqtt: withTlsOf(before.mqtt, next.mqtt),
    log: { ...next.log, format: before.log.format },
  };
}

function withTlsOf<S extends GatewayConfig["http"] | GatewayConfig["mqtt"]>(before: S, { tlsCert, tlsKey }: S): S {
  const isTls = [before.tlsCert, before.tlsKey, tlsCert, tlsKey].every((path) => path !== undefined);
  return isTls ? { ...before, tlsCert, tlsKey } : before;
}

/** For people's eyes: a password in an address, and any value that is itself a secret, does not stand in it. */
export function shownConfig<T>(value: T, key = ""): T {
  if (Array.isArray(value)) return value.map((one) => shownConfig(one, key)) as T;
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shownConfig(inner, name)])) as T;
  }
  if (typeof value !== "string") return value;
  if (/(?:password|passphrase|secret|token)$/i.test(key)) return "[hidden]" as T;
  return value.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@\s]*@/i, "$1[hidden]@") as T;
}

function flat(value: unknown, at = ""): Map<string, string> {
  if (typeof value !== "object" || value === null) return new Map([[at, JSON.stringify(value)]]);
  const rows = Object.entries(value).flatMap(([key, inner]) => [...flat(inner, at === "" ? key : `${at}.${key}`)]);
  return new Map(rows);
}
