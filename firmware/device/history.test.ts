// What was not delivered goes as history: reporter, history, ring and backlog encoder together, on a virtual schedule.
import { describe, expect, test } from "vitest";
import { backlogRowOf, createBacklogEncoder, encodeEvent, encodeReport } from "../../protocol/wire.ts";
import {
  asStored,
  type Bench,
  createBench,
  decoded,
  FAST,
  flashOf,
  PEOPLE,
  ringOf,
  type Sent,
  SLOW,
  sequenceOf,
  UNIX_S,
} from "../../tests/fixtures-device.ts";
import { createRandom } from "../simulator/random.ts";
import { putHeader } from "./frames.ts";
import { createHistory, FRESH_S, type History } from "./history.ts";

const MINUTE = 60;
const HOUR = 3600;

/** All that the device has stored has reached the gateway, as it was stored. */
function expectAllDelivered(it: Bench): void {
  const missing = it.stored().filter(({ frame }) => it.gateway.records.get(sequenceOf(frame)) !== asStored(frame));
  expect(missing.map(({ frame }) => sequenceOf(frame))).toEqual([]);
}

/** Nothing is marked that has not reached the gateway. */
function expectOnlyDeliveredMarked(it: Bench, seed = 0): void {
  const wrong = it.stored().filter(({ frame, isMarked }) => isMarked && !it.gateway.records.has(sequenceOf(frame)));
  expect(
    wrong.map(({ frame }) => sequenceOf(frame)),
    `seed ${seed}`,
  ).toEqual([]);
}

/** Numbers that hardly compress. */
function noise(nowS: number): number[] {
  const random = createRandom(Math.floor(nowS));
  return [Math.floor(random.between(0, 2000)), Math.floor(random.between(0, 16000))];
}

function kindsOf(sent: readonly Sent[]): string[] {
  return sent.map((one) => one.uplink.kind);
}

describe("after an outage", () => {
  test("the newest goes first, then history from the oldest on, until the gateway has everything exactly as stored", () => {
    const it = createBench();
    it.run(10 * MINUTE);
    it.setLink({ isUp: false });
    it.run(5 * HOUR);
    const from = it.sent.length;
    it.setLink({ isUp: true });
    it.run(2 * MINUTE);
    const kinds = kindsOf(it.sent.slice(from));
    expect(kinds[0]).toBe("report");
    expect(kinds).toContain("backlog");
    it.run(10 * MINUTE);
    expectAllDelivered(it);
    const times = it.backlogs().flatMap((one) => one.reports.map((frame) => sequenceOf(frame)));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(it.backlogs().length).toBeLessThan(12);
  });

  test("history begins at a random moment, of each device its own", () => {
    const startsOf = (link: typeof FAST) =>
      [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => {
        const it = createBench({ seed, link });
        it.run(5 * MINUTE);
        it.setLink({ isUp: false });
        it.run(HOUR);
        it.setLink({ isUp: true });
        const sinceS = it.nowS();
        it.run(2 * MINUTE);
        const first = it.sent.find((one) => one.atS >= sinceS && one.uplink.kind === "backlog");
        return (first?.atS ?? Infinity) - sinceS;
      });
    // The regular tick, 5 s, comes on top of the random moment.
    for (const start of startsOf(FAST)) expect(start).toBeLessThan(11);
    const slow = startsOf({ ...SLOW, costS: 0.01 });
    for (const start of slow) expect(start).toBeLessThan(70);
    expect(new Set(slow.map((start) => Math.round(start / 5))).size).toBeGreaterThan(2);
  });

  test("on a slow link too everything is delivered, one frame at a time, within what the link has to spare", () => {
    const it = createBench({ link: SLOW, settings: [0, 300] });
    it.run(30 * MINUTE);
    it.setLink({ isUp: false });
    it.run(24 * HOUR);
    it.setLink({ isUp: true });
    it.run(6 * HOUR);
    expectAllDelivered(it);
    for (const one of it.sent) expect(one.frame.length).toBeLessThanOrEqual(SLOW.roomBytes);
  });

  test("history leaves room for what is new: every live sample goes out within a minute while it drains", () => {
    const it = createBench({ link: { ...FAST, leaveMs: 2000, most: 2 } });
    it.setLink({ isUp: false });
    it.run(10 * HOUR);
    it.setLink({ isUp: true });
    const sinceS = it.nowS();
    it.run(20 * MINUTE);
    const live = it.sent.filter((one) => one.atS > sinceS + 5 && one.uplink.kind === "report");
    expect(live.length).toBeGreaterThanOrEqual(19);
  });
});

