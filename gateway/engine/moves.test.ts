// A device that moves takes along what it measured where it stood: that goes to the point of then, and nothing of it to the new one.
import { afterEach, describe, expect, test } from "vitest";
import { encodeEvent, type Registry, type Report } from "../../protocol/index.ts";
import { createEngines, memoryJournal, power } from "../../tests/engine-fixtures.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { toInstant } from "../domain/instant.ts";
import { EMPTY_REGISTRY } from "../registry/shape.ts";
import { registryView } from "../registry/view.ts";

const engines = createEngines();
afterEach(engines.stopAll);

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NOON = toInstant(NOON_MS);
const [OLD, NEW] = ["alm-01", "alm-02"] as const;

type Row = Registry["devices"][number];
const row = (deviceId: string, pointId: string, part: Partial<Row> = {}): Row =>
  ({ deviceId, pointId, board: "esp32", link: "mqtt", ...part }) as Row;
/** From the one to the other at noon. */
const MOVED = [row("d1", OLD, { until: NOON }), row("d1", NEW, { from: NOON })];

function registryWith(devices: readonly Row[]): Registry {
  const points = [OLD, NEW].map((pointId): Registry["points"][number] => ({
    ...{ pointId, name: pointId, kind: "community-centre", municipalities: [{ id: "almere" }] },
    ...{ location: { lat: 52.371, lon: 5.217 }, capacity: { day: 100, night: 50 } },
  }));
  const set = { type: "generator", kind: "fixed", ratedKw: 8, tank: { capacityL: 200 } } as const;
  return {
    ...EMPTY_REGISTRY,
    municipalities: [{ id: "almere", name: "Almere", region: "Flevoland" }],
    points,
    assets: [OLD, NEW].map((pointId) => ({ assetId: `set-${pointId}`, ...set })),
    assignments: [OLD, NEW].map((pointId) => ({ assetId: `set-${pointId}`, pointId })),
    devices: [...devices],
  };
}

async function world({ devices = MOVED, startMs = NOON_MS + 6 * HOUR_MS }: { devices?: Row[]; startMs?: number } = {}) {
  const store = memoryJournal();
  const clock = virtualClock(startMs);
  const engine = await engines.start(store.journal, clock, { registry: registryView(registryWith(devices)) });
  let events = 90_000;
  const say = async (atMs: number, part: Partial<Report>, deviceId = "d1") => {
    store.append({ deviceId, receivedMs: clock.nowMs(), time: Math.round(atMs / 1000), phase: "open", ...part });
    await engine.caughtUp();
  };
  return {
    ...{ store, clock, engine, say },
    async event(event: string, argument: number, atMs: number) {
      const head = { sequence: ++events & 0xffff, time: atMs / 1000, flags: { clockSynced: true } };
      const moment = { sequence: events, timeMs: atMs, receivedMs: clock.nowMs() };
      const frame = encodeEvent({ ...head, event, argument });
      store.put({ deviceId: "d1", ...moment, frame, timeQuality: "synced", link: "mqtt" });
      await engine.caughtUp();
    },
    /** Five hours of before the move, a sample in ten minutes. */
    async sayLate(part: Partial<Report>) {
      for (let i = 30; i > 0; i--) await say(NOON_MS - i * 10 * MINUTE_MS, part);
    },
  };
}

const people = (occupancy: number): Partial<Report> => ({ occupancy: { occupancy, entries: occupancy } });
/** Without what time alone changes. */
const shown = (point: object | undefined) => ({ ...point, lastReceivedAt: "", updatedAt: "", endurance: {} });

