// Alarms of the device itself, and events by exception: on raw codes.
import { describe, expect, test } from "vitest";
import { createBench, decoded } from "../../tests/fixtures-device.ts";
import {
  ALARM_FUEL_CRITICAL,
  ALARM_FUEL_LOW,
  ALARM_GENERATOR_FAILED,
  ALARM_OVER_CAPACITY,
  ALARM_SOC_CRITICAL,
  ALARM_SOC_LOW,
  type AlarmRule,
  batteryAlarms,
  peopleAlarms,
  powerAlarms,
} from "./alarms.ts";
import { changesIn } from "./changes.ts";

const MINUTE = 60;
// Report and alarm interval, fuel low and critical, charge low and critical, capacity.
const SETTINGS = [0, 60, 0, 25, 10, 30, 15, 100, 4];
/** Where the codes of the group begin. */
const FROM = 1;

/** Alarms and events after each of a row of codes. */
function walk(rule: AlarmRule, rows: readonly (readonly number[])[], settings: readonly number[] = SETTINGS) {
  let standing = 0;
  const events: [number, number][] = [];
  const states = rows.map((row) => {
    standing = rule(standing, Uint16Array.from([15, ...row]), FROM, settings, (event, argument) => {
      events.push([event, argument]);
    });
    return standing;
  });
  return { states, events };
}

const fuel = (pct: number, generator = 1) => [Math.round(pct * 10), generator, 1, 1023, 127];
const charge = (pct: number) => [2640, 2040, Math.round(pct * 2)];

describe("a threshold", () => {
  test("of the fuel sets its alarm at it, and takes it back only five percent above", () => {
    const { states } = walk(
      powerAlarms,
      [25.1, 25, 27, 29.9, 30, 25.1].map((pct) => fuel(pct)),
    );
    const low = ALARM_FUEL_LOW;
    expect(states).toEqual([0, low, low, low, 0, 0]);
  });

  test("that is critical stands beside the one that is low", () => {
    const { states } = walk(powerAlarms, [fuel(10), fuel(14.9), fuel(15), fuel(30)]);
    const both = ALARM_FUEL_LOW | ALARM_FUEL_CRITICAL;
    expect(states).toEqual([both, both, ALARM_FUEL_LOW, 0]);
  });

  test("of the battery tells once for every time that it is crossed", () => {
    const rows = [40, 30, 20, 34.5, 30, 35, 30, 15, 19.5, 20].map(charge);
    const { states, events } = walk(batteryAlarms, rows);
    const both = ALARM_SOC_LOW | ALARM_SOC_CRITICAL;
    const low = ALARM_SOC_LOW;
    expect(states).toEqual([0, low, low, low, low, 0, low, both, both, low]);
    expect(events).toEqual([
      [14, 1],
      [14, 1],
    ]);
  });

  test("of the people is passed above the capacity, left at 95 percent of it, and told with their number", () => {
    const { states, events } = walk(
      peopleAlarms,
      [100, 101, 120, 96, 95, 101].map((people) => [people, 0]),
    );
    const over = ALARM_OVER_CAPACITY;
    expect(states).toEqual([0, over, over, over, 0, over]);
    expect(events).toEqual([
      [15, 101],
      [15, 101],
    ]);
  });

  test("of nothing is no alarm, and one that is taken away takes its alarm with it", () => {
    const none = [0, 60, 0, 0, 0, 0, 0, 0, 4];
    expect(walk(powerAlarms, [fuel(0)], none).states).toEqual([0]);
    expect(walk(batteryAlarms, [charge(0)], none).states).toEqual([0]);
    expect(walk(peopleAlarms, [[2039, 0]], none).states).toEqual([0]);
    const quiet = () => undefined;
    expect(powerAlarms(ALARM_FUEL_LOW, Uint16Array.from([15, ...fuel(1)]), FROM, none, quiet)).toBe(0);
    expect(batteryAlarms(ALARM_SOC_LOW, Uint16Array.from([15, ...charge(1)]), FROM, none, quiet)).toBe(0);
    expect(peopleAlarms(ALARM_OVER_CAPACITY, Uint16Array.from([15, 500, 0]), FROM, none, quiet)).toBe(0);
  });

  test("close to full can be left again: the alarm ends when the tank or the battery is full", () => {
    const high = [0, 60, 0, 97, 0, 97, 0, 0, 4];
    expect(walk(powerAlarms, [fuel(97), fuel(100)], high).states).toEqual([ALARM_FUEL_LOW, 0]);
    expect(walk(batteryAlarms, [charge(97), charge(100)], high).states).toEqual([ALARM_SOC_LOW, 0]);
  });
});

