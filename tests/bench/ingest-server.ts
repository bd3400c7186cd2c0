// One subject of the ingest bench in a process of its own: the real ingress on the real journal, or plain Aedes.
import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { parseArgs } from "node:util";
import { Aedes } from "aedes";
import { systemClock } from "../../gateway/clock.ts";
import { createMqttIngress } from "../../gateway/ingress/mqtt.ts";
import { openJournal } from "../../gateway/journal/journal.ts";
import { benchKey } from "./ingest-load.ts";

const { values } = parseArgs({ options: { subject: { type: "string" }, dir: { type: "string" } } });

async function waakvlam(dir: string): Promise<number> {
  const journal = await openJournal({ dir, clock: systemClock });
  const ingress = await createMqttIngress({
    host: "127.0.0.1",
    port: 0,
    journal,
    clock: systemClock,
    sha256: (bytes) => new Uint8Array(createHash("sha256").update(bytes).digest()),
    isClockTrusted: () => true,
    identities: { key: benchKey, isEnabled: () => true },
    people: { verify: async () => undefined },
    // The path is measured, not the limit of a device.
    flowLimits: { inFlightMax: 256, framesPerS: 1e9, burst: 1e9 },
  });
  return ingress.address.port;
}

async function aedes(): Promise<number> {
  const broker = await Aedes.createBroker({ concurrency: 2_000 });
  const server = createServer({ noDelay: true }, (socket) => void broker.handle(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const port = values.subject === "aedes" ? await aedes() : await waakvlam(values.dir ?? "");
process.stdout.write(`${port}\n`);
