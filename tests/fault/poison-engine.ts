// An engine process for the poison proof, on a journal that is there already. --die ID: the process goes down at that row.
import { parseArgs } from "node:util";
import { systemClock } from "../../gateway/clock.ts";
import { CONCEPT_2026 } from "../../gateway/domain/profile.ts";
import { createEngine } from "../../gateway/engine/engine.ts";
import { openJournal } from "../../gateway/journal/journal.ts";
import { POISON_REGISTRY } from "./poison.ts";

const { values } = parseArgs({ options: { dir: { type: "string" }, die: { type: "string" } } });
const journal = await openJournal({ dir: values.dir ?? "", clock: systemClock });
const engine = createEngine({
  journal,
  registry: POISON_REGISTRY,
  profile: CONCEPT_2026,
  clock: systemClock,
  gatewayId: "proof",
  version: "0",
  surroundings: { refusals: () => ({}), sinks: () => [], isClockTrusted: () => true },
  beforeStep: (record) => {
    if (record.id === Number(values.die)) process.exit(9);
  },
});
await engine.start();
await engine.caughtUp();
const { points, alerts, gateway } = engine.overview();
const fuelPct = points[0]?.fuel?.levelPct;
process.stdout.write(
  `${JSON.stringify({ fuelPct, alerts: alerts.map((alert) => alert.ruleId), setAside: gateway.journal.setAside })}\n`,
);
process.exit(0);
