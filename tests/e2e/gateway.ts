// A whole gateway in this process, on free ports and a folder of its own, for the end-to-end tests.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type App, startApp } from "../../gateway/app.ts";
import { type Clock, systemClock } from "../../gateway/clock.ts";
import { parseConfig } from "../../gateway/config/config.ts";
import { listProblems } from "../../gateway/config/problems.ts";
import { createLogs } from "../../gateway/log.ts";
import { issueKeys } from "../../gateway/registry/keys.ts";
import { addPerson } from "../../gateway/registry/people.ts";
import { parseRegistry, saveRegistry } from "../../gateway/registry/registry.ts";
import { type Device, mqttPassword } from "../../protocol/index.ts";
import { sha256 } from "../fixtures.ts";

export const PERSON = "coordinator-1";
export const PASSWORD = "a-password-for-tests";

const REGISTRY = {
  version: 1,
  municipalities: [{ id: "almere", name: "Almere", region: "Flevoland" }],
  points: ["alm-01", "alm-02"].map((pointId) => ({
    pointId,
    name: `Punt ${pointId}`,
    kind: "community-centre",
    municipalities: [{ id: "almere" }],
    location: { lat: 52.371, lon: 5.217 },
    capacity: 150,
    generators: [{ kind: "fixed", ratedKw: 8, tank: { capacityL: 200 } }],
  })),
  devices: ["alm-01", "alm-02"].map((pointId) => ({
    deviceId: `${pointId}-d1`,
    pointId,
    board: "virtual",
    link: "mqtt",
  })),
};

export interface TestGateway {
  readonly app: App;
  readonly keys: ReadonlyMap<string, Uint8Array>;
  password(deviceId: string): string;
  /** GET with a session of the coordinator. */
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
}

export interface GatewayOptions {
  readonly dir: string;
  readonly clock?: Clock;
  readonly influxUrl?: string;
  /** Beside those of the two points. */
  readonly devices?: readonly Device[];
  /** More sections of the configuration. */
  readonly sections?: Readonly<Record<string, object>>;
  readonly delayS?: number;
  /** Built screens. */
  readonly staticDir?: string;
}

const made = new Map<string, ReadonlyMap<string, Uint8Array>>();

/** Keys and people are made once a folder: a second start finds them there. */
async function prepare(dir: string, more: readonly Device[]): Promise<ReadonlyMap<string, Uint8Array>> {
  const known = made.get(dir);
  if (known !== undefined) return known;
  const points = parseRegistry(JSON.stringify(REGISTRY), "test", (schema, value) => listProblems(schema, value));
  const registry = { ...points, devices: [...points.devices, ...more] };
  const credentials = issueKeys(dir, registry);
  saveRegistry(dir, registry);
  await addPerson(dir, { name: PERSON, role: "coordinator" }, PASSWORD);
  const keys = new Map(credentials.devices.map((one) => [one.deviceId, new Uint8Array(Buffer.from(one.key, "hex"))]));
  made.set(dir, keys);
  return keys;
}

export async function startGateway(options: GatewayOptions): Promise<TestGateway> {
  const { dir, delayS = 0 } = options;
  const keys = await prepare(dir, options.devices ?? []);
  const tokenFile = join(dir, "token");
  writeFileSync(tokenFile, "test-token\n");
  const influxdb =
    options.influxUrl === undefined
      ? {}
      : { influxdb: { url: options.influxUrl, org: "o", bucket: "waakvlam", tokenFile } };
  const delays = {
    enduranceCriticalDelayS: delayS,
    enduranceLowDelayS: delayS,
    cannotReach72hDelayS: delayS,
    sensorBadDelayS: delayS,
  };
  const raw = {
    data: { dir },
    mqtt: { port: 0 },
    http: { port: 0 },
    profile: delays,
    ...influxdb,
    ...options.sections,
  };
  const config = parseConfig(raw, { path: "test", baseDir: dir });
  const { clock = systemClock, staticDir } = options;
  const logs = createLogs({ level: "error" });
  const app = await startApp(config, { clock, logs, ...(staticDir === undefined ? {} : { staticDir }) });
  const signIn = await fetch(`${app.http.url}/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: PERSON, password: PASSWORD }),
  });
  const cookie = (signIn.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  const ask = async <T>(path: string, init: RequestInit): Promise<T> => {
    const answer = await fetch(`${app.http.url}${path}`, init);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  return {
    app,
    keys,
    password: (deviceId) => mqttPassword(sha256, keys.get(deviceId) as Uint8Array),
    get: (path) => ask(path, { headers: { cookie } }),
    post: (path, body) =>
      ask(path, {
        method: "POST",
        headers: { cookie, "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
  };
}
