// What the engine is after a stop, a refusing disk, and what was taken away from under it.
import { Value } from "typebox/value";
import { afterEach, describe, expect, test } from "vitest";
import { OverviewSchema } from "../../protocol/index.ts";
import { ack, createEngines, memoryJournal, minutes, POINT, power, registryOf } from "../../tests/engine-fixtures.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import type { Engine } from "./engine.ts";

const engines = createEngines();
afterEach(engines.stopAll);

/** What must not depend on when the engine was stopped. */
function pictureOf(engine: Engine) {
  const { points, alerts } = engine.overview();
  return {
    points: points.map(({ updatedAt: _, ...rest }) => rest),
    alerts,
    devices: engine.devices(),
    setAside: engine.gateway().journal.setAside,
  };
}

/** An outage with an alert that is raised, escalated by a falling level, a bad sensor, a row that throws, a delivery. */
const SCRIPT = [
  ...Array.from({ length: 33 }, () => power(7)),
  ...Array.from({ length: 12 }, () => power(2)),
  ...Array.from({ length: 7 }, () => power("open-circuit")),
  ...Array.from({ length: 4 }, () => power(90, "present")),
];
const POISON_ID = 20;

describe("a stop of the engine", () => {
  /** Runs the script, with a stop and a new start after the row with each of these numbers. */
  async function play(stops: ReadonlySet<number>) {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const beforeStep = (record: { id: number }) => {
      if (record.id === POISON_ID) throw new Error("poison");
    };
    let engine = await engines.start(store.journal, clock, { beforeStep });
    for (const [i, part] of SCRIPT.entries()) {
      await minutes(store, clock, 1, part);
      if (!stops.has(i)) continue;
      await engine.stop();
      engine = await engines.start(store.journal, clock, { beforeStep });
    }
    await clock.advance(10_000);
    const faults = Value.Errors(OverviewSchema, engine.overview()).map(
      (fault) => `${fault.instancePath} ${fault.message}`,
    );
    return { picture: pictureOf(engine), acts: store.acts, faults };
  }

  test("at any row of a scripted outage leaves the same picture behind", async () => {
    const whole = await play(new Set());
    expect(whole.faults).toEqual([]);
    expect(whole.picture.alerts.map((alert) => alert.ruleId).sort()).toEqual([
      "endurance-critical",
      "row-set-aside",
      "sensor-bad",
    ]);
    for (let at = 0; at < SCRIPT.length; at += 5) expect(await play(new Set([at, at + 2]))).toEqual(whole);
    expect(await play(new Set(SCRIPT.keys()))).toEqual(whole);
  });

  test("in the middle of a backlog keeps what was taken, and takes nothing twice", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    for (let i = 0; i < 450; i++) store.append({ receivedMs: NOON_MS + i * 1000, ...power(50) });
    let stopping: Promise<void> | undefined;
    let first: Engine | undefined;
    const beforeStep = (record: { id: number }) => {
      if (record.id === 210) stopping = first?.stop();
    };
    const rows = store.rows.splice(0);
    first = await engines.start(store.journal, clock, { beforeStep });
    store.rows.push(...rows);
    await first.caughtUp();
    await stopping;
    expect(first.device("alm-01-d1")?.records).toBe(400);
    const second = await engines.start(store.journal, clock);
    expect(second.device("alm-01-d1")?.records).toBe(450);
  });
});

describe("a disk that refuses", () => {
  test("delays what is shown; when it is well again, every row counts once", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const events: string[] = [];
    const engine = await engines.start(store.journal, clock, { log: (event) => void events.push(event) });
    store.failures = 2;
    store.append({ receivedMs: NOON_MS, ...power(40) });
    await clock.advance(500);
    expect(engine.point("alm-01")?.fuel).toBeUndefined();
    await clock.advance(5_000);
    expect(engine.point("alm-01")?.fuel?.levelPct).toBe(40);
    expect(engine.device("alm-01-d1")?.records).toBe(1);
    expect(events).toContain("engine turn failed");
    await engine.stop();
    const again = await engines.start(store.journal, clock);
    expect(again.device("alm-01-d1")?.records).toBe(1);
  });

  test("refuses an acknowledgement that it cannot keep, and the alert stays as it was", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const engine = await engines.start(store.journal, clock);
    await minutes(store, clock, 33, power(7));
    const [alert] = engine.overview().alerts;
    const acts = store.acts.length;
    store.failures = 1;
    const act = { by: "coordinator-1", origin: "test" };
    await expect(engine.act(alert?.alertId ?? "", ack(), act)).rejects.toThrow("the disk refuses");
    expect(engine.alert(alert?.alertId ?? "")).toMatchObject({ state: "unacknowledged" });
    expect(store.acts).toHaveLength(acts);
    expect(await engine.act(alert?.alertId ?? "", ack(), act)).toMatchObject({ state: "acknowledged" });
  });
});

describe("what a device or a registry takes away", () => {
  test("rows of a device that the registry does not know are passed by, counted, and named once", async () => {
    const store = memoryJournal();
    const events: string[] = [];
    const log = (event: string) => void events.push(event);
    const engine = await engines.start(store.journal, virtualClock(NOON_MS), { log });
    for (let i = 0; i < 3; i++) store.append({ receivedMs: NOON_MS, deviceId: "gone-d1" });
    store.append({ receivedMs: NOON_MS, ...power(50) });
    await engine.caughtUp();
    expect(engine.gateway().journal).toMatchObject({ unknownDeviceRows: 3, engineBehindRows: 0, setAside: 0 });
    expect(engine.point("alm-01")?.fuel?.levelPct).toBe(50);
    expect(events).toHaveLength(1);
  });

  test("an alert of a point that left the registry returns, and is closed when a person has seen it", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const engine = await engines.start(store.journal, clock);
    await minutes(store, clock, 33, power(7));
    engine.setRegistry(registryOf([{ ...POINT, pointId: "alm-02" }]));
    await clock.advance(1_500);
    const [alert] = engine.overview().alerts;
    expect(alert).toMatchObject({ ruleId: "endurance-low", state: "returned-unacknowledged" });
    await engine.act(alert?.alertId ?? "", ack(), { by: "coordinator-1", origin: "test" });
    expect(engine.overview().alerts).toEqual([]);
  });

  test("a device that is understood again for an hour is newer no more", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const engine = await engines.start(store.journal, clock);
    store.append({ receivedMs: NOON_MS });
    (store.rows[0]?.frame as Uint8Array)[0] = 0x13;
    await minutes(store, clock, 59, power(80));
    const states = () => engine.overview().alerts.map((alert) => [alert.ruleId, alert.state]);
    expect(states()).toEqual([["device-newer", "unacknowledged"]]);
    await minutes(store, clock, 3, power(80));
    expect(states()).toEqual([["device-newer", "returned-unacknowledged"]]);
  });
});
