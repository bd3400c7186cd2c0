// A fleet of virtual points in one process: their past in virtual time, then live to a real broker, or over LoRaWAN, by base stations of their
// own, to a real gateway.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Credentials } from "../../protocol/index.ts";
import { bundle, untokenise } from "../build/bundle.ts";
import { createRadioWorld, type RadioPoint } from "./radio-world.ts";
import { realClock } from "./real-clock.ts";
import { readScenario, type Scenario } from "./scenario.ts";
import { type BoardProgram, createWorld, type Past } from "./world.ts";

const USAGE =
  "fleet --scenario FILE --credentials FILE --host HOST --port PORT [--lorawan-port PORT --stations EUI,EUI] [--hours 24] [--seed 1] [--json]";
const HOURS_MAX = 96;

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** As it is built, or built now; with the text that a virtual board runs for it. */
async function programOf(board: "esp32" | "xiaoble"): Promise<BoardProgram> {
  const built = fileURLToPath(new URL(`../dist/${board}-point/app.js`, import.meta.url));
  const program = existsSync(built)
    ? new Uint8Array(readFileSync(built))
    : (await bundle(`firmware/boards/${board}.ts`)).tokens;
  const plain = await untokenise(Buffer.from(program).toString("latin1"));
  return { program, untokenise: () => plain };
}

interface Asked {
  readonly scenario: Scenario;
  readonly credentials: Credentials;
  readonly host: string;
  readonly port: number;
  readonly lorawanPort: number;
  readonly stations: readonly string[];
  readonly hours: number;
  readonly seed: number;
  readonly json: boolean;
}

function asked(): Asked | undefined {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: {
      ...{ scenario: text, credentials: text, host: text, port: text, hours: text, seed: text },
      ...{ "lorawan-port": text, stations: text, json: { type: "boolean" } },
    },
  });
  const { scenario, credentials, host = "127.0.0.1", json = false } = values;
  const [port, hours, seed] = [Number(values.port), Number(values.hours ?? 24), Number(values.seed ?? 1)];
  const lorawanPort = Number(values["lorawan-port"] ?? 1700);
  if (
    scenario === undefined ||
    credentials === undefined ||
    !Number.isInteger(port) ||
    !Number.isInteger(lorawanPort) ||
    !(hours >= 0 && hours <= HOURS_MAX)
  )
    return undefined;
  return {
    ...{ host, port, hours, seed, json, lorawanPort },
    scenario: readScenario(scenario),
    credentials: JSON.parse(readFileSync(credentials, "utf8")) as Credentials,
    stations: values.stations?.split(",") ?? [],
  };
}

async function createWorlds({ scenario, credentials, stations }: Asked, past: Past) {
  const print = (deviceId: string, line: string) => say(`${deviceId}: ${line}`);
  const pairs = scenario.points.flatMap((point) =>
    credentials.devices.filter(({ pointId }) => pointId === point.pointId).map((device) => ({ point, ...device })),
  );
  const radioPoints = pairs.filter((one): one is typeof one & RadioPoint => one.lorawan !== undefined);
  const wired = pairs.filter(({ lorawan }) => lorawan === undefined);
  const esp32 = wired.length > 0 ? await programOf("esp32") : undefined;
  const worlds = wired.map(({ point, deviceId, key }) =>
    createWorld({
      point,
      deviceId,
      key,
      ...(esp32 as NonNullable<typeof esp32>),
      ...past,
      print: (line) => print(deviceId, line),
    }),
  );
  const radio =
    radioPoints.length > 0
      ? createRadioWorld({ points: radioPoints, stations, ...(await programOf("xiaoble")), ...past, print })
      : undefined;
  return { worlds, radio, points: pairs.length, radioPoints: radioPoints.length };
}

async function main(): Promise<number> {
  const given = asked();
  if (given === undefined) {
    say(`usage: ${USAGE}; hours is 0 to ${HOURS_MAX}`);
    return 2;
  }
  const { host, port, hours, seed, lorawanPort } = given;
  const past = { seed, pastHours: hours, liveUnixMs: realClock.unixMs(), clock: realClock };
  const began = realClock.monotonicMs();
  const { worlds, radio, points, radioPoints } = await createWorlds(given, past);
  if (radioPoints > 0 && given.stations.length === 0) {
    say("There are devices on LoRaWAN: --stations says by which base stations they are heard.");
    return 2;
  }
  say(
    `${points} virtual points, ${radioPoints} of them on LoRaWAN, seed ${seed}: ${hours} hours of outage are being lived through`,
  );
  let stopping = false;
  const stop = () => {
    stopping = true;
    for (const world of worlds) world.stop();
    radio?.stop();
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
  const tookS = () => Math.round((realClock.monotonicMs() - began) / 100) / 10;
  for (const world of worlds) world.goLive(host, port);
  const summary = { points, hours, seed, tookS: tookS() };
  if (given.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
  else say(`live after ${summary.tookS} s`);
  await radio?.goLive(host, lorawanPort);
  if (radio !== undefined && !given.json) say(`LoRaWAN has caught up after ${tookS()} s`);
  return -1;
}

const code = await main();
if (code >= 0) process.exitCode = code;
