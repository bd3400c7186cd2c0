import { describe, expect, test } from "vitest";
import {
  type Ack,
  encodeAck,
  encodeCommand,
  encodeEvent,
  type Report,
  type Sha256,
  sealFrame,
} from "../../protocol/wire.ts";
import { sha256 as nodeSha256 } from "../simulator/world.ts";
import { NOWHERE, type Ring } from "../store/ring.ts";
import { changesBetween } from "./changes.ts";
import { CLOCK_UNSET, stampOf, stepClock } from "./clock.ts";
import { nextSampleInS, phaseOf } from "./plan.ts";
import { createReporter, RESEND_S, UNACKED_MAX } from "./reporter.ts";
import { lateTask } from "./supervisor.ts";

const sha256: Sha256 = nodeSha256;
const KEY = new Uint8Array(32).fill(3);

describe("the clock", () => {
  test("is set by two acks that agree, adjusted by one, and never by an answer to an old frame", () => {
    const first = stepClock(CLOCK_UNSET, 1_795_000_000, 100, 1);
    expect(first.reason).toBe("proposed");
    expect(stampOf(first.clock, 100)).toEqual({ time: 100, clockSynced: false });
    const second = stepClock(first.clock, 1_795_000_003, 102, 1);
    expect(second.reason).toBe("agreed");
    expect(stampOf(second.clock, 102)).toEqual({ time: 1_795_000_003, clockSynced: true });
    expect(stepClock(second.clock, 1_795_000_030, 105, 1).reason).toBe("adjusted");
    expect(stepClock(second.clock, 1_795_009_000, 105, 1).reason).toBe("proposed");
    expect(stepClock(second.clock, 1_795_009_000, 105, 31).reason).toBe("too-old");
    expect(stepClock(second.clock, 0, 105, 1).reason).toBe("no-time");
  });
});

describe("the plan", () => {
  test("samples on whole intervals at a moment of the device's own", () => {
    for (const device of ["alm-01-d1", "nop-06-d1", "x"]) {
      const phase = phaseOf(device, 60);
      expect(phase).toBeGreaterThanOrEqual(0);
      expect(phase).toBeLessThan(60);
      for (const now of [0, 59.2, 1_795_000_012.4]) {
        const wait = nextSampleInS(now, 60, phase);
        expect(wait).toBeGreaterThanOrEqual(1);
        expect(wait).toBeLessThanOrEqual(61);
        expect(Math.abs(((now + wait - phase) % 60) - 0) % 60).toBeCloseTo(0, 3);
      }
    }
  });
});

test("changes between two samples become events", () => {
  const power = (part: object) =>
    ({
      power: {
        fuelLevelPct: 50,
        generator: "stopped",
        mains: "present",
        loadKw: "absent",
        starterBatteryV: 12.7,
        ...part,
      },
    }) as Report;
  const events = (before: object, now: object) =>
    changesBetween(power(before), power(now)).map((change) => change.event);
  expect(events({}, { mains: "lost" })).toEqual(["mains-lost"]);
  expect(events({ mains: "lost" }, { generator: "running" })).toEqual(["mains-restored", "generator-started"]);
  expect(events({ generator: "running" }, { generator: "failed" })).toEqual(["generator-failed"]);
  expect(changesBetween(power({ fuelLevelPct: 40 }), power({ fuelLevelPct: 62.5 }))).toEqual([
    { event: "refuelled", argument: 225 },
  ]);
  expect(changesBetween(undefined, power({}))).toEqual([]);
});

test("the supervisor names the task that did not run", () => {
  expect(lateTask({ lastS: { sample: 100, pump: 40 } }, { sample: 60, pump: 60 }, 110)).toBe("pump");
  expect(lateTask({ lastS: { sample: 100, pump: 100 } }, { sample: 60, pump: 60 }, 110)).toBeUndefined();
  expect(lateTask({ lastS: {} }, { sample: 60 }, 61)).toBe("sample");
});