describe("an acknowledgement", () => {
  test("alone marks a record: whatever is lost, nothing is marked that the gateway has not", () => {
    for (let seed = 1; seed <= 30; seed++) {
      const random = createRandom(seed);
      const it = createBench({ seed, link: seed % 2 ? FAST : { ...SLOW, costS: 0.05 } });
      it.gateway.loses = () => random.next() < 0.3;
      it.run(30 * MINUTE);
      it.setLink({ isUp: false });
      it.run(90 * MINUTE);
      it.setLink({ isUp: true });
      for (let i = 0; i < 12; i++) {
        it.run(10 * MINUTE);
        expectOnlyDeliveredMarked(it, seed);
        if (i === 5) it.boot();
      }
      it.gateway.loses = () => false;
      it.run(3 * HOUR);
      expectOnlyDeliveredMarked(it, seed);
      expectAllDelivered(it);
    }
  });

  test("does not mark a sample that was under way by itself when history was packed around it, and is lost", () => {
    // Every second sample goes by itself, the others as history around it.
    const it = createBench({ link: { ...SLOW, costS: 3 }, codes: noise });
    it.run(20 * MINUTE);
    const random = createRandom(5);
    it.gateway.loses = ({ uplink }) => uplink.kind === "report" && random.next() < 0.5;
    for (let i = 0; i < 60; i++) {
      it.run(3 * MINUTE);
      expectOnlyDeliveredMarked(it);
    }
  });

  test("by the broker alone marks nothing", () => {
    const it = createBench();
    it.run(2 * MINUTE);
    it.gateway.answers = false;
    const before = it.stored().filter((one) => one.isMarked).length;
    it.run(HOUR);
    expect(it.stored().filter((one) => one.isMarked).length).toBeLessThanOrEqual(before + 1);
  });

  test("that stays out makes history wait longer and longer, and one that comes lets it go on", () => {
    const it = createBench({ link: { ...SLOW, costS: 0.05 } });
    it.gateway.answers = false;
    it.run(4 * HOUR);
    const late = it.sent.filter((one) => one.uplink.kind === "backlog").map((one) => one.atS);
    expect(late.filter((atS) => atS > HOUR).length).toBeLessThanOrEqual(late.filter((atS) => atS <= HOUR).length + 2);
    it.gateway.answers = true;
    it.run(6 * HOUR);
    expectAllDelivered(it);
  });
});

