// The device as a whole: when it samples, what it says of itself, and when it keeps its hands off its flash. Clock, plan and
// supervisor beside it.
import { describe, expect, test } from "vitest";
import { BATTERY, createBench, decoded, PEOPLE, SLOW, sequenceOf, UNIX_S } from "../../tests/fixtures-device.ts";
import { createClock } from "./clock.ts";
import { nextSampleInS } from "./plan.ts";
import { isAlive, isFatal } from "./supervisor.ts";

const MINUTE = 60;
const HOUR = 3600;

describe("the clock", () => {
  /** What a clock says after each of these acks. */
  function told(...acks: [unixS: number, uptimeS: number, answerS: number][]): number[] {
    const clock = createClock();
    return acks.map((ack) => {
      clock.heard(...ack);
      return clock.offsetS();
    });
  }

  test("is set by two acks that agree, adjusted by one, and never by an answer to an old frame", () => {
    expect(told([UNIX_S, 100, 1], [UNIX_S + 9, 102, 1])).toEqual([0, 0]);
    const set = UNIX_S - 99;
    const first = [
      [UNIX_S, 100, 1],
      [UNIX_S + 3, 102, 1],
    ] as [number, number, number][];
    expect(told(...first, [UNIX_S + 30, 105, 30])).toEqual([0, set, UNIX_S - 75]);
    expect(told(...first, [UNIX_S + 30, 105, 31])).toEqual([0, set, set]);
    expect(told(...first, [0, 105, 1])).toEqual([0, set, set]);
  });

  test("once set goes further than a minute only when two acks agree on it", () => {
    const set = 1_795_000_000;
    const first = [
      [set + 10, 10, 1],
      [set + 20, 20, 1],
    ] as [number, number, number][];
    const last = (...acks: [number, number, number][]) => told(...first, ...acks).at(-1);
    expect(last()).toBe(set);
    expect(last([set + 160, 100, 1])).toBe(set + 60);
    const far: [number, number, number] = [set + 161, 100, 1];
    expect(last(far)).toBe(set);
    expect(last(far, [set + 172, 110, 1])).toBe(set + 62);
    expect(last(far, [set + 9000, 110, 1])).toBe(set);
    // An ack that agrees with the clock as it is ends the matter.
    expect(last(far, [set + 110, 110, 1], [set + 172, 110, 1])).toBe(set);
  });

  test("of a device goes into samples once two answers agree, and not while the gateway does not trust its own", () => {
    const it = createBench();
    it.gateway.unixS = () => 0;
    it.run(5 * MINUTE);
    expect(it.reports().map((one) => one.flags.clockSynced)).not.toContain(true);
    it.gateway.unixS = () => Math.floor(UNIX_S + it.nowS());
    it.run(5 * MINUTE);
    const last = it.reports().at(-1);
    expect(last?.flags.clockSynced).toBe(true);
    expect(Math.abs((last?.time ?? 0) - UNIX_S - it.nowS())).toBeLessThan(62);
  });

  test("of a device is not moved an hour by one gateway that is wrong once", () => {
    const it = createBench();
    it.run(10 * MINUTE);
    let answers = 0;
    it.gateway.unixS = () => Math.floor(UNIX_S + it.nowS()) + (answers++ === 0 ? HOUR : 0);
    it.run(20 * MINUTE);
    expect(answers).toBeGreaterThan(1);
    for (const one of it.reports()) if (one.flags.clockSynced) expect(one.time).toBeLessThan(UNIX_S + it.nowS() + 2);
  });
});

describe("the plan", () => {
  test("samples on whole intervals at a moment of the device's own, and never twice in a second", () => {
    for (const phase of [0, 1, 59, 60, 12_345, 65_535]) {
      for (const interval of [10, 60, 900, 65_535]) {
        const moments = new Set<number>();
        for (const now of [0, 0.4, 59.2, 59.999, 1_795_000_012.4]) {
          const wait = nextSampleInS(now, interval, phase);
          expect(wait).toBeGreaterThanOrEqual(1);
          expect(wait).toBeLessThanOrEqual(interval + 1);
          const into = (now + wait) % interval;
          moments.add(Math.round(into) % interval);
        }
        expect(moments.size, `${phase} in ${interval}`).toBe(1);
      }
    }
  });
});

