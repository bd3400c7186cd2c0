// `npm run demo`: a gateway and a fleet of 34 virtual points as two processes, 22 over real MQTT and 12 over LoRaWAN by base stations that
// speak real UDP, in the middle of an outage.
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { freshFolder } from "./folder.ts";
import { lorawanText, makeKeys, STATION_EUIS, writeRegistry } from "./lorawan.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const NAME = "coordinator-1";
const OWN_DIR = join(ROOT, "data", "demo");
const READY_MS = 60_000;

interface Options {
  readonly port: number;
  readonly mqttPort: number;
  readonly lorawanPort: number;
  readonly hours: number;
  readonly seed: number;
  readonly dir: string;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function valuesGiven() {
  const text = { type: "string" } as const;
  try {
    const ports = { port: text, "mqtt-port": text, "lorawan-port": text };
    return parseArgs({ options: { ...ports, hours: text, seed: text, dir: text } }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  }
}

function parse(): Options | undefined {
  const values = valuesGiven();
  if (values === undefined) return undefined;
  const [port, mqttPort] = [Number(values.port ?? 8080), Number(values["mqtt-port"] ?? 1883)];
  const lorawanPort = Number(values["lorawan-port"] ?? 1700);
  const [hours, seed] = [Number(values.hours ?? 20), Number(values.seed ?? 1)];
  const isPort = (value: number) => Number.isInteger(value) && value > 0 && value < 65_536;
  const wrong = [
    ...Object.entries({ port, "mqtt-port": mqttPort, "lorawan-port": lorawanPort })
      .filter(([, value]) => !isPort(value))
      .map(([name]) => `--${name} must be a port from 1 to 65535`),
    ...(hours >= 0 && hours <= 96 ? [] : ["--hours must be from 0 to 96"]),
    ...(Number.isInteger(seed) ? [] : ["--seed must be a whole number"]),
  ];
  if (wrong.length > 0) {
    process.stderr.write(`${wrong.join("\n")}\n`);
    return undefined;
  }
  return { port, mqttPort, lorawanPort, hours, seed, dir: resolve(values.dir ?? OWN_DIR) };
}

/** Delays are shortened, so that what is low shows at once; thresholds are those of the profile. */
function configText({ dir, port, mqttPort, lorawanPort }: Options): string {
  const delays = ["enduranceCriticalDelayS", "enduranceLowDelayS", "cannotReach72hDelayS", "sensorBadDelayS"];
  return [
    `[data]\ndir = ${JSON.stringify(join(dir, "gateway"))}`,
    `[mqtt]\nport = ${mqttPort}`,
    `[http]\nport = ${port}`,
    `[profile]\n${delays.map((name) => `${name} = 20`).join("\n")}\nsilenceGraceS = 30`,
    lorawanText(lorawanPort),
    '[log]\nlevel = "warn"',
    "",
  ].join("\n");
}

function node(args: readonly string[], input?: string): Promise<{ code: number; out: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["pipe", "pipe", "inherit"] });
    let out = "";
    child.stdout.on("data", (data) => {
      out += String(data);
    });
    child.on("close", (code) => resolve({ code: code ?? 1, out }));
    child.stdin.end(input ?? "");
  });
}

async function waitForPage(url: string, gateway: ChildProcess): Promise<boolean> {
  const until = performance.now() + READY_MS;
  while (performance.now() < until && gateway.exitCode === null) {
    const answer = await fetch(`${url}/healthz`).catch(() => undefined);
    if (answer?.ok === true) return true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return false;
}

async function main(): Promise<number> {
  const options = parse();
  if (options === undefined) {
    process.stderr.write(
      "usage: npm run demo -- [--port 8080] [--mqtt-port 1883] [--lorawan-port 1700] [--hours 20 (0 to 96)] [--seed 1] [--dir FOLDER]\n",
    );
    return 2;
  }
  const { dir, port, mqttPort, lorawanPort, hours, seed } = options;
  const why = freshFolder(dir, OWN_DIR);
  if (why !== undefined) {
    process.stderr.write(`${why}\n`);
    return 1;
  }
  const config = join(dir, "waakvlam.toml");
  const credentials = join(dir, "credentials.json");
  writeFileSync(config, configText(options));
  const registry = writeRegistry(dir);
  const imported = await node([
    "gateway/main.ts",
    "registry",
    "import",
    registry,
    "--config",
    config,
    "--credentials",
    credentials,
  ]);
  if (imported.code !== 0) return imported.code;
  const keyed = await makeKeys(dir, credentials, async (file) => {
    return (await node(["gateway/main.ts", "lorawan", "import", file, "--config", config])).code;
  });
  if (keyed !== 0) return keyed;
  const person = await node([
    "gateway/main.ts",
    "people",
    "add",
    NAME,
    "--role",
    "coordinator",
    "--generate",
    "--json",
    "--config",
    config,
  ]);
  if (person.code !== 0) return person.code;
  const { password } = JSON.parse(person.out) as { password: string };

  const children: ChildProcess[] = [];
  let ending = false;
  const end = (code: number) => {
    if (ending) return;
    ending = true;
    process.exitCode = code;
    for (const child of children) if (child.exitCode === null) child.kill("SIGTERM");
  };
  const start = (name: string, args: readonly string[]) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
    child.on("exit", (code, signal) => {
      if (ending) return;
      process.stderr.write(`The ${name} ended (${signal ?? `code ${code}`}): the demo ends too.\n`);
      end(1);
    });
    children.push(child);
    return child;
  };
  process.on("SIGINT", () => end(0));
  process.on("SIGTERM", () => end(0));

  const url = `http://127.0.0.1:${port}`;
  const gateway = start("gateway", ["gateway/main.ts", "start", "--config", config]);
  if (!(await waitForPage(url, gateway))) {
    if (!ending)
      process.stderr.write(
        `The gateway did not come up. Is a port in use? Try: npm run demo -- --port ${port + 1} --mqtt-port ${mqttPort + 1} --lorawan-port ${lorawanPort + 1}\n`,
      );
    end(1);
    return 1;
  }
  const scenario = "firmware/simulator/scenarios/outage.json";
  start("fleet", [
    "firmware/simulator/fleet-main.ts",
    "--scenario",
    scenario,
    "--credentials",
    credentials,
    "--port",
    String(mqttPort),
    "--lorawan-port",
    String(lorawanPort),
    "--stations",
    STATION_EUIS.join(),
    "--hours",
    String(hours),
    "--seed",
    String(seed),
  ]);
  say(`\n  Open      ${url}\n  Name      ${NAME}\n  Password  ${password}\n\n  Ctrl-C ends the demo.\n`);
  return -1;
}

const code = await main();
if (code >= 0) process.exitCode = code;
