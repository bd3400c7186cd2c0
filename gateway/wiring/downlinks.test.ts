import { expect, test } from "vitest";
import type { Device } from "../../protocol/index.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { WAITING_MAX } from "../domain/downlink-queue.ts";
import { type CommandAct, openCommands } from "../ingress/commands.ts";
import { createDownlinks } from "./downlinks.ts";

const DOER = { by: "ada", origin: "test" };
const ROW = { deviceId: "alm-01-d1", pointId: "alm-01", board: "esp32", link: "mqtt" } as const;
const DEVICES: Device[] = [ROW, { ...ROW, deviceId: "alm-01-t1", board: "other", link: "lorawan", model: "VS121" }];

async function open() {
  const acts: CommandAct[] = [];
  const journal = {
    documents: async () => [],
    save: async (change: { readonly acts?: readonly CommandAct[] }) => void acts.push(...(change.acts ?? [])),
  };
  const clock = virtualClock(NOON_MS);
  const commands = await openCommands({ journal, clock, isClockTrusted: () => true });
  return { acts, downlinks: createDownlinks({ commands, clock, registry: () => ({ devices: DEVICES }) }) };
}

test("what is asked waits with its line in the log of acts", async () => {
  const { acts, downlinks } = await open();
  const kept = await downlinks.ask("alm-01-d1", { command: "locate", argument: 30 }, DOER);
  expect(kept).toMatchObject({ command: "locate", argument: 30, state: "queued", by: "ada", counter: NOON_MS / 1000 });
  expect(kept.expiresAt).toBe("2026-11-24T12:15:00.000Z");
  expect(downlinks.list("alm-01-d1")).toEqual([kept]);
  const act = { atMs: NOON_MS, actor: "ada", action: "downlink-asked", object: "alm-01-d1", result: "done" };
  expect(acts).toEqual([{ ...act, origin: "test", detail: "locate 30, until 2026-11-24T12:15:00.000Z" }]);
});

test("what waits is taken back, once, and makes room", async () => {
  const { acts, downlinks } = await open();
  const { downlinkId } = await downlinks.ask("alm-01-d1", { command: "reboot" }, DOER);
  const taken = await downlinks.withdraw("alm-01-d1", downlinkId, DOER);
  expect(taken).toMatchObject({ downlinkId, state: "expired", endedAt: "2026-11-24T12:00:00.000Z" });
  await expect(downlinks.withdraw("alm-01-d1", downlinkId, DOER)).rejects.toMatchObject({ code: "DOWNLINK_UNKNOWN" });
  expect(acts.map(({ action, detail }) => [action, detail.split(",")[0]])).toEqual([
    ["downlink-asked", "reboot"],
    ["downlink-withdrawn", "reboot"],
  ]);
});

test("no more than may wait, nobody unknown, nothing that a device does not know", async () => {
  const { acts, downlinks } = await open();
  for (let i = 0; i < WAITING_MAX; i++) await downlinks.ask("alm-01-d1", { command: "report-now" }, DOER);
  const refused = async (deviceId: string, asked: object) =>
    downlinks.ask(deviceId, asked, DOER).catch((error: { code: string; detail: object }) => [error.code, error.detail]);
  expect(await refused("alm-01-d1", { command: "report-now" })).toEqual(["DOWNLINKS_FULL", { deviceId: "alm-01-d1" }]);
  expect(await refused("alm-01-d9", { command: "report-now" })).toEqual(["DEVICE_UNKNOWN", { deviceId: "alm-01-d9" }]);
  const problems = ["VS121 takes no commands of ours: it is set with its maker's app"];
  expect(await refused("alm-01-t1", { command: "report-now" })).toEqual(["DOWNLINK_INVALID", { problems }]);
  expect(() => downlinks.list("alm-01-d9")).toThrowError(expect.objectContaining({ code: "DEVICE_UNKNOWN" }));
  expect(acts).toHaveLength(WAITING_MAX);
});
