import { afterEach, beforeEach, expect, test } from "vitest";
import type { Registry } from "../../protocol/index.ts";
import { temporaryFolder } from "../../tests/fixtures.ts";
import { saveRegistry } from "../registry/registry.ts";
import { EMPTY_REGISTRY } from "../registry/shape.ts";
import { openStore } from "./store.ts";

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

test("a device that moves is where its row in force says, by the instant; one that is saved anew gets a key once read", () => {
  const point = (pointId: string) => ({
    pointId,
    name: pointId,
    kind: "church" as const,
    municipalities: [{ id: "almere" }],
    location: { lat: 52.4, lon: 5.2 },
  });
  const device = { deviceId: "d-1", board: "esp32", link: "mqtt" } as const;
  const registry: Registry = {
    ...EMPTY_REGISTRY,
    municipalities: [{ id: "almere", name: "Almere", region: "Flevoland" }],
    points: [point("p-1"), point("p-2")],
    devices: [
      { ...device, pointId: "p-1", until: "2026-11-27T10:00:00Z" },
      { ...device, pointId: "p-2", from: "2026-11-27T12:00:00Z", disabled: true },
    ],
  };
  saveRegistry(folder.path, registry);
  let nowMs = Date.parse("2026-11-27T09:59:59Z");
  const store = openStore(folder.path, () => nowMs);
  const seen = () => [store.pointOf("d-1", nowMs), store.isEnabled("d-1")];
  expect(seen()).toEqual(["p-1", true]);
  nowMs += 1_000;
  expect(seen()).toEqual(["p-2", false]);
  // A sample that comes late is of the point where it was taken.
  expect(store.pointOf("d-1", nowMs - 60_000)).toBe("p-1");
  expect(store.pointOf("d-2", nowMs)).toBeUndefined();
  store.save({ ...registry, devices: [...registry.devices, { ...device, deviceId: "d-2", pointId: "p-1" }] });
  expect(store.key("d-2")).toBeUndefined();
  store.reload();
  expect(store.key("d-2")).toHaveLength(32);
});
