// One size of the rules bench in a process of its own: what a report costs the engine, and what a point takes of memory.
import { parseArgs } from "node:util";
import { createEngine } from "../../gateway/engine/engine.ts";
import { memoryJournal, power } from "../engine-fixtures.ts";
import { NOON_MS } from "../fixtures.ts";
import { virtualClock } from "../virtual-clock.ts";
import { benchProfile, benchRegistry } from "./rules-set.ts";

const { values } = parseArgs({ options: { points: { type: "string" }, rounds: { type: "string" } } });
const [points, rounds] = [Number(values.points), Number(values.rounds)];
const WARM_ROUNDS = 3;
const ROUND_MS = 60_000;

function heap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

const store = memoryJournal();
const clock = virtualClock(NOON_MS);
const before = heap();
const engine = createEngine({
  journal: store.journal,
  registry: benchRegistry(points),
  profile: benchProfile(),
  clock,
  gatewayId: "bench",
  version: "0",
  surroundings: { refusals: () => ({}), sinks: () => [], isClockTrusted: () => true },
});
await engine.start();
const costs: number[] = [];
for (let round = 0; round < WARM_ROUNDS + rounds; round++) {
  for (let i = 0; i < points; i++) {
    const environment = { temperatureC: 20 - (i % 15) };
    store.append({ receivedMs: clock.nowMs(), deviceId: `bench-${i}-d1`, ...power(80, "present"), environment });
  }
  const used = process.cpuUsage();
  await engine.caughtUp();
  const { user, system } = process.cpuUsage(used);
  if (round >= WARM_ROUNDS) costs.push((user + system) / points);
  // Rows are the journal's; what the engine keeps is measured.
  store.forget(store.journal.newestId());
  await clock.advance(ROUND_MS);
}
const perPoint = (heap() - before) / points;
const alerts = engine.alerts().length;
await engine.stop();
costs.sort((a, b) => a - b);
process.stdout.write(`${JSON.stringify({ reportUs: costs[costs.length >> 1], pointBytes: perPoint, alerts })}\n`);
