// A whole gateway in a process of its own with five hundred devices and twenty thousand retained topics, which tells its
// parent of every alert that it raises. Its data folder, with registry and keys, was made by the parent.
import { parseArgs } from "node:util";
import { startApp } from "../../gateway/app.ts";
import { systemClock } from "../../gateway/clock.ts";
import { parseConfig } from "../../gateway/config/config.ts";
import { createLogs } from "../../gateway/log.ts";
import { pointStateTopic } from "../../protocol/index.ts";

export interface Started {
  readonly kind: "started";
  readonly mqttPort: number;
}
export interface Raised {
  readonly kind: "raised";
  readonly pointId: string;
  readonly atMs: number;
}

const { values } = parseArgs({ options: { dir: { type: "string" }, retained: { type: "string" } } });
const dir = values.dir ?? "";
const config = parseConfig(
  { data: { dir }, mqtt: { port: 0 }, http: { port: 0 }, profile: { enduranceCriticalDelayS: 0 } },
  { path: "storm", baseDir: dir },
);
const app = await startApp(config, { logs: createLogs({ level: "error" }) });
const state = JSON.stringify({ filler: "x".repeat(1_000) });
for (let i = 0; i < Number(values.retained); i++) app.ingress.publishRetained(pointStateTopic(`filler-${i}`), state);

const say = (message: Started | Raised) => process.stdout.write(`${JSON.stringify(message)}\n`);
app.engine.onChange(({ alerts }) => {
  for (const { subject } of alerts)
    say({ kind: "raised", pointId: subject.pointId ?? subject.id, atMs: systemClock.nowMs() });
});
say({ kind: "started", mqttPort: app.mqtt.port });
