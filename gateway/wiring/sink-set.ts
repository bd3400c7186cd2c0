// The sinks that are running, and their replacement by those of another configuration.
import type { GatewayConfig, SinkState } from "../../protocol/index.ts";
import type { Runner } from "../sinks/runner.ts";

export interface SinkSet {
  states(): readonly SinkState[];
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Makes those of another configuration; gives what puts them in the place of the running ones. Throws, and changes nothing. */
  prepare(config: GatewayConfig): () => Promise<void>;
}

export function createSinkSet(config: GatewayConfig, create: (config: GatewayConfig) => readonly Runner[]): SinkSet {
  let runners = create(config);
  const stop = async () => void (await Promise.all(runners.map((runner) => runner.stop())));
  const start = async () => {
    for (const runner of runners) await runner.start();
  };
  return {
    states: () => runners.map((runner) => runner.state()),
    start,
    stop,
    prepare: (next) => {
      const made = create(next);
      return async () => {
        // Two runners on one cursor would send everything twice.
        await stop();
        const before = runners;
        runners = made;
        await start();
        // Not sooner: while nobody reads by a cursor the rows behind it may go.
        const names = made.map((runner) => runner.state().name);
        for (const runner of before) if (!names.includes(runner.state().name)) runner.leave();
      };
    },
  };
}
