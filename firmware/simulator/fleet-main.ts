// A fleet of virtual points in one process: their past in virtual time, then live to a real broker.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Credentials } from "../../protocol/index.ts";
import { bundle, untokenise } from "../build/bundle.ts";
import { realClock } from "./real-clock.ts";
import { readScenario } from "./scenario.ts";
import { createWorld } from "./world.ts";

const USAGE = "fleet --scenario FILE --credentials FILE --host HOST --port PORT [--hours 24] [--seed 1] [--json]";
const HOURS_MAX = 96;

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function programOf(): Promise<Uint8Array> {
  const built = fileURLToPath(new URL("../dist/esp32-point/app.js", import.meta.url));
  return existsSync(built) ? new Uint8Array(readFileSync(built)) : (await bundle("firmware/boards/esp32.ts")).tokens;
}

async function main(): Promise<number> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: {
      scenario: text,
      credentials: text,
      host: text,
      port: text,
      hours: text,
      seed: text,
      json: { type: "boolean" },
    },
  });
  const { scenario: scenarioFile, credentials: credentialsFile, host = "127.0.0.1" } = values;
  const [port, hours, seed] = [Number(values.port), Number(values.hours ?? 24), Number(values.seed ?? 1)];
  if (
    scenarioFile === undefined ||
    credentialsFile === undefined ||
    !Number.isInteger(port) ||
    !(hours >= 0 && hours <= HOURS_MAX)
  ) {
    say(`usage: ${USAGE}; hours is 0 to ${HOURS_MAX}`);
    return 2;
  }
  const scenario = readScenario(scenarioFile);
  const credentials = JSON.parse(readFileSync(credentialsFile, "utf8")) as Credentials;
  const program = await programOf();
  const tokens = Buffer.from(program).toString("latin1");
  const plain = await untokenise(tokens);
  const liveUnixMs = realClock.unixMs();
  const began = realClock.monotonicMs();
  const print = (deviceId: string) => (line: string) => say(`${deviceId}: ${line}`);
  const worlds = scenario.points.flatMap((point) =>
    credentials.devices
      .filter((device) => device.pointId === point.pointId)
      .map(({ deviceId, key }) => {
        const past = { seed, pastHours: hours, liveUnixMs, clock: realClock };
        return createWorld({ point, deviceId, key, program, untokenise: () => plain, ...past, print: print(deviceId) });
      }),
  );
  say(`${worlds.length} virtual points, seed ${seed}: ${hours} hours of outage are being lived through`);
  let stopping = false;
  const stop = () => {
    stopping = true;
    for (const world of worlds) world.stop();
    process.exit(0);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  for (const world of worlds) {
    while (!world.runPast()) {
      if (stopping) return 0;
    }
    // Lets a signal through between two points.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  // The past took a while: the boards make it up before they go live.
  const tookS = (realClock.monotonicMs() - began) / 1000;
  for (const world of worlds) world.goLive(host, port);
  const summary = { points: worlds.length, hours, seed, tookS: Math.round(tookS * 10) / 10 };
  if (values.json === true) process.stdout.write(`${JSON.stringify(summary)}\n`);
  else say(`live after ${summary.tookS} s`);
  return -1;
}

const code = await main();
if (code >= 0) process.exitCode = code;
