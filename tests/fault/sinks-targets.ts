// The receivers of the proof `sinks`: the real InfluxDB of the system behind a proxy that breaks the rules (or, where there is
// none, a receiver with the answers of 2.x), a webhook, and a broker.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../../firmware/simulator/random.ts";
import { type Influx, startInflux } from "../e2e/influx.ts";
import { influxReceiver, startHttpTarget, TOKEN, webhookReceiver } from "../sinks/http-target.ts";
import { startMqttTarget } from "../sinks/mqtt-target.ts";
import type { Fault, SinkTarget } from "../sinks/target.ts";

/** Of a hundred requests; the rest go well. */
const MIX: readonly (readonly [Fault, number])[] = [
  ["refuse", 15],
  ["reset", 7],
  ["hang", 2],
  ["overload", 3],
  ["ack-lost", 10],
  ["half-answer", 2],
  ["half-refusal", 1],
];
const POISON_EVERY = 97;
const TIMEOUT_MS = 600;
/** Small, so that one life holds many requests. */
const BATCH_ROWS = 10;

export function isPoison(row: number): boolean {
  return row % POISON_EVERY === 0;
}

function faultOf(random: Random): Fault | undefined {
  let at = random.between(1, 100);
  for (const [fault, share] of MIX) {
    at -= share;
    if (at <= 0) return fault;
  }
  return undefined;
}

export interface Held {
  /** Rows that the receiver has. */
  readonly rows: ReadonlySet<number>;
  /** Records that it counts beyond these rows. */
  readonly twice: number;
}

export interface Receiver {
  /** Name of the sink. */
  readonly sink: string;
  readonly takesPoison: boolean;
  readonly target: SinkTarget;
  held(): Promise<Held>;
}

export interface Receivers {
  readonly all: readonly Receiver[];
  readonly isRealInflux: boolean;
  /** From now on all goes well. */
  heal(): void;
  /** A configuration file for these receivers over a data folder. */
  configure(dir: string): string;
  stop(): Promise<void>;
}

function heldOf(identities: number, rows: readonly number[]): Held {
  const distinct = new Set(rows);
  return { rows: distinct, twice: identities - distinct.size };
}

export async function startReceivers(dir: string, random: Random): Promise<Receivers> {
  const database = join(dir, "influx");
  mkdirSync(database);
  const influx: Influx | undefined = existsSync("/usr/bin/influxd") ? await startInflux(database) : undefined;
  const keep = async (body: string, path: string) => {
    const headers = { authorization: `Token ${TOKEN}` };
    const answer = await fetch(`${influx?.url}${path}`, { method: "POST", headers, body });
    await answer.text();
    return { status: answer.status };
  };
  const lines = await startHttpTarget(influxReceiver(influx === undefined ? undefined : keep));
  const webhook = await startHttpTarget(webhookReceiver());
  const broker = await startMqttTarget();
  const targets = [lines, webhook, broker];
  for (const target of targets) target.fault = () => faultOf(random);
  lines.isPoison = isPoison;
  webhook.isPoison = isPoison;
  const fromTarget = (target: SinkTarget) => async () => heldOf(target.taken.size, [...target.taken.values()]);
  const fromInflux = async () => {
    const points = (await influx?.query('SELECT "row" FROM "report"')) ?? [];
    return heldOf(
      points.length,
      points.map((point) => Number(point[1])),
    );
  };
  return {
    isRealInflux: influx !== undefined,
    all: [
      {
        sink: "influxdb",
        takesPoison: false,
        target: lines,
        held: influx === undefined ? fromTarget(lines) : fromInflux,
      },
      { sink: "webhook", takesPoison: false, target: webhook, held: fromTarget(webhook) },
      { sink: "upstream", takesPoison: true, target: broker, held: fromTarget(broker) },
    ],
    heal: () => {
      for (const target of targets) target.fault = () => undefined;
    },
    configure: (data) => configure(dir, data, { lines, webhook, broker }),
    stop: async () => {
      await Promise.all(targets.map((target) => target.stop()));
      await influx?.stop();
    },
  };
}

function configure(
  dir: string,
  data: string,
  { lines, webhook, broker }: Readonly<Record<"lines" | "webhook" | "broker", SinkTarget>>,
): string {
  const source = "urn:nld:oin:00000001823288444000:systeem:proof";
  writeFileSync(join(dir, "token"), TOKEN);
  const limits = `timeoutMs = ${TIMEOUT_MS}\nbatchRowsMax = ${BATCH_ROWS}`;
  const sections = [
    `[data]\ndir = "${data}"`,
    `[influxdb]\nurl = "${lines.url}"\norg = "o"\nbucket = "waakvlam"\ntokenFile = "token"`,
    `timeoutMs = ${TIMEOUT_MS}\nbatchLinesMax = ${BATCH_ROWS}`,
    `[webhook]\nurl = "${webhook.url}"\nsource = "${source}"\nform = "batch"\ntokenFile = "token"\n${limits}`,
    `[upstream]\nurl = "${broker.url}"\nsource = "${source}"\n${limits}`,
  ];
  const path = join(dir, "waakvlam.toml");
  writeFileSync(path, `${sections.join("\n")}\n`);
  return path;
}
