// What people tell, through the engine: counted once, the same after a restart, and set aside when it is nothing.
import { afterEach, describe, expect, test } from "vitest";
import type { PointState } from "../../protocol/index.ts";
import {
  createEngines,
  entry,
  type MemoryJournal,
  memoryJournal,
  POINT,
  power,
  registryOf,
} from "../../tests/engine-fixtures.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { type VirtualClock, virtualClock } from "../../tests/virtual-clock.ts";
import type { RegistryView } from "../domain/point.ts";
import type { Engine } from "./engine.ts";
import { ENTRIES_MAX } from "./entries.ts";

const MINUTE_MS = 60_000;
const engines = createEngines();
afterEach(() => engines.stopAll());

const NO_DEVICES: RegistryView = {
  points: () => [POINT],
  devices: () => [],
  nextChangeMs: () => Number.POSITIVE_INFINITY,
};

async function tell(engine: Engine, store: MemoryJournal, clock: VirtualClock, ...told: Parameters<typeof entry>) {
  store.tell(entry(...told), clock.nowMs());
  await engine.caughtUp();
}

const withoutAge = ({ updatedAt: _, ...state }: PointState) => state;

describe("entries", () => {
  test("change the point, and stand in the log of acts without free words", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const engine = await engines.start(store.journal, clock, { registry: NO_DEVICES });
    await tell(engine, store, clock, { kind: "phase", phase: "open" }, NOON_MS - MINUTE_MS);
    await tell(engine, store, clock, { kind: "note", text: "ask for Anna" }, NOON_MS);
    await tell(engine, store, clock, { kind: "phase", phase: "opening" }, NOON_MS - 9 * MINUTE_MS, {
      note: "Anna said so",
    });
    expect(engine.point("alm-01")).toMatchObject({
      phase: "open",
      contact: "no-device",
      phaseSince: { told: { via: "voice" } },
    });
    expect(store.acts).toMatchObject([
      { actor: "coordinator-1", action: "entry-told", object: "alm-01", result: "taken", origin: "voice" },
      { actor: "coordinator-1", action: "phase-changed", object: "alm-01", result: "open", origin: "voice" },
      { action: "entry-told", result: "noted" },
      { action: "entry-told", result: "late" },
    ]);
    expect(JSON.stringify(store.acts)).not.toContain("Anna");
    const told = engine.entries("alm-01", 10, Number.POSITIVE_INFINITY);
    expect(told.map(({ statement }) => statement.kind)).toEqual(["note", "phase", "phase"]);
    expect(engine.entries("alm-01", 1, NOON_MS).map(({ at }) => at)).toEqual([
      new Date(NOON_MS - MINUTE_MS).toISOString(),
    ]);
  });

  test("that come twice count once", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const engine = await engines.start(store.journal, clock, { registry: NO_DEVICES });
    const one = entry({ kind: "count", people: 20 }, NOON_MS);
    store.tell(one, NOON_MS);
    store.tell({ ...one, statement: { kind: "count", people: 99 } }, NOON_MS);
    await engine.caughtUp();
    expect(engine.point("alm-01")?.occupancy?.people).toBe(20);
    expect(engine.hasEntry("alm-01", one.entryId)).toBe(true);
    expect(store.acts).toHaveLength(1);
  });

  test("of a point whose name is a device's too are not that device's", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const device = { deviceId: "alm-01", pointId: "alm-01", link: "mqtt", reportIntervalS: 60 } as const;
    const registry = { points: () => [POINT], devices: () => [device], nextChangeMs: () => Number.POSITIVE_INFINITY };
    const engine = await engines.start(store.journal, clock, { registry });
    store.append({ receivedMs: clock.nowMs(), deviceId: "alm-01", ...power(60) });
    await tell(engine, store, clock, { kind: "count", people: 7 }, NOON_MS);
    expect(engine.device("alm-01")).toMatchObject({ records: 1, undecoded: 0, missing: 0 });
    expect(engine.point("alm-01")).toMatchObject({ occupancy: { people: 7 }, fuel: { levelPct: 60 } });
    expect(store.asides.size).toBe(0);
  });

  test("are no sign of life of a device: its silence stands", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const engine = await engines.start(store.journal, clock);
    store.append({ receivedMs: clock.nowMs(), ...power(60, "present") });
    await clock.advance(30 * MINUTE_MS);
    expect(engine.point("alm-01")?.contact).toBe("silent");
    await tell(engine, store, clock, { kind: "power", mains: "present" }, clock.nowMs());
    await clock.advance(15_000);
    expect(engine.point("alm-01")?.contact).toBe("silent");
    expect(engine.alerts().map(({ ruleId, state }) => [ruleId, state])).toEqual([["silence", "unacknowledged"]]);
  });

  test.each([
    ["no JSON", new TextEncoder().encode("{")],
    ["no UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d)],
    ["no entry", new TextEncoder().encode(JSON.stringify({ ...entry({ kind: "count", people: 1 }, NOON_MS), by: "" }))],
    [
      "of another point",
      new TextEncoder().encode(JSON.stringify(entry({ kind: "count", people: 1 }, NOON_MS, { pointId: "alm-02" }))),
    ],
  ])("that are %s are set aside, and cost no other row anything", async (_, frame) => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const engine = await engines.start(store.journal, clock, { registry: NO_DEVICES });
    store.tellRaw("alm-01", frame, NOON_MS);
    await tell(engine, store, clock, { kind: "count", people: 5 }, NOON_MS);
    expect([...store.asides.keys()]).toEqual([1]);
    expect(engine.point("alm-01")?.occupancy?.people).toBe(5);
    expect(engine.alerts().map(({ ruleId }) => ruleId)).toEqual(["row-set-aside"]);
  });

  test("of a point that is in the registry no more are passed by", async () => {
    const store = memoryJournal();
    const engine = await engines.start(store.journal, virtualClock(NOON_MS), { registry: NO_DEVICES });
    store.tell(entry({ kind: "count", people: 5 }, NOON_MS, { pointId: "gone-01" }), NOON_MS);
    await engine.caughtUp();
    expect([store.asides.size, engine.gateway().journal.unknownDeviceRows]).toEqual([0, 1]);
  });

  test("give the same state from documents as from all rows", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const steps = [
      () => store.append({ receivedMs: clock.nowMs(), ...power(60), occupancy: { occupancy: 10, entries: 10 } }),
      () => store.tell(entry({ kind: "phase", phase: "limited" }, clock.nowMs()), clock.nowMs()),
      () => store.tell(entry({ kind: "count", people: 14 }, clock.nowMs()), clock.nowMs()),
      () => store.append({ receivedMs: clock.nowMs(), ...power(59), occupancy: { occupancy: 13, entries: 15 } }),
      () => store.tell(entry({ kind: "dip", litres: 110 }, clock.nowMs() - 5 * MINUTE_MS), clock.nowMs()),
      () => store.tell(entry({ kind: "supplies", water: 2 }, clock.nowMs()), clock.nowMs()),
    ];
    let engine = await engines.start(store.journal, clock);
    for (const step of steps) {
      step();
      await engine.caughtUp();
      await engines.stopAll();
      await clock.advance(20_000);
      engine = await engines.start(store.journal, clock);
    }
    const replay = memoryJournal();
    replay.rows.push(...store.rows);
    const again = await engines.start(replay.journal, clock);
    const [kept, replayed] = [engine, again].map((one) => one.point("alm-01") as PointState);
    expect(withoutAge(kept as PointState)).toEqual(withoutAge(replayed as PointState));
    expect(kept).toMatchObject({ phase: "limited", occupancy: { people: 17 }, fuel: { dip: { litres: 110 } } });
    expect(engine.entries("alm-01", 99, Number.POSITIVE_INFINITY)).toEqual(
      again.entries("alm-01", 99, Number.POSITIVE_INFINITY),
    );
  });

  test("keep a bounded list, and are forgotten with their rows", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    let oldestId = 1;
    const journal = { ...store.journal, oldestId: () => oldestId };
    const engine = await engines.start(journal, clock, { registry: NO_DEVICES });
    for (let i = 0; i < ENTRIES_MAX + 20; i++)
      store.tell(entry({ kind: "note", text: `note ${i}` }, NOON_MS - i * 1_000), NOON_MS);
    await engine.caughtUp();
    const all = () => engine.entries("alm-01", 1_000, Number.POSITIVE_INFINITY);
    expect(all()).toHaveLength(ENTRIES_MAX);
    oldestId = ENTRIES_MAX;
    await clock.advance(15_000);
    expect(all().map(({ statement }) => (statement.kind === "note" ? statement.text : ""))).toEqual(
      Array.from({ length: 21 }, (_, i) => `note ${ENTRIES_MAX - 1 + i}`),
    );
    expect((await store.journal.documents("entries"))[0]?.json).not.toContain('"note 50"');
  });

  test("of one moment stand on one page", async () => {
    const store = memoryJournal();
    const engine = await engines.start(store.journal, virtualClock(NOON_MS), { registry: NO_DEVICES });
    for (const atMs of [NOON_MS, NOON_MS, NOON_MS, NOON_MS - 1])
      store.tell(entry({ kind: "note", text: "n" }, atMs), NOON_MS);
    await engine.caughtUp();
    expect(engine.entries("alm-01", 2, Number.POSITIVE_INFINITY)).toHaveLength(3);
    expect(engine.entries("alm-01", 2, NOON_MS)).toHaveLength(1);
  });
});

