// What people do to alerts, through the engine: put away, taken out, reset; over restarts and clocks that jump.
import { afterEach, describe, expect, test } from "vitest";
import { ack, createEngines, memoryJournal, minutes, power } from "../../tests/engine-fixtures.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { toInstant } from "../domain/instant.ts";
import { GatewayError } from "../errors.ts";
import type { Engine } from "./engine.ts";

const engines = createEngines();
afterEach(engines.stopAll);

const DOER = { by: "coordinator-1", origin: "test" };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** An alert that the point has little energy: priority 2. */
async function low() {
  const store = memoryJournal();
  const clock = virtualClock(NOON_MS);
  const engine = await engines.start(store.journal, clock);
  await minutes(store, clock, 33, power(7));
  const alertId = engine.alerts()[0]?.alertId ?? "";
  const shelve = (hours: number) =>
    engine.act(
      alertId,
      { kind: "shelve", until: toInstant(clock.nowMs() + hours * HOUR), reason: "truck on its way" },
      DOER,
    );
  return { store, clock, engine, alertId, shelve };
}

const states = (engine: Engine) =>
  engine.alerts().map(({ ruleId, priority, state }) => `${ruleId} ${priority} ${state}`);

describe("a shelf", () => {
  test("hides an alert, says who, why and until when, and gives it back unacknowledged by itself", async () => {
    const { store, clock, engine, alertId, shelve } = await low();
    await engine.act(alertId, ack("seen"), DOER);
    const put = await shelve(1);
    expect(put).toMatchObject({
      state: "shelved",
      shelved: { by: "coordinator-1", reason: "truck on its way", until: toInstant(clock.nowMs() + HOUR) },
    });
    expect(engine.gateway().alerts).toEqual({ unacknowledged: 0, acknowledged: 0, hidden: 1 });
    await minutes(store, clock, 58, power(7));
    expect(states(engine)).toEqual(["endurance-low 2 shelved"]);
    await minutes(store, clock, 3, power(7));
    expect(states(engine)).toEqual(["endurance-low 2 unacknowledged"]);
    expect(engine.alerts()[0]).not.toHaveProperty("shelved");
    expect(store.acts.map((act) => act.action)).toEqual(
      expect.arrayContaining(["alert-raised", "alert-acknowledged", "alert-shelved", "alert-shelf-over"]),
    );
  });

  test("is left when the matter becomes more pressing than the person knew", async () => {
    const { store, clock, engine, shelve } = await low();
    await shelve(3);
    await minutes(store, clock, 15, power(2));
    expect(states(engine)).toEqual(["endurance-critical 1 unacknowledged"]);
  });

  test("of a matter that ended meanwhile is empty", async () => {
    const { store, clock, engine, alertId, shelve } = await low();
    await shelve(1);
    await minutes(store, clock, 5, power(90, "present"));
    expect(states(engine)).toEqual(["endurance-low 2 shelved"]);
    await engine.act(alertId, { kind: "unshelve" }, DOER);
    expect(states(engine)).toEqual([]);
  });

  test("survives a restart, and its end is not missed while the gateway was down", async () => {
    const { store, clock, engine, shelve } = await low();
    await shelve(1);
    await engine.stop();
    const second = await engines.start(store.journal, clock);
    expect(states(second)).toEqual(["endurance-low 2 shelved"]);
    await second.stop();
    await clock.advance(2 * HOUR);
    const third = await engines.start(store.journal, clock);
    await clock.advance(2_000);
    expect(states(third)).toContain("endurance-low 2 unacknowledged");
  });

  test("that could not be kept, as was said, is not there after a restart either: not when it was on disk all the same", async () => {
    const { store, clock, engine, shelve } = await low();
    const { save } = store.journal;
    Object.assign(store.journal, {
      save: async (change: Parameters<typeof save>[0]) => {
        await save(change);
        throw new GatewayError("JOURNAL_UNUSABLE", { reason: "the answer is lost" });
      },
    });
    await expect(shelve(3)).rejects.toMatchObject({ code: "JOURNAL_UNUSABLE" });
    expect(states(engine)).toEqual(["endurance-low 2 unacknowledged"]);
    Object.assign(store.journal, { save });
    await clock.advance(2_000);
    const second = await engines.start(store.journal, clock);
    expect(states(second)).toEqual(["endurance-low 2 unacknowledged"]);
  });

  test("ends also when the clock falls back behind its beginning", async () => {
    const { clock, engine, shelve } = await low();
    await shelve(12);
    clock.jump(-30 * 24 * HOUR);
    await clock.advance(2_000);
    expect(states(engine)[0]).toBe("endurance-low 2 unacknowledged");
  });

  test.each([
    ["in the past", -1],
    ["longer than a shift", 13],
  ])("%s is refused", async (_, hours) => {
    const { shelve } = await low();
    await expect(shelve(hours)).rejects.toMatchObject({ code: "SHELF_TIME_INVALID" });
  });
});

describe("out of service", () => {
  test("it stays out through everything, until a person puts it back", async () => {
    const { store, clock, engine, alertId } = await low();
    await engine.act(alertId, { kind: "take-out", reason: "gauge is being replaced" }, DOER);
    await minutes(store, clock, 20, power(1));
    expect(states(engine)).toEqual(["endurance-critical 1 out-of-service"]);
    expect(engine.point("alm-01")?.priority).toBe(0);
    await engine.act(alertId, { kind: "put-back" }, DOER);
    expect(states(engine)).toEqual(["endurance-critical 1 unacknowledged"]);
  });
});

test.each([
  ["reset", "still-holding"],
  ["unshelve", "nothing-to-do"],
  ["put-back", "nothing-to-do"],
] as const)("%s of an alert that holds is refused: %s", async (kind, reason) => {
  const { engine, alertId, store } = await low();
  const acts = store.acts.length;
  await expect(engine.act(alertId, { kind }, DOER)).rejects.toMatchObject({
    code: "ALERT_ACT_REFUSED",
    detail: { reason, state: "unacknowledged" },
  });
  expect(store.acts).toHaveLength(acts);
});
