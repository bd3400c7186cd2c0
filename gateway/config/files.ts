// What a configuration names outside itself: files that must be readable, folders that must be writable, a certificate and
// its key. Found before the start, or the reload, that would fail on them.
import { createPrivateKey, hash, X509Certificate } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { GatewayConfig } from "../../protocol/index.ts";
import { GatewayError } from "../errors.ts";
import { isHeaderToken, NO_TOKEN } from "../http-signature.ts";
import { linedProblems } from "./config.ts";
import { baseProfileOf } from "./profile.ts";
import { readRulesFile, unknownPoints } from "./rules-file.ts";

/** A shorter token can be guessed. */
export const METRICS_TOKEN_CHARS_MIN = 16;

/** Shorter ones can be guessed however dear each guess is. */
export const PASSPHRASE_CHARS_MIN = 16;

/** Files that hold a secret: an empty one protects nothing. */
const SECRET_KEY = /(?:token|secret|password|passphrase|pin)File$/i;
/** Files that hold what stands in a header. */
const TOKEN_KEY = /tokenFile$/i;
/** Keys whose value is the path of a file that is read at the start. */
const FILE_KEY = /(?:File|^file|^tlsCert|^tlsKey|^tlsCa)$/;

const OWN_DIFFERENCE = ["profile.rulesFile", "notify.file"];

/**
 * The same configuration. Throws CONFIG_INVALID, with the lines of the file at `path`, when the gateway could not start with it, or,
 * where `points` of the registry are known, when its rules name others.
 */
export function checkedFiles(
  config: GatewayConfig,
  path: string | undefined,
  points?: readonly string[],
): GatewayConfig {
  const found = [...fileProblems(config), ...rulesProblems(config, points)];
  if (found.length === 0) return config;
  const problems = path === undefined ? found : linedProblems(path, found);
  throw new GatewayError("CONFIG_INVALID", { ...(path === undefined ? {} : { path }), problems });
}

/** All that is wrong, each with the key that names it. Empty when the gateway could start with these. */
export function fileProblems(config: GatewayConfig): string[] {
  const problems = [...folderProblems(config.data.dir)];
  const readable = new Map<string, string>();
  for (const { key, path } of filesOf(config)) {
    const text = readText(path);
    if (typeof text === "string") readable.set(key, text);
    else problems.push(`${key}: ${path} cannot be read (${text.reason})`);
    if (typeof text === "string") problems.push(...secretProblems(key, path, text.trim()));
  }
  for (const name of ["mqtt", "http", "chirpstack"] as const) {
    const [cert, key] = [readable.get(`${name}/tlsCert`), readable.get(`${name}/tlsKey`)];
    if (cert !== undefined && key !== undefined) problems.push(...pairProblems(name, cert, key));
  }
  const token = readable.get("metrics/tokenFile")?.trim();
  if (token !== undefined && token.length < METRICS_TOKEN_CHARS_MIN) {
    problems.push(`metrics/tokenFile: the token has ${token.length} characters, at least ${METRICS_TOKEN_CHARS_MIN}`);
  }
  const passphrase = readable.get("backup/passphraseFile")?.trim();
  if (passphrase !== undefined && passphrase.length < PASSPHRASE_CHARS_MIN) {
    const length = `${passphrase.length} characters, at least ${PASSPHRASE_CHARS_MIN}`;
    problems.push(`backup/passphraseFile: the passphrase has ${length}`);
  }
  return problems;
}

function secretProblems(key: string, path: string, text: string): string[] {
  if (!SECRET_KEY.test(key)) return [];
  if (text === "") return [`${key}: ${path} is empty`];
  return TOKEN_KEY.test(key) && !isHeaderToken(text) ? [`${key}: ${path} ${NO_TOKEN}`] : [];
}

/** Of the file of rules, each with its own place behind the key that names the file. */
function rulesProblems(config: GatewayConfig, points: readonly string[] | undefined): string[] {
  const { rulesFile } = config.profile;
  // One that cannot be read is told of as any file.
  if (rulesFile === undefined || typeof readText(rulesFile) !== "string") return [];
  const placed = (problems: readonly string[]) => problems.map((one) => `profile/rulesFile: ${rulesFile}: ${one}`);
  try {
    const file = readRulesFile(rulesFile, baseProfileOf(config).rules);
    return points === undefined ? [] : placed(unknownPoints(file, points));
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return placed(error.detail["problems"] as string[]);
  }
}

export interface NamedFile {
  /** Where it is named: the keys from the outermost in, `smtp/passwordFile`. */
  readonly key: string;
  readonly path: string;
}

/** Whether the file that this key names holds a secret. */
export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key) || key.endsWith("tlsKey");
}

/** Every file that any section names; a section that comes later is found by its keys. */
export function filesOf(value: unknown, at = ""): NamedFile[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = at === "" ? key : `${at}/${key}`;
    return typeof inner === "string" && FILE_KEY.test(key) ? [{ key: path, path: inner }] : filesOf(inner, path);
  });
}

/** Of the same files, to tell whether what stands in them is another. */
export type FileSums = ReadonlyMap<string, { readonly path: string; readonly sum: string }>;

/** By key, as `metrics.tokenFile`. Rules and recipients are told apart by what they say, and not here. */
export function fileSums(config: GatewayConfig): FileSums {
  const named = filesOf(config).map(({ key, path }) => ({ key: key.replaceAll("/", "."), path }));
  const sums = named.flatMap(({ key, path }) => {
    const text = OWN_DIFFERENCE.includes(key) ? { reason: "" } : readText(path);
    return typeof text === "string" ? [[key, { path, sum: hash("sha256", text) }] as const] : [];
  });
  return new Map(sums);
}

function readText(path: string): string | { readonly reason: string } {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    return { reason: (error as NodeJS.ErrnoException).code ?? String(error) };
  }
}

/** The folder itself, or the one that it will be made in. */
function folderProblems(dir: string): string[] {
  let at = dir;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  try {
    if (!statSync(at).isDirectory()) return [`data/dir: ${at} is not a folder`];
    accessSync(at, constants.W_OK | constants.X_OK);
    return [];
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    return [`data/dir: ${at} cannot be written by this user (${code})`];
  }
}

function pairProblems(name: string, cert: string, key: string): string[] {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(cert);
  } catch {
    return [`${name}/tlsCert: this is not a certificate in PEM`];
  }
  try {
    if (certificate.checkPrivateKey(createPrivateKey(key))) return [];
  } catch {
    return [`${name}/tlsKey: this is not a private key in PEM`];
  }
  return [`${name}/tlsKey: this is not the key of the certificate in tlsCert`];
}
