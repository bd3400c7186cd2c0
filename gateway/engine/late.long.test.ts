// Samples that come hours late: they correct what they belong to, in whatever order they come, and sound no alarm.
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { encodeEvent, type Report } from "../../protocol/index.ts";
import { backlogFrame, sampleFrame } from "../../tests/backlog-frames.ts";
import { createEngines, type MemoryJournal, memoryJournal, minutes, power } from "../../tests/engine-fixtures.ts";
import { NOON_MS } from "../../tests/fixtures.ts";
import { virtualClock } from "../../tests/virtual-clock.ts";
import type { Engine } from "./engine.ts";

const NOON_S = NOON_MS / 1000;
/** Far more than a slow machine needs for one late row. */
const LATE_ROW_MS_MAX = 3;

const engines = createEngines();
afterEach(engines.stopAll);

const states = (engine: Engine) => engine.overview().alerts.map((alert) => [alert.ruleId, alert.state]);

/** A row that is no report. */
function appendFrame(store: MemoryJournal, frame: Uint8Array, sequence: number, atMs: number, receivedMs = atMs): void {
  const row = { id: store.rows.length + 1, deviceId: "alm-01-d1", sequence, receivedMs, timeMs: atMs, frame };
  store.rows.push({ ...row, timeQuality: "synced", link: "mqtt" });
}

describe("72 hours that come at once", () => {
  test("cost little, move nothing that is newer, raise nothing, and end the silence", {
    timeout: 180_000,
  }, async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const engine = await engines.start(store.journal, clock);
    await minutes(store, clock, 2, power(90, "present"));
    await clock.advance(72 * 3_600_000);
    expect(states(engine)).toEqual([["silence", "unacknowledged"]]);
    const endS = Math.round(clock.nowMs() / 1000);
    // First the live sample, then the history, oldest first: the tank ran nearly dry and was filled again.
    store.append({ receivedMs: clock.nowMs(), ...power(80, "present") });
    await engine.caughtUp();
    await clock.advance(15_000);
    const startedMs = performance.now();
    for (let i = 4_320; i > 0; i--) {
      const level = i > 2_000 ? 60 - (4_320 - i) / 45 : 85;
      store.append({ receivedMs: clock.nowMs(), time: endS - i * 60, ...power(Math.max(1, level)) });
    }
    await engine.caughtUp();
    const eachMs = (performance.now() - startedMs) / 4_320;
    process.stdout.write(`4,320 late rows: ${eachMs.toFixed(3)} ms each\n`);
    expect(eachMs).toBeLessThan(LATE_ROW_MS_MAX);
    await clock.advance(15_000);
    expect(states(engine)).toEqual([["silence", "returned-unacknowledged"]]);
    expect(engine.point("alm-01")).toMatchObject({ contact: "present", mains: "present", fuel: { levelPct: 80 } });
    expect(engine.point("alm-01")?.mainsLostAt).toBeUndefined();
    expect(engine.device("alm-01-d1")).toMatchObject({ records: 4_323, report: { power: { fuelLevelPct: 80 } } });
  });

  test("end the silence also when no live sample comes before them", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const engine = await engines.start(store.journal, clock);
    await minutes(store, clock, 2, power(90));
    await clock.advance(3 * 3_600_000);
    expect(states(engine)).toEqual([["silence", "unacknowledged"]]);
    for (let i = 0; i < 100; i++) store.append({ receivedMs: clock.nowMs(), time: NOON_S + 200 + i * 60, ...power(1) });
    await engine.caughtUp();
    await clock.advance(15_000);
    expect(states(engine)).toEqual([["silence", "returned-unacknowledged"]]);
  });
});

