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
  return [...problems, ...webhookRules(config), ...upstreamRules(config)];
}

function isLoopbackUrl(url: string): boolean {
  return URL.canParse(url) && isLoopbackHost(new URL(url).hostname.replace(/^\[|\]$/g, ""));
}

function webhookRules({ webhook }: GatewayConfig): string[] {
  if (webhook === undefined || isLoopbackUrl(webhook.url)) return [];
  const problems: string[] = [];
  if (!webhook.url.startsWith("https:")) {
    problems.push(`webhook.url ${webhook.url} leaves this machine in the clear: it needs https.`);
  }
  if (webhook.tokenFile === undefined && webhook.secretFile === undefined) {
    problems.push("webhook: set tokenFile or secretFile, so that the receiver can tell who sends");
  }
  return problems;
}

function upstreamRules({ upstream }: GatewayConfig): string[] {
  if (upstream === undefined) return [];
  const { url, caFile, username, passwordFile } = upstream;
  const problems: string[] = [];
  if (passwordFile !== undefined && username === undefined) problems.push("upstream: passwordFile needs username");
  if (!isLoopbackUrl(url) && (!url.startsWith("mqtts:") || caFile === undefined)) {
    problems.push(
      `upstream.url ${url} leaves this machine, so it needs TLS. ` +
        "Use mqtts:// and set upstream.caFile to the PEM of the authority that signed the broker's certificate.",
    );
  }
  return problems;
}

/** Keys that name a file or folder, by section. */
const PATH_KEYS: Readonly<Partial<Record<keyof GatewayConfig, readonly string[]>>> = {
  data: ["dir"],
  mqtt: ["tlsCert", "tlsKey"],
  http: ["tlsCert", "tlsKey"],
  influxdb: ["tokenFile", "caFile"],
  webhook: ["tokenFile", "secretFile", "caFile"],
  upstream: ["passwordFile", "caFile"],
};

function withPaths(config: GatewayConfig, baseDir: string): GatewayConfig {
  const sections = Object.entries(config).map(([name, section]) => {
    const paths = PATH_KEYS[name as keyof GatewayConfig] ?? [];
    const keys = Object.entries(section).map(([key, value]) => {
      return [key, paths.includes(key) && typeof value === "string" ? resolve(baseDir, value) : value] as const;
    });
    return [name, Object.fromEntries(keys)] as const;
  });
  return Object.fromEntries(sections) as unknown as GatewayConfig;
}
