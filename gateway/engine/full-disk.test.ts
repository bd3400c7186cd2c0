// A real journal that is full: the alert must show though nothing can be stored.
import { afterEach, expect, test } from "vitest";
import { POINT, registryOf } from "../../tests/engine-fixtures.ts";
import { checkedFrame, temporaryFolder, waitFor } from "../../tests/fixtures.ts";
import { systemClock } from "../clock.ts";
import { CONCEPT_2026 } from "../domain/profile.ts";
import { openJournal } from "../journal/journal.ts";
import { createEngine } from "./engine.ts";

const folder = temporaryFolder();
afterEach(() => folder.remove());

test("a full disk is an alert of priority 1, told of while nothing can be stored", { timeout: 60_000 }, async () => {
  // A journal that is full cannot be closed: it waits. It ends with this process.
  const journal = await openJournal({ dir: folder.path, clock: systemClock, pagesMax: 40 });
  const { gateway } = CONCEPT_2026;
  const profile = {
    ...CONCEPT_2026,
    gateway: { ...gateway, journalRefusing: { ...gateway.journalRefusing, onDelayS: 1 } },
  };
  const engine = createEngine({
    journal,
    registry: registryOf([POINT]),
    profile,
    clock: systemClock,
    gatewayId: "test",
    version: "0",
    surroundings: {
      refusals: () => ({}),
      sinks: () => [],
      isClockTrusted: () => true,
      self: () => {
        const { failing } = journal.health();
        return {
          journal: { gapRows: 0, ...(failing === undefined ? {} : { failing }) },
          sinks: [],
          clock: { trusted: true },
        };
      },
    },
  });
  await engine.start();
  const told: string[] = [];
  engine.onChange((change) => told.push(...change.alerts.map((alert) => `${alert.ruleId} ${alert.state}`)));
  let stored = 0;
  const appends = Array.from({ length: 5_000 }, (_, i) =>
    journal.append(checkedFrame({ sequence: i + 1 })).then(
      () => stored++,
      () => undefined,
    ),
  );
  await waitFor("the alert", () => engine.alerts().some((alert) => alert.ruleId === "journal-refusing"), 20_000);
  expect(engine.alerts()[0]).toMatchObject({
    priority: 1,
    state: "unacknowledged",
    values: { reason: expect.stringMatching(/full/) },
  });
  expect(told).toContain("journal-refusing unacknowledged");
  expect(stored).toBeLessThan(5_000);
  expect(appends).toHaveLength(5_000);
});