describe("a backlog frame", () => {
  test("is broken by a restart and by the clock being set, and says of which boot it is and what time it is now", () => {
    const it = createBench();
    it.gateway.answers = false;
    it.setLink({ isUp: false });
    it.run(20 * MINUTE);
    it.boot();
    it.setLink({ isUp: false });
    it.run(20 * MINUTE);
    it.gateway.answers = true;
    it.setLink({ isUp: true });
    it.run(5 * MINUTE);
    it.setLink({ isUp: false });
    it.run(20 * MINUTE);
    it.setLink({ isUp: true });
    it.run(10 * MINUTE);
    expectAllDelivered(it);
    const bootCount = it.infos().at(-1)?.bootCount ?? 0;
    expect(bootCount).toBe(2);
    let kinds = "";
    for (const one of it.sent) {
      if (one.uplink.kind !== "backlog") continue;
      const { value } = one.uplink;
      const flags = value.reports.map((frame) => ((frame[7] as number) & 0x80) !== 0);
      expect(new Set(flags).size).toBe(1);
      expect(value.earlierBoot).toBe(value.boot !== bootCount);
      kinds += value.earlierBoot ? "e" : flags[0] ? "s" : "u";
      // Seconds since boot while no clock is set, and also with a clock for samples of this boot that have none.
      const now = !flags[0] && !value.earlierBoot ? one.atS - 20 * MINUTE : UNIX_S + one.atS;
      if (value.flags.clockSynced || !value.earlierBoot) expect(Math.abs(value.time - now)).toBeLessThan(22);
      expect(value.flags.clockSynced).toBe(value.time > 1e9);
    }
    expect(kinds).toMatch(/e.*u.*s/);
  });

  test("never says a time that is long past when it leaves", () => {
    const it = createBench({ link: { ...SLOW, leaveMs: 40_000 }, codes: noise });
    it.setLink({ isUp: false });
    it.run(6 * HOUR);
    it.setLink({ isUp: true });
    it.run(8 * HOUR);
    const late = it.sent.filter((one) => one.uplink.kind === "backlog");
    expect(late.length).toBeGreaterThan(3);
    for (const one of late) {
      if (one.uplink.kind !== "backlog") continue;
      const { time, flags } = one.uplink.value;
      const now = flags.clockSynced ? UNIX_S + one.atS : one.atS;
      expect(Math.abs(now - time)).toBeLessThan(25);
    }
  });

  test("that was ready when the link had no room left is made anew before it leaves", () => {
    const encoder = createBacklogEncoder(backlogRowOf(PEOPLE), 242);
    let isHeld = false;
    const finish = () => {
      if (!isHeld) it.script.roomBytes = 0;
      isHeld = true;
      return encoder.finish();
    };
    const it = createBench({ options: { encoder: { ...encoder, finish } } });
    it.run(20);
    isHeld = false;
    it.setLink({ isUp: false });
    it.run(HOUR);
    it.setLink({ isUp: true, roomBytes: 242 });
    it.run(5 * MINUTE);
    expect([isHeld, it.script.roomBytes]).toEqual([true, 0]);
    const from = it.backlogs().length;
    it.setLink({ roomBytes: 242 });
    it.run(MINUTE);
    const sent = it.sent.filter((one) => one.uplink.kind === "backlog").slice(from);
    expect(sent.length).toBeGreaterThan(0);
    for (const one of sent) {
      const { time, flags } = one.uplink.value as { time: number; flags: { clockSynced?: boolean } };
      expect(Math.abs(one.atS + (flags.clockSynced ? UNIX_S : 0) - time)).toBeLessThan(25);
    }
  });

  test("of samples that another configuration has stored decodes to exactly these", () => {
    const point = createBench({ groups: 7, codes: () => [500, 1, 1, 1023, 127, 2643, 2050, 170, 143, 1822] });
    point.setLink({ isUp: false });
    point.run(30 * MINUTE);
    const stored = point.stored();
    // The same flash in a board that has been given other sensors on the bench.
    const door = createBench({ flash: point.flash });
    door.run(HOUR);
    for (const { frame } of stored) expect(door.gateway.records.get(sequenceOf(frame))).toBe(asStored(frame));
  });

  test("takes a sample a turn, and no turn reads or writes more than a few records", () => {
    const it = createBench();
    it.setLink({ isUp: false });
    it.run(6 * HOUR);
    it.worst.samples = it.worst.operations = it.worst.reads = 0;
    it.setLink({ isUp: true });
    it.run(10 * MINUTE);
    expectAllDelivered(it);
    expect(it.worst.samples).toBe(1);
    expect(it.worst.operations).toBeLessThanOrEqual(6);
    expect(it.worst.reads).toBeLessThanOrEqual(16);
  });

  test("goes only while the window has room: never more under way than it holds", () => {
    const it = createBench({ flightsMax: 4 });
    it.setLink({ isUp: false });
    it.run(24 * HOUR);
    it.gateway.answerMs = 20_000;
    it.setLink({ isUp: true });
    const sinceS = it.nowS();
    it.run(18);
    expect(it.sent.filter((one) => one.atS >= sinceS).length).toBeLessThanOrEqual(5);
    it.gateway.answerMs = 300;
    it.run(2 * HOUR);
    expectAllDelivered(it);
  });
});

