// Reads the configuration file. Bounds and defaults live in the schema, rules across keys here; all problems at once.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parse as parseToml } from "smol-toml";
import { Value } from "typebox/value";
import { type GatewayConfig, GatewayConfigSchema } from "../../protocol/index.ts";
import { nearest } from "../../protocol/nearest.ts";
import { GatewayError } from "../errors.ts";
import { listProblems } from "./problems.ts";

/** The configuration of a file, paths resolved against its folder. Throws FILE_UNREADABLE, CONFIG_INVALID. */
export function readConfig(path: string): GatewayConfig {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new GatewayError("FILE_UNREADABLE", { path }, { cause });
  }
  let raw: unknown;
  try {
    raw = parseToml(text);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new GatewayError("CONFIG_INVALID", { path, problems: [problem ?? "not TOML"] }, { cause });
  }
  return parseConfig(raw, { path, baseDir: dirname(resolve(path)) });
}

export function parseConfig(raw: unknown, from: { readonly path: string; readonly baseDir: string }): GatewayConfig {
  const filled = Value.Default(GatewayConfigSchema, structuredClone(raw));
  const problems = listProblems(GatewayConfigSchema, filled, (key, known) => nearest(key, known));
  if (problems.length > 0) throw new GatewayError("CONFIG_INVALID", { path: from.path, problems });
  const config = filled as GatewayConfig;
  const across = rulesAcross(config);
  if (across.length > 0) throw new GatewayError("CONFIG_INVALID", { path: from.path, problems: across });
  return withPaths(config, from.baseDir);
}

export function isLoopbackHost(host: string): boolean {
  // The whole address: a name such as 127.example.org can be anyone's.
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

function rulesAcross(config: GatewayConfig): string[] {
  const problems: string[] = [];
  for (const name of ["mqtt", "http"] as const) {
    const { tlsCert, tlsKey } = config[name];
    if ((tlsCert === undefined) !== (tlsKey === undefined)) problems.push(`${name}: tlsCert and tlsKey go together`);
  }
  if (!isLoopbackHost(config.http.host) && config.http.tlsCert === undefined) {
    problems.push(
      `http.host ${config.http.host} can be reached by others: people sign in there, so it needs TLS. ` +
        "Set http.tlsCert and http.tlsKey ('waakvlam tls create --host NAME' makes them), or use 127.0.0.1.",
    );
  }
  return problems;
}

function withPaths(config: GatewayConfig, baseDir: string): GatewayConfig {
  const at = (path: string) => resolve(baseDir, path);
  const tls = <T extends { tlsCert?: string; tlsKey?: string }>(part: T): T => ({
    ...part,
    ...(part.tlsCert === undefined ? {} : { tlsCert: at(part.tlsCert) }),
    ...(part.tlsKey === undefined ? {} : { tlsKey: at(part.tlsKey) }),
  });
  return {
    ...config,
    data: { ...config.data, dir: at(config.data.dir) },
    mqtt: tls(config.mqtt),
    http: tls(config.http),
    ...(config.influxdb === undefined
      ? {}
      : { influxdb: { ...config.influxdb, tokenFile: at(config.influxdb.tokenFile) } }),
  };
}
