// A word by radio, typed in at the coordination point: over HTTP to the disk, the screens and the readers, over a restart.
import { afterAll, expect, test } from "vitest";
import type { Entry, PointPhases, PointState } from "../../protocol/index.ts";
import { temporaryFolder } from "../fixtures.ts";
import { startGateway, type TestGateway } from "./gateway.ts";

const folder = temporaryFolder();
let gateway: TestGateway | undefined;
afterAll(async () => {
  await gateway?.app.stop();
  folder.remove();
});

const told = (entryId: string, statement: object) => ({ entryId, via: "voice", statement });

test("what is told holds at once, once, and after a restart", async () => {
  gateway = await startGateway({ dir: folder.path });
  const path = "/v1/points/alm-02/entries";
  await gateway.post<PointState>(path, told("radio-0001", { kind: "dip", litres: 80 }));
  await gateway.post<PointState>(path, told("radio-0002", { kind: "power", mains: "lost", generator: "running" }));
  for (const people of [40, 90]) await gateway.post<PointState>(path, told("radio-0003", { kind: "count", people }));
  const state = await gateway.post<PointState>(path, told("radio-0004", { kind: "phase", phase: "open" }));
  const expected = {
    ...{ phase: "open", mains: "lost", source: "generator", contact: "never" },
    fuel: { litres: 80, told: { by: "coordinator-1", via: "voice" } },
    occupancy: { people: 40 },
    endurance: { kind: "estimate", limitedBy: "fuel" },
  };
  expect(state).toMatchObject(expected);
  const ahead = { ...told("radio-0005", { kind: "note", text: "x" }), at: "2999-01-01T00:00:00Z" };
  await expect(gateway.post(path, ahead)).rejects.toThrow("ENTRY_INVALID");
  await gateway.app.stop();
  gateway = await startGateway({ dir: folder.path });
  expect(await gateway.get<PointState>("/v1/points/alm-02")).toMatchObject(expected);
  // The device of this point says nothing: whoever told it is the one who moved it.
  const phases = await gateway.get<PointPhases>("/v1/points/alm-02/phases");
  expect(phases).toMatchObject({ changes: [{ phase: "open", source: "voice", actor: "coordinator-1" }] });
  expect(phases.changes).toHaveLength(1);
  const list = await gateway.get<Entry[]>(path);
  expect(list.map(({ entryId }) => entryId)).toEqual(["radio-0004", "radio-0003", "radio-0002", "radio-0001"]);
});
