// A gateway process for the kill9 proof: the real ingress on the real journal. With --early it is the broken variant that
// acknowledges before the commit.
import { parseArgs } from "node:util";
import { systemClock } from "../../gateway/clock.ts";
import type { AppendOutcome, CheckedFrame } from "../../gateway/domain/record.ts";
import { createMqttIngress } from "../../gateway/ingress/mqtt.ts";
import { openJournal } from "../../gateway/journal/journal.ts";
import { keyOf } from "./kill9-load.ts";

const { values } = parseArgs({ options: { dir: { type: "string" }, early: { type: "boolean" } } });
const journal = await openJournal({ dir: values.dir ?? "", clock: systemClock });
/** The fault: says stored at once, and stores in its own time. */
const early = {
  ...journal,
  take: (frame: CheckedFrame, settled: (outcome: AppendOutcome) => void): void => {
    systemClock.after(40, () => journal.take(frame, () => undefined));
    const sequence = frame.header?.sequence ?? 0;
    settled({ outcome: "stored", id: 0, ack: { baseSequence: (sequence - 31) & 0xffff, bitmap: 1, after: 0 } });
  },
};
const ingress = await createMqttIngress({
  host: "127.0.0.1",
  port: 0,
  journal: values.early === true ? early : journal,
  clock: systemClock,
  isClockTrusted: () => true,
  identities: { key: keyOf, isEnabled: () => true },
  people: { verify: async () => undefined },
  flowLimits: { inFlightMax: 256, framesPerS: 1_000_000, burst: 1_000_000 },
});
process.once("SIGTERM", () => process.exit(0));
process.stdout.write(`${ingress.address.port}\n`);
