import { describe, expect, test } from "vitest";
import { veBlock } from "../simulator/signals.ts";
import { type Beams, createDoorCounter, directionOf, stepPath } from "./door-counter.ts";
import { createFuelProbe, decodeFuelProbe } from "./fuel-probe-4-20ma.ts";
import { createGeneratorInputs, GENERATOR_AT_REST, stepGenerator } from "./generator-inputs.ts";
import { createVeDirect, createVeParser, wholeOf } from "./ve-direct.ts";

/** Time that stands still until it is told: drivers get their delays from it. */
function bench() {
  let nowMs = 0;
  let queue: { at: number; run: () => void }[] = [];
  return {
    uptime: () => nowMs / 1000,
    delay: (ms: number, run: () => void) => {
      const event = { at: nowMs + ms, run };
      queue.push(event);
      return () => {
        queue = queue.filter((one) => one !== event);
      };
    },
    run: (ms: number) => {
      const until = nowMs + ms;
      for (;;) {
        const next = queue.filter((one) => one.at <= until).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        queue = queue.filter((one) => one !== next);
        nowMs = next.at;
        next.run();
      }
      nowMs = until;
    },
  };
}

describe("the 4–20 mA fuel probe", () => {
  test("follows the limits of NE 43", () => {
    expect(decodeFuelProbe(4, 0)).toBe(0);
    expect(decodeFuelProbe(12, 0)).toBe(50);
    expect(decodeFuelProbe(20, 0)).toBe(100);
    expect(decodeFuelProbe(3.8, 0)).toBe(0);
    expect(decodeFuelProbe(20.5, 0)).toBe(100);
    expect(decodeFuelProbe(3.5, 5)).toBe("open-circuit");
    expect(decodeFuelProbe(21.1, 5)).toBe("short-circuit");
    expect(decodeFuelProbe(0, 1)).toBe("unknown");
  });

  test("takes the median of its readings, once a sample, and never throws", () => {
    const time = bench();
    let milliamperes = 12;
    let broken = false;
    const input = () => {
      if (broken) throw new Error("no converter");
      return ((milliamperes / 1000) * 150) / 3.3;
    };
    const probe = createFuelProbe({ input, delay: time.delay, uptime: time.uptime, shuntOhm: 150, referenceV: 3.3 });
    const samples: unknown[] = [];
    probe.sample((level) => samples.push(level));
    time.run(2_000);
    milliamperes = 19;
    time.run(500);
    milliamperes = 12;
    time.run(10_000);
    expect(samples).toHaveLength(1);
    expect(samples[0]).toBeCloseTo(50, 3);
    broken = true;
    probe.sample((level) => samples.push(level));
    time.run(10_000);
    probe.sample((level) => samples.push(level));
    time.run(10_000);
    expect(samples.slice(1)).toEqual(["unknown", "open-circuit"]);
  });
});

const LIVE = [
  ["PID", "0xA381"],
  ["V", "12341"],
  ["T", "---"],
  ["I", "-4200"],
  ["P", "-52"],
  ["CE", "-18500"],
  ["SOC", "873"],
  ["TTG", "1140"],
  ["Alarm", "OFF"],
  ["AR", "0"],
] as const;

