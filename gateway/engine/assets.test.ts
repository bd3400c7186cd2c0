// What was learned of a set and of a tank stands in the document of the asset: over a restart, and to wherever it moves at midnight.
import { afterEach, describe, expect, test } from "vitest";
import type { Registry, Report } from "../../protocol/index.ts";
import { createEngines, entry, type MemoryJournal, memoryJournal } from "../../tests/engine-fixtures.ts";
import { type VirtualClock, virtualClock } from "../../tests/virtual-clock.ts";
import type { AssetModel } from "../domain/endurance/asset-model.ts";
import { EMPTY_REGISTRY } from "../registry/shape.ts";
import { registryView } from "../registry/view.ts";
import type { Engine } from "./engine.ts";

const engines = createEngines();
afterEach(engines.stopAll);

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** New Year, here. */
const MIDNIGHT_MS = Date.parse("2026-12-31T23:00:00Z");
const SET = { assetId: "set-7", type: "generator", kind: "mobile", ratedKw: 8 } as const;
const TANK = { assetId: "tank-3", type: "tank", capacityL: 200 } as const;
const OWN = { ...SET, tank: { capacityL: 200 } } as const;
const LINKED = { ...SET, tankId: "tank-3" } as const;

/** Two points with a device each; the set stands at alm-01 until midnight, and at alm-02 from then on. */
function registryWith(assets: Registry["assets"]): Registry {
  const points = ["alm-01", "alm-02"].map((pointId): Registry["points"][number] => {
    return {
      pointId,
      name: pointId,
      kind: "community-centre",
      municipalities: [{ id: "almere" }],
      location: { lat: 52.371, lon: 5.217 },
      capacity: { day: 100, night: 50 },
    };
  });
  return {
    ...EMPTY_REGISTRY,
    municipalities: [{ id: "almere", name: "Almere", region: "Flevoland" }],
    points,
    assets,
    assignments: [
      { assetId: "set-7", pointId: "alm-01", until: "2027-01-01" },
      { assetId: "set-7", pointId: "alm-02", from: "2027-01-01" },
    ],
    devices: points.map(({ pointId }) => {
      return { deviceId: `${pointId}-d1`, pointId, board: "esp32", link: "mqtt" } as const;
    }),
  };
}

interface World {
  readonly store: MemoryJournal;
  readonly clock: VirtualClock;
  engine: Engine;
  say(pointId: string, part: Partial<Report["power"]> | undefined): void;
  dip(pointId: string, litres: number): Promise<void>;
  restart(): Promise<void>;
  document(assetId: string): Promise<AssetModel | undefined>;
}

async function worldOf(assets: Registry["assets"], startMs: number): Promise<World> {
  const store = memoryJournal();
  const clock = virtualClock(startMs);
  const registry = registryView(registryWith(assets));
  const start = () => engines.start(store.journal, clock, { registry });
  const world: World = {
    ...{ store, clock, engine: await start() },
    say(pointId, part) {
      const base = { generator: "running", mains: "lost", loadKw: "absent", starterBatteryV: 13.8 } as const;
      const power = { fuelLevelPct: "absent", ...base, ...part } as const;
      store.append({ receivedMs: clock.nowMs(), deviceId: `${pointId}-d1`, phase: "open", power });
    },
    async dip(pointId, litres) {
      const nowMs = clock.nowMs();
      store.tell(entry({ kind: "dip", litres }, nowMs, { pointId }), nowMs);
      await world.engine.caughtUp();
    },
    async restart() {
      await world.engine.stop();
      world.engine = await start();
    },
    async document(assetId) {
      const row = (await store.journal.documents("asset")).find((one) => one.key === assetId);
      return row === undefined ? undefined : (JSON.parse(row.json) as AssetModel);
    },
  };
  return world;
}

const fuelAt = (world: World, pointId: string) => world.engine.point(pointId)?.fuel;

/** The sensor says 100 litres, and two sticks 80: it is believed less, at alm-01 in the last hour of the year. */
async function calibrated(assets: Registry["assets"]): Promise<World> {
  const world = await worldOf(assets, MIDNIGHT_MS - HOUR_MS);
  for (let i = 0; i < 2; i++) {
    world.say("alm-01", { fuelLevelPct: 50 });
    await world.clock.advance(MINUTE_MS);
    await world.dip("alm-01", 80);
    await world.clock.advance(MINUTE_MS);
  }
  world.say("alm-01", { fuelLevelPct: 50 });
  await world.clock.advance(MINUTE_MS);
  return world;
}

