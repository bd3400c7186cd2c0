// Reads the configuration file. Bounds and defaults live in the schema, rules across keys here; all problems at once.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parse as parseToml, TomlError } from "smol-toml";
import { Value } from "typebox/value";
import { type GatewayConfig, GatewayConfigSchema } from "../../protocol/index.ts";
import { nearest } from "../../protocol/nearest.ts";
import { PROFILES } from "../domain/profile.ts";
import { GatewayError } from "../errors.ts";
import { lorawanRules } from "./lorawan-rules.ts";
import { keyPositions, type Positions, withLine } from "./positions.ts";
import { listProblems } from "./problems.ts";

/** The configuration of a file, paths resolved against its folder. Throws FILE_UNREADABLE, CONFIG_INVALID. */
export function readConfig(path: string): GatewayConfig {
  return readConfigFile(path).config;
}

export interface ConfigFile {
  readonly config: GatewayConfig;
  /** No key stands in it. */
  readonly isEmpty: boolean;
}

/** As `readConfig`. */
export function readConfigFile(path: string): ConfigFile {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new GatewayError("FILE_UNREADABLE", { path }, { cause });
  }
  let raw: Record<string, unknown>;
  try {
    raw = parseToml(text);
  } catch (cause) {
    throw new GatewayError("CONFIG_INVALID", { path, problems: [tomlProblem(cause)] }, { cause });
  }
  const config = parseConfig(raw, { path, baseDir: dirname(resolve(path)), positions: keyPositions(text) });
  return { config, isEmpty: Object.keys(raw).length === 0 };
}

/** Of a file that was read already: problems with what it names get their lines by it too. */
export function linedProblems(path: string, problems: readonly string[]): string[] {
  const positions = keyPositions(readFileSync(path, "utf8"));
  return problems.map((problem) => withLine(problem, positions));
}

/** In one line, with where it is. */
export function tomlProblem(cause: unknown): string {
  const words = cause instanceof Error ? (cause.message.split("\n")[0] ?? "not TOML") : String(cause);
  return cause instanceof TomlError ? `line ${cause.line}, column ${cause.column}: ${words}` : words;
}

export interface ConfigOrigin {
  readonly path: string;
  readonly baseDir: string;
  readonly positions?: Positions;
}

export function parseConfig(raw: unknown, origin: ConfigOrigin): GatewayConfig {
  const from = { path: origin.path };
  const lined = (problems: string[]) => {
    const { positions } = origin;
    return positions === undefined ? problems : problems.map((one) => withLine(one, positions));
  };
  const filled = Value.Default(GatewayConfigSchema, structuredClone(raw));
  const problems = listProblems(GatewayConfigSchema, filled, (key, known) => nearest(key, known));
  if (problems.length > 0) throw new GatewayError("CONFIG_INVALID", { ...from, problems: lined(problems) });
  const config = filled as GatewayConfig;
  const across = rulesAcross(config);
  if (across.length > 0) throw new GatewayError("CONFIG_INVALID", { ...from, problems: lined(across) });
  return withPaths(config, origin.baseDir);
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
  const { mqtt, http } = config;
  if (mqtt.port === http.port && mqtt.port !== 0 && overlap(mqtt.host, http.host)) {
    problems.push(`http.port ${http.port} is that of mqtt too: give one of them another`);
  }
  if (!PROFILES.some((profile) => profile.name === config.profile.name)) {
    const near = nearest(
      config.profile.name,
      PROFILES.map((profile) => profile.name),
    );
    problems.push(
      `profile.name ${config.profile.name} is not known${near === undefined ? "" : `: did you mean ${near}?`}`,
    );
  }
  if (!isLoopbackHost(config.http.host) && config.http.tlsCert === undefined) {
    problems.push(
      `http.host ${config.http.host} can be reached by others: people sign in there, so it needs TLS. ` +
        "Set http.tlsCert and http.tlsKey ('waakvlam tls create --host NAME' makes them), or use 127.0.0.1.",
    );
  }
  return [
    ...problems,
    ...addressRules(config),
    ...influxRules(config),
    ...webhookRules(config),
    ...upstreamRules(config),
    ...lorawanRules(config, isLoopbackUrl),
    ...mailRules(config),
  ];
}

function isLoopbackUrl(url: string): boolean {
  return URL.canParse(url) && isLoopbackHost(new URL(url).hostname.replace(/^\[|\]$/g, ""));
}

/** What the schema lets pass by its beginning: an impossible port, a host with a space. */
function addressRules(config: GatewayConfig): string[] {
  return (["influxdb", "webhook", "upstream"] as const).flatMap((name) => {
    const url = config[name]?.url;
    return url === undefined || URL.canParse(url) ? [] : [`${name}.url ${url} is not an address`];
  });
}

function influxRules({ influxdb }: GatewayConfig): string[] {
  if (influxdb === undefined || isLoopbackUrl(influxdb.url) || influxdb.url.startsWith("https:")) return [];
  return [`influxdb.url ${influxdb.url} leaves this machine in the clear, and its token with it: it needs https.`];
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

function mailRules({ smtp, sms, notify }: GatewayConfig): string[] {
  const problems: string[] = [];
  if (notify === undefined && (smtp !== undefined || sms !== undefined)) {
    problems.push("notify.file is not set: without recipients nobody gets mail or messages");
  }
  if (smtp === undefined) return problems;
  if ((smtp.user === undefined) !== (smtp.passwordFile === undefined)) {
    problems.push("smtp: user and passwordFile go together");
  }
  if (smtp.tls === "none" && !isLoopbackHost(smtp.host)) {
    problems.push(`smtp.host ${smtp.host} is another machine: mail to it needs TLS, smtp.tls = "starttls" or "tls"`);
  }
  return problems;
}

/** Two listeners on these would meet. */
function overlap(a: string, b: string): boolean {
  return a === b || [a, b].some((host) => host === "0.0.0.0" || host === "::");
}

/** Keys that name a file or folder, by section. */
const PATH_KEYS: Readonly<Partial<Record<keyof GatewayConfig, readonly string[]>>> = {
  data: ["dir"],
  profile: ["rulesFile"],
  mqtt: ["tlsCert", "tlsKey"],
  http: ["tlsCert", "tlsKey"],
  influxdb: ["tokenFile", "caFile"],
  webhook: ["tokenFile", "secretFile", "caFile"],
  upstream: ["passwordFile", "caFile"],
  chirpstack: ["passwordFile", "tlsCert", "tlsKey", "caFile"],
  thingsStack: ["passwordFile", "caFile"],
  metrics: ["tokenFile"],
  notify: ["file"],
  smtp: ["passwordFile", "caFile"],
  sms: ["port", "pinFile"],
  backup: ["dir", "passphraseFile"],
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