describe("late samples of a device that has moved", () => {
  test("go to the point at which it stood when it took them, and to the new one only as a sign of life", async () => {
    const { engine, clock, say, sayLate } = await world();
    await say(clock.nowMs(), { ...power(80, "present"), ...people(12) });
    const before = engine.point(NEW);
    await clock.advance(MINUTE_MS);
    const lateMs = clock.nowMs();
    await sayLate({ ...power(5), ...people(90) });
    expect(shown(engine.point(NEW))).toEqual(shown(before));
    expect(engine.point(NEW)?.endurance).toMatchObject({ method: "rated", hypothetical: true });
    expect(engine.point(NEW)?.lastReceivedAt).toBe(toInstant(lateMs));
    const old = engine.point(OLD);
    expect(old).toMatchObject({ contact: "no-device", fuel: { levelPct: 5 }, mains: "lost", phase: "open" });
    expect(old).toMatchObject({
      lastSampleAt: toInstant(NOON_MS - 10 * MINUTE_MS),
      mainsLostAt: toInstant(NOON_MS - 300 * MINUTE_MS),
    });
    expect(old?.lastReceivedAt).toBeUndefined();
    expect(engine.device("d1")).toMatchObject({ pointId: NEW, contact: "present", records: 31 });
    expect(engine.device("d1")?.report).toMatchObject({ power: { fuelLevelPct: 80 } });
    await clock.advance(15_000);
    expect(engine.overview().alerts).toEqual([]);
  });

  test("raise nothing at the new point, whose delays they do not fill", async () => {
    const { engine, clock, say } = await world({ startMs: NOON_MS + MINUTE_MS });
    for (let i = 60; i > 0; i--) await say(NOON_MS - i * MINUTE_MS, power(7));
    await say(clock.nowMs(), power(7));
    await clock.advance(15_000);
    expect(engine.overview().alerts).toEqual([]);
  });

  test("teach nothing of the set at the new point", async () => {
    const { engine, store, clock, say, sayLate } = await world();
    await say(clock.nowMs(), power(80));
    await sayLate(power(60));
    await engine.stop();
    const hours = async (pointId: string) => {
      const document = (await store.journal.documents("point")).find((one) => one.key === pointId);
      return (JSON.parse(document?.json ?? "{}") as { fuel: { hours: unknown[] } }).fuel.hours.length;
    };
    expect([await hours(OLD), await hours(NEW)]).toEqual([5, 1]);
  });

  test("are those of the owner of then, and fill the delays of who has taken its place", async () => {
    const devices = [
      row("d1", OLD, { until: NOON, owns: ["power"] }),
      row("d1", NEW, { from: NOON }),
      row("d2", OLD, { from: NOON, owns: ["power"] }),
    ];
    const { engine, clock, say } = await world({ devices, startMs: NOON_MS + MINUTE_MS });
    for (let i = 60; i > 0; i--) await say(NOON_MS - i * MINUTE_MS, power(7));
    expect(engine.point(OLD)).toMatchObject({ fuel: { levelPct: 7 } });
    await say(clock.nowMs(), power(7), "d2");
    await clock.advance(15_000);
    expect(engine.overview().alerts).toMatchObject([{ ruleId: "endurance-low", subject: { pointId: OLD } }]);
  });

  test("are taken also while it stands nowhere: on its way, or for good", async () => {
    const away = row("d1", NEW, { from: toInstant(NOON_MS + 9 * HOUR_MS) });
    for (const devices of [[MOVED[0] as Row, away], [MOVED[0] as Row]]) {
      const { engine, say, sayLate, clock } = await world({ devices });
      await sayLate(power(40));
      expect(engine.point(OLD)).toMatchObject({ contact: "no-device", fuel: { levelPct: 40 } });
      expect(engine.gateway().journal.unknownDeviceRows).toBe(0);
      // What it measures where no row says that it stands is nobody's.
      await say(clock.nowMs(), power(30));
      expect(engine.gateway().journal.unknownDeviceRows).toBe(1);
    }
  });

  test("of a moment of which the registry knows no place go to where it stands now", async () => {
    const devices = [row("d1", OLD, { until: NOON }), row("d1", NEW, { from: toInstant(NOON_MS + HOUR_MS) })];
    const { engine, say } = await world({ devices });
    await say(NOON_MS + 30 * MINUTE_MS, power(33));
    expect(engine.point(NEW)).toMatchObject({ fuel: { levelPct: 33 } });
    expect(engine.point(OLD)?.fuel).toBeUndefined();
  });

  test("of a clock that runs ahead do not go to where it will stand", async () => {
    const { engine, clock, say } = await world({ startMs: NOON_MS - 2 * MINUTE_MS });
    await say(clock.nowMs() + 5 * MINUTE_MS, power(50));
    expect(engine.point(OLD)).toMatchObject({ contact: "present", fuel: { levelPct: 50 } });
    expect(engine.point(NEW)?.fuel).toBeUndefined();
  });
});

