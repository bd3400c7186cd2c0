import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { ack, createEngines, memoryJournal } from "../../tests/engine-fixtures.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { alertText, type RuleId } from "../domain/alert-text.ts";
import { CONCEPT_2026 } from "../domain/profile.ts";
import type { SelfFacts } from "../domain/self.ts";
import { SELF_WRITERS } from "../domain/self-text.ts";
import type { Engine } from "./engine.ts";

const engines = createEngines();
afterEach(engines.stopAll);
const GB = 1_000_000_000;

const WELL: SelfFacts = {
  disk: { freeBytes: 20 * GB, sizeBytes: 32 * GB },
  journal: { gapRows: 0 },
  sinks: [],
  clock: { trusted: true },
};

interface Situation {
  facts: SelfFacts;
}

async function start(part: Partial<SelfFacts> = {}, store = memoryJournal(), clock = virtualClock(NOON_MS)) {
  const now: Situation = { facts: { ...WELL, ...part } };
  const surroundings = {
    refusals: () => ({}),
    sinks: () => [],
    isClockTrusted: () => true,
    self: () => now.facts,
  };
  const engine = await engines.start(store.journal, clock, { surroundings });
  const set = (next: Partial<SelfFacts>) => {
    now.facts = { ...WELL, ...next };
  };
  return { engine, clock, store, set };
}

function rules(engine: Engine): string[] {
  return engine.overview().alerts.map((alert) => `${alert.ruleId} ${alert.priority} ${alert.state}`);
}

const disk = (free: number) => ({ disk: { freeBytes: free * GB, sizeBytes: 32 * GB } });
const sink = (part: Partial<SelfFacts["sinks"][number]>) => ({
  sinks: [{ name: "influxdb", state: "retrying" as const, behindRows: 10, ...part }],
});

/** Bad facts, how long they must hold, facts between on and off, good facts. */
const CASES: readonly {
  readonly rule: RuleId;
  readonly priority: 1 | 2 | 3;
  readonly delayS: number;
  readonly bad: Partial<SelfFacts>;
  readonly between?: Partial<SelfFacts>;
}[] = [
  {
    ...{ rule: "network-unreachable", priority: 2, delayS: 120 },
    bad: { networks: [{ name: "chirpstack", reason: "connect ECONNREFUSED" }, { name: "things-stack" }] },
  },
  { rule: "disk-low", priority: 2, delayS: 30, bad: disk(1.5), between: disk(1.9) },
  {
    rule: "sink-behind",
    priority: 3,
    delayS: 60,
    bad: sink({ oldestS: 901 }),
    between: sink({ oldestS: 121 }),
  },
  {
    rule: "sink-behind",
    priority: 3,
    delayS: 60,
    bad: sink({ behindRows: 100_001 }),
    between: sink({ behindRows: 10_001 }),
  },
  { rule: "sink-refused", priority: 3, delayS: 60, bad: sink({ state: "refused", reason: "401 unauthorized" }) },
  { rule: "clock-untrusted", priority: 2, delayS: 30, bad: { clock: { trusted: false } } },
  { rule: "ups-unreachable", priority: 3, delayS: 120, bad: { ups: { kind: "unreachable", reason: "refused" } } },
  {
    rule: "ups-on-battery",
    priority: 2,
    delayS: 10,
    bad: { ups: { kind: "reading", onBattery: true, lowBattery: false, runtimeS: 7_200 } },
  },
  {
    rule: "ups-low-battery",
    priority: 1,
    delayS: 0,
    bad: { ups: { kind: "reading", onBattery: true, lowBattery: false, runtimeS: 1_799 } },
    between: { ups: { kind: "reading", onBattery: true, lowBattery: false, runtimeS: 2_699 } },
  },
  {
    rule: "ups-low-battery",
    priority: 1,
    delayS: 0,
    bad: { ups: { kind: "reading", onBattery: true, lowBattery: false, chargePct: 29 } },
    between: { ups: { kind: "reading", onBattery: true, lowBattery: false, chargePct: 39 } },
  },
  { rule: "config-refused", priority: 3, delayS: 0, bad: { configProblem: "x.toml: line 3" } },
  {
    rule: "copy-failing",
    priority: 3,
    delayS: 900,
    bad: { copy: { state: "failing", behindRows: 9, everyS: 300, reason: "no such folder" } },
  },
  { rule: "history-failing", priority: 3, delayS: 300, bad: { history: { behindRows: 9, failing: "I/O error" } } },
];

