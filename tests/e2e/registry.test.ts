// The registry of a gateway that runs: changed over HTTP it is in force at once, on disk, and there after a restart.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addPerson } from "../../gateway/registry/people.ts";
import type { DeviceState, Point, PointState, Registry } from "../../protocol/index.ts";
import { temporaryFolder } from "../fixtures.ts";
import { PASSWORD, startGateway, type TestGateway } from "./gateway.ts";

let folder: ReturnType<typeof temporaryFolder>;
let gateway: TestGateway | undefined;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  await gateway?.app.stop();
  gateway = undefined;
  folder.remove();
});

async function administrator(url: string) {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ name: "admin-1", password: PASSWORD });
  const signIn = await fetch(`${url}/v1/session`, { method: "POST", headers, body });
  const cookie = (signIn.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  return async (method: string, value?: unknown) => {
    const init = {
      method,
      headers: { ...headers, cookie },
      ...(value === undefined ? {} : { body: JSON.stringify(value) }),
    };
    const answer = await fetch(`${url}/v1/registry`, init);
    return { status: answer.status, value: (await answer.json()) as Registry };
  };
}

const onDisk = () => JSON.parse(readFileSync(join(folder.path, "registry.json"), "utf8")) as Registry;

test("a set that is moved, a point that is renamed and a device that is new are in force at once and after a restart", async () => {
  await addPerson(folder.path, { name: "admin-1", role: "admin" }, PASSWORD);
  gateway = await startGateway({ dir: folder.path });
  // It was imported as version 1: its sets have got ids.
  const moved = await gateway.post<{ left: string }>("/v1/assignments", { assetId: "alm-01-g1", pointId: "alm-02" });
  expect(moved.left).toBe("alm-01");
  expect(
    onDisk()
      .assignments.filter((one) => one.assetId === "alm-01-g1")
      .map((one) => one.pointId),
  ).toEqual(["alm-01", "alm-02"]);
  const ask = await administrator(gateway.app.http.url);
  const { value: registry } = await ask("GET");
  const points = registry.points.map((point: Point, i) =>
    i === 0 ? { ...point, name: "Ander huis", fuelPriority: 1 } : point,
  );
  const device = { ...registry.devices[0], deviceId: "alm-01-d9" };
  expect((await ask("PUT", { ...registry, points, devices: [...registry.devices, device] })).status).toBe(200);
  const look = async (one: TestGateway) => ({
    point: await one.get<PointState>("/v1/points/alm-01"),
    devices: (await one.get<DeviceState[]>("/v1/devices")).map(({ deviceId }) => deviceId),
  });
  const seen = await look(gateway);
  expect(seen).toMatchObject({
    point: { name: "Ander huis", fuelPriority: 1 },
    devices: ["alm-01-d1", "alm-02-d1", "alm-01-d9"],
  });
  expect((await ask("PUT", { ...registry, points: [] })).status).toBe(422);
  const keys = readFileSync(join(folder.path, "keys.json"), "utf8");
  expect(Object.keys((JSON.parse(keys) as { keys: object }).keys)).toEqual(["alm-01-d1", "alm-02-d1", "alm-01-d9"]);
  await gateway.app.stop();
  gateway = await startGateway({ dir: folder.path });
  expect((await look(gateway)).devices).toEqual(seen.devices);
  expect((await look(gateway)).point.name).toBe("Ander huis");
});