describe("a point without a device", () => {
  test("raises the alert that is told of its power, after its delay, and not at the entry", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const engine = await engines.start(store.journal, clock, { registry: NO_DEVICES });
    await tell(engine, store, clock, { kind: "dip", litres: 4 }, NOON_MS);
    await tell(engine, store, clock, { kind: "power", mains: "lost", generator: "running", loadKw: 6 }, NOON_MS);
    expect(engine.point("alm-01")).toMatchObject({
      mains: "lost",
      fuel: { litres: 4 },
      endurance: { kind: "estimate" },
    });
    expect(engine.alerts()).toEqual([]);
    await clock.advance(11 * MINUTE_MS);
    expect(engine.alerts().map(({ ruleId }) => ruleId)).toEqual(["endurance-critical"]);
    expect(engine.gateway().outage?.startedAt).toBe(new Date(NOON_MS).toISOString());
  });

  test("sends people of a full point to where there is room", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const other = { ...POINT, pointId: "alm-02", name: "De Schoor", location: { lat: 52.38, lon: 5.23 } };
    const registry = { points: () => [POINT, other], devices: () => [], nextChangeMs: () => Number.POSITIVE_INFINITY };
    const engine = await engines.start(store.journal, clock, { registry });
    for (const pointId of ["alm-01", "alm-02"])
      await tell(engine, store, clock, { kind: "phase", phase: "open" }, NOON_MS, { pointId });
    await tell(engine, store, clock, { kind: "count", people: 30 }, NOON_MS, { pointId: "alm-02" });
    await tell(engine, store, clock, { kind: "count", people: 140 }, NOON_MS);
    expect(engine.point("alm-01")?.roomAt).toEqual([{ pointId: "alm-02", name: "De Schoor", km: 1.3, free: 120 }]);
    expect(engine.point("alm-02")?.roomAt).toBeUndefined();
  });
});

test("the button on a device moves the phase, and the log of acts says so", async () => {
  const store = memoryJournal();
  const clock = virtualClock(NOON_MS);
  const engine = await engines.start(store.journal, clock, { registry: registryOf([POINT]) });
  for (const phase of ["opening", "open", "open"]) {
    store.append({ receivedMs: clock.nowMs(), phase, ...power(60, "present") });
    await clock.advance(MINUTE_MS);
  }
  await engine.caughtUp();
  const moves = store.acts.filter(({ action }) => action === "phase-changed");
  expect(moves).toMatchObject([
    { actor: "alm-01-d1", result: "opening", origin: "device" },
    { actor: "alm-01-d1", result: "open", origin: "device" },
  ]);
  expect(engine.point("alm-01")?.phaseSince).toEqual({
    at: new Date(NOON_MS + MINUTE_MS).toISOString(),
    deviceId: "alm-01-d1",
  });
});