describe("events of a device that has moved", () => {
  test("help is of the point where the button was pressed: late it is noted, live it sounds", async () => {
    const { engine, clock, event } = await world({ startMs: NOON_MS + MINUTE_MS });
    await event("help-requested", 1, NOON_MS - HOUR_MS);
    expect(engine.requests.list()).toMatchObject([{ pointId: OLD, late: true }]);
    expect(engine.alerts()).toEqual([]);
    await event("help-requested", 2, NOON_MS - 30_000);
    expect(engine.alerts()).toMatchObject([{ ruleId: "help-requested", subject: { pointId: OLD } }]);
    await event("help-requested", 2, clock.nowMs());
    expect(engine.requests.list().map(({ pointId }) => pointId)).toEqual([OLD, OLD, NEW]);
    expect(engine.point(OLD)?.lastReceivedAt).toBeUndefined();
  });

  test("people are counted where they were counted", async () => {
    const { engine, clock, say, event } = await world();
    await say(clock.nowMs(), people(12));
    await event("recount", 70, NOON_MS - HOUR_MS);
    expect(engine.point(OLD)?.occupancy).toMatchObject({ people: 70 });
    expect(engine.point(NEW)?.occupancy).toMatchObject({ people: 12 });
  });

  test("what it says of itself is of where it stands now", async () => {
    const { engine, event } = await world({ startMs: NOON_MS + MINUTE_MS });
    await event("tamper", 0, NOON_MS - 30_000);
    expect(engine.alerts()).toMatchObject([{ ruleId: "tamper", subject: { pointId: NEW } }]);
  });
});

describe("an alert on a device that moves", () => {
  test("says where it stands as long as it holds, and where it was when it is over", async () => {
    const { engine, clock, say } = await world({ startMs: NOON_MS - 3 * MINUTE_MS });
    const flags = { clockSynced: true, ownPowerLow: true };
    await say(clock.nowMs(), { ...power(80), flags });
    expect(engine.alerts()).toMatchObject([{ ruleId: "own-power-low", subject: { pointId: OLD, name: OLD } }]);
    await clock.advance(3 * MINUTE_MS + 1_000);
    await say(clock.nowMs(), { ...power(80), flags });
    expect(engine.alerts()).toMatchObject([{ ruleId: "own-power-low", subject: { pointId: NEW, name: NEW } }]);
    await say(clock.nowMs() + 1_000, power(80));
    expect(engine.alerts()).toMatchObject([{ state: "returned-unacknowledged", subject: { pointId: NEW } }]);
  });

  test("is over when the device stands nowhere any more, and that of silence when it has left", async () => {
    const left = [row("d1", OLD, { until: NOON }), row("d2", NEW)];
    const { engine, clock, say } = await world({ devices: left, startMs: NOON_MS - 30 * MINUTE_MS });
    await say(clock.nowMs(), { ...power(80), flags: { clockSynced: true, ownPowerLow: true } });
    await say(clock.nowMs(), { ...power(80), flags: { clockSynced: true, ownPowerLow: true } }, "d2");
    await clock.advance(20 * MINUTE_MS);
    const lines = () =>
      engine
        .alerts()
        .map(({ ruleId, subject, state }) => `${ruleId} ${subject.id} ${state}`)
        .sort();
    const active = "unacknowledged";
    expect(lines()).toEqual([
      `own-power-low d1 ${active}`,
      `own-power-low d2 ${active}`,
      `silence ${OLD} ${active}`,
      `silence ${NEW} ${active}`,
    ]);
    await clock.advance(11 * MINUTE_MS);
    expect(lines()).toEqual([
      "own-power-low d1 returned-unacknowledged",
      `own-power-low d2 ${active}`,
      `silence ${OLD} returned-unacknowledged`,
      `silence ${NEW} ${active}`,
    ]);
  });
});
