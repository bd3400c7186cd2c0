import { afterEach, describe, expect, test } from "vitest";
import { ack, createEngines, memoryJournal, minutes, power } from "../../tests/engine-fixtures.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import type { JournalRecord } from "../domain/record.ts";

const engines = createEngines();
afterEach(engines.stopAll);
const startEngine = engines.start;

describe("the engine", () => {
  test("a report becomes the point's state: litres, endurance, readings with their age", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const engine = await startEngine(store.journal, clock);
    expect(engine.point("alm-01")).toMatchObject({ contact: "never", endurance: { kind: "none", reason: "no-data" } });
    store.append({ receivedMs: NOON_MS, ...power(50) });
    await engine.caughtUp();
    expect(engine.point("alm-01")).toMatchObject({
      contact: "present",
      mains: "lost",
      source: "generator",
      fuel: { litres: 100, usableL: 100 },
      endurance: { kind: "estimate", method: "rated", limitedBy: "fuel", hypothetical: false },
    });
    // 8 kW at half load by the default model: 0.04 × 8 + 0.27 × 4 = 1.4 l/h.
    const endurance = engine.point("alm-01")?.endurance;
    expect(endurance?.kind === "estimate" && endurance.p50H).toBeCloseTo(100 / 1.4, 1);
    const level = engine.point("alm-01")?.readings.find((reading) => reading.name === "power.fuelLevelPct");
    expect(level).toMatchObject({ value: 50, quality: "good", at: "2026-11-24T12:00:00.000Z" });
  });

  test("low endurance is raised after its delay, acknowledged by a person, escalated, and closed when it returns", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const engine = await startEngine(store.journal, clock);
    await minutes(store, clock, 29, power(7));
    const rules = () => engine.overview().alerts.map((alert) => [alert.ruleId, alert.priority, alert.state]);
    expect(rules()).toEqual([]);
    await minutes(store, clock, 4, power(7));
    expect(rules()).toEqual([["endurance-low", 2, "unacknowledged"]]);
    const [alert] = engine.overview().alerts;
    const acked = await engine.act(alert?.alertId ?? "", ack("tank truck"), { by: "coordinator-1", origin: "test" });
    expect(acked).toMatchObject({ state: "acknowledged", acknowledged: { by: "coordinator-1", note: "tank truck" } });
    await expect(engine.act(acked.alertId, ack(), { by: "x", origin: "test" })).rejects.toMatchObject({
      code: "ALERT_NOT_ACKNOWLEDGEABLE",
    });
    await minutes(store, clock, 13, power(2));
    expect(rules()).toEqual([["endurance-critical", 1, "unacknowledged"]]);
    expect(engine.overview().alerts[0]?.acknowledged).toBeUndefined();
    expect(engine.point("alm-01")?.priority).toBe(1);
    await minutes(store, clock, 3, power(90, "present"));
    expect(rules()).toEqual([["endurance-critical", 1, "returned-unacknowledged"]]);
    const closed = await engine.act(acked.alertId, ack(), { by: "coordinator-1", origin: "test" });
    expect(closed.state).toBe("normal");
    expect(engine.overview().alerts).toEqual([]);
    expect(store.acts.map((act) => act.action)).toEqual([
      "phase-changed",
      "alert-raised",
      "alert-acknowledged",
      "alert-escalated",
      "alert-returned",
      "alert-handled",
    ]);
  });

  test("a late report corrects what is known and neither raises nor clears", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const engine = await startEngine(store.journal, clock);
    await minutes(store, clock, 2, power(80));
    const early = NOON_MS / 1000 - 7200;
    for (let i = 0; i < 60; i++) store.append({ receivedMs: clock.nowMs(), time: early + i * 60, ...power(1) });
    await engine.caughtUp();
    await clock.advance(1_000);
    expect(engine.overview().alerts).toEqual([]);
    expect(engine.point("alm-01")).toMatchObject({ fuel: { levelPct: 80 }, mainsLostAt: "2026-11-24T10:00:00.000Z" });
  });

  test("hours that arrive late fill the delay: the first live sample raises, and not before", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const engine = await startEngine(store.journal, clock);
    for (let i = 60; i > 3; i--) {
      store.append({ receivedMs: NOON_MS, time: NOON_MS / 1000 - i * 60, ...power(7) });
    }
    await clock.advance(20_000);
    expect(engine.point("alm-01")?.fuel?.levelPct).toBe(7);
    expect(engine.overview().alerts).toEqual([]);
    store.append({ receivedMs: clock.nowMs(), ...power(7) });
    await engine.caughtUp();
    expect(engine.overview().alerts).toMatchObject([{ ruleId: "endurance-low", priority: 2 }]);
  });

  test("silence is raised after three intervals and the grace, and ends with the next record", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const engine = await startEngine(store.journal, clock);
    await minutes(store, clock, 2, power(80));
    await clock.advance(4 * 60_000 - 2_000);
    expect(engine.overview().alerts).toEqual([]);
    await clock.advance(14_000);
    expect(engine.overview().alerts).toMatchObject([{ ruleId: "silence", state: "unacknowledged" }]);
    expect(engine.point("alm-01")).toMatchObject({ contact: "silent", endurance: { carriedForward: true } });
    store.append({ receivedMs: clock.nowMs(), ...power(79) });
    await clock.advance(2_000);
    expect(engine.overview().alerts).toMatchObject([{ ruleId: "silence", state: "returned-unacknowledged" }]);
  });

  test("neither a restart hours later nor a clock that jumps makes a living point silent", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const first = await startEngine(store.journal, clock);
    await minutes(store, clock, 3, power(80));
    clock.jump(5 * 3_600_000);
    await clock.advance(30_000);
    expect(first.overview().alerts).toEqual([]);
    await first.stop();
    const later = virtualClock(clock.nowMs() + 2 * 3_600_000);
    const second = await startEngine(store.journal, later);
    await later.advance(200_000);
    store.append({ receivedMs: later.nowMs(), ...power(78) });
    await later.advance(200_000);
    expect(second.overview().alerts).toEqual([]);
  });

  test("a restart brings back state, alerts and acknowledgements as they were", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const first = await startEngine(store.journal, clock);
    await minutes(store, clock, 35, power(7));
    const id = first.overview().alerts[0]?.alertId ?? "";
    await first.act(id, ack("seen"), { by: "coordinator-1", origin: "test" });
    const before = first.overview();
    await first.stop();
    const second = await startEngine(store.journal, clock);
    const after = second.overview();
    expect(after.alerts).toEqual(before.alerts);
    const timeless = (points: typeof before.points) => points.map(({ updatedAt: _, ...rest }) => rest);
    expect(timeless(after.points)).toEqual(timeless(before.points));
  });

  test("a bad sensor is told of after its delay and says which and why", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const engine = await startEngine(store.journal, clock);
    await minutes(store, clock, 7, power("open-circuit"));
    expect(engine.overview().alerts).toMatchObject([
      { ruleId: "sensor-bad", priority: 2, values: { fields: "power.fuelLevelPct=open-circuit" } },
    ]);
    expect(engine.overview().alerts[0]?.text.nl.consequence).toBe("brandstofpeil: draadbreuk");
    expect(engine.point("alm-01")?.endurance).toMatchObject({ kind: "none", reason: "bad-sensor" });
  });

  test("a row that throws is set aside at its second try; the rows after it are taken", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    let tries = 0;
    const beforeStep = (record: JournalRecord) => {
      if (record.id !== 2) return;
      tries++;
      throw new Error("poison");
    };
    const engine = await startEngine(store.journal, clock, { beforeStep });
    for (const level of [50, 49, 48]) store.append({ receivedMs: NOON_MS, ...power(level) });
    await engine.caughtUp();
    expect(tries).toBe(2);
    expect([...store.asides.keys()]).toEqual([2]);
    expect(engine.point("alm-01")?.fuel?.levelPct).toBe(48);
    expect(engine.overview().alerts).toMatchObject([{ ruleId: "row-set-aside", state: "returned-unacknowledged" }]);
    expect(engine.gateway().journal.setAside).toBe(1);
  });

  test("a damaged row is set aside too", async () => {
    const store = memoryJournal();
    const engine = await startEngine(store.journal, virtualClock(NOON_MS));
    store.append({ receivedMs: NOON_MS, ...power(50), damaged: true });
    await engine.caughtUp();
    expect([...store.asides.keys()]).toEqual([1]);
  });

  test("refused frames raise one alert a sender, which ends when it is quiet", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const engine = await startEngine(store.journal, clock);
    for (let i = 0; i < 50; i++) engine.note({ kind: "refusal", reason: "bad-tag", sender: "alm-01-d1" });
    engine.note({ kind: "refusal", reason: "unknown-device", sender: "nobody" });
    await clock.advance(1_500);
    const subjects = engine.overview().alerts.map((alert) => [alert.ruleId, alert.subject.id, alert.values["count"]]);
    expect(subjects).toEqual([
      ["frames-refused", "alm-01-d1", 50],
      ["frames-refused", "gateway", 1],
    ]);
    await clock.advance(605_000);
    expect(engine.overview().alerts.map((alert) => alert.state)).toEqual([
      "returned-unacknowledged",
      "returned-unacknowledged",
    ]);
  });

  test("a frame of a newer version counts as undecoded and says so", async () => {
    const store = memoryJournal();
    const engine = await startEngine(store.journal, virtualClock(NOON_MS));
    store.append({ receivedMs: NOON_MS });
    (store.rows[0]?.frame as Uint8Array)[0] = 0x13;
    await engine.caughtUp();
    expect(engine.device("alm-01-d1")).toMatchObject({ undecoded: 1, contact: "present" });
    expect(engine.overview().alerts).toMatchObject([{ ruleId: "device-newer" }]);
  });
});