describe("the supervisor", () => {
  test("lets sampling be late by three intervals, and by three minutes at least", () => {
    expect(isAlive(100, 60, 280)).toBe(true);
    expect(isAlive(100, 60, 281)).toBe(false);
    expect(isAlive(100, 900, 2800)).toBe(true);
    expect(isAlive(100, 900, 2801)).toBe(false);
  });

  test("starts anew on refused memory and cut calls, and on nothing else", () => {
    for (const flag of ["MEMORY", "LOW_MEMORY", "CALLBACK"]) {
      expect(isFatal([flag])).toBe(true);
      expect(isFatal(["FIFO_FULL", flag])).toBe(true);
    }
    expect(isFatal([])).toBe(false);
    expect(isFatal(["FIFO_FULL", "BUFFER_FULL", "UART_OVERFLOW", "NETWORK"])).toBe(false);
  });

  test("of a device feeds the watchdog as long as it samples, and no longer when it stops", () => {
    let kicks = 0;
    let isStuck = false;
    const it = createBench({
      options: {
        kick: () => kicks++,
        ownSupply: () => {
          if (isStuck) throw new Error("stuck");
          return 1;
        },
      },
    });
    it.run(HOUR);
    expect(kicks).toBeGreaterThan(600);
    isStuck = true;
    const runOn = (seconds: number) => {
      const untilMs = it.schedule.nowMs() + seconds * 1000;
      for (;;) {
        try {
          it.schedule.runUntil(untilMs);
          return;
        } catch {
          // As an engine does: what throws ends its own callback.
        }
      }
    };
    runOn(5 * MINUTE);
    kicks = 0;
    runOn(HOUR);
    expect(kicks).toBe(0);
  });
});