describe("VE.Direct", () => {
  test("a block of a known monitor has the known checksum and length", () => {
    const block = veBlock(LIVE);
    expect(block.charCodeAt(block.length - 1)).toBe(0x45);
    expect(block).toHaveLength(103);
  });

  function sampled(pieces: readonly string[], driver?: ReturnType<typeof createVeDirect>) {
    const time = bench();
    let listener: (data: string) => void = () => undefined;
    let opened = 0;
    let closed = 0;
    const line = {
      open: (next: (data: string) => void) => {
        opened++;
        listener = next;
      },
      close: () => void closed++,
    };
    const found: unknown[] = [];
    (driver ?? createVeDirect({ line, delay: time.delay })).sample((sample) => found.push(sample));
    for (const piece of pieces) listener(piece);
    time.run(10_000);
    return { found, opened, closed };
  }

  test("is read in pieces of any size, with HEX frames between and history blocks in turn", () => {
    const block = veBlock(LIVE);
    const history = veBlock([
      ["H1", "-56000"],
      ["H2", "-12000"],
    ]);
    const stream = `garbage\t${block}${history}:A4F1000DF\n${block}`;
    for (const size of [1, 3, 32, stream.length]) {
      const pieces = Array.from({ length: Math.ceil(stream.length / size) }, (_, i) =>
        stream.slice(i * size, i * size + size),
      );
      const { found, opened, closed } = sampled(pieces);
      expect(found, `pieces of ${size}`).toEqual([{ batteryV: 12.341, batteryA: -4.2, stateOfChargePct: 87.3 }]);
      expect([opened, closed]).toEqual([1, 1]);
    }
  });

  test("any single bit flipped in the block is no value", () => {
    const block = veBlock(LIVE);
    for (let bit = 0; bit < block.length * 8; bit++) {
      const bytes = [...block].map((char) => char.charCodeAt(0));
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      const parser = createVeParser();
      parser.take(veBlock([["H1", "0"]]));
      expect(parser.take(String.fromCharCode(...bytes)), `bit ${bit}`).toBeUndefined();
    }
  });

  test("silence is a broken wire, noise is corrupt, what is not available is said so", () => {
    expect(sampled([]).found).toEqual([
      { batteryV: "open-circuit", batteryA: "open-circuit", stateOfChargePct: "open-circuit" },
    ]);
    expect(sampled(["\r\nV\t12"]).found).toEqual([
      { batteryV: "corrupt", batteryA: "corrupt", stateOfChargePct: "corrupt" },
    ]);
    const unsynced = veBlock([
      ["V", "12500"],
      ["I", "x1"],
      ["SOC", "---"],
    ]);
    expect(sampled([unsynced]).found).toEqual([{ batteryV: 12.5, batteryA: "corrupt", stateOfChargePct: "untrusted" }]);
    expect(sampled([veBlock([["V", "99000"]])]).found).toEqual([
      { batteryV: "out-of-range", batteryA: "absent", stateOfChargePct: "absent" },
    ]);
  });

  test("a state of charge that leaps to full is not believed until it was charged there", () => {
    const time = bench();
    let charge = 600;
    const line = {
      open: (next: (data: string) => void) =>
        next(
          veBlock([
            ["V", "12500"],
            ["I", "0"],
            ["SOC", String(charge)],
          ]),
        ),
      close: () => undefined,
    };
    const driver = createVeDirect({ line, delay: time.delay });
    const found: unknown[] = [];
    for (const next of [600, 1000, 1000, 980, 990, 1000]) {
      charge = next;
      driver.sample((sample) => found.push(sample.stateOfChargePct));
      time.run(5_000);
    }
    expect(found).toEqual([60, "untrusted", "untrusted", 98, 99, 100]);
  });

  test("a number is a number and nothing more", () => {
    expect(["12", "-7", "", "-", "1x", "0x12", " 1"].map(wholeOf)).toEqual([
      12,
      -7,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("the door counter", () => {
  function walk(beams: readonly Beams[]) {
    let path = 0;
    for (const now of beams) if (now > 0) path = stepPath(path, now);
    return ["out", "turned", "in"][directionOf(path) + 1];
  }

  test("tells in from out, and both from turning back", () => {
    expect(walk([1, 3, 2, 0])).toBe("in");
    expect(walk([2, 3, 1, 0])).toBe("out");
    expect(walk([1, 3, 1, 0])).toBe("turned");
    expect(walk([1, 0])).toBe("turned");
    expect(walk([1, 3, 2, 3, 2, 0])).toBe("in");
    expect(walk([1, 3, 2, 3, 1, 0])).toBe("turned");
    expect(walk([1, 2, 0])).toBe("in");
  });

  test("a passage that takes longer than a person does counts nobody", () => {
    const time = bench();
    const edges: ((isHigh: boolean, timeS: number) => void)[] = [];
    const counter = createDoorCounter({
      watchA: (listener) => void edges.push(listener),
      watchB: (listener) => void edges.push(listener),
      beamA: () => true,
      beamB: () => true,
      uptime: time.uptime,
      delay: time.delay,
    });
    counter.restore(2045, 16_375);
    const walkIn = (stepS: number) => {
      const began = time.uptime();
      [
        [0, false],
        [1, false],
        [0, true],
        [1, true],
      ].forEach(([beam, isHigh], i) => {
        edges[beam as number]?.(isHigh as boolean, began + i * stepS);
      });
    };
    walkIn(2);
    const found: unknown[] = [];
    counter.sample((_isStuck, occupancy, entries) => found.push(occupancy, entries));
    time.run(10);
    walkIn(0.3);
    counter.sample((_isStuck, occupancy, entries) => found.push(occupancy, entries));
    time.run(10);
    expect(found).toEqual([0, 16_375, 1, 0]);
  });

  test("counts people, never below zero, and says stuck when a beam is blocked", () => {
    const time = bench();
    const edges: ((isHigh: boolean, timeS: number) => void)[] = [];
    const levels = [true, true];
    const counter = createDoorCounter({
      watchA: (listener) => void edges.push(listener),
      watchB: (listener) => void edges.push(listener),
      beamA: () => levels[0] as boolean,
      beamB: () => levels[1] as boolean,
      uptime: time.uptime,
      delay: time.delay,
    });
    const set = (beam: 0 | 1, isHigh: boolean) => {
      levels[beam] = isHigh;
      edges[beam]?.(isHigh, time.uptime());
      time.run(200);
    };
    const passage = (first: 0 | 1, second: 0 | 1) => {
      set(first, false);
      set(second, false);
      set(first, true);
      set(second, true);
    };
    passage(1, 0);
    passage(0, 1);
    passage(0, 1);
    passage(1, 0);
    const found: unknown[] = [];
    counter.sample((...told) => found.push(told));
    time.run(10);
    set(0, false);
    time.run(31_000);
    counter.sample((...told) => found.push(told));
    time.run(10);
    set(0, true);
    counter.sample((...told) => found.push(told));
    time.run(10);
    expect(found).toEqual([
      [false, 1, 2],
      [true, 1, 2],
      [false, 1, 2],
    ]);
  });
});

describe("the generator inputs", () => {
  test("run and stop by the table of charge lamp and oil pressure", () => {
    let watch = GENERATOR_AT_REST;
    const at = (charge: boolean, oil: boolean, timeS: number) => {
      watch = stepGenerator(watch, charge, oil, timeS);
      return watch.state;
    };
    expect(at(false, false, 0)).toBe("stopped");
    expect(at(true, false, 1)).toBe("starting");
    expect(at(true, true, 3)).toBe("starting");
    expect(at(true, true, 6)).toBe("running");
    expect(at(false, true, 100)).toBe("cooling");
    expect(at(false, false, 110)).toBe("stopped");
    expect(at(true, false, 200)).toBe("starting");
    expect(at(true, false, 211)).toBe("failed");
    expect(at(false, false, 220)).toBe("failed");
    expect(at(true, true, 300)).toBe("starting");
  });

  test("a dead starter input is a broken wire, and a throwing pin is unknown", () => {
    const time = bench();
    let volts = 12.6;
    let broken = false;
    const pin = () => {
      if (broken) throw new Error("no pin");
      return true;
    };
    const inputs = createGeneratorInputs({
      mains: pin,
      charge: () => false,
      oil: () => false,
      starter: () => volts / 36.3,
      starterFullScaleV: 36.3,
      delay: time.delay,
      uptime: time.uptime,
    });
    const found: { mains: string; starterBatteryV: unknown }[] = [];
    const sample = () => {
      inputs.sample((one) => found.push(one));
      time.run(10_000);
    };
    sample();
    volts = 0;
    broken = true;
    sample();
    expect(found[0]).toMatchObject({ generator: "stopped", mains: "present" });
    expect(found[0]?.starterBatteryV).toBeCloseTo(12.6);
    expect(found[1]).toMatchObject({ mains: "unknown", starterBatteryV: "open-circuit" });
  });
});