describe("a value that is no value", () => {
  test("changes nothing, for every reason there is", () => {
    for (let reason = 0; reason < 8; reason++) {
      const rows = [fuel(20), [1023 - reason, 1, 1, 1023, 127], fuel(50), [1023 - reason, 1, 1, 1023, 127]];
      expect(walk(powerAlarms, rows).states).toEqual([ALARM_FUEL_LOW, ALARM_FUEL_LOW, 0, 0]);
      const charges = [charge(20), [2640, 2040, 255 - reason], charge(80), [2640, 2040, 255 - reason]];
      expect(walk(batteryAlarms, charges).states).toEqual([ALARM_SOC_LOW, ALARM_SOC_LOW, 0, 0]);
      const people = [
        [150, 0],
        [2047 - reason, 0],
        [10, 0],
        [2047 - reason, 0],
      ];
      expect(walk(peopleAlarms, people).states).toEqual([ALARM_OVER_CAPACITY, ALARM_OVER_CAPACITY, 0, 0]);
    }
  });
});

test("a generator that has failed stays an alarm when it runs again, also while the fuel is unknown", () => {
  const { states } = walk(powerAlarms, [fuel(50, 3), [1022, 5, 1, 1023, 127], fuel(50, 3)]);
  expect(states).toEqual([0, ALARM_GENERATOR_FAILED, ALARM_GENERATOR_FAILED]);
});

describe("lamp and buzzer", () => {
  const settings = [0, 60, 0, 25, 10];

  test("show an alarm that is low by light alone, and one that is critical by sound too", () => {
    const it = createBench({ groups: 1, settings, codes: () => fuel(50) });
    it.run(MINUTE);
    expect(it.outputs).toMatchObject({ lamp: false, buzzer: false });
    it.codes = () => fuel(20);
    it.run(2 * MINUTE);
    expect(it.outputs).toMatchObject({ lamp: true, buzzer: false });
    it.codes = () => fuel(5);
    it.run(2 * MINUTE);
    expect(it.outputs).toMatchObject({ lamp: true, buzzer: true });
    it.codes = () => fuel(50);
    it.run(2 * MINUTE);
    expect(it.outputs).toMatchObject({ lamp: false, buzzer: false });
  });

  test("need no link, and the sample that raised them says so itself", () => {
    const it = createBench({ groups: 1, settings, codes: () => fuel(50) });
    it.setLink({ isUp: false });
    it.run(5 * MINUTE);
    it.codes = () => fuel(20);
    it.run(2 * MINUTE);
    expect(it.outputs.lamp).toBe(true);
    const samples = it.stored().filter(({ frame }) => decoded(frame).kind === "report");
    const flags = samples.map(({ frame }) => ((frame[7] as number) & 16) !== 0);
    expect(flags.filter((isSet) => isSet)).toHaveLength(2);
  });

  test("events of a battery that is low and of too many people come once for each time", () => {
    const it = createBench({ groups: 6, settings: SETTINGS, codes: () => [...charge(50), 50, 0] });
    it.run(2 * MINUTE);
    it.codes = () => [...charge(20), 130, 0];
    it.run(10 * MINUTE);
    expect(it.events().map((one) => [one.event, one.argument])).toEqual([
      ["battery-low", 1],
      ["over-capacity", 130],
    ]);
  });
});

describe("changes between two samples", () => {
  function events(before: readonly number[], now: readonly number[]): [number, number][] {
    const found: [number, number][] = [];
    changesIn(Uint16Array.from([15, ...before]), Uint16Array.from([15, ...now]), FROM, (event, argument) => {
      found.push([event, argument]);
    });
    return found;
  }
  const power = (level: number, generator: number, mains: number) => [level, generator, mains, 1023, 127];

  test("of the mains are told, and not when one of them is not known", () => {
    expect(events(power(500, 1, 1), power(500, 1, 0))).toEqual([[1, 0]]);
    expect(events(power(500, 1, 0), power(500, 1, 1))).toEqual([[2, 0]]);
    for (const unknown of [2, 3]) {
      for (const known of [0, 1]) {
        expect(events(power(500, 1, unknown), power(500, 1, known))).toEqual([]);
        expect(events(power(500, 1, known), power(500, 1, unknown))).toEqual([]);
      }
    }
  });

  test("of the generator are started, stopped and failed, and nothing in between", () => {
    const told = Array.from({ length: 8 }, (_, was) =>
      Array.from({ length: 8 }, (_, is) => events(power(500, was, 1), power(500, is, 1)).map(([event]) => event)),
    );
    for (let was = 0; was < 8; was++) {
      for (let is = 0; is < 8; is++) {
        const isStop = is === 1 && (was === 3 || was === 4);
        const expected = was === is ? [] : is === 3 ? [3] : is === 5 ? [5] : isStop ? [4] : [];
        expect(told[was]?.[is], `${was} to ${is}`).toEqual(expected);
      }
    }
  });

  test("of the level are told above five percent, with how much, and never from or to a reason", () => {
    expect(events(power(400, 1, 1), power(450, 1, 1))).toEqual([]);
    expect(events(power(400, 1, 1), power(451, 1, 1))).toEqual([[6, 51]]);
    expect(events(power(451, 1, 1), power(400, 1, 1))).toEqual([[7, 51]]);
    expect(events(power(451, 1, 1), power(401, 1, 1))).toEqual([]);
    for (let reason = 1016; reason < 1024; reason++) {
      expect(events(power(reason, 1, 1), power(400, 1, 1))).toEqual([]);
      expect(events(power(400, 1, 1), power(reason, 1, 1))).toEqual([]);
    }
  });
});
