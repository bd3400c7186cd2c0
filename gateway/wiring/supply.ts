// The watch on the gateway's own supply, where one is configured.
import type { GatewayConfig } from "../../protocol/index.ts";
import type { Clock } from "../clock.ts";
import type { UpsFacts } from "../domain/self.ts";
import type { Log } from "../log.ts";
import { startUpsWatch, type UpsWatch } from "../ups/watch.ts";

export interface Supply {
  facts(): UpsFacts | undefined;
  /** Begins anew with these settings; without any there is nothing to watch. */
  use(ups: GatewayConfig["ups"]): void;
  stop(): void;
}

export function createSupply(clock: Clock, log: Log): Supply {
  let watch: UpsWatch | undefined;
  return {
    facts: () => watch?.facts(),
    use(ups) {
      watch?.stop();
      watch = undefined;
      if (ups === undefined) return;
      const { host, port, name, pollS, timeoutMs } = ups;
      watch = startUpsWatch({ address: { host, port, name, timeoutMs }, pollMs: pollS * 1000, clock, log });
    },
    stop: () => watch?.stop(),
  };
}