describe("the order in which samples come", () => {
  const sample = fc.record({
    minute: fc.integer({ min: 0, max: 400 }),
    level: fc.integer({ min: 1, max: 1000 }),
    mains: fc.constantFrom("lost" as const, "present" as const),
  });

  /** What the engine makes of the samples in this order. */
  async function play(samples: readonly { minute: number; part: Partial<Report> }[]) {
    const store = memoryJournal();
    const receivedMs = NOON_MS + 8 * 3_600_000;
    const engine = await engines.start(store.journal, virtualClock(receivedMs));
    for (const { minute, part } of samples) store.append({ receivedMs, time: NOON_S + minute * 60, ...part });
    await engine.caughtUp();
    const { records, missing, report } = engine.device("alm-01-d1") ?? {};
    const state = engine.point("alm-01");
    await engines.stopAll();
    return { state, records, missing, report };
  }

  test("makes no difference to the picture", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(sample, { selector: (one) => one.minute, minLength: 2, maxLength: 60 }),
        fc.infiniteStream(fc.nat(1_000)),
        async (samples, keys) => {
          const rows = samples.map(({ minute, level, mains }) => ({ minute, part: power(level / 10, mains) }));
          const sorted = [...rows].sort((a, b) => a.minute - b.minute);
          const shuffled = rows.map((row) => ({ row, key: keys.next().value as number })).sort((a, b) => a.key - b.key);
          const found = await play(shuffled.map(({ row }) => row));
          const wanted = await play(sorted);
          // Nobody saw when the mains went: somewhere between the last sample that had them and the next one.
          const [a, b] = [found.state?.mainsLostAt ?? "", wanted.state?.mainsLostAt ?? ""];
          const seen = sorted.filter((row) => row.part.power.mains === "present").pop();
          expect(a === "").toBe(b === "");
          if (a !== "") expect(Date.parse(a)).toBeLessThanOrEqual(Date.parse(b));
          if (a !== "" && seen !== undefined) expect(Date.parse(a)).toBeGreaterThan(NOON_MS + seen.minute * 60_000);
          const without = ({ state, ...rest }: typeof found) => ({ ...rest, state: { ...state, mainsLostAt: "" } });
          expect(without(found)).toEqual(without(wanted));
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("a gateway clock that was days ahead for a while", () => {
  test("holds up neither the newest values nor the delays of alerts", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const engine = await engines.start(store.journal, clock);
    const DAYS_MS = 5 * 24 * 3_600_000;
    let sequence = 40_000;
    const play = async (count: number, level: number) => {
      for (let i = 0; i < count; i++) {
        // A device without a clock: placed at its receipt.
        store.append({ receivedMs: clock.nowMs(), ...power(level), sequence: sequence++ });
        await clock.advance(60_000);
      }
    };
    await play(3, 80);
    clock.jump(DAYS_MS);
    await play(20, 7);
    clock.jump(-DAYS_MS);
    await play(2, 6);
    expect(engine.point("alm-01")).toMatchObject({ fuel: { levelPct: 6 } });
    expect(Date.parse(engine.point("alm-01")?.lastSampleAt ?? "")).toBeLessThanOrEqual(clock.nowMs());
    expect(Date.parse(engine.point("alm-01")?.mainsLostAt ?? "")).toBeLessThanOrEqual(clock.nowMs());
    await play(35, 6);
    expect(engine.overview().alerts.map((alert) => alert.ruleId)).toEqual(["endurance-low"]);
  });
});

describe("records of other kinds", () => {
  test("late events correct the record and sound no alarm; an older one does not stand before a newer one", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const engine = await engines.start(store.journal, clock);
    await minutes(store, clock, 2, power(90, "present"));
    const event = (name: string, sequence: number, atMs: number) => {
      const value = { sequence: sequence & 0xffff, time: atMs / 1000, flags: { clockSynced: true }, argument: 1 };
      appendFrame(store, encodeEvent({ ...value, event: name }), sequence, atMs, clock.nowMs());
    };
    event("refuelled", 200_000, clock.nowMs());
    for (const name of ["help-requested", "tamper", "generator-failed", "mains-lost"]) {
      event(name, 100_000, NOON_MS - 5 * 3_600_000);
    }
    await engine.caughtUp();
    await clock.advance(15_000);
    expect(engine.overview().alerts).toEqual([]);
    expect(engine.device("alm-01-d1")).toMatchObject({ records: 7, lastEvent: { event: "refuelled" } });
  });

  test("samples that a device left out are counted, once what is only late has come", async () => {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    const engine = await engines.start(store.journal, clock);
    const base = 65_536 + 40_000;
    const at = (sequence: number) => NOON_S + (sequence - base) * 60;
    const append = (sequence: number) => {
      store.append({ receivedMs: NOON_MS, sequence: sequence - 65_536, time: at(sequence), ...power(50) });
    };
    append(base);
    append(base + 31);
    await engine.caughtUp();
    expect(engine.device("alm-01-d1")).toMatchObject({ missing: 30, leftOut: 0 });
    const kept = [1, 5, 9, 13, 17].map((i) => base + i);
    for (const sequence of kept) append(sequence);
    const reports = kept.map((sequence) => sampleFrame(sequence & 0xffff, at(sequence), true));
    const { frame } = backlogFrame({ sequence: base + 32, timeS: NOON_S, clockSynced: true, thinned: true }, reports);
    appendFrame(store, frame, base + 32, NOON_MS);
    await engine.caughtUp();
    expect(engine.device("alm-01-d1")).toMatchObject({ missing: 25, leftOut: 12 });
    expect(engine.point("alm-01")?.leftOut).toBe(12);
    // An event had one of those sequences.
    append(base + 2);
    for (let i = 18; i < 31; i++) append(base + i);
    await engine.caughtUp();
    expect(engine.device("alm-01-d1")).toMatchObject({ missing: 11, leftOut: 11, undecoded: 0 });
  });
});

test("a stop anywhere in a backlog leaves the same picture behind", async () => {
  async function play(stops: ReadonlySet<number>) {
    const store = memoryJournal();
    const clock = virtualClock(NOON_MS);
    let engine = await engines.start(store.journal, clock);
    await minutes(store, clock, 2, power(60));
    for (let i = 0; i < 40; i++) {
      store.append({ receivedMs: clock.nowMs(), time: NOON_S - 14_400 + i * 60, ...power(80 - i / 4) });
      if (!stops.has(i)) continue;
      await engine.stop();
      engine = await engines.start(store.journal, clock);
    }
    await engine.caughtUp();
    await clock.advance(11_000);
    const { points, alerts } = engine.overview();
    await engines.stopAll();
    return { points: points.map(({ updatedAt: _, ...rest }) => rest), alerts, devices: engine.devices() };
  }
  const whole = await play(new Set());
  for (const at of [0, 7, 20, 39]) expect(await play(new Set([at, (at * 3) % 40]))).toEqual(whole);
});
