// From a report to its alert: ours over MQTT through journal and rules, and the same rule as a flow of Node-RED.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { systemClock } from "../../gateway/clock.ts";
import { createEngine } from "../../gateway/engine/engine.ts";
import { createMqttIngress } from "../../gateway/ingress/mqtt.ts";
import { openJournal } from "../../gateway/journal/journal.ts";
import { encodeReport, mqttPassword, sealFrame, uplinkTopic } from "../../protocol/index.ts";
import { power } from "../engine-fixtures.ts";
import { ended } from "../fault/record/processes.ts";
import { freePort, report, sha256, waitFor } from "../fixtures.ts";
import { benchProfile, benchRegistry } from "./rules-set.ts";

const START_MS = 60_000;
const ALERT_MS = 10_000;
/** Between two alerts others report. */
const OTHERS = 3;

export interface Latencies {
  /** Milliseconds from the publish of a report to its alert. */
  readonly fromReport: readonly number[];
  /** From the commit of its row; of ours alone. */
  readonly fromCommit: readonly number[];
}

const keyOf = (deviceId: string) => new Uint8Array(sha256(new TextEncoder().encode(deviceId)));

async function device(port: number, deviceId: string): Promise<MqttClient> {
  const password = mqttPassword(sha256, keyOf(deviceId));
  return mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { clientId: deviceId, username: deviceId, password });
}

async function send(client: MqttClient, deviceId: string, sequence: number, mains: "lost" | "present"): Promise<void> {
  const time = Math.round(systemClock.nowMs() / 1000);
  const frame = encodeReport(report({ sequence, time, ...power(80, mains) }));
  await client.publishAsync(uplinkTopic(deviceId), Buffer.from(sealFrame(sha256, keyOf(deviceId), frame)), { qos: 1 });
}

/** `alerts` devices of `points` lose their mains one after the other. */
export async function ourLatencies(dir: string, points: number, alerts: number): Promise<Latencies> {
  const journal = await openJournal({ dir, clock: systemClock });
  const engine = createEngine({
    journal,
    registry: benchRegistry(points),
    profile: benchProfile(),
    clock: systemClock,
    gatewayId: "bench",
    version: "0",
    surroundings: { refusals: () => ({}), sinks: () => [], isClockTrusted: () => true },
  });
  await engine.start();
  const ingress = await createMqttIngress({
    ...{ host: "127.0.0.1", port: 0, journal, clock: systemClock, sha256, isClockTrusted: () => true },
    identities: { key: keyOf, isEnabled: () => true },
    people: { verify: async () => undefined },
  });
  const told = new Map<string, number>();
  engine.onChange((change) => {
    for (const { ruleId, subject } of change.alerts)
      if (ruleId === "mains-lost") told.set(subject.id, performance.now());
  });
  // The commit of the row, and not that of what the engine saves afterwards.
  let [committedMs, newestId] = [0, 0];
  journal.onCommitted(() => {
    if (journal.newestId() > newestId) committedMs = performance.now();
    newestId = journal.newestId();
  });
  const [fromReport, fromCommit]: [number[], number[]] = [[], []];
  for (let i = 0; i < alerts; i++) {
    const pointId = `bench-${i}`;
    const client = await device(ingress.address.port, `${pointId}-d1`);
    for (let k = 1; k <= OTHERS; k++) await send(client, `${pointId}-d1`, k, "present");
    await engine.caughtUp();
    const beganMs = performance.now();
    const sent = send(client, `${pointId}-d1`, OTHERS + 1, "lost");
    await waitForAlert(() => told.has(pointId));
    const atMs = told.get(pointId) as number;
    fromReport.push(atMs - beganMs);
    fromCommit.push(atMs - committedMs);
    await sent;
    await client.endAsync();
  }
  await ingress.close();
  await engine.stop();
  await journal.close();
  return { fromReport, fromCommit };
}

/** Without the 15 ms between two looks that waiting in tests has. */
async function waitForAlert(isThere: () => boolean): Promise<void> {
  const until = performance.now() + ALERT_MS;
  while (!isThere()) {
    if (performance.now() > until) throw new Error(`no alert within ${ALERT_MS} ms`);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** Stores nothing: a report comes in, the state of its device is compared, and an alert goes out. */
function flowOf(port: number): readonly object[] {
  const at = { z: "tab", x: 0, y: 0 };
  const rule =
    "const was = flow.get(msg.topic); flow.set(msg.topic, msg.payload.mains);" +
    "if (msg.payload.mains !== 'lost' || was === 'lost') return null;" +
    "return { topic: 'alerts/' + msg.topic, payload: { what: 'mains lost', at: Date.now() } };";
  return [
    { id: "tab", type: "tab", label: "rules" },
    { id: "broker", type: "aedes broker", ...at, mqtt_port: port, mqtt_ws_bind: "port", wires: [[], []] },
    // biome-ignore format: one node a line reads as the flow does
    { id: "server", type: "mqtt-broker", broker: "127.0.0.1", port: String(port), protocolVersion: "4", keepalive: "60", cleansession: true, autoConnect: true },
    // biome-ignore format: one node a line reads as the flow does
    { id: "in", type: "mqtt in", ...at, topic: "reports/+", qos: "1", datatype: "json", broker: "server", inputs: 0, wires: [["rule"]] },
    { id: "rule", type: "function", ...at, func: rule, outputs: 1, wires: [["out"]] },
    { id: "out", type: "mqtt out", ...at, topic: "", qos: "1", retain: "", broker: "server", wires: [] },
  ];
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

/** The same, by a flow of Node-RED in `home`: from publish to the alert at a subscriber. */
export async function nodeRedLatencies(home: string, dir: string, alerts: number): Promise<readonly number[]> {
  const port = await freePort();
  writeFileSync(join(dir, "flow.json"), JSON.stringify(flowOf(port)));
  writeFileSync(join(dir, "package.json"), "{}");
  const settings = join(dir, "settings.js");
  const quiet = `logging: { console: { level: "error" } }, telemetry: { enabled: false }`;
  const ui = `uiPort: ${await freePort()}, uiHost: "127.0.0.1", flowFile: "flow.json", nodesDir: [], nodesExcludes: []`;
  writeFileSync(settings, `module.exports = { ${ui}, ${quiet} };\n`);
  const red = join(home, "node_modules/node-red/red.js");
  const child = ended(
    spawn(process.execPath, [red, "--userDir", dir, "--settings", settings], {
      stdio: ["ignore", "ignore", "inherit"],
      cwd: home,
    }),
  );
  try {
    await waitFor("Node-RED", () => isListening(port), START_MS);
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
    const told = new Set<string>();
    client.on("message", (topic) => void told.add(topic));
    await client.subscribeAsync("alerts/#", { qos: 1 });
    const say = (i: number, mains: string) =>
      client.publishAsync(`reports/bench-${i}`, JSON.stringify({ mains, fuelLevelPct: 80 }), { qos: 1 });
    // Its own client may still be on its way to its broker.
    await waitFor(
      "the flow",
      async () => {
        await say(-1, "present");
        await say(-1, "lost");
        return told.has("alerts/reports/bench--1");
      },
      START_MS,
    );
    const found: number[] = [];
    for (let i = 0; i < alerts; i++) {
      for (let k = 0; k < OTHERS; k++) await say(i, "present");
      const beganMs = performance.now();
      const sent = say(i, "lost");
      await waitForAlert(() => told.has(`alerts/reports/bench-${i}`));
      found.push(performance.now() - beganMs);
      await sent;
    }
    await client.endAsync(true);
    return found;
  } finally {
    const gone = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null && child.kill("SIGKILL")) await gone;
  }
}
