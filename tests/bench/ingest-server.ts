// One subject of the ingest bench in a process of its own: the real ingress on the real journal, the same broker and journal
// with nothing between them, or plain Aedes.
import { createServer } from "node:net";
import { parseArgs } from "node:util";
import { Aedes } from "aedes";
import { systemClock } from "../../gateway/clock.ts";
import { stampOf } from "../../gateway/domain/stamp.ts";
import { startBroker } from "../../gateway/ingress/broker.ts";
import { createMqttIngress } from "../../gateway/ingress/mqtt.ts";
import { type Journal, openJournal } from "../../gateway/journal/journal.ts";
import { TAG_BYTES, uplinkTopic } from "../../protocol/index.ts";
import { benchKey } from "./ingest-load.ts";

const { values } = parseArgs({ options: { subject: { type: "string" }, dir: { type: "string" } } });
/** The path is measured, not the limit of a device. */
const UNLIMITED = { inFlightMax: 256, framesPerS: 1e9, burst: 1e9 };
const LISTEN = { host: "127.0.0.1", port: 0, clock: systemClock, flowLimits: UNLIMITED };

async function waakvlam(journal: Journal): Promise<number> {
  const ingress = await createMqttIngress({
    ...LISTEN,
    journal,
    isClockTrusted: () => true,
    identities: { key: benchKey, isEnabled: () => true },
    people: { verify: async () => undefined },
  });
  return ingress.address.port;
}

/** No tag, no judgement, no ack frames: what the commit before each PUBACK costs by itself. */
async function commitOnly(journal: Journal): Promise<number> {
  const broker = await startBroker(LISTEN, {
    welcome: async () => 0,
    take: (client, packet, finish) => {
      const payload = packet.payload as Buffer;
      const frame = payload.subarray(0, payload.length - TAG_BYTES);
      const header = stampOf(frame);
      const receivedMs = systemClock.nowMs();
      const made = { deviceId: client.id, header, receivedMs, clockTrusted: true, link: "mqtt", frame } as const;
      journal.take(made, (outcome) => finish(outcome instanceof Error ? outcome : undefined));
    },
    ownTopic: (client) => uplinkTopic(client.id),
    maySubscribe: () => true,
    mayReceive: () => true,
    oversized: () => undefined,
  });
  return broker.address.port;
}

async function aedes(): Promise<number> {
  const broker = await Aedes.createBroker({ concurrency: 2_000 });
  const server = createServer({ noDelay: true }, (socket) => void broker.handle(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function start(subject: string | undefined): Promise<number> {
  if (subject === "aedes") return aedes();
  const journal = await openJournal({ dir: values.dir ?? "", clock: systemClock });
  return subject === "waakvlam" ? waakvlam(journal) : commitOnly(journal);
}

process.stdout.write(`${await start(values.subject)}\n`);
