// More devices than are kept apart, as only years and a large region bring them.
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkedFrame, temporaryFolder } from "../../tests/fixtures.ts";
import { systemClock } from "../clock.ts";
import type { Entry } from "./changes.ts";
import { DEVICES_MAX } from "./device-table.ts";
import { type OpenWriter, openWriter } from "./open-writer.ts";

const BATCH = 4_096;

let folder: ReturnType<typeof temporaryFolder>;
let writer: OpenWriter;
const open = () => openWriter({ dir: folder.path, reserveMb: 0 }, { clock: systemClock });
beforeEach(async () => {
  folder = temporaryFolder();
  writer = await open();
});
afterEach(async () => {
  await writer.close();
  folder.remove();
});

async function commit(entries: readonly Entry[]): Promise<readonly string[]> {
  const result = await writer.commit(entries);
  if (result.kind === "failed") throw new Error(result.reason);
  return result.outcomes.map(({ outcome }) => outcome);
}

const sample = (deviceId: string, sequence: number): Entry => ({ frame: checkedFrame({ deviceId, sequence }) });

test("a device beyond those that are kept apart is refused alone; points that people tell of are not", async () => {
  for (let from = 0; from < DEVICES_MAX; from += BATCH) {
    await commit(Array.from({ length: BATCH }, (_, i) => sample(`device-${from + i}`, 1)));
  }
  const told: Entry = {
    frame: { ...checkedFrame({ deviceId: "alm-01" }), header: undefined, toldMs: 1, link: "manual" },
  };
  const change: Entry = { change: { cursor: { name: "engine", id: 7 } } };
  const batch = [sample("device-0", 2), sample("one-more", 1), told, change, sample("device-1", 2)];
  expect(await commit(batch)).toEqual(["stored", "too-many-devices", "stored", "saved", "stored"]);
  expect(await writer.store.cursors()).toEqual(new Map([["engine", 7]]));
  await writer.close();
  writer = await open();
  expect(await commit([sample("one-more", 1), sample("device-2", 2)])).toEqual(["too-many-devices", "stored"]);
});
