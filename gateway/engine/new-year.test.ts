// The 34 points of the demo over New Year's Eve 2026: two of them change their municipality at midnight, and nothing else changes.
import { readFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import type { PointState, Registry } from "../../protocol/index.ts";
import { ack, createEngines, memoryJournal, POINT, power, registryOf } from "../../tests/engine-fixtures.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { registryView } from "../registry/view.ts";
import type { EngineChange } from "./engine.ts";

const engines = createEngines();
afterEach(engines.stopAll);

const DEMO = JSON.parse(readFileSync(new URL("../../tests/demo/registry.json", import.meta.url), "utf8")) as Registry;
const MIDNIGHT_MS = Date.parse("2026-12-31T23:00:00Z");
const MINUTE_MS = 60_000;

/** What may move by itself while time goes on. */
function still({
  updatedAt: _u,
  municipality: _m,
  organisation: _o,
  endurance,
  readings,
  minimums,
  ...rest
}: PointState) {
  const hours =
    endurance.kind === "estimate"
      ? { kind: endurance.kind, method: endurance.method, reaches: endurance.reaches72h }
      : { kind: endurance.kind, reason: endurance.reason };
  return {
    ...rest,
    endurance: hours,
    minimums: minimums?.map(({ processId, met }) => [processId, met]),
    readings: readings.map(({ name, value, quality, deviceId }) => [name, value, quality, deviceId]),
  };
}

test("34 points over New Year's Eve: two change municipality at midnight; no alert, no reading, no jump of endurance", async () => {
  const store = memoryJournal();
  const clock = virtualClock(MIDNIGHT_MS - 5 * MINUTE_MS);
  const engine = await engines.start(store.journal, clock, { registry: registryView(DEMO) });
  const hours = new Map<string, number[]>();
  const states = new Map<number, readonly PointState[]>();
  // The whole region is on its own power.
  for (let minute = -5; minute <= 5; minute++) {
    for (const { deviceId } of DEMO.devices) {
      store.append({ receivedMs: clock.nowMs(), deviceId, phase: "open", ...power(80) });
    }
    await clock.advance(MINUTE_MS);
    const { points } = engine.overview();
    states.set(minute, points);
    for (const { pointId, endurance } of points) {
      if (endurance.kind === "estimate") hours.set(pointId, [...(hours.get(pointId) ?? []), endurance.p50H]);
    }
  }
  const [before, after] = [states.get(-2) ?? [], states.get(1) ?? []];
  const moved = after.filter((point, i) => point.municipality !== before[i]?.municipality);
  expect(moved.map((point) => [point.pointId, point.municipality, point.organisation])).toEqual([
    ["wij-01", "Hilversum", "Gemeente Hilversum"],
    ["wij-02", "Hilversum", "Gemeente Hilversum"],
  ]);
  const timeless = (points: readonly PointState[]) =>
    points.map(still).map(({ lastReceivedAt: _r, lastSampleAt: _s, fuel, phaseSince: _p, ...rest }) => ({
      ...rest,
      litres: fuel?.litres,
    }));
  expect(timeless(after)).toEqual(timeless(before));
  expect(engine.overview().alerts.filter((alert) => alert.raisedAt >= "2026-12-31T22:59:00")).toEqual([]);
  expect(hours.size).toBe(28);
  for (const [pointId, series] of hours) {
    const jumps = series.slice(1).map((hour, i) => Math.abs(hour - (series[i] ?? 0)));
    expect([pointId, Math.max(...jumps)]).toEqual([pointId, expect.toSatisfy((jump: number) => jump < 0.5)]);
  }
});

test("what changes by the registry alone is told at once, of every point, at the instant and not at midnight", async () => {
  const store = memoryJournal();
  const arrivesMs = NOON_MS + 90_500;
  const view = (atMs: number) => (atMs < arrivesMs ? { ...POINT, generator: undefined } : POINT);
  const registry = {
    ...registryOf([POINT]),
    points: (atMs: number) => [view(atMs)],
    nextChangeMs: (atMs: number) => (atMs < arrivesMs ? arrivesMs : Number.POSITIVE_INFINITY),
  };
  const clock = virtualClock(NOON_MS);
  const engine = await engines.start(store.journal, clock, { registry });
  store.append({ receivedMs: NOON_MS, ...power(50) });
  await clock.advance(90_000);
  expect(engine.point("alm-01")?.fuel).toBeUndefined();
  const told: EngineChange[] = [];
  engine.onChange((change) => told.push(change));
  await clock.advance(1_500);
  expect(engine.point("alm-01")?.fuel).toMatchObject({ litres: 100 });
  expect(told.some((change) => change.points.some((point) => point.fuel?.litres === 100))).toBe(true);
});

test("a clock that jumps over a change, or back before it, is followed; so are rows before the next tick", async () => {
  const store = memoryJournal();
  const clock = virtualClock(MIDNIGHT_MS - 3_600_000);
  const engine = await engines.start(store.journal, clock, { registry: registryView(DEMO) });
  const municipality = () => engine.point("wij-01")?.municipality;
  expect(municipality()).toBe("Wijdemeren");
  clock.jump(2 * 3_600_000);
  store.append({ receivedMs: clock.nowMs(), deviceId: "wij-01-d1", ...power(50) });
  await engine.caughtUp();
  expect(municipality()).toBe("Hilversum");
  clock.jump(-2 * 3_600_000);
  await clock.advance(1_500);
  expect(municipality()).toBe("Wijdemeren");
});

test("a registry that is replaced takes no open alert, acknowledgement or reading with it", async () => {
  const store = memoryJournal();
  const clock = virtualClock(NOON_MS);
  const engine = await engines.start(store.journal, clock, { registry: registryView(DEMO) });
  for (let minute = 0; minute < 35; minute++) {
    store.append({ receivedMs: clock.nowMs(), deviceId: "alm-01-d1", ...power(5) });
    await clock.advance(MINUTE_MS);
  }
  const [alert] = engine.overview().alerts.filter((one) => one.subject.id === "alm-01");
  await engine.act(alert?.alertId ?? "", ack(), { by: "coordinator-1", origin: "test" });
  const before = engine.overview().alerts.find((one) => one.alertId === alert?.alertId);
  // Another priority, another set beside it, and a point that goes.
  const points = DEMO.points
    .filter((point) => point.pointId !== "lar-01")
    .map((point) => (point.pointId === "alm-01" ? { ...point, fuelPriority: 9 } : point));
  const gone: string[] = [];
  const stop = engine.onChange((change) => gone.push(...(change.gone ?? [])));
  engine.setRegistry(registryView({ ...DEMO, points, assignments: [...DEMO.assignments] }));
  await clock.advance(2_000);
  stop();
  expect(gone).toEqual(["lar-01"]);
  expect(engine.point("lar-01")).toBeUndefined();
  expect(engine.point("alm-01")).toMatchObject({ fuelPriority: 9, fuel: { levelPct: 5 }, contact: "present" });
  expect(engine.overview().alerts.find((one) => one.alertId === alert?.alertId)).toEqual(before);
});
