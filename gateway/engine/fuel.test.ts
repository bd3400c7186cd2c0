// Fuel that goes where it should not, and fuel that came: what people are told, in Dutch and English.
import { afterEach, describe, expect, test } from "vitest";
import type { Alert, Report } from "../../protocol/index.ts";
import { createEngines, entry, memoryJournal, POINT, QUIET_2026, registryOf } from "../../tests/engine-fixtures.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";

const engines = createEngines();
afterEach(engines.stopAll);

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** 2,000 litres: a step of the level is two of them. */
const VIEW = {
  ...POINT,
  generator: { kind: "fixed", assetId: "set-1", ratedKw: 8, tank: { capacityL: 2000 } },
} as const;
const RESTS = { generator: "stopped", mains: "present", loadKw: 0 } as const;
const RUNS = { generator: "running", mains: "lost", loadKw: 4 } as const;

type Says = (litres: number | "open-circuit", part: Partial<Report["power"]>) => Promise<void>;

async function world() {
  const store = memoryJournal();
  const clock = virtualClock(NOON_MS);
  const engine = await engines.start(store.journal, clock, { registry: registryOf([VIEW]), profile: QUIET_2026 });
  /** A report, and so many minutes; without the ticks in between where those are many: rows are judged as they come. */
  const every =
    (minutes: number): Says =>
    async (litres, part) => {
      const fuelLevelPct = litres === "open-circuit" ? litres : litres / 20;
      const power = {
        fuelLevelPct,
        starterBatteryV: 13,
        generator: "absent",
        mains: "absent",
        loadKw: "absent",
      } as const;
      store.append({ receivedMs: clock.nowMs(), phase: "standby", power: { ...power, ...part } });
      await engine.caughtUp();
      if (minutes < 10) await clock.advance(minutes * MINUTE_MS);
      else clock.jump(minutes * MINUTE_MS);
    };
  const fuel = (): readonly Alert[] => engine.overview().alerts.filter((one) => /^(?:group-)?fuel-/.test(one.ruleId));
  return { store, clock, engine, every, fuel };
}

/** What the one alert about fuel says. */
function said([alert, ...more]: readonly Alert[]) {
  expect(more).toEqual([]);
  return { rule: alert?.ruleId, priority: alert?.priority, nl: alert?.text.nl, en: alert?.text.en };
}

