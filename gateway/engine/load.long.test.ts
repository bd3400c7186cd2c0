// Many points, and points with a long history: what a report costs, and that it does not grow with what went before.
import { afterEach, expect, test } from "vitest";
import { createEngines, memoryJournal, POINT, power, registryOf } from "../../tests/engine-fixtures.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";

/** Far more than a slow machine needs: only a cost that has changed its kind is caught. */
const REPORT_MS_MAX = 20;
const ROUND_MS = 3 * 60_000;

const engines = createEngines();
afterEach(engines.stopAll);

test.each([
  { points: 1_000, rounds: 3 },
  // Seven hours: the fit has all that it looks at.
  { points: 20, rounds: 140 },
])("$points points take $rounds reports each at a bounded cost", { timeout: 180_000 }, async ({ points, rounds }) => {
  const store = memoryJournal();
  const clock = virtualClock(NOON_MS);
  const views = Array.from({ length: points }, (_, i) => ({ ...POINT, pointId: `point-${i}` }));
  const engine = await engines.start(store.journal, clock, { registry: registryOf(views) });
  let lastMs = 0;
  for (let round = 0; round < rounds; round++) {
    const startedMs = performance.now();
    for (const { pointId } of views) {
      const level = power(80 - (round * 60) / rounds);
      store.append({ receivedMs: clock.nowMs(), deviceId: `${pointId}-d1`, ...level });
    }
    await engine.caughtUp();
    lastMs = (performance.now() - startedMs) / points;
    await clock.advance(ROUND_MS);
  }
  process.stdout.write(`${points} points, report ${rounds}: ${lastMs.toFixed(2)} ms each\n`);
  expect(engine.gateway()).toMatchObject({ points: { total: points }, journal: { engineBehindRows: 0, setAside: 0 } });
  expect(engine.point("point-0")?.endurance).toMatchObject({ kind: "estimate" });
  expect(lastMs).toBeLessThan(REPORT_MS_MAX);
});
