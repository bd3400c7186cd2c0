// Requests for help through the engine: pressed, asked, taken, over restarts and a disk that refuses; and what a device alarms of itself.
import { afterEach, describe, expect, test } from "vitest";
import { encodeEvent } from "../../protocol/index.ts";
import { createEngines, type MemoryJournal, memoryJournal, minutes, power } from "../../tests/engine-fixtures.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { CLOSED_KEEP_MS } from "../domain/requests.ts";
import { GatewayError } from "../errors.ts";
import type { Engine } from "./engine.ts";

const engines = createEngines();
afterEach(engines.stopAll);

const DOER = { by: "coordinator-1", origin: "test" };
const HOUR = 3_600_000;

async function calm() {
  const store = memoryJournal();
  const clock = virtualClock(NOON_MS);
  const engine = await engines.start(store.journal, clock);
  await minutes(store, clock, 2, power(90, "present"));
  let sequence = 200_000;
  /** An event of now; `at` is its own time, `again` the sequence of one that was sent before. */
  const event = async (name: string, argument: number, { at = clock.nowMs(), again = 0, on = engine } = {}) => {
    const number = again === 0 ? ++sequence : again;
    send(store, name, argument, { sequence: number, timeMs: at, receivedMs: clock.nowMs() });
    await on.caughtUp();
    return number;
  };
  return { store, clock, engine, event };
}

function send(
  store: MemoryJournal,
  event: string,
  argument: number,
  { sequence, ...times }: { sequence: number; timeMs: number; receivedMs: number },
): void {
  const flags = { clockSynced: true };
  const time = Math.floor(times.timeMs / 1000);
  const frame = encodeEvent({ sequence: sequence & 0xffff, time, flags, event, argument });
  const row = { id: store.rows.length + 1, deviceId: "alm-01-d1", sequence, ...times, frame };
  store.rows.push({ ...row, timeQuality: "synced", link: "mqtt" });
}

const lines = (engine: Engine) =>
  engine
    .alerts()
    .map(({ ruleId, priority, state, values }) => `${ruleId} ${priority} ${state} ${values["kind"] ?? ""}`.trim());
const states = (engine: Engine) =>
  engine.requests.list().map(({ kind, state, pressed }) => `${kind} ${state} ${pressed}`);
const codeOf = (failing: Promise<unknown>) =>
  failing.then(
    () => "none",
    (error: unknown) => (error instanceof GatewayError ? error.code : String(error)),
  );