describe("fuel that goes", () => {
  test("out of a tank at rest at once: theft, a burst line or borrowed; the litres gone, and what is left", async () => {
    const { every, fuel } = await world();
    const say = every(2);
    for (let i = 0; i < 30; i++) await say(1600, RESTS);
    for (let i = 0; i < 2; i++) await say(1300, RESTS);
    expect(fuel()).toEqual([]);
    for (let i = 0; i < 3; i++) await say(1300, RESTS);
    expect(said(fuel())).toEqual({
      rule: "fuel-loss",
      priority: 2,
      nl: {
        what: "Onverklaard brandstofverlies",
        consequence: "300 l verdwenen terwijl het aggregaat stilstond; nog 1.300 l",
        action: "Ga kijken: diefstal, lekkage of geleend? Meet het peil met de stok.",
      },
      en: {
        what: "Unexplained loss of fuel",
        consequence: "300 l gone while the generator stood still; 1,300 l left",
        action: "Go and look: theft, a leak, or borrowed? Dip the tank.",
      },
    });
  });

  test("slowly out of a tank at rest: a leak, by the hour", async () => {
    const { clock, every, fuel } = await world();
    const say = every(10);
    // Two litres an hour, so that the steps of the level average out.
    while (clock.nowMs() < NOON_MS + 15 * HOUR_MS) await say(1600 - (2 * (clock.nowMs() - NOON_MS)) / HOUR_MS, RESTS);
    const { rule, priority, nl, en } = said(fuel());
    expect([rule, priority]).toEqual(["fuel-leak", 2]);
    expect(nl).toMatchObject({
      what: "Brandstof lekt mogelijk",
      action: "Controleer tank, leidingen en opvangbak.",
    });
    expect(nl?.consequence).toMatch(/^peil daalt (?:1,[89]|2(?:,[012])?) l\/u over 12 uur stilstand$/);
    expect(en).toMatchObject({ what: "Fuel may be leaking", action: "Check tank, lines and bund." });
    expect(en?.consequence).toMatch(/^level falls (?:1\.[89]|2(?:\.[012])?) l\/h over 12 hours at rest$/);
  });

  test("faster than the set can drink: what it takes beside what fits it", async () => {
    const { clock, every, fuel } = await world();
    const say = every(3);
    while (clock.nowMs() < NOON_MS + 2 * HOUR_MS) await say(1600 - (40 * (clock.nowMs() - NOON_MS)) / HOUR_MS, RUNS);
    const { rule, priority, nl, en } = said(fuel());
    expect([rule, priority]).toEqual(["fuel-overuse", 2]);
    expect(nl).toMatchObject({
      what: "Verbruik te hoog",
      action: "Zoek lekkage, aftappen of een storing; meet het peil met de stok.",
    });
    // 8 kW at 4 kW by the published figures: 0.04 × 8 + 0.27 × 4.
    expect(nl?.consequence).toMatch(/^(?:39|40|41)(?:,\d)? l\/u waar 1,4 l\/u past bij dit aggregaat$/);
    expect(en).toMatchObject({
      what: "Burns too much",
      action: "Look for a leak, tapping or a fault; dip the tank.",
    });
    expect(en?.consequence).toMatch(/^(?:39|40|41)(?:\.\d)? l\/h where 1\.4 l\/h fits this generator$/);
  });

  test("unseen: a sensor that is taken off a full tank", async () => {
    const { every, fuel } = await world();
    const say = every(1);
    for (let i = 0; i < 5; i++) await say(1200, RESTS);
    for (let i = 0; i < 4; i++) await say("open-circuit", RESTS);
    const { rule, priority, nl, en } = said(fuel());
    expect([rule, priority]).toEqual(["fuel-tamper", 2]);
    expect(nl?.consequence).toBe("er zat nog 1.200 l in de tank; het peil wordt niet meer gezien");
    expect(en?.consequence).toBe("1,200 l was still in the tank; the level is not seen any more");
  });
});

test("fuel that came is no alert: it is a delivery with its litres that waits for somebody to confirm it", async () => {
  const { store, clock, engine, every, fuel } = await world();
  const say = every(2);
  for (let i = 0; i < 20; i++) await say(600, RESTS);
  const cameMs = clock.nowMs();
  for (const litres of [700, 900, 1100, 1200, 1200, 1200]) await say(litres, RESTS);
  expect(fuel()).toEqual([]);
  const deliveries = () => engine.point("alm-01")?.deliveries;
  expect(deliveries()).toEqual([
    { deliveryId: expect.stringMatching(/^alm-01-\d+$/), at: expect.any(String), measuredL: 600, state: "detected" },
  ]);
  expect(Math.abs(Date.parse(deliveries()?.[0]?.at ?? "") - cameMs)).toBeLessThanOrEqual(6 * MINUTE_MS);
  const { deliveryId = "" } = deliveries()?.[0] ?? {};
  store.tell(entry({ kind: "delivery", litres: 640, deliveryId }, clock.nowMs()), clock.nowMs());
  await say(1200, RESTS);
  // The bill is 40 litres more than the tank got: both figures stand beside each other.
  expect(deliveries()).toMatchObject([
    { deliveryId, measuredL: 600, toldL: 640, told: { by: "coordinator-1", via: "voice" }, state: "confirmed" },
  ]);
  expect(engine.point("alm-01")?.fuel?.litres).toBeCloseTo(1200, 0);
  expect(fuel()).toEqual([]);
});