describe("the reporter", () => {
  /** Records in memory, in the shape of the ring. */
  function memoryRing(): Ring & { readonly acked: Set<number> } {
    const frames: Uint8Array[] = [];
    const acked = new Set<number>();
    return {
      acked,
      lastSequence: () => frames.length - 1,
      append: (frame) => frames.push(frame) - 1,
      acknowledge: (place) => void acked.add(place),
      nextOpen: (from) => {
        for (let place = from === NOWHERE ? 0 : from; place < frames.length; place++) {
          if (!acked.has(place)) return { place, frame: frames[place] as Uint8Array, acknowledged: false };
        }
        return undefined;
      },
      after: (place) => place + 1,
      findNewest: () => undefined,
      overwritten: () => 0,
      usedPct: () => 0,
    };
  }

  function setup() {
    const ring = memoryRing();
    const sent: number[] = [];
    const heard: number[] = [];
    let now = 0;
    let up = true;
    let room = 100;
    const link = {
      isUp: () => up,
      room: () => (up ? room : 0),
      send: (payload: Uint8Array) => {
        room--;
        sent.push(((payload[1] as number) << 8) | (payload[2] as number));
      },
    };
    const reporter = createReporter({
      ring,
      link,
      sha256,
      key: KEY,
      ackEvery: 4,
      uptime: () => now,
      heard: (_, answerS) => heard.push(answerS),
    });
    const event = (sequence: number) => encodeEvent({ sequence, time: 1, flags: {}, event: "tamper", argument: 0 });
    const ack = (value: Ack, key = KEY) => reporter.received(sealFrame(sha256, key, encodeAck(value)));
    return {
      ring,
      sent,
      heard,
      reporter,
      event,
      ack,
      pass: (seconds: number) => {
        now += seconds;
      },
      link: (isUp: boolean, more = 100) => {
        up = isUp;
        room = more;
        if (!isUp) reporter.reset();
      },
    };
  }

  test("sends the newest first when the link is back, then history, within a window of 32", () => {
    const it = setup();
    it.link(false);
    for (let i = 0; i < 100; i++) it.reporter.add(it.event(i));
    it.link(true);
    it.reporter.pump();
    expect(it.sent.slice(0, 4)).toEqual([99, 0, 1, 2]);
    expect(it.sent).toHaveLength(UNACKED_MAX);
    it.ack({ time: 1_795_000_000, baseSequence: 0, bitmap: 0xfffffffe });
    expect(it.ring.acked.size).toBe(31);
    expect(it.sent.slice(32, 35)).toEqual([31, 32, 33]);
  });

  test("marks only what it has sent and what a frame that checks names", () => {
    const it = setup();
    for (const sequence of [65_534, 65_535, 0, 1]) it.reporter.add(it.event(sequence));
    it.ack({ time: 0, baseSequence: 65_534, bitmap: 0xffffffff }, new Uint8Array(32));
    expect(it.ring.acked.size).toBe(0);
    it.reporter.received(sealFrame(sha256, KEY, encodeCommand({ counter: 1, command: "reboot", argument: 0 })));
    expect(it.reporter.ignored()).toBe(2);
    it.ack({ time: 0, baseSequence: 65_535, bitmap: 0xa0000000 });
    expect([...it.ring.acked]).toEqual([1, 3]);
  });

  test("sends again what nobody acknowledged in time, and tells of the answer's age", () => {
    const it = setup();
    it.reporter.add(it.event(7));
    it.pass(RESEND_S + 1);
    it.reporter.pump();
    expect(it.sent).toEqual([7, 7]);
    it.pass(2);
    it.ack({ time: 5, baseSequence: 7, bitmap: 0x80000000 });
    expect(it.heard).toEqual([2]);
    it.pass(RESEND_S + 1);
    it.reporter.pump();
    expect(it.sent).toHaveLength(2);
  });
});
