// The sinks that the configuration names.
import { randomInt } from "node:crypto";
import { createInfluxSink } from "../sinks/influxdb.ts";
import { createRunner, type Runner } from "../sinks/runner.ts";
import { type Parts, readPem } from "./parts.ts";

export function createRunners({ config, clock, logs, journal, store }: Omit<Parts, "engine" | "sinks">): Runner[] {
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
