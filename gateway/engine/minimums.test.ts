// Critical processes of an own post below their minimum: who is told what, and when it is over.
import { afterEach, expect, test } from "vitest";
import type { Alert } from "../../protocol/index.ts";
import {
  ack,
  createEngines,
  type MemoryJournal,
  memoryJournal,
  POINT,
  registryOf,
} from "../../tests/engine-fixtures.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { type VirtualClock, virtualClock } from "../../tests/virtual-clock.ts";
import type { Minimum, PointView } from "../domain/point.ts";
import { CONCEPT_2026 } from "../domain/profile.ts";
import type { Engine } from "./engine.ts";

const engines = createEngines();
afterEach(engines.stopAll);

const MINUTE_MS = 60_000;
const TURNOUT: Minimum = {
  processId: "turnout",
  name: "Uitruk",
  directorate: "brandweer",
  quantity: "fuelL",
  minimum: 100,
};
const CONTROL: Minimum = {
  processId: "control",
  name: "Meldkamer",
  directorate: "crisisorganisatie",
  quantity: "temperatureC",
};
const POST: PointView = { ...POINT, minimums: [TURNOUT, CONTROL] };

interface Level {
  readonly litres?: number;
  readonly temperatureC?: number;
  readonly mains?: "lost" | "present";
}

interface Post {
  readonly store: MemoryJournal;
  readonly clock: VirtualClock;
  engine: Engine;
  /** A report a minute with these figures; gives what stands of processes afterwards. */
  run(count: number, level: Level): Promise<readonly Alert[]>;
}

async function postOf(view: PointView = POST): Promise<Post> {
  const store = memoryJournal();
  const clock = virtualClock(NOON_MS);
  const engine = await engines.start(store.journal, clock, { registry: registryOf([view]), profile: CONCEPT_2026 });
  const post: Post = {
    ...{ store, clock, engine },
    async run(count, { litres = 150, temperatureC = 18, mains = "lost" }) {
      const generator = mains === "lost" ? "running" : "stopped";
      const fuelLevelPct = Number.isNaN(litres) ? "open-circuit" : litres / 2;
      const power = { fuelLevelPct, generator, mains, loadKw: "absent", starterBatteryV: 13.8 } as const;
      const environment = { temperatureC, humidityPct: "absent" } as const;
      for (let i = 0; i < count; i++) {
        store.append({ receivedMs: clock.nowMs(), phase: "open", power, environment } as never);
        await clock.advance(MINUTE_MS);
      }
      return post.engine.overview().alerts.filter((one) => one.ruleId === "process-minimum");
    },
  };
  return post;
}

test("a process below its minimum is told of in Dutch and English, with its figure and who owns it", async () => {
  const post = await postOf();
  expect(await post.run(9, { litres: 90.6 })).toEqual([]);
  const [alert, ...more] = await post.run(2, { litres: 90.6 });
  expect(more).toEqual([]);
  expect(alert).toMatchObject({
    priority: 2,
    state: "unacknowledged",
    subject: { kind: "point", id: "alm-01" },
    values: { process: "Uitruk", directorate: "brandweer", quantity: "fuelL", minimum: 100, value: 90.6 },
  });
  expect(alert?.text).toEqual({
    nl: {
      what: "Onder minimum: Uitruk",
      consequence: "brandstof 90,6 l, minimum 100 l · directie brandweer",
      action: "Laat de directie beslissen: aanvullen, verbruik verlagen of het proces verplaatsen.",
    },
    en: {
      what: "Below minimum: Uitruk",
      consequence: "fuel 90.6 l, minimum 100 l · directorate brandweer",
      action: "Have the directorate decide: top up, use less or move the process.",
    },
  });
  expect(post.engine.point("alm-01")?.priority).toBe(2);
});