describe("a help button", () => {
  test("makes a request and an alert at once; pressed or sent again it makes no second one", async () => {
    const { engine, event } = await calm();
    const first = await event("help-requested", 1);
    expect(states(engine)).toEqual(["medical asked 1"]);
    expect(lines(engine)).toEqual(["help-requested 1 unacknowledged medical"]);
    await event("help-requested", 1, { again: first });
    await event("help-requested", 1);
    await event("help-requested", 3);
    expect(states(engine)).toEqual(["medical asked 2", "water asked 1"]);
    expect(lines(engine)).toEqual(["help-requested 1 unacknowledged medical", "help-requested 2 unacknowledged water"]);
    expect(engine.point("alm-01")?.priority).toBe(1);
    expect(engine.overview().requests).toHaveLength(2);
  });

  test("that comes late is in the list and sounds nothing", async () => {
    const { engine, event, clock } = await calm();
    await event("help-requested", 1, { at: clock.nowMs() - HOUR });
    expect(engine.requests.list()).toMatchObject([{ kind: "medical", late: true, pressed: 1 }]);
    expect(lines(engine)).toEqual([]);
    await event("help-requested", 1);
    expect(engine.requests.list()).toMatchObject([{ pressed: 2 }]);
    expect(lines(engine)).toEqual(["help-requested 1 unacknowledged medical"]);
  });

  test("is taken: the alert is over, its lamp is due once, and all of it is in the log", async () => {
    const { store, engine, event, clock } = await calm();
    await event("help-requested", 2);
    const requestId = engine.requests.list()[0]?.requestId ?? "";
    expect(engine.requests.lampsDue()).toEqual([]);
    const taken = await engine.requests.step(requestId, { state: "promised", note: "truck 2" }, DOER);
    expect(taken).toMatchObject({
      state: "promised",
      steps: [{ by: "alm-01-d1", via: "button" }, { by: "coordinator-1" }],
    });
    expect(lines(engine)).toEqual([]);
    expect(engine.point("alm-01")?.priority).toBe(0);
    const due = [{ pointId: "alm-01", requestIds: [requestId], deviceIds: ["alm-01-d1"] }];
    expect(engine.requests.lampsDue()).toEqual(due);
    await engine.stop();
    const second = await engines.start(store.journal, clock);
    expect(second.requests.lampsDue()).toEqual(due);
    await second.requests.lampsAsked([requestId]);
    await second.requests.step(requestId, { state: "under-way" }, DOER);
    await second.stop();
    const third = await engines.start(store.journal, clock);
    expect(third.requests.lampsDue()).toEqual([]);
    expect(states(third)).toEqual(["fuel under-way 1"]);
    const actions = store.acts.map(({ action, actor }) => `${action} ${actor}`);
    expect(actions).toEqual(
      expect.arrayContaining([
        "request-asked alm-01-d1",
        "alert-raised gateway",
        "request-promised coordinator-1",
        "alert-acknowledged coordinator-1",
        "request-under-way coordinator-1",
      ]),
    );
    expect(JSON.stringify(store.acts)).not.toContain("truck 2");
  });

  test("is over also where its alert had been put away", async () => {
    const { engine, event, clock } = await calm();
    await event("help-requested", 2);
    const alertId = engine.alerts()[0]?.alertId ?? "";
    const until = new Date(clock.nowMs() + HOUR).toISOString();
    await engine.act(alertId, { kind: "shelve", until, reason: "known" }, DOER);
    await engine.requests.step(
      engine.requests.list()[0]?.requestId ?? "",
      { state: "declined", note: "none left" },
      DOER,
    );
    expect(lines(engine)).toEqual([]);
  });
});

describe("people", () => {
  test("ask once by the same id, are told what they cannot ask, and end it", async () => {
    const { engine } = await calm();
    const ask = { requestId: "form-0001", kind: "fuel", quantity: 200, via: "voice" } as const;
    const first = await engine.requests.ask("alm-01", ask, DOER);
    expect(await engine.requests.ask("alm-01", ask, DOER)).toEqual(first);
    expect(states(engine)).toEqual(["fuel asked 0"]);
    expect(lines(engine)).toEqual(["help-requested 2 unacknowledged fuel"]);
    expect(await codeOf(engine.requests.ask("alm-99", ask, DOER))).toBe("POINT_UNKNOWN");
    expect(await codeOf(engine.requests.ask("alm-01", { ...ask, kind: "water" }, DOER))).toBe("ASK_INVALID");
    expect(await codeOf(engine.requests.ask("alm-01", { kind: "police", quantity: 2, via: "voice" }, DOER))).toBe(
      "ASK_INVALID",
    );
    expect(await codeOf(engine.requests.step("form-9999", { state: "promised" }, DOER))).toBe("REQUEST_UNKNOWN");
    expect(await codeOf(engine.requests.step("form-0001", { state: "declined" }, DOER))).toBe("REQUEST_STEP_REFUSED");
    await engine.requests.step("form-0001", { state: "delivered" }, DOER);
    expect(await codeOf(engine.requests.step("form-0001", { state: "promised" }, DOER))).toBe("REQUEST_STEP_REFUSED");
    expect(engine.requests.lampsDue()).toEqual([]);
  });

  test("ask no more than a point can have open, and get another id each time without one of theirs", async () => {
    const { engine } = await calm();
    for (let i = 0; i < 32; i++) await engine.requests.ask("alm-01", { kind: "staff", via: "screen" }, DOER);
    expect(new Set(engine.requests.list().map(({ requestId }) => requestId)).size).toBe(32);
    expect(await codeOf(engine.requests.ask("alm-01", { kind: "staff", via: "screen" }, DOER))).toBe("REQUESTS_FULL");
  });

  test("are not shown what is not on disk", async () => {
    const { store, engine } = await calm();
    store.failures = 1;
    expect(await codeOf(engine.requests.ask("alm-01", { kind: "fuel", via: "voice" }, DOER))).toContain("refuses");
    expect([states(engine), lines(engine)]).toEqual([[], []]);
    const { requestId } = await engine.requests.ask("alm-01", { kind: "fuel", via: "voice" }, DOER);
    store.failures = 1;
    expect(await codeOf(engine.requests.step(requestId, { state: "promised" }, DOER))).toContain("refuses");
    expect([states(engine), lines(engine)]).toEqual([["fuel asked 0"], ["help-requested 2 unacknowledged fuel"]]);
  });

  test("find closed requests for a week, also after a restart", async () => {
    const { store, engine, clock } = await calm();
    await engine.requests.ask("alm-01", { requestId: "form-0001", kind: "fuel", via: "voice" }, DOER);
    await engine.requests.step("form-0001", { state: "delivered" }, DOER);
    expect(engine.overview().requests).toEqual([]);
    await engine.stop();
    clock.jump(CLOSED_KEEP_MS - HOUR);
    const second = await engines.start(store.journal, clock);
    await clock.advance(2_000);
    expect(states(second)).toEqual(["fuel delivered 0"]);
    clock.jump(2 * HOUR);
    await clock.advance(2_000);
    expect(states(second)).toEqual([]);
    await second.stop();
    const third = await engines.start(store.journal, clock);
    expect(states(third)).toEqual([]);
  });
});