describe("an event that history has found", () => {
  const HELP = { flags: { clockSynced: true }, event: "help-requested", argument: 1 } as const;

  const PEOPLE_THERE = { occupancy: 12, entries: 30 };

  /** A ring with one event behind a sample, and history over it. */
  function walk() {
    const ring = ringOf(flashOf(4), 4);
    const time = UNIX_S;
    ring.append(
      encodeReport({ sequence: ring.next(), time, flags: HELP.flags, phase: "open", occupancy: PEOPLE_THERE }),
    );
    const place = ring.append(encodeEvent({ sequence: ring.next(), time, ...HELP }));
    const handed: number[] = [];
    const room = { isThere: true };
    const clock = { s: 0 };
    const power = { isLow: false };
    const history = createHistory({
      ring,
      encoder: createBacklogEncoder(backlogRowOf(PEOPLE), 242),
      groupBits: PEOPLE,
      uptime: () => clock.s,
      stamp: (out, kind, sequence) => putHeader(out, kind, sequence, time, 128),
      intervalS: () => 60,
      // As the reporter's queue does.
      skip: (at) => (handed.includes(at) ? at + 1 : at),
      event: (at) => room.isThere && handed.push(at) > 0,
      thinning: undefined,
      isStill: () => power.isLow,
    });
    return { ring, place, handed, room, clock, power, history };
  }

  /** As many turns of history as it has to do. */
  function stepAll(history: History): number {
    let turns = 0;
    while (history.step(242)) expect(++turns).toBeLessThan(100);
    return turns;
  }

  test("is handed on in a turn of its own, and once, whatever comes between the two", () => {
    const between: ((it: ReturnType<typeof walk>) => void)[] = [
      () => undefined,
      ({ history }) => history.drop(),
      ({ history }) => history.back(0),
      ({ history, ring }) => history.back(ring.oldest()),
      ({ history }) => history.resend(0),
      // Too old by then: the frame that was in the making is given up.
      ({ clock }) => {
        clock.s += FRESH_S + 1;
      },
      ({ history, ring, place }) => {
        ring.mark(place);
        history.drop();
      },
    ];
    const turns = stepAll(walk().history);
    for (const [i, change] of between.entries())
      for (let stop = 0; stop < turns; stop++) {
        const it = walk();
        for (let turn = 0; turn < stop; turn++) it.history.step(242);
        const was = it.handed.length;
        change(it);
        stepAll(it.history);
        it.history.gone();
        stepAll(it.history);
        // One that has been acknowledged meanwhile is nobody's any more.
        const most = i === between.length - 1 ? was : 1;
        expect(it.handed, `change ${i}, turn ${stop}`).toEqual([it.place].slice(0, most));
      }
  });

  test("no frame takes a sequence while nothing may be written; one that is begun goes on", () => {
    const it = walk();
    it.power.isLow = true;
    const next = it.ring.next();
    stepAll(it.history);
    expect(it.history.isMaking()).toBe(false);
    expect(it.ring.next()).toBe(next);
    it.power.isLow = false;
    while (!it.history.isMaking()) expect(it.history.step(242)).toBe(true);
    it.power.isLow = true;
    stepAll(it.history);
    expect(it.history.ready()).toBeDefined();
    expect(it.ring.next()).toBe(next + 1);
  });

  test("a frame holds nothing that was stored after it had taken its own sequence", () => {
    const it = walk();
    while (!it.history.isMaking()) expect(it.history.step(242)).toBe(true);
    const later = it.ring.next();
    it.ring.append(
      encodeReport({ sequence: later, time: UNIX_S, flags: HELP.flags, phase: "open", occupancy: PEOPLE_THERE }),
    );
    const held: number[][] = [];
    for (let frames = 0; frames < 2; frames++) {
      stepAll(it.history);
      const made = decoded(it.history.ready() as Uint8Array);
      held.push(made.kind === "backlog" ? made.value.reports.map(sequenceOf) : []);
      it.history.gone();
    }
    expect(held).toEqual([[later - 3], [later]]);
  });

  test("waits where it is while nobody can take it", () => {
    const it = walk();
    it.room.isThere = false;
    for (let tries = 0; tries < 3; tries++) {
      stepAll(it.history);
      if (it.history.ready()) it.history.gone();
      expect(it.history.cursor()).toBe(it.place);
    }
    it.room.isThere = true;
    stepAll(it.history);
    expect(it.handed).toEqual([it.place]);
  });

  test("goes once after the link is back, in whatever turn it was lost", () => {
    const outage = () => {
      const it = createBench({ settings: [0, 3600] });
      it.run(20 * MINUTE);
      it.setLink({ isUp: false });
      // One more than can wait by themselves: the first is history.
      for (let i = 0; i < 9; i++) it.device().help(1 + (i % 6));
      const first = it.stored().find(({ frame }) => decoded(frame).kind === "event")?.frame as Uint8Array;
      it.setLink({ isUp: true });
      return { it, sent: () => it.sent.filter((one) => sequenceOf(one.frame) === sequenceOf(first)) };
    };
    const whole = outage();
    const fromS = whole.it.nowS();
    whole.it.run(MINUTE);
    const wentS = (whole.sent()[0]?.atS as number) - fromS;
    const went = new Set<boolean>();
    for (let ms = -300; ms < 100; ms += 5) {
      const { it, sent } = outage();
      it.run(wentS + ms / 1000);
      const isGone = sent().length > 0;
      it.setLink({ isUp: false });
      it.run(1);
      it.setLink({ isUp: true });
      it.run(10 * MINUTE);
      went.add(isGone);
      expectAllDelivered(it);
      if (!isGone) expect(sent(), `${ms} ms`).toHaveLength(1);
      expect(it.stored().filter(({ frame, isMarked }) => decoded(frame).kind === "event" && !isMarked)).toEqual([]);
    }
    expect(went.size).toBe(2);
  });
});