describe("sampling", () => {
  test("keeps its interval", () => {
    const it = createBench({ settings: [0, 120] });
    it.run(10 * MINUTE);
    const from = it.reports().length;
    it.run(2 * HOUR);
    const times = it
      .reports()
      .slice(from)
      .map((one) => one.time);
    expect(times.length).toBe(60);
    for (let i = 1; i < times.length; i++) {
      // A second more or less where an answer has put the clock right.
      expect(Math.abs((times[i] as number) - (times[i - 1] as number) - 120)).toBeLessThanOrEqual(1);
    }
  });

  test("goes at the alarm's interval while an alarm stands, and at the usual one when it is over", () => {
    const it = createBench({ settings: [0, 600, 60, 0, 0, 0, 0, 100], codes: () => [50, 0] });
    it.run(HOUR);
    it.codes = () => [200, 0];
    it.run(21 * MINUTE);
    const from = it.reports().length;
    it.run(30 * MINUTE);
    expect(it.reports().length - from).toBe(30);
    it.codes = () => [10, 0];
    it.run(2 * MINUTE);
    const after = it.reports().length;
    it.run(2 * HOUR);
    expect(it.reports().length - after).toBe(12);
  });

  test("goes at the alarm's interval from the sample on that raised the alarm", () => {
    const it = createBench({ settings: [0, 600, 60, 0, 0, 0, 0, 100], codes: () => [50, 0] });
    it.run(HOUR);
    it.codes = () => [200, 0];
    it.run(10 * MINUTE + 1);
    const from = it.reports().length;
    it.run(65);
    expect(it.outputs.lamp).toBe(true);
    expect(it.reports().length - from).toBeGreaterThanOrEqual(1);
  });

  test("says in the first sample since boot that it is, and in no other", () => {
    const it = createBench();
    it.run(5 * MINUTE);
    it.boot();
    it.run(5 * MINUTE);
    const samples = it.stored().filter(({ frame }) => decoded(frame).kind === "report");
    const firsts = samples.flatMap(({ frame }, i) => ((frame[7] as number) & 1 ? [i] : []));
    expect(firsts).toHaveLength(2);
    expect(firsts[0]).toBe(0);
  });

  test("counts its boots", () => {
    const it = createBench();
    for (let i = 0; i < 4; i++) {
      it.run(MINUTE);
      it.boot();
    }
    it.run(MINUTE);
    expect([...new Set(it.infos().map((one) => one.bootCount))]).toEqual([1, 2, 3, 4, 5]);
  });

  test("takes a sensor that does not answer as unknown, one that is not there as absent, and goes on", () => {
    let isLate = false;
    const late: (() => void)[] = [];
    const it = createBench({
      groups: BATTERY | PEOPLE,
      options: {
        sensors: 0b11000,
        probes: [
          { from: 4, count: 2, start: (done) => done([70, 9]) },
          {
            from: 1,
            count: 2,
            start: (done) => (isLate ? late.push(() => done([1, 1])) : done([2640, 2040])),
          },
        ],
      },
    });
    it.run(2 * MINUTE);
    expect(it.reports().at(-1)).toMatchObject({
      phase: "absent",
      battery: { batteryV: 26.4, batteryA: 0, stateOfChargePct: "absent" },
      occupancy: { occupancy: 70, entries: 9 },
    });
    isLate = true;
    it.run(5 * MINUTE);
    for (const answer of late) answer();
    it.run(MINUTE);
    expect(it.reports().at(-1)).toMatchObject({
      battery: { batteryV: "unknown", batteryA: "unknown", stateOfChargePct: "absent" },
      occupancy: { occupancy: 70, entries: 9 },
    });
    expect(it.infos()[0]?.sensors).toBe(0b11000);
  });

  test("gives tamper and help in the header as long as they stand", () => {
    const it = createBench();
    it.run(MINUTE);
    it.device().tamper(true);
    it.run(2 * MINUTE);
    expect(it.reports().at(-1)?.flags.tamper).toBe(true);
    it.device().tamper(false);
    it.run(2 * MINUTE);
    expect(it.reports().at(-1)?.flags.tamper).toBe(false);
    expect(it.events().map((one) => one.event)).toEqual(["tamper"]);
  });
});

describe("own supply", () => {
  test("that is low is told once, and said in every header until it is back", () => {
    const it = createBench();
    it.run(2 * MINUTE);
    it.supply = 0.1;
    it.run(5 * MINUTE);
    expect(it.events().map((one) => [one.event, one.argument])).toEqual([["battery-low", 3]]);
    expect(it.reports().at(-1)?.flags.ownPowerLow).toBe(true);
    it.supply = 0.9;
    it.run(2 * MINUTE);
    expect(it.reports().at(-1)?.flags.ownPowerLow).toBe(false);
  });

  test("that is too low stops every write, whatever comes, and lets it go on when it is back", () => {
    for (const link of [undefined, SLOW]) {
      const it = createBench(link === undefined ? {} : { link });
      it.setLink({ isUp: false });
      it.run(2 * HOUR);
      it.supply = -1;
      const before = it.flash.operations();
      it.setLink({ isUp: true });
      it.run(10 * MINUTE);
      it.device().help(1);
      it.device().tamper(true);
      it.command(70_000, "resend-from", 3);
      it.config(70_001, { capacity: 3 });
      it.ack(sequenceOf(it.stored()[0]?.frame as Uint8Array), 0xffffffff);
      it.run(HOUR);
      expect(it.flash.operations()).toBe(before);
      it.supply = 1;
      const count = it.stored().length;
      it.run(4 * HOUR);
      expect(it.stored().length).toBeGreaterThan(count + 200);
      const missing = it.stored().filter(({ frame }) => !it.gateway.records.has(sequenceOf(frame)));
      expect(missing.length).toBeLessThanOrEqual(2);
    }
  });

  test("that is too low at boot stops every write as well", () => {
    const it = createBench();
    it.run(10 * MINUTE);
    it.supply = -1;
    const before = it.flash.operations();
    it.boot();
    it.run(10 * MINUTE);
    expect(it.flash.operations()).toBe(before);
  });
});
