// One cause, one line: a regional outage, a path that dies, and what goes wrong in the middle of it.
import { afterEach, describe, expect, test } from "vitest";
import type { Alert } from "../../protocol/index.ts";
import {
  ack,
  createEngines,
  type MemoryJournal,
  memoryJournal,
  POINT,
  power,
  registryOf,
} from "../../tests/engine-fixtures.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { type VirtualClock, virtualClock } from "../../tests/virtual-clock.ts";
import { CONCEPT_2026 } from "../domain/profile.ts";
import type { Engine } from "./engine.ts";

const engines = createEngines();
afterEach(engines.stopAll);

const POINTS = 180;
const MINUTE = 60_000;
const VIEWS = Array.from({ length: POINTS }, (_, i) => ({
  ...POINT,
  pointId: `point-${i}`,
  name: `Punt ${i}`,
  region: i < 120 ? "Flevoland" : "Gooi en Vechtstreek",
}));
const DOER = { by: "coordinator-1", origin: "test" };

interface Region {
  readonly store: MemoryJournal;
  readonly clock: VirtualClock;
  readonly engine: Engine;
  /** Alerts that people were shown as new, since the last look. */
  news(): Alert[];
}

async function region(): Promise<Region> {
  const store = memoryJournal();
  const clock = virtualClock(NOON_MS);
  const engine = await engines.start(store.journal, clock, { registry: registryOf(VIEWS), profile: CONCEPT_2026 });
  const shown = new Set<string>();
  let fresh: Alert[] = [];
  engine.onChange(({ alerts }) => {
    for (const alert of alerts) {
      if (alert.state !== "unacknowledged" || shown.has(alert.alertId)) continue;
      shown.add(alert.alertId);
      fresh.push(alert);
    }
  });
  const news = () => {
    const now = fresh;
    fresh = [];
    return now;
  };
  return { store, clock, engine, news };
}

function say({ store, clock }: Region, ids: Iterable<number>, mains: "lost" | "present"): void {
  for (const id of ids) {
    store.append({ receivedMs: clock.nowMs(), deviceId: `point-${id}-d1`, phase: "standby", ...power(90, mains) });
  }
}

const ALL = Array.from({ length: POINTS }, (_, i) => i);
const lines = (alerts: readonly Alert[]) => alerts.map(({ ruleId, priority }) => `${ruleId} ${priority}`).sort();
const open = ({ engine }: Region) => lines(engine.alerts().filter((one) => one.state === "unacknowledged"));

/** Everybody reports every minute, for so many minutes. */
async function goOn(here: Region, minutes: number, mains: "lost" | "present" = "lost"): Promise<void> {
  for (let i = 0; i < minutes; i++) {
    say(here, ALL, mains);
    await here.clock.advance(MINUTE);
  }
}