describe("a device's own alarms", () => {
  test("tamper, by event or flag, stays until a person has looked", async () => {
    const { store, engine, event, clock } = await calm();
    await event("tamper", 0);
    expect(lines(engine)).toEqual(["tamper 2 unacknowledged"]);
    expect(engine.alerts()[0]?.subject).toMatchObject({ kind: "device", id: "alm-01-d1", pointId: "alm-01" });
    await minutes(store, clock, 1, power(90, "present"));
    expect(lines(engine)).toEqual(["tamper 2 latched-unacknowledged"]);
    await minutes(store, clock, 1, { ...power(90, "present"), flags: { clockSynced: true, tamper: true } });
    expect(lines(engine)).toEqual(["tamper 2 unacknowledged"]);
  });

  test("its own supply is an alert while it is low", async () => {
    const { store, engine, event, clock } = await calm();
    await event("battery-low", 1);
    expect(lines(engine)).toEqual([]);
    await event("battery-low", 3);
    expect(lines(engine)).toEqual(["own-power-low 3 unacknowledged"]);
    await minutes(store, clock, 1, { ...power(90, "present"), flags: { clockSynced: true, ownPowerLow: true } });
    expect(lines(engine)).toEqual(["own-power-low 3 unacknowledged"]);
    await minutes(store, clock, 1, power(90, "present"));
    expect(lines(engine)).toEqual(["own-power-low 3 returned-unacknowledged"]);
  });

  test("a generator that failed is an alert before a sample says so, by the rules that hold at the point", async () => {
    const { store, engine, event, clock } = await calm();
    await minutes(store, clock, 2, power(90));
    await event("generator-failed", 0);
    expect(lines(engine)).toEqual(["generator-failed 1 unacknowledged"]);
    await minutes(store, clock, 3, power(90));
    expect(lines(engine)).toEqual(["generator-failed 1 latched-unacknowledged"]);
  });

  test("that come late are recorded only", async () => {
    const { engine, event, clock } = await calm();
    for (const [name, argument] of [
      ["tamper", 0],
      ["battery-low", 3],
      ["generator-failed", 0],
    ] as const)
      await event(name, argument, { at: clock.nowMs() - HOUR });
    expect(lines(engine)).toEqual([]);
    expect(engine.device("alm-01-d1")?.lastEvent).toMatchObject({ event: "generator-failed" });
  });
});
