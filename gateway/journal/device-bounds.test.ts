// What the table of devices may cost, as only years show: more devices than are kept apart, and one whose lost records never come again.
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkedFrame, temporaryFolder } from "../../tests/fixtures.ts";
import { systemClock } from "../clock.ts";
import type { Entry } from "./changes.ts";
import { DEVICES_MAX, RUNS_MAX } from "./device-table.ts";
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

describe("a device whose lost records never come again", () => {
  const LAST = 8 * RUNS_MAX;
  const sent = Array.from({ length: LAST }, (_, i) => i + 1).filter((sequence) => sequence % 4 !== 0);
  const send = (sequences: readonly number[]) => commit(sequences.map((sequence) => sample("lossy", sequence)));

  function kept(): { readonly runs: number; readonly bytes: number } {
    const db = new DatabaseSync(`${folder.path}/journal.db`, { readOnly: true });
    const { json } = db.prepare("SELECT json FROM device_state").get() as { json: string };
    db.close();
    return { runs: (JSON.parse(json)[1] as unknown[]).length, bytes: json.length };
  }

  test("costs no more the longer it goes on, and what is stored stays known over restarts", async () => {
    for (let from = 0; from < sent.length; from += BATCH) await send(sent.slice(from, from + BATCH));
    await writer.summarise(1);
    expect(kept().runs).toBe(RUNS_MAX);
    await writer.close();
    writer = await open();
    // The oldest holes are filled late, and nothing of it is forgotten by the next summary.
    expect(await send([1, 2, 3, 4, 5, LAST - 1])).toEqual([
      ...["duplicate", "duplicate", "duplicate", "stored", "duplicate", "duplicate"],
    ]);
    await writer.close();
    writer = await open();
    expect(new Set(await send(sent))).toEqual(new Set(["duplicate"]));
    expect(await send([4, 8])).toEqual(["duplicate", "stored"]);
  });

  test("costs little again once its window has gone past the holes", async () => {
    await send(sent);
    for (let from = LAST; from < LAST + 40_000; from += BATCH) {
      await send(Array.from({ length: BATCH }, (_, i) => from + i));
    }
    await writer.summarise(1);
    expect(kept().bytes).toBeLessThan(200);
  });
});
