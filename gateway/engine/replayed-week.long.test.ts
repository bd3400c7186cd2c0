// A week that devices send again after the gateway was started anew, as they do when they were told too little of what is stored: nothing is
// stored twice, and nobody is told of anything.
import { afterAll, expect, test } from "vitest";
import { createRandom, seedOf } from "../../firmware/simulator/random.ts";
import type { Report } from "../../protocol/index.ts";
import { POINT, power, registryOf } from "../../tests/engine-fixtures.ts";
import { checkedFrame, NOON_MS, temporaryFolder } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { systemClock } from "../clock.ts";
import { CONCEPT_2026 } from "../domain/profile.ts";
import type { CheckedFrame } from "../domain/record.ts";
import { openJournal } from "../journal/journal.ts";
import { createEngine, type EngineChange } from "./engine.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

const POINTS = 12;
const STEPS = 7 * 96;
const STEP_MS = 900_000;
/** Ticks of each step: every point is looked at. */
const LOOKED_MS = 12_000;
const SEED = 20_261_126;
const KEEP_DAYS = 3_650;

/** A week of quarters at each point: mains that fail for some hours, tanks that run down, a set that fails, temperatures. */
function captured(): CheckedFrame[][] {
  const random = createRandom(seedOf(SEED, "captured week"));
  const lostUntil = new Array<number>(POINTS).fill(0);
  return Array.from({ length: STEPS }, (_, step) =>
    lostUntil.map((until, i) => {
      if (step >= until && random.next() < 0.004) lostUntil[i] = step + 8 + Math.floor(random.next() * 60);
      const isLost = step < (lostUntil[i] ?? 0);
      const level = isLost ? Math.max(2, 60 - ((lostUntil[i] ?? 0) - step)) : 70;
      const supply = power(Math.round(level), isLost ? "lost" : "present").power;
      const generator = isLost && random.next() < 0.01 ? "failed" : supply.generator;
      const receivedMs = NOON_MS + step * STEP_MS;
      const part: Partial<Report> = {
        power: { ...supply, generator },
        environment: { temperatureC: 15 + Math.round(random.next() * 6) },
      };
      const time = receivedMs / 1000;
      return checkedFrame({ deviceId: `point-${i}-d1`, receivedMs, time, sequence: step + 1, ...part });
    }),
  );
}

test(`a captured week (seed ${SEED}) sent again after a restart is stored once and raises nothing`, {
  timeout: 240_000,
}, async () => {
  const views = Array.from({ length: POINTS }, (_, i) => ({ ...POINT, pointId: `point-${i}` }));
  const clock = virtualClock(NOON_MS);
  const surroundings = { refusals: () => ({}), sinks: () => [], isClockTrusted: () => true };
  const start = async () => {
    const journal = await openJournal({ dir: folder.path, clock: systemClock, keepDays: KEEP_DAYS });
    const parts = { journal, registry: registryOf(views), profile: CONCEPT_2026, clock, surroundings };
    const engine = createEngine({ ...parts, gatewayId: "test", version: "0" });
    await engine.start();
    return { journal, engine };
  };
  const week = captured();
  const first = await start();
  for (const frames of week) {
    await Promise.all(frames.map((frame) => first.journal.append(frame)));
    await first.engine.caughtUp();
    await clock.advance(LOOKED_MS);
    clock.jump(STEP_MS - LOOKED_MS);
  }
  await first.engine.caughtUp();
  const raised = (await first.journal.acts(10_000)).filter((act) => act.action === "alert-raised");
  expect(raised.length).toBeGreaterThan(20);
  const stood = first.engine.alerts().map((one) => `${one.alertId} ${one.state}`);
  await first.engine.stop();
  await first.journal.close();

  const second = await start();
  const told: EngineChange["alerts"][number][] = [];
  second.engine.onChange(({ alerts }) => told.push(...alerts));
  const outcomes = new Map<string, number>();
  for (const frames of week) {
    const again = frames.map((frame) => ({ ...frame, receivedMs: clock.nowMs() }));
    for (const { outcome } of await Promise.all(again.map((frame) => second.journal.append(frame))))
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  await second.engine.caughtUp();
  await clock.advance(LOOKED_MS);
  await second.engine.caughtUp();
  expect(outcomes.get("stored")).toBeUndefined();
  expect([...outcomes.values()].reduce((sum, count) => sum + count, 0)).toBe(POINTS * STEPS);
  expect(second.journal.newestId()).toBe(POINTS * STEPS);
  expect(told).toEqual([]);
  expect(
    second.engine
      .alerts()
      .map((one) => `${one.alertId} ${one.state}`)
      .sort(),
  ).toEqual(stood.sort());
  await second.engine.stop();
  await second.journal.close();
});
