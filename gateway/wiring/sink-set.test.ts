// Which sinks the journal keeps rows for while one configuration takes the place of another.
import { expect, test } from "vitest";
import type { GatewayConfig, SinkState } from "../../protocol/index.ts";
import type { Runner } from "../sinks/runner.ts";
import { createSinkSet } from "./sink-set.ts";

/** A configuration that names sinks, as far as this needs one. */
const naming = (...names: string[]) => names as unknown as GatewayConfig;

test("a sink that is in the next configuration too is never left, and one that is not is left at the end", async () => {
  const told: string[] = [];
  const runnerOf = (name: string): Runner => ({
    start: async () => void told.push(`start ${name}`),
    stop: async () => void told.push(`stop ${name}`),
    leave: () => void told.push(`leave ${name}`),
    state: () => ({ name }) as SinkState,
  });
  const sinks = createSinkSet(naming("influxdb", "webhook"), (config) =>
    (config as unknown as string[]).map((name) => runnerOf(name)),
  );
  await sinks.start();
  told.length = 0;
  await sinks.prepare(naming("influxdb"))();
  expect(told).toEqual(["stop influxdb", "stop webhook", "start influxdb", "leave webhook"]);
  told.length = 0;
  await sinks.stop();
  expect(told).toEqual(["stop influxdb"]);
});
