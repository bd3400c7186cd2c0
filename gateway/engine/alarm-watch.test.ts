// Figures about alerts from a real engine: what was announced, seen and over, and over a restart.
import { afterEach, expect, test } from "vitest";
import { ack, createEngines, memoryJournal, minutes, POINT, power, registryOf } from "../../tests/engine-fixtures.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { CONCEPT_2026 } from "../domain/profile.ts";

const engines = createEngines();
afterEach(engines.stopAll);
const DOER = { by: "coordinator-1", origin: "test" };

test("a line is announced once, the time until it was seen is kept, and a restart counts on", async () => {
  const store = memoryJournal();
  const clock = virtualClock(NOON_MS);
  const engine = await engines.start(store.journal, clock, { profile: CONCEPT_2026 });
  await minutes(store, clock, 5, power(80));
  expect(engine.alarmMetrics().announced).toMatchObject({ total: 1, last10Min: 1, peak10Min: 1 });
  await engine.act(engine.alerts()[0]?.alertId ?? "", ack(), DOER);
  const before = engine.alarmMetrics();
  expect(before.acknowledgeS).toMatchObject({ count: 1 });
  expect(before.acknowledgeS?.median).toBeGreaterThan(180);
  expect(before.topRules).toEqual([{ name: "mains-lost", count: 1 }]);
  await engine.stop();
  const again = await engines.start(store.journal, clock, { profile: CONCEPT_2026 });
  expect(again.alarmMetrics()).toMatchObject({ announced: { total: 1 }, acknowledgeS: before.acknowledgeS });
  await minutes(store, clock, 2, power(80));
  expect(again.alarmMetrics().announced.total).toBe(1);
});

test("points behind one line are announced once: by the line", async () => {
  const store = memoryJournal();
  const clock = virtualClock(NOON_MS);
  const views = Array.from({ length: 30 }, (_, i) => ({ ...POINT, pointId: `point-${i}` }));
  const engine = await engines.start(store.journal, clock, { registry: registryOf(views), profile: CONCEPT_2026 });
  for (let i = 0; i < 3; i++) {
    for (const { pointId } of views)
      store.append({ receivedMs: clock.nowMs(), deviceId: `${pointId}-d1`, ...power(80) });
    await clock.advance(60_000);
  }
  expect(engine.alarmMetrics()).toMatchObject({
    announced: { total: 1 },
    flood: { now: false },
    topRules: [{ name: "group-mains-lost", count: 1 }],
  });
});
