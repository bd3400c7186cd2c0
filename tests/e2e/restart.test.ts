// A gateway that stops and starts: state, alerts and acknowledgements are as they were; a restart two hours later makes
// nobody silent who lives.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import mqtt from "mqtt";
import { afterAll, expect, test } from "vitest";
import { RESTORED_FILE } from "../../gateway/backup/restore.ts";
import { systemClock } from "../../gateway/clock.ts";
import { openOutsideSource } from "../../gateway/journal/copy-source.ts";
import type { Alert, DeviceDownlink, Overview } from "../../protocol/index.ts";
import { encodeReport, sealFrame, uplinkTopic } from "../../protocol/index.ts";
import { report, sha256, temporaryFolder, waitFor } from "../fixtures.ts";
import { startGateway, type TestGateway } from "./gateway.ts";

const HOUR_MS = 3_600_000;
const ROWS = 3_000;
const folder = temporaryFolder();
afterAll(() => folder.remove());

/** The system's clock, as it would show so much later. */
function laterBy(ms: number) {
  return { ...systemClock, nowMs: () => systemClock.nowMs() + ms };
}

async function send(gateway: TestGateway, deviceId: string, frames: readonly Uint8Array[]): Promise<void> {
  const url = `mqtt://127.0.0.1:${gateway.app.mqtt.port}`;
  const client = await mqtt.connectAsync(url, {
    clientId: deviceId,
    username: deviceId,
    password: gateway.password(deviceId),
  });
  const key = gateway.keys.get(deviceId) as Uint8Array;
  await Promise.all(
    frames.map((frame) =>
      client.publishAsync(uplinkTopic(deviceId), Buffer.from(sealFrame(sha256, key, frame)), { qos: 1 }),
    ),
  );
  await client.endAsync();
}

function low(sequence: number, timeMs: number): Uint8Array {
  const power = {
    fuelLevelPct: 6,
    generator: "running",
    mains: "lost",
    loadKw: "absent",
    starterBatteryV: 13.8,
  } as const;
  return encodeReport(report({ sequence, time: Math.floor(timeMs / 1000), power }));
}

/** Nothing to be told of. */
function well(sequence: number, timeMs: number): Uint8Array {
  const power = {
    fuelLevelPct: 63.5,
    generator: "stopped",
    mains: "present",
    loadKw: 0,
    starterBatteryV: 13.8,
  } as const;
  return encodeReport(report({ sequence, time: Math.floor(timeMs / 1000), power }));
}

test("state, alerts and acknowledgements come back, and nobody who lives falls silent", async () => {
  const now = systemClock.nowMs();
  const first = await startGateway({ dir: folder.path });
  await send(
    first,
    "alm-01-d1",
    Array.from({ length: ROWS }, (_, i) => low(i, now - (ROWS - i) * 1000)),
  );
  await send(first, "alm-02-d1", [well(1, now)]);
  await first.app.engine.caughtUp();
  const alerts = () => first.get<Alert[]>("/v1/alerts");
  // That of the fuel, and that of the mains, which waits a while: on a slow machine it would come after the picture.
  await waitFor("both alerts", async () => (await alerts()).length === 2, 90_000);
  const [alert] = await alerts();
  await first.post(`/v1/alerts/${alert?.alertId}/acknowledgements`, { note: "truck at nine" });
  const before = await first.get<Overview>("/v1/overview");
  await first.app.stop();

  const second = await startGateway({ dir: folder.path });
  const after = await second.get<Overview>("/v1/overview");
  const lasting = (overview: Overview) =>
    overview.alerts.map(({ updatedAt: _u, values: _v, text: _t, ...rest }) => rest);
  expect(lasting(after)).toEqual(lasting(before));
  expect(after.alerts[0]).toMatchObject({
    state: "acknowledged",
    acknowledged: { by: "coordinator-1", note: "truck at nine" },
  });
  expect(after.gateway.journal.newestId).toBe(ROWS + 1);
  expect(after.points.map((point) => [point.pointId, point.fuel?.levelPct])).toEqual(
    before.points.map((point) => [point.pointId, point.fuel?.levelPct]),
  );
  await second.app.stop();

  const clock = laterBy(2 * HOUR_MS);
  const third = await startGateway({ dir: folder.path, clock });
  await send(third, "alm-01-d1", [low(ROWS + 1, clock.nowMs())]);
  await send(third, "alm-02-d1", [well(2, clock.nowMs())]);
  await third.app.engine.caughtUp();
  const ticks = performance.now() + 3_000;
  await waitFor("three ticks of the engine", () => performance.now() > ticks);
  expect((await third.get<Alert[]>("/v1/alerts")).filter((one) => one.ruleId === "silence")).toEqual([]);
  await third.app.stop();
});

test("on data that were set back it begins a journal of another name, and asks its devices for what lies between", async () => {
  const dir = join(folder.path, "set-back");
  mkdirSync(dir);
  await (await startGateway({ dir })).app.stop();
  const nameOf = () => {
    const source = openOutsideSource(dir);
    source.close();
    return source.epoch;
  };
  const before = nameOf();
  writeFileSync(join(dir, RESTORED_FILE), '{"version":1,"atMs":0,"resendFrom":{},"setBack":true}');
  const gateway = await startGateway({ dir });
  expect(nameOf()).not.toBe(before);
  expect(existsSync(join(dir, RESTORED_FILE))).toBe(false);
  const asked = await gateway.get<DeviceDownlink[]>("/v1/devices/alm-01-d1/downlinks");
  expect(asked).toMatchObject([{ command: "resend-from", by: "gateway" }]);
  await gateway.app.stop();
  const after = nameOf();
  await (await startGateway({ dir })).app.stop();
  expect(nameOf()).toBe(after);
});
