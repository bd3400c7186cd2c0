// In the gateway's process: takes what the proof says (whole.ts).
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { LoopDelay, Order } from "./whole.ts";

const NS_PER_MS = 1e6;

export function takeOrders(on: { stop(): Promise<void>; clock?(offsetMs: number): void }): void {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  process.on("message", (order: Order) => {
    if (order.kind === "measure") {
      delay.reset();
      delay.enable();
    } else if (order.kind === "report") {
      const found: LoopDelay = { p99Ms: delay.percentile(99) / NS_PER_MS, maxMs: delay.max / NS_PER_MS };
      process.send?.(found);
    } else if (order.kind === "clock") on.clock?.(order.offsetMs);
    else void on.stop().then(() => process.exit(0));
  });
}
