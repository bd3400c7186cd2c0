// What the generator of the ingest bench sends, made beforehand: for each device a sign-in, a subscription to its answers, and
// sealed frames of a whole point with a sequence each, every eighth of which asks for its ack frame.
import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import mqttPacket from "mqtt-packet";
import { downlinkTopic, encodeReport, mqttPassword, sealFrame, uplinkTopic } from "../../protocol/index.ts";
import { NOON_MS, report, sha256 } from "../fixtures.ts";

const SOURCE = fileURLToPath(new URL("./native/mqtt-load.c", import.meta.url));
/** Sequences of a device before they come again, as records of their own (protocol section 1). */
const SEQUENCES = 65_536;
const ACK_EVERY = 8;

const KEYS = new Map<string, Uint8Array>();

export function benchName(index: number): string {
  return `bench-${String(index).padStart(4, "0")}`;
}

export function benchKey(deviceId: string): Uint8Array | undefined {
  if (!deviceId.startsWith("bench-")) return undefined;
  let key = KEYS.get(deviceId);
  if (key === undefined) {
    key = new Uint8Array(32).fill(Number(deviceId.slice(6)) & 255);
    KEYS.set(deviceId, key);
  }
  return key;
}

/** A whole point: 22 bytes before its tag. */
function frameOf(sequence: number): Uint8Array {
  return encodeReport(
    report({
      sequence,
      time: NOON_MS / 1000,
      flags: { clockSynced: true, ackRequested: sequence % ACK_EVERY === 0 },
      battery: { batteryV: 26.31, batteryA: -12.4, stateOfChargePct: 71.5 },
      occupancy: { occupancy: 117, entries: 4_021 },
      environment: { temperatureC: 19.5 },
    }),
  );
}

function packet(made: Parameters<typeof mqttPacket.generate>[0]): Buffer {
  return mqttPacket.generate(made) as Buffer;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function partOf(index: number, count: number): Buffer[] {
  const deviceId = benchName(index);
  const key = benchKey(deviceId) as Uint8Array;
  const password = Buffer.from(mqttPassword(sha256, key));
  const head = { protocolId: "MQTT", protocolVersion: 4, clean: true, keepalive: 60 } as const;
  const login = packet({ cmd: "connect", ...head, clientId: deviceId, username: deviceId, password });
  const topics = [{ topic: downlinkTopic(deviceId), qos: 0 as const }];
  const subscribe = packet({ cmd: "subscribe", messageId: 1, subscriptions: topics });
  const topic = uplinkTopic(deviceId);
  const message = { cmd: "publish", topic, qos: 1, messageId: 1, dup: false, retain: false } as const;
  const packets = Array.from({ length: count }, (_, i) =>
    packet({ ...message, payload: Buffer.from(sealFrame(sha256, key, frameOf(i))) }),
  );
  const length = packets[0]?.length ?? 0;
  const idAt = length - 2 - sealFrame(sha256, key, frameOf(0)).length;
  return [u32(login.length), login, u32(subscribe.length), subscribe, u32(count), u32(length), u32(idAt), ...packets];
}

/** Writes what `clients` devices send, `wanted` frames in all, or as many as there are sequences. */
export function writeLoad(path: string, clients: number, wanted: number): void {
  const each = Math.min(SEQUENCES, Math.ceil(wanted / clients));
  const parts = Array.from({ length: clients }, (_, i) => partOf(i, each));
  writeFileSync(path, Buffer.concat([u32(clients), ...parts.flat()]));
}

/** The generator as a program in `folder`, or undefined where there is no C compiler. */
export function buildGenerator(folder: string): string | undefined {
  const program = `${folder}/mqtt-load`;
  return spawnSync("cc", ["-O2", "-o", program, SOURCE]).status === 0 ? program : undefined;
}

export interface Load {
  readonly acked: number;
  readonly downlinks: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The generator's own work, as a share of a core. */
  readonly core: number;
  readonly beganAgain: boolean;
}

export interface LoadRun {
  readonly program: string;
  readonly port: number;
  readonly inFlight: number;
  readonly warmMs: number;
  readonly runMs: number;
  readonly file: string;
}

export function runLoad({ program, port, inFlight, warmMs, runMs, file }: LoadRun): Promise<Load> {
  const child = spawn(program, [port, inFlight, warmMs, runMs, file].map(String), {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, said] = ["", ""];
  child.stdout.on("data", (data) => (out += String(data)));
  child.stderr.on("data", (data) => (said += String(data)));
  return new Promise((resolve, reject) => {
    child.once("close", (code) => (code === 0 ? resolve(JSON.parse(out) as Load) : reject(new Error(said.trim()))));
  });
}
