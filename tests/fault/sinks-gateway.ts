// A gateway process for the proof `sinks`: ingress, journal and the sinks of its configuration. With --early it is the broken
// variant, whose sinks move their cursor before they deliver.
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { systemClock } from "../../gateway/clock.ts";
import { readConfig } from "../../gateway/config/config.ts";
import { createMqttIngress } from "../../gateway/ingress/mqtt.ts";
import { openJournal } from "../../gateway/journal/journal.ts";
import { cursorName, type Sink } from "../../gateway/sinks/pump.ts";
import { createRunner } from "../../gateway/sinks/runner.ts";
import { createSinks } from "../../gateway/wiring/sinks.ts";
import { keyOf } from "./kill9-load.ts";

const { values } = parseArgs({ options: { config: { type: "string" }, early: { type: "boolean" } } });
const config = readConfig(values.config ?? "");
const clock = systemClock;
const journal = await openJournal({ dir: config.data.dir, clock });
const store = { pointOf: (deviceId: string) => deviceId };

/** The fault: what is on its way counts as delivered. */
function early(sink: Sink): Sink {
  return {
    ...sink,
    deliver: async (rows) => {
      const last = rows[rows.length - 1];
      if (last !== undefined) await journal.save({ cursor: { name: cursorName(sink), id: last.id } });
      return sink.deliver(rows);
    },
  };
}

for (const sink of createSinks({ config, clock, journal, store })) {
  const random = () => randomInt(1_000_000) / 1_000_000;
  await createRunner({ sink: values.early === true ? early(sink) : sink, journal, clock, random }).start();
}
const ingress = await createMqttIngress({
  host: "127.0.0.1",
  port: 0,
  journal,
  clock,
  isClockTrusted: () => true,
  identities: { key: keyOf, isEnabled: () => true },
  people: { verify: async () => undefined },
});
process.once("SIGTERM", () => process.exit(0));
process.stdout.write(`${ingress.address.port}\n`);
