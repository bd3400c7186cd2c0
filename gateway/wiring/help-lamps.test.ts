// From the press to the command on the wire: the real engine, and the real queue of commands, over a restart and a journal that refuses.
import { afterEach, expect, test } from "vitest";
import { decodeDownlink, encodeEvent } from "../../protocol/index.ts";
import { createEngines, memoryJournal, minutes, power } from "../../tests/engine-fixtures.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { openCommands } from "../ingress/commands.ts";
import { startHelpLamps } from "./help-lamps.ts";

const DOER = { by: "coordinator-1", origin: "test" };
const engines = createEngines();
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await engines.stopAll();
});

async function pressed() {
  const store = memoryJournal();
  const clock = virtualClock(NOON_MS);
  const engine = await engines.start(store.journal, clock);
  await minutes(store, clock, 2, power(90, "present"));
  const [receivedMs, sequence] = [clock.nowMs(), 200_000];
  const value = { sequence: sequence & 0xffff, time: receivedMs / 1000, flags: { clockSynced: true }, argument: 1 };
  const row = { id: store.rows.length + 1, deviceId: "alm-01-d1", sequence, receivedMs, timeMs: receivedMs };
  const frame = encodeEvent({ ...value, event: "help-requested" });
  store.rows.push({ ...row, frame, timeQuality: "synced", link: "mqtt" });
  await engine.caughtUp();
  const requestId = engine.requests.list()[0]?.requestId ?? "";
  const open = async (on = engine) => {
    const commands = await openCommands({ journal: store.journal, clock, isClockTrusted: () => true });
    stops.push(startHelpLamps({ engine: on, commands, clock }));
    return commands;
  };
  const step = (state: "promised" | "under-way") => engine.requests.step(requestId, { state }, DOER);
  return { store, clock, engine, open, step };
}

const sent = (frame: Uint8Array | undefined) => {
  if (frame === undefined) return undefined;
  const decoded = decodeDownlink(frame);
  return decoded.kind === "command" ? decoded.value.command : decoded.kind;
};

test("taking a request asks its device once to light the lamp", async () => {
  const { clock, open, step } = await pressed();
  const commands = await open();
  await clock.advance(1_000);
  expect(commands.waiting()).toBe(0);
  await step("promised");
  await clock.advance(1_000);
  expect(commands.waiting()).toBe(1);
  expect(sent(commands.due("alm-01-d1"))).toBe("acknowledge-help");
  await step("under-way");
  await clock.advance(120_000);
  expect(commands.waiting()).toBe(1);
});

test("what was taken while nothing could be kept, or just before a restart, is asked after it", async () => {
  const { store, clock, engine, open, step } = await pressed();
  await step("promised");
  store.failures = 1;
  const commands = await open();
  await clock.advance(1_000);
  expect(engine.requests.lampsDue()).toHaveLength(1);
  await clock.advance(60_000);
  expect([commands.waiting(), engine.requests.lampsDue()]).toEqual([1, []]);
});
