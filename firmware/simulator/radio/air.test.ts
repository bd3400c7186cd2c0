import { describe, expect, test } from "vitest";
import { createRandom } from "../random.ts";
import { createSchedule } from "../schedule.ts";
import { createAir, type Emission } from "./air.ts";
import { createAirtimeLedger, subBandOf, timeOnAirMs } from "./airtime.ts";

const NEAR_DB = 100;

function setUp(lossDb: (device: string, station: string) => number = () => NEAR_DB) {
  const schedule = createSchedule();
  const air = createAir({ schedule, random: createRandom(1), lossDb });
  const heard: Record<string, string[]> = { s1: [], s2: [] };
  let isOn = true;
  for (const id of ["s1", "s2"])
    air.addStation({ id, isOn: () => isOn, heard: (one) => void heard[id]?.push(one.sender) });
  const up = (sender: string, part: Partial<Emission> = {}) =>
    air.emit({
      sender,
      isDown: false,
      phy: new Uint8Array(35),
      frequencyHz: 868_100_000,
      dataRate: 3,
      powerDbm: 14,
      ...part,
    });
  const setOn = (on: boolean) => {
    isOn = on;
  };
  return { schedule, air, heard, up, setOn };
}

describe("an uplink", () => {
  test("is heard when it has ended, by all that it reaches", () => {
    const { schedule, air, heard, up } = setUp((_, station) => (station === "s1" ? NEAR_DB : 160));
    const airMs = up("d1");
    expect(airMs).toBeCloseTo(246.784, 3);
    schedule.runUntil(airMs - 1);
    expect(heard["s1"]).toEqual([]);
    schedule.runUntil(airMs);
    expect(heard).toEqual({ s1: ["d1"], s2: [] });
    expect(air.fates).toMatchObject({ heard: 1, weak: 1 });
  });

  test("reaches farther when it is slower", () => {
    const { schedule, heard, up } = setUp(() => 143);
    up("fast", { dataRate: 5 });
    up("slow", { dataRate: 0 });
    schedule.runUntil(10_000);
    expect(heard["s1"]).toEqual(["slow"]);
  });

  test("that meets another of its channel and rate is lost with it, unless it is much stronger", () => {
    const { schedule, air, heard, up } = setUp((device) => (device === "strong" ? NEAR_DB - 7 : NEAR_DB));
    up("d1");
    schedule.runUntil(100);
    up("d2");
    up("other channel", { frequencyHz: 868_300_000 });
    up("other rate", { dataRate: 4 });
    schedule.runUntil(1_000);
    expect(heard["s1"]).toEqual(["other rate", "other channel"]);
    expect(air.fates.collided).toBe(4);
    up("d1");
    up("strong");
    schedule.runUntil(2_000);
    expect(heard["s1"]?.slice(2)).toEqual(["strong"]);
  });

  test("finds a base station deaf that sends, and one without power", () => {
    const { schedule, air, heard, up, setOn } = setUp();
    up("d1");
    schedule.runUntil(200);
    air.emit({
      sender: "s1",
      isDown: true,
      phy: new Uint8Array(20),
      frequencyHz: 869_525_000,
      dataRate: 3,
      powerDbm: 27,
    });
    schedule.runUntil(1_000);
    expect(heard).toEqual({ s1: [], s2: ["d1"] });
    setOn(false);
    up("d2");
    schedule.runUntil(2_000);
    expect(air.fates).toMatchObject({ deaf: 1, off: 2 });
  });

  test("is the ninth at once for nobody", () => {
    const { schedule, air, up } = setUp();
    for (let i = 0; i < 9; i++) up(`d${i}`, { frequencyHz: 867_000_000 + i * 100_000 });
    schedule.runUntil(1_000);
    expect(air.fates.busy).toBeGreaterThan(0);
  });

  test("gets lost by chance", () => {
    const { schedule, air, up } = setUp();
    air.settings.lossUp = 0.1;
    for (let i = 0; i < 1_000; i++) {
      up("d1");
      schedule.runUntil((i + 1) * 1_000);
    }
    expect(air.fates.lost).toBeGreaterThan(150);
    expect(air.fates.lost).toBeLessThan(250);
  });
});

describe("a window", () => {
  function listenAt(fromMs: number, startMs: number, part: Partial<Emission> = {}) {
    const { schedule, air } = setUp();
    let got: number | "nothing" | undefined;
    const window = { listener: "d1", frequencyHz: 868_100_000, dataRate: 3, forMs: 40 };
    schedule.after(fromMs, () =>
      air.listen({
        ...window,
        done: (heard) => {
          got = heard?.phy.length ?? "nothing";
        },
      }),
    );
    const frame = { sender: "s1", isDown: true, phy: new Uint8Array(12), powerDbm: 14 };
    schedule.after(startMs, () => air.emit({ ...frame, frequencyHz: 868_100_000, dataRate: 3, ...part }));
    schedule.runUntil(5_000);
    return got;
  }

  test("gives what begins in it", () => expect(listenAt(985, 1_000)).toBe(12));
  test.each([
    ["too early", listenAt(985, 900)],
    ["too late", listenAt(985, 1_100)],
    ["on another channel", listenAt(985, 1_000, { frequencyHz: 869_525_000 })],
    ["at another rate", listenAt(985, 1_000, { dataRate: 5 })],
    ["from another device", listenAt(985, 1_000, { isDown: false })],
  ])("gives nothing that comes %s", (_, got) => expect(got).toBe("nothing"));
});

test("airtime is that of the standard's tables", () => {
  expect(timeOnAirMs(13, 3, "with")).toBeCloseTo(164.864, 3);
  expect(timeOnAirMs(35, 0)).toBeCloseTo(1_810.4, 1);
  expect(timeOnAirMs(12, 3, "without")).toBeCloseTo(144.4, 1);
  expect([867.1, 868.1, 868.6, 869.525, 869.9].map((mhz) => subBandOf(mhz * 1e6))).toEqual([
    "l",
    "m",
    "m",
    "p",
    "other",
  ]);
});

test("the fullest hour is kept, not the last", () => {
  const ledger = createAirtimeLedger();
  for (let i = 0; i < 20; i++) ledger.add("d1", 868_100_000, i * 100_000, 1_000);
  ledger.add("d1", 868_100_000, 10 * 3_600_000, 1_000);
  ledger.add("d1", 867_100_000, 10 * 3_600_000, 3_600);
  ledger.add("e1", 867_100_000, 10 * 3_600_000, 36_000);
  expect(ledger.busiest("d")).toEqual({ m: 20_000 / 3_600_000, l: 0.001 });
  expect(ledger.totalMs("d1")).toBe(24_600);
});