test("it goes on until the figure is above the minimum by its margin, and a figure that is lost ends nothing", async () => {
  const post = await postOf();
  await post.run(12, { litres: 99 });
  expect(await post.run(3, { litres: 101 })).toHaveLength(1);
  expect(await post.run(3, { litres: 104.5 })).toMatchObject([{ state: "unacknowledged" }]);
  expect(await post.run(3, { litres: Number.NaN })).toMatchObject([{ state: "unacknowledged" }]);
  expect(await post.run(2, { litres: 106 })).toMatchObject([{ state: "returned-unacknowledged" }]);
});

test("above the minimum nothing is told, and a figure that nobody has is told of as unknown and no alert", async () => {
  const post = await postOf();
  expect(await post.run(20, { litres: 101 })).toEqual([]);
  const blind = await postOf();
  expect(await blind.run(20, { litres: Number.NaN })).toEqual([]);
  expect(blind.engine.point("alm-01")?.minimums?.[0]).toMatchObject({ processId: "turnout", met: "unknown" });
});

test("each process is an alert of its own: that somebody has seen one says nothing of the next", async () => {
  const post = await postOf();
  const [first] = await post.run(12, { litres: 90 });
  await post.engine.act(first?.alertId ?? "", ack(), { by: "coordinator-1", origin: "test" });
  const both = await post.run(12, { litres: 90, temperatureC: 12 });
  expect(both.map((one) => [one.values["process"], one.state])).toEqual(
    expect.arrayContaining([
      ["Uitruk", "acknowledged"],
      ["Meldkamer", "unacknowledged"],
    ]),
  );
  // Without a minimum of its own the profile's holds, and the text says so.
  const cold = both.find((one) => one.values["process"] === "Meldkamer");
  expect(cold?.text.nl.consequence).toBe("temperatuur 12 °C, minimum 15 °C (norm) · directie crisisorganisatie");
  expect(cold?.text.en.consequence).toBe(
    "temperature 12 °C, minimum 15 °C (by the norm) · directorate crisisorganisatie",
  );
  const warm = await post.run(3, { litres: 90, temperatureC: 16.5 });
  expect(warm.map((one) => [one.values["process"], one.state])).toEqual(
    expect.arrayContaining([
      ["Uitruk", "acknowledged"],
      ["Meldkamer", "returned-unacknowledged"],
    ]),
  );
});

test("hours count also while the mains are there, as advice; no backup is no hours", async () => {
  const desk: Minimum = { processId: "desk", name: "Staf", directorate: "bestuur", quantity: "enduranceH" };
  const low = await postOf({ ...POINT, minimums: [{ ...desk, minimum: 96 }] });
  const [advice] = await low.run(12, { litres: 100, mains: "present" });
  expect(advice).toMatchObject({ priority: 3, values: { quantity: "enduranceH", minimum: 96 } });
  expect(advice?.text.nl.consequence).toMatch(/^energie voor \d+:\d\d u, minimum 96:00 u · directie bestuur$/);
  const bare = await postOf({ ...POINT, generator: undefined, minimums: [desk] });
  const [none] = await bare.run(12, { mains: "lost" });
  expect(none?.text.en.consequence).toBe("energy for 0:00 h, minimum 12:00 h (by the norm) · directorate bestuur");
  expect(none?.priority).toBe(2);
});

test("the alert and its delay outlive a restart; a process that is gone takes its alert with it", async () => {
  const post = await postOf();
  await post.run(8, { litres: 90 });
  await post.engine.stop();
  post.engine = await engines.start(post.store.journal, post.clock, {
    registry: registryOf([POST]),
    profile: CONCEPT_2026,
  });
  const [alert] = await post.run(4, { litres: 90 });
  expect(alert?.raisedAt).toBe(new Date(NOON_MS + 10 * MINUTE_MS).toISOString());
  post.engine.setRegistry(registryOf([{ ...POST, minimums: [CONTROL] }]));
  expect(await post.run(2, { litres: 90 })).toMatchObject([
    { alertId: alert?.alertId, state: "returned-unacknowledged" },
  ]);
});