describe("180 points lose their mains in one second", () => {
  test("that is one line, with how many, where, and which was first; a second fault stands beside it at once", async () => {
    const here = await region();
    await goOn(here, 2, "present");
    expect(here.news()).toEqual([]);
    say(here, [7], "lost");
    await here.clock.advance(500);
    say(here, ALL.slice(8), "lost");
    say(here, ALL.slice(0, 7), "lost");
    await here.clock.advance(40_000);
    const first = here.news();
    expect(lines(first)).toEqual(["group-mains-lost 3"]);
    expect(first[0]).toMatchObject({
      subject: { kind: "group", id: "mains-lost" },
      values: { count: POINTS, firstOut: "Punt 7", regions: "Flevoland 120, Gooi en Vechtstreek 60" },
      text: { nl: { what: "180 punten: netspanning weg" }, en: { what: "180 points: mains lost" } },
    });
    const failed = { ...power(90).power, generator: "failed" } as const;
    here.store.append({ receivedMs: here.clock.nowMs(), deviceId: "point-99-d1", phase: "open", power: failed });
    await here.clock.advance(5_000);
    const second = here.news();
    expect(lines(second)).toContain("generator-failed 1");
    expect(second.every((one) => one.subject.id === "point-99")).toBe(true);
    expect(lines([...first, ...second]).length).toBeLessThanOrEqual(3);
  }, 60_000);

  test("nobody is lost behind the line, and the mains that come back are one line as well", async () => {
    const here = await region();
    await goOn(here, 3);
    expect(open(here)).toEqual(["group-mains-lost 3"]);
    const group = here.engine.alerts().find((one) => one.subject.kind === "group") as Alert;
    const hidden = here.engine.alerts().filter((one) => one.state === "suppressed");
    expect(hidden).toHaveLength(POINTS);
    expect(hidden.every((one) => one.suppressedBy === group.alertId)).toBe(true);
    await here.engine.act(group.alertId, ack("we know"), DOER);
    here.news();
    await goOn(here, 7, "present");
    expect(here.news()).toEqual([]);
    expect(here.engine.alerts()).toEqual([]);
    expect(here.store.acts.filter((act) => act.action === "alert-released")).toHaveLength(POINTS);
  }, 60_000);

  test("the last points without mains get lines of their own when the group falls apart", async () => {
    const here = await region();
    await goOn(here, 3);
    for (let i = 0; i < 8; i++) {
      say(here, ALL.slice(2), "present");
      say(here, [0, 1], "lost");
      await here.clock.advance(MINUTE);
    }
    expect(open(here)).toEqual(["mains-lost 3", "mains-lost 3"]);
    const group = here.engine.alerts().find((one) => one.subject.kind === "group");
    expect(group).toMatchObject({ state: "returned-unacknowledged" });
  }, 60_000);

  test("whoever acknowledged the group has seen them: mains that come back one by one make no new line", async () => {
    const here = await region();
    await goOn(here, 3);
    const group = here.engine.alerts().find((one) => one.subject.kind === "group") as Alert;
    await here.engine.act(group.alertId, ack("we know"), DOER);
    here.news();
    for (let i = 0; i < 8; i++) {
      say(here, ALL.slice(2), "present");
      say(here, [0, 1], "lost");
      await here.clock.advance(MINUTE);
    }
    expect(here.news()).toEqual([]);
    expect(here.engine.alerts()).toMatchObject([
      { ruleId: "mains-lost", state: "acknowledged", acknowledged: { by: DOER.by } },
      { ruleId: "mains-lost", state: "acknowledged", acknowledged: { by: DOER.by } },
    ]);
    await goOn(here, 7, "present");
    expect(here.engine.alerts()).toEqual([]);
  }, 60_000);

  test("a group that was seen and grows is to be seen again", async () => {
    const here = await region();
    say(here, ALL, "present");
    await here.clock.advance(MINUTE);
    for (let i = 0; i < 2; i++) {
      say(here, ALL.slice(0, 20), "lost");
      say(here, ALL.slice(20), "present");
      await here.clock.advance(MINUTE);
    }
    const group = here.engine.alerts().find((one) => one.subject.kind === "group") as Alert;
    expect(group.values["count"]).toBe(20);
    await here.engine.act(group.alertId, ack(), DOER);
    await goOn(here, 2);
    expect(here.engine.alert(group.alertId)).toMatchObject({
      state: "unacknowledged",
      values: { count: POINTS, seen: 20 },
    });
  }, 60_000);

  test("a restart in the middle brings back the one line, and no other", async () => {
    const here = await region();
    await goOn(here, 3);
    await here.engine.stop();
    const options = { registry: registryOf(VIEWS), profile: CONCEPT_2026 };
    const second = await engines.start(here.store.journal, here.clock, options);
    const told: Alert[] = [];
    second.onChange(({ alerts }) => told.push(...alerts));
    await goOn({ ...here, engine: second }, 2);
    expect(told.filter((one) => one.state === "unacknowledged" && one.subject.kind !== "group")).toEqual([]);
    expect(open({ ...here, engine: second })).toEqual(["group-mains-lost 3"]);
  }, 60_000);
});

describe("a path", () => {
  test("that dies is one line, and its points are silent behind it; one that stays away has its own line afterwards", async () => {
    const here = await region();
    await goOn(here, 3, "present");
    here.news();
    await here.clock.advance(10 * MINUTE);
    expect(lines(here.news())).toEqual(["path-down 2"]);
    const path = here.engine.alerts().find((one) => one.subject.kind === "path") as Alert;
    expect(path.text.nl.what).toBe("Geen contact via het eigen netwerk (MQTT)");
    expect(here.engine.alerts().filter((one) => one.suppressedBy === path.alertId)).toHaveLength(POINTS);
    expect(here.engine.point("point-5")?.contact).toBe("silent");
    for (let i = 0; i < 7; i++) {
      say(here, ALL.slice(1), "present");
      await here.clock.advance(MINUTE);
    }
    expect(here.engine.alert(path.alertId)).toMatchObject({ state: "returned-unacknowledged" });
    const silent = here.engine.alerts().filter((one) => one.ruleId === "silence");
    expect(silent.map(({ subject, state }) => [subject.id, state])).toEqual([["point-0", "unacknowledged"]]);
  }, 60_000);

  test("that was down when the gateway stopped is down when it starts, until somebody is heard", async () => {
    const here = await region();
    await goOn(here, 3, "present");
    await here.clock.advance(10 * MINUTE);
    expect(lines(here.news())).toEqual(["path-down 2"]);
    await here.engine.stop();
    const options = { registry: registryOf(VIEWS), profile: CONCEPT_2026 };
    const second = { ...here, engine: await engines.start(here.store.journal, here.clock, options) };
    await here.clock.advance(5 * MINUTE);
    expect(open(second)).toEqual(["path-down 2"]);
    await goOn(second, 3, "present");
    expect(second.engine.alerts()).toMatchObject([{ ruleId: "path-down", state: "returned-unacknowledged" }]);
  }, 60_000);

  test("is no excuse for a gateway that was down: after two hours nobody is silent who lives", async () => {
    const here = await region();
    await goOn(here, 3, "present");
    await here.engine.stop();
    await here.clock.advance(2 * 60 * MINUTE);
    const options = { registry: registryOf(VIEWS), profile: CONCEPT_2026 };
    const second = { ...here, engine: await engines.start(here.store.journal, here.clock, options) };
    const told: Alert[] = [];
    second.engine.onChange(({ alerts }) => told.push(...alerts));
    await goOn(second, 12, "present");
    expect(told).toEqual([]);
  }, 60_000);
});
