// The sinks that the configuration names.
import { randomInt } from "node:crypto";
import type { GatewayConfig } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import { GatewayError } from "../errors.ts";
import { isHeaderToken, NO_TOKEN, secretOf } from "../http-signature.ts";
import { createInfluxSink } from "../sinks/influxdb.ts";
import type { LineContext } from "../sinks/lines.ts";
import type { Sink } from "../sinks/pump.ts";
import { createRunner, type Runner } from "../sinks/runner.ts";
import { createUpstreamSink } from "../sinks/upstream.ts";
import { createWebhookSink } from "../sinks/webhook.ts";
import { type Parts, readPem } from "./parts.ts";

interface SinkParts {
  readonly config: GatewayConfig;
  readonly clock: Clock;
  readonly journal: { readonly epoch: string };
  readonly store: LineContext;
}

/**
 * Throws FILE_UNREADABLE for a token, password or certificate that is not there, CONFIG_INVALID for a token that can stand in no
 * header.
 */
export function createSinks({ config, clock, journal, store: context }: SinkParts): Sink[] {
  const { influxdb, webhook, upstream } = config;
  const { epoch } = journal;
  const sinks: Sink[] = [];
  if (influxdb !== undefined) {
    const { tokenFile, caFile, batchLinesMax: batchRowsMax, ...rest } = influxdb;
    sinks.push(
      createInfluxSink({ ...rest, ...fileOf("ca", caFile), token: token(tokenFile), batchRowsMax, clock, context }),
    );
  }
  if (webhook !== undefined) {
    const { tokenFile, secretFile, caFile, ...rest } = webhook;
    const keys = {
      ...(tokenFile === undefined ? {} : { token: token(tokenFile) }),
      ...(secretFile === undefined ? {} : { secret: secretOf(secret(secretFile)) }),
    };
    sinks.push(createWebhookSink({ ...rest, ...keys, ...fileOf("ca", caFile), epoch, clock, context }));
  }
  if (upstream !== undefined) {
    const { passwordFile, caFile, ...rest } = upstream;
    const password = passwordFile === undefined ? {} : { password: secret(passwordFile) };
    sinks.push(createUpstreamSink({ ...rest, ...password, ...fileOf("ca", caFile), epoch, clock, context }));
  }
  return sinks;
}

function secret(path: string): string {
  return readPem(path).trim();
}

function token(path: string): string {
  const text = secret(path);
  if (!isHeaderToken(text)) throw new GatewayError("CONFIG_INVALID", { path, problems: [`${path} ${NO_TOKEN}`] });
  return text;
}

function fileOf<K extends string>(key: K, path: string | undefined): { [P in K]?: string } {
  return path === undefined ? {} : ({ [key]: readPem(path) } as { [P in K]?: string });
}

export function createRunners(parts: Omit<Parts, "engine" | "history" | "sinks">): Runner[] {
  const { clock, logs, journal } = parts;
  const random = () => randomInt(1_000_000) / 1_000_000;
  const log = logs.area("sinks").warn;
  return createSinks(parts).map((sink) => createRunner({ sink, journal, clock, random, log }));
}
