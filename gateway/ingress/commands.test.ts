import { expect, test } from "vitest";
import { decodeDownlink, encodeEvent } from "../../protocol/index.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { AGAIN_MS } from "../domain/downlink-queue.ts";
import { type CommandJournal, openCommands } from "./commands.ts";

const NOW_MS = Date.UTC(2026, 10, 24, 12);
const DEVICE = "alm-01-d1";
const ASK = { deviceId: DEVICE, command: "resend-from", argument: 42, expiresMs: NOW_MS + 3_600_000 };

function memoryJournal() {
  const kept = new Map<string, string>();
  const journal: CommandJournal = {
    documents: async () => [...kept].map(([key, json]) => ({ key, json })),
    save: async ({ put = [] }) => {
      for (const { key, json } of put) kept.set(key, json);
    },
  };
  return journal;
}

function answer(event: string, argument: number) {
  return encodeEvent({ sequence: 9, time: NOW_MS / 1000, flags: { clockSynced: true }, event, argument });
}

test("a command goes out behind uplinks until its event comes, over restarts as well", async () => {
  const clock = virtualClock(NOW_MS);
  const deps = { journal: memoryJournal(), clock, isClockTrusted: () => true };
  const first = await openCommands(deps);
  expect(first.due(DEVICE)).toBeUndefined();
  expect(await first.ask([ASK])).toEqual([]);
  const counter = NOW_MS / 1000;
  const sent = first.due(DEVICE) as Uint8Array;
  expect(decodeDownlink(sent)).toMatchObject({
    kind: "command",
    value: { counter, command: "resend-from", argument: 42 },
  });
  // Not the same again at every packet of a fast link.
  expect(first.due(DEVICE)).toBeUndefined();
  await clock.advance(AGAIN_MS);
  expect(first.due(DEVICE)).toEqual(sent);

  const second = await openCommands(deps);
  expect(second.due(DEVICE)).toEqual(sent);
  second.saw(DEVICE, answer("mains-lost", counter & 0xffff));
  second.saw(DEVICE, answer("downlink-applied", (counter + 1) & 0xffff));
  expect(second.waiting()).toBe(1);
  second.saw(DEVICE, answer("downlink-applied", counter & 0xffff));
  await clock.advance(AGAIN_MS);
  expect(second.due(DEVICE)).toBeUndefined();
  expect((await openCommands(deps)).waiting()).toBe(0);
});

test("a refusal ends it as well, and so does its time", async () => {
  const clock = virtualClock(NOW_MS);
  const told: string[] = [];
  const commands = await openCommands({
    journal: memoryJournal(),
    clock,
    isClockTrusted: () => false,
    log: (event) => void told.push(event),
  });
  await commands.ask([ASK, { ...ASK, argument: 43 }]);
  commands.saw(DEVICE, answer("downlink-refused", 1));
  expect(told).toEqual(["a device refuses a command"]);
  await clock.advance(AGAIN_MS);
  expect(decodeDownlink(commands.due(DEVICE) as Uint8Array)).toMatchObject({ value: { counter: 2, argument: 43 } });
  await clock.advance(3_600_000);
  expect(commands.due(DEVICE)).toBeUndefined();
  expect(commands.waiting()).toBe(0);
});

test("a command for all that a device has goes out once the device is heard", async () => {
  const clock = virtualClock(NOW_MS);
  const commands = await openCommands({ journal: memoryJournal(), clock, isClockTrusted: () => true });
  await commands.ask([{ deviceId: DEVICE, command: "resend-from", expiresMs: NOW_MS + 1_000 }]);
  expect(commands.due(DEVICE)).toBeUndefined();
  commands.saw(DEVICE, answer("mains-lost", 0));
  const sent = decodeDownlink(commands.due(DEVICE) as Uint8Array);
  expect(sent).toMatchObject({ value: { command: "resend-from", argument: (9 - 20_000) & 0xffff } });
});