describe.each([
  ["its own tank", [OWN], "set-7"],
  ["a linked tank", [LINKED, TANK], "tank-3"],
] as const)("dips of a set with %s", (_, assets, tankId) => {
  test("stand in the document of the tank, and outlive a restart", async () => {
    const world = await calibrated([...assets]);
    const litres = fuelAt(world, "alm-01")?.litres ?? 0;
    expect(litres).toBeGreaterThan(80);
    expect(litres).toBeLessThan(95);
    await world.restart();
    expect(await world.document(tankId)).toMatchObject({
      dips: [
        { litres: 80, sensorL: 100, by: "coordinator-1", via: "voice" },
        { litres: 80, sensorL: 100 },
      ],
    });
    world.say("alm-01", { fuelLevelPct: 50 });
    await world.clock.advance(MINUTE_MS);
    expect(fuelAt(world, "alm-01")?.litres).toBeCloseTo(litres, 0);
  });

  test("go along at midnight: the sensor is read by them there at once, and nothing of it is left behind", async () => {
    const world = await calibrated([...assets]);
    const before = fuelAt(world, "alm-01")?.litres ?? 0;
    await world.clock.advance(HOUR_MS);
    expect(fuelAt(world, "alm-01")).toBeUndefined();
    await world.restart();
    world.say("alm-02", { fuelLevelPct: 50 });
    await world.clock.advance(MINUTE_MS);
    expect(fuelAt(world, "alm-02")).toMatchObject({ dip: { litres: 80 } });
    expect(fuelAt(world, "alm-02")?.litres).toBeCloseTo(before, 0);
    // A dip there adds to the same document.
    await world.dip("alm-02", 78);
    await world.clock.advance(MINUTE_MS);
    expect((await world.document(tankId))?.dips.map((one) => one.litres)).toEqual([80, 80, 78]);
    world.say("alm-01", { fuelLevelPct: 50 });
    await world.clock.advance(MINUTE_MS);
    expect(fuelAt(world, "alm-01")).toBeUndefined();
  });

  test("say nothing of what is in it after it was moved: without a sensor there are no litres until the next dip", async () => {
    const world = await calibrated([...assets]);
    await world.clock.advance(HOUR_MS);
    world.say("alm-02", undefined);
    await world.clock.advance(MINUTE_MS);
    expect(fuelAt(world, "alm-02")).toBeUndefined();
    expect(world.engine.point("alm-02")?.endurance.kind).toBe("none");
    await world.dip("alm-02", 60);
    await world.clock.advance(MINUTE_MS);
    expect(fuelAt(world, "alm-02")).toMatchObject({ litres: 60, told: { by: "coordinator-1" } });
    expect(world.engine.point("alm-02")?.endurance).toMatchObject({ kind: "estimate", method: "told" });
  });
});

test("what a set was seen to drink goes along at midnight, over a restart: elsewhere it is learned, not rated", async () => {
  const startMs = MIDNIGHT_MS - 37 * HOUR_MS;
  const world = await worldOf([OWN], startMs);
  // A day and a half at twice what its rating says.
  const level = () => 100 - ((world.clock.nowMs() - startMs) / HOUR_MS) * 1.4;
  while (world.clock.nowMs() < MIDNIGHT_MS - 10 * MINUTE_MS) {
    world.say("alm-01", { fuelLevelPct: level() });
    await world.engine.caughtUp();
    // Without the ticks in between: rows are judged as they come.
    world.clock.jump(10 * MINUTE_MS);
  }
  await world.clock.advance(MINUTE_MS);
  const rate = (pointId: string) => {
    const endurance = world.engine.point(pointId)?.endurance;
    return endurance?.kind === "estimate" ? ([endurance.method, endurance.rateLPerH ?? 0] as const) : undefined;
  };
  const [, seen] = rate("alm-01") ?? [];
  const before = await world.document("set-7");
  expect(before?.pieces.length).toBeGreaterThanOrEqual(5);
  await world.clock.advance(20 * MINUTE_MS);
  await world.restart();
  expect((await world.document("set-7"))?.pieces).toEqual(before?.pieces);
  world.say("alm-02", { fuelLevelPct: 90 });
  await world.clock.advance(MINUTE_MS);
  const [method, perH] = rate("alm-02") ?? [];
  expect(method).toBe("learned");
  expect(perH).toBeGreaterThan(2.2);
  expect(perH).toBeCloseTo(seen ?? 0, 0);
});