describe("resend-from", () => {
  function delivered(): Bench {
    const it = createBench();
    it.run(HOUR);
    expectAllDelivered(it);
    return it;
  }

  test("brings back the samples that were acknowledged, from that sequence on, and ends", () => {
    const it = delivered();
    const all = it.stored().filter(({ frame }) => decoded(frame).kind === "report");
    const from = sequenceOf((all[20] as (typeof all)[0]).frame);
    it.gateway.records.clear();
    it.command(UNIX_S, "resend-from", from);
    it.run(10 * MINUTE);
    const there = all.filter(({ frame }) => it.gateway.records.has(sequenceOf(frame)));
    expect(there).toEqual(all.slice(20));
    const count = it.backlogs().length;
    it.run(HOUR);
    expect(it.backlogs().length).toBe(count);
    it.boot();
    it.run(10 * MINUTE);
    expect(it.backlogs().length).toBeLessThanOrEqual(count + 1);
  });

  test("brings back the events that were acknowledged", () => {
    const it = delivered();
    it.device().help(2);
    it.run(10 * MINUTE);
    const [event] = it.stored().filter(({ frame }) => decoded(frame).kind === "event");
    const sequence = sequenceOf(event?.frame as Uint8Array);
    expect(event?.isMarked).toBe(true);
    it.gateway.records.clear();
    it.command(UNIX_S, "resend-from", sequence);
    it.run(10 * MINUTE);
    expect(it.gateway.records.has(sequence)).toBe(true);
  });

  test("goes on after a restart in the middle of it", () => {
    const it = delivered();
    const samples = it.stored().filter(({ frame }) => decoded(frame).kind === "report");
    it.gateway.records.clear();
    it.setLink({ isUp: false });
    it.command(UNIX_S, "resend-from", sequenceOf(samples[0]?.frame as Uint8Array));
    it.run(MINUTE);
    it.boot();
    it.setLink({ isUp: true });
    it.run(15 * MINUTE);
    expect(samples.filter(({ frame }) => !it.gateway.records.has(sequenceOf(frame)))).toEqual([]);
  });
});

test("a ring that is full gives its oldest records away, and history goes on with what is there", () => {
  const it = createBench({ pages: 4 });
  it.setLink({ isUp: false });
  it.run(6 * HOUR);
  it.setLink({ isUp: true });
  it.run(30 * MINUTE);
  expectAllDelivered(it);
});

test("nothing is lost where sequences begin again at zero, and resend-from reaches back behind it", () => {
  const flash = flashOf(16);
  const ring = ringOf(flash, 16);
  ring.append(encodeEvent({ sequence: 65_500, time: 1, flags: {}, event: "tamper", argument: 0 }));
  const it = createBench({ flash });
  it.run(10 * MINUTE);
  it.setLink({ isUp: false });
  it.run(HOUR);
  it.setLink({ isUp: true });
  it.run(10 * MINUTE);
  expectAllDelivered(it);
  const samples = it.stored().filter(({ frame }) => decoded(frame).kind === "report");
  const sequences = samples.map(({ frame }) => sequenceOf(frame));
  expect(Math.max(...sequences)).toBeGreaterThan(65_500);
  expect(Math.min(...sequences)).toBeLessThan(100);
  it.gateway.records.clear();
  it.command(UNIX_S, "resend-from", sequences[5] as number);
  it.run(10 * MINUTE);
  const there = sequences.filter((sequence) => it.gateway.records.has(sequence));
  expect(there).toEqual(sequences.slice(5));
});

test("sequences only move forward, over restarts and resending", () => {
  const it = createBench();
  const seen: number[] = [];
  const look = () => {
    for (const one of it.stored()) if (!seen.includes(sequenceOf(one.frame))) seen.push(sequenceOf(one.frame));
  };
  for (let i = 0; i < 6; i++) {
    it.run(7 * MINUTE);
    look();
    it.boot();
  }
  it.run(MINUTE);
  look();
  for (let i = 1; i < seen.length; i++) expect((seen[i] as number) - (seen[i - 1] as number)).toBeGreaterThan(0);
  const own = it.sent.filter((one) => one.uplink.kind === "info" || one.uplink.kind === "backlog");
  const numbers = own.map((one) => sequenceOf(one.frame));
  expect(numbers.filter((one) => seen.includes(one))).toEqual([]);
});
