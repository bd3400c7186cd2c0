// A tenth of all frames lost for a day on LoRaWAN: nobody who lives is called silent, and who dies is.
import { afterEach, expect, test } from "vitest";
import { createRandom, seedOf } from "../../firmware/simulator/random.ts";
import { createEngines, memoryJournal, POINT, power } from "../../tests/engine-fixtures.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import type { RegistryView } from "../domain/point.ts";
import { CONCEPT_2026 } from "../domain/profile.ts";

const engines = createEngines();
afterEach(engines.stopAll);

const DEVICES = 60;
const INTERVAL_MIN = 15;
const DAY_MIN = 1_440;
const LOSS = 0.1;

test.each([1])("60 devices that lose a tenth for a day, seed %i", { timeout: 240_000 }, async (seed) => {
  const random = createRandom(seedOf(seed, "lossy day"));
  const views = Array.from({ length: DEVICES }, (_, i) => ({ ...POINT, pointId: `point-${i}` }));
  const devices = views.map(({ pointId }) => {
    return { deviceId: `${pointId}-d1`, pointId, link: "lorawan", reportIntervalS: INTERVAL_MIN * 60 } as const;
  });
  const registry: RegistryView = { points: () => views, devices: () => devices, nextChangeMs: () => Infinity };
  const store = memoryJournal();
  const clock = virtualClock(NOON_MS);
  const engine = await engines.start(store.journal, clock, { registry, profile: CONCEPT_2026 });
  const silent = new Set<string>();
  engine.onChange(({ alerts }) => {
    for (const { ruleId, subject } of alerts) if (/silence|path-down/.test(ruleId)) silent.add(subject.id);
  });
  let [sent, lost] = [0, 0];
  const day = async (isAlive: (i: number) => boolean, minutes: number) => {
    for (let minute = 0; minute < minutes; minute++) {
      devices.forEach(({ deviceId }, i) => {
        if ((minute + i) % INTERVAL_MIN !== 0 || !isAlive(i)) return;
        sent++;
        if (random.next() < LOSS) lost++;
        else store.append({ receivedMs: clock.nowMs(), deviceId, ...power(80, "present") });
      });
      await clock.advance(60_000);
    }
  };
  await day(() => true, DAY_MIN);
  expect({ seed, silent: [...silent] }).toEqual({ seed, silent: [] });
  expect(lost / sent).toBeGreaterThan(0.08);
  expect(lost / sent).toBeLessThan(0.12);
  // The same engine tells of one that does die, within three hours.
  await day((i) => i !== 7, 180);
  expect([...silent]).toEqual(["point-7"]);
});
