// The whole gateway for the proofs. Its clock can be moved through the gateway's own door to time.
import { parseArgs } from "node:util";
import { startApp } from "../../../gateway/app.ts";
import { type Clock, systemClock } from "../../../gateway/clock.ts";
import { parseConfig } from "../../../gateway/config/config.ts";
import { createLogs } from "../../../gateway/log.ts";
import { takeOrders } from "./orders.ts";

const { values } = parseArgs({ options: { dir: { type: "string" }, offset: { type: "string" } } });
const dir = values.dir ?? "";
let offsetMs = Number(values.offset ?? 0);
const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + offsetMs };
const config = parseConfig({ data: { dir }, mqtt: { port: 0 }, http: { port: 0 } }, { path: "proof", baseDir: dir });
const app = await startApp(config, { clock, logs: createLogs({ level: "error" }) });
takeOrders({
  stop: app.stop,
  clock: (ms) => {
    offsetMs = ms;
  },
});
process.stdout.write(`${app.mqtt.port}\n`);