describe("the gateway about itself", () => {
  for (const { rule, priority, delayS, bad, between } of CASES) {
    test(`${rule} is raised after ${delayS} s, holds between its thresholds, and returns (${JSON.stringify(bad).slice(0, 60)})`, async () => {
      const { engine, clock, set } = await start(bad);
      if (delayS > 1) {
        await clock.advance((delayS - 1) * 1_000);
        expect(rules(engine)).toEqual([]);
      }
      await clock.advance(4_000);
      expect(rules(engine)).toEqual([`${rule} ${priority} unacknowledged`]);
      const [alert] = engine.overview().alerts;
      expect(alert?.subject).toEqual({ kind: "gateway", id: "gateway", name: "gateway" });
      for (const language of ["nl", "en"] as const) {
        for (const part of Object.values(alert?.text[language] ?? {})) expect(part).toMatch(/^[^?]{5,}$/);
      }
      if (between !== undefined) {
        set(between);
        await clock.advance(120_000);
        expect(rules(engine)).toEqual([`${rule} ${priority} unacknowledged`]);
      }
      set({ ...(bad.sinks === undefined ? {} : sink({ state: "idle", behindRows: 0 })) });
      await clock.advance(70_000);
      expect(rules(engine)).toEqual([`${rule} ${priority} returned-unacknowledged`]);
      // Within the thresholds from the good side nothing begins.
      if (between !== undefined && rule !== "ups-low-battery") {
        set(between);
        await clock.advance(300_000);
        expect(rules(engine)).toEqual([`${rule} ${priority} returned-unacknowledged`]);
      }
    });
  }

  test("the disk is low below the configured bound too, and it is that which is told", async () => {
    const { engine, clock, set } = await start({ disk: { freeBytes: 9e9, sizeBytes: 32e9, lowWaterBytes: 10e9 } });
    await clock.advance(32_000);
    expect(rules(engine)).toEqual(["disk-low 2 unacknowledged"]);
    expect(engine.overview().alerts[0]?.text.en.consequence).toMatch(/^9 GB free, lower bound 10 GB/);
    expect(engine.gateway().disk?.lowWaterBytes).toBe(10e9);
    set({ disk: { freeBytes: 9e9, sizeBytes: 32e9, lowWaterBytes: 1e6 } });
    await clock.advance(70_000);
    expect(rules(engine)).toEqual(["disk-low 2 returned-unacknowledged"]);
  });

  test("on battery and then nearly empty is one line that becomes more pressing", async () => {
    const { engine, clock, set } = await start({
      ups: { kind: "reading", onBattery: true, lowBattery: false, runtimeS: 3_600, chargePct: 80 },
    });
    await clock.advance(12_000);
    expect(rules(engine)).toEqual(["ups-on-battery 2 unacknowledged"]);
    expect(engine.overview().alerts[0]?.text.nl.consequence).toBe("nog 60 min · accu 80 %");
    set({ ups: { kind: "reading", onBattery: true, lowBattery: true, runtimeS: 3_600, chargePct: 80 } });
    await clock.advance(2_000);
    expect(rules(engine)).toEqual(["ups-low-battery 1 unacknowledged"]);
  });

  for (const [rule, priority, lowBattery] of [
    ["ups-on-battery", 2, false],
    ["ups-low-battery", 1, true],
  ] as const) {
    test(`a UPS that falls silent ends no ${rule}, over a restart too, until it says that the mains are back`, async () => {
      const running = { kind: "reading", onBattery: true, lowBattery, runtimeS: 3_600 } as const;
      const silent = { ups: { kind: "unreachable", reason: "EHOSTUNREACH" } } as const;
      const { engine, clock, store, set } = await start({ ups: running });
      await clock.advance(12_000);
      await engine.act(engine.overview().alerts[0]?.alertId ?? "", ack(), { by: "a", origin: "test" });
      set(silent);
      await clock.advance(600_000);
      expect(rules(engine)).toEqual([`${rule} ${priority} acknowledged`]);
      const [alert] = engine.overview().alerts;
      expect(alert?.text.nl.consequence).toMatch(/^hoe lang nog is niet meer te zien: .*EHOSTUNREACH/);
      await engine.stop();
      const second = await start(silent, store, clock);
      await clock.advance(600_000);
      expect(rules(second.engine)).toEqual([`${rule} ${priority} acknowledged`]);
      second.set({ ups: { ...running, onBattery: false, lowBattery: false } });
      await clock.advance(70_000);
      expect(rules(second.engine)).toEqual([]);
    });
  }

  test("a jump of the clock is told of for a while, and does not shorten any delay", async () => {
    const { engine, clock, set } = await start(disk(1.5));
    await clock.advance(5_000);
    clock.jump(6 * 3_600_000);
    set({ ...disk(1.5), clock: { trusted: true, jump: { seconds: 21_600, agoS: 1 } } });
    await clock.advance(2_000);
    expect(rules(engine)).toEqual(["clock-jumped 3 unacknowledged"]);
    expect(engine.overview().alerts[0]?.text.en.consequence).toMatch(/^6 h ahead/);
    set({ clock: { trusted: true, jump: { seconds: 21_600, agoS: 601 } } });
    await clock.advance(62_000);
    expect(rules(engine)).toEqual(["clock-jumped 3 returned-unacknowledged"]);
    set({ clock: { trusted: true, jump: { seconds: 59, agoS: 1 } } });
    await clock.advance(10_000);
    expect(rules(engine)).toEqual(["clock-jumped 3 returned-unacknowledged"]);
  });

  test("rows lost to retention are told of once each, over restarts", async () => {
    const { engine, clock, store, set } = await start({ journal: { gapRows: 40 } });
    await clock.advance(2_000);
    expect(rules(engine)).toEqual(["journal-gap 1 returned-unacknowledged"]);
    expect(engine.overview().alerts[0]?.values).toEqual({ rows: 40 });
    await engine.act(engine.overview().alerts[0]?.alertId ?? "", ack(), { by: "a", origin: "test" });
    await clock.advance(10_000);
    expect(rules(engine)).toEqual([]);
    await engine.stop();
    const second = await start({ journal: { gapRows: 40 } }, store, clock);
    await clock.advance(5_000);
    expect(rules(second.engine)).toEqual([]);
    second.set({ journal: { gapRows: 41 } });
    await clock.advance(2_000);
    expect(second.engine.overview().alerts[0]?.values).toEqual({ rows: 1 });
    expect(set).toBeDefined();
  });

  test("an alert on a sink that is no longer configured returns", async () => {
    const { engine, clock, store } = await start(sink({ state: "refused" }));
    await clock.advance(65_000);
    expect(rules(engine)).toEqual(["sink-refused 3 unacknowledged"]);
    await engine.stop();
    const second = await start({}, store, clock);
    await clock.advance(2_000);
    expect(rules(second.engine)).toEqual(["sink-refused 3 returned-unacknowledged"]);
  });

  test("a journal that refuses is told of though nothing can be saved, and is on record afterwards", async () => {
    const { engine, clock, store, set } = await start();
    const told: string[] = [];
    engine.onChange((change) => told.push(...change.alerts.map((alert) => `${alert.ruleId} ${alert.state}`)));
    const save = store.journal.save;
    const held: (() => void)[] = [];
    // As the journal does: a save waits while the disk refuses.
    Object.assign(store.journal, {
      save: (change: Parameters<typeof save>[0]) =>
        new Promise<void>((resolve, reject) => held.push(() => save(change).then(resolve, reject))),
    });
    set({ journal: { gapRows: 0, failing: "database or disk is full" }, configProblem: "keeps a save waiting" });
    await clock.advance(4_000);
    expect(rules(engine)).not.toContain("journal-refusing 1 unacknowledged");
    await clock.advance(3_000);
    expect(rules(engine)[0]).toBe("journal-refusing 1 unacknowledged");
    expect(told).toEqual(["journal-refusing unacknowledged"]);
    const { alertId = "" } = engine.overview().alerts[0] ?? {};
    expect(engine.alert(alertId)?.text.nl.what).toBe("Gateway kan niets opslaan");
    expect(engine.gateway().alerts).toEqual({ unacknowledged: 2, acknowledged: 0, hidden: 0 });
    expect(await engine.act(alertId, ack(), { by: "coordinator-1", origin: "test" })).toMatchObject({
      state: "acknowledged",
      acknowledged: { by: "coordinator-1" },
    });
    Object.assign(store.journal, { save });
    for (const go of held.splice(0)) go();
    set({});
    await clock.advance(3_000);
    const alerts = engine.overview().alerts.filter((alert) => alert.ruleId === "journal-refusing");
    expect(alerts).toMatchObject([{ state: "returned-unacknowledged", priority: 1 }]);
    expect(alerts[0]?.alertId).not.toBe(alertId);
    expect(alerts[0]?.text.nl.what).toBe("Gateway kon een tijd niets opslaan");
    expect(told).toContain("journal-refusing normal");
    expect(store.acts.map((act) => act.action)).toContain("alert-raised");
  });

  test("another profile is in force from the next step on", async () => {
    const { engine, clock } = await start(disk(1.7));
    await clock.advance(60_000);
    expect(rules(engine)).toEqual([]);
    const { gateway } = CONCEPT_2026;
    engine.setProfile({
      ...CONCEPT_2026,
      gateway: { ...gateway, diskLow: { ...gateway.diskLow, freePctMin: 10, onDelayS: 0 } },
    });
    await clock.advance(2_000);
    expect(rules(engine)).toEqual(["disk-low 2 unacknowledged"]);
  });

  test("the README lists every rule with its priority", () => {
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const own = readme.slice(readme.indexOf("## Alerts about itself"));
    const listed = [...own.matchAll(/^\| `([a-z-]+)` \| ([123]) \|/gm)].map((match) => `${match[1]} ${match[2]}`);
    const words = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const known = Object.entries(CONCEPT_2026.gateway).flatMap(([name, rule]) => {
      return typeof rule === "object" ? [`${words(name)} ${rule.priority}`] : [];
    });
    expect(listed.sort()).toEqual(known.sort());
    expect(known.map((row) => row.split(" ")[0])).toEqual(Object.keys(SELF_WRITERS).sort());
  });

  test("every text stands without figures too", () => {
    for (const rule of ["disk-low", "sink-behind", "ups-low-battery", "journal-gap", "clock-jumped"] as const) {
      expect(alertText(rule, {}).nl.what.length).toBeGreaterThan(5);
    }
  });
});
