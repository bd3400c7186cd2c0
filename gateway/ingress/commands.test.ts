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

test("settings go out as one frame; each state is told of, over a restart as well", async () => {
  const clock = virtualClock(NOW_MS);
  const deps = { journal: memoryJournal(), clock, isClockTrusted: () => true };
  const first = await openCommands(deps);
  const settings = { reportIntervalS: 300, capacity: 120 };
  const ask = { deviceId: DEVICE, settings, by: "admin-1", downlinkId: "form-1234", expiresMs: NOW_MS + 60_000 };
  await first.ask([ask, ASK]);
  // A form that is sent twice.
  expect(await first.ask([ask])).toEqual([]);
  expect(first.list(DEVICE).waiting).toHaveLength(2);
  const sent = first.due(DEVICE) as Uint8Array;
  const counter = NOW_MS / 1000;
  expect(decodeDownlink(sent)).toEqual({ kind: "config", value: { counter, settings } });

  const second = await openCommands(deps);
  expect(second.list(DEVICE).waiting.map(({ sentMs }) => sentMs)).toEqual([NOW_MS, undefined]);
  await clock.advance(61_000);
  expect(second.list(DEVICE).done).toMatchObject([{ counter, state: "expired", endedMs: NOW_MS + 60_000 }]);
  second.saw(DEVICE, answer("downlink-applied", counter & 0xffff));
  expect(second.list(DEVICE).done).toMatchObject([{ counter, state: "applied", by: "admin-1" }]);

  const third = await openCommands(deps);
  expect(third.list(DEVICE)).toEqual(second.list(DEVICE));
  expect(decodeDownlink(third.due(DEVICE) as Uint8Array)).toMatchObject({ kind: "command" });
});

test("what is taken back is not sent, over a restart as well; what the journal does not take stays", async () => {
  const clock = virtualClock(NOW_MS);
  const memory = memoryJournal();
  let isFull = false;
  const save: CommandJournal["save"] = (change) => (isFull ? Promise.reject(new Error("full")) : memory.save(change));
  const deps = { journal: { ...memory, save }, clock, isClockTrusted: () => true };
  const first = await openCommands(deps);
  await first.ask([{ ...ASK, downlinkId: "form-1234" }]);
  isFull = true;
  await expect(first.withdraw(DEVICE, "form-1234")).rejects.toThrow("full");
  expect(first.waiting()).toBe(1);
  isFull = false;
  expect([await first.withdraw(DEVICE, "form-1234"), await first.withdraw(DEVICE, "form-1234")]).toEqual([true, false]);
  expect(first.due(DEVICE)).toBeUndefined();
  expect((await openCommands(deps)).list(DEVICE).done).toMatchObject([{ state: "expired" }]);
});

test("what the journal refuses does not wait, and can be asked again; acts go with it", async () => {
  const clock = virtualClock(NOW_MS);
  const acts: unknown[] = [];
  let refusals = 1;
  const memory = memoryJournal();
  const journal: CommandJournal = {
    ...memory,
    save: async (change) => {
      if (refusals-- > 0) throw new Error("full");
      acts.push(...(change.acts ?? []));
      await memory.save(change);
    },
  };
  const commands = await openCommands({ journal, clock, isClockTrusted: () => false });
  const act = { atMs: NOW_MS, actor: "a", action: "x", object: DEVICE, result: "done", origin: "o", detail: "d" };
  const ask = { ...ASK, downlinkId: "form-1234" };
  await expect(commands.ask([ask], [act])).rejects.toThrow("full");
  expect([commands.waiting(), acts]).toEqual([0, []]);
  await commands.ask([ask], [act]);
  await commands.ask([ask], [act]);
  expect(commands.list(DEVICE).waiting).toMatchObject([{ counter: 2 }]);
  expect(acts).toEqual([act]);
});
