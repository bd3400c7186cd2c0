// What is sent when: live samples, events and info, each until the gateway has said that it has them.
import { describe, expect, test } from "vitest";
import { asStored, createBench, decoded, type Sent, SLOW, sequenceOf, UNIX_S } from "../../tests/fixtures-device.ts";

const MINUTE = 60;
const HOUR = 3600;
const STOPPED = [500, 1, 1, 1023, 127];
const MAINS_LOST = [500, 1, 0, 1023, 127];
const POWER = 1;

describe("a live sample", () => {
  test("goes at once, and asks for an answer every so many uplinks once the clock is set", () => {
    const it = createBench({ settings: [0, 60, 0, 0, 0, 0, 0, 0, 4] });
    it.run(10 * MINUTE);
    const from = it.sent.length;
    it.run(40 * MINUTE);
    const live = it.sent.slice(from);
    expect(live.map((one) => one.uplink.kind)).toEqual(Array.from({ length: 40 }, () => "report"));
    expect(live.filter((one) => one.asks)).toHaveLength(10);
    const asked = live.flatMap((one, i) => (one.asks ? [i % 4] : []));
    expect(new Set(asked).size).toBe(1);
  });

  test("asks every time as long as the clock is not set", () => {
    const it = createBench();
    it.gateway.unixS = () => 0;
    it.run(20 * MINUTE);
    expect(it.sent.length).toBeGreaterThan(15);
    expect(it.sent.filter((one) => !one.asks)).toEqual([]);
  });

  test("says that there is more to come while history waits, and no longer when it does not", () => {
    const it = createBench();
    it.setLink({ isUp: false });
    it.run(HOUR);
    it.setLink({ isUp: true });
    it.run(10 * MINUTE);
    const pending = it.sent.map((one) => ((one.frame[7] as number) & 0x20) !== 0);
    expect(pending).toContain(true);
    expect(pending.slice(-5)).toEqual([false, false, false, false, false]);
  });

  test("that is lost comes as history without being asked for", () => {
    const it = createBench();
    it.run(10 * MINUTE);
    let lost = -1;
    it.gateway.loses = ({ frame, uplink }) => {
      if (lost >= 0 || uplink.kind !== "report") return false;
      lost = sequenceOf(frame);
      return true;
    };
    it.run(10 * MINUTE);
    expect(it.gateway.records.has(lost)).toBe(true);
    expect(it.backlogs().some((one) => one.reports.some((frame) => sequenceOf(frame) === lost))).toBe(true);
  });
});

describe("on a slow link", () => {
  const QUARTERLY = [0, 900, 0, 0, 0, 0, 0, 0, 4];

  test("a request that stays out is made again with another sample, and so not at the same moment of each hour", () => {
    const it = createBench({ link: SLOW, settings: QUARTERLY });
    it.run(6 * HOUR);
    const asked = it.sent.findLast((one) => one.asks)?.atS as number;
    // Somebody else is answered then, hour by hour.
    const isDeaf = (atS: number) => Math.abs(((atS - asked + 1.5 * HOUR) % HOUR) - HOUR / 2) < MINUTE;
    it.gateway.loses = (one) => isDeaf(one.atS);
    const from = it.sent.length;
    it.run(4 * HOUR);
    const since = it.sent.slice(from);
    expect(since.filter((one) => isDeaf(one.atS)).length).toBeGreaterThan(2);
    expect(since.filter((one) => one.asks && !isDeaf(one.atS)).length).toBeGreaterThan(1);
    const open = it.stored().filter((one) => !one.isMarked);
    expect(open.length).toBeLessThan(8);
  });

  test("history that comes to the newest record asks with that frame", () => {
    const it = createBench({ link: { ...SLOW, costS: 0.05 }, settings: [0, 300, 0, 0, 0, 0, 0, 0, 200] });
    it.run(HOUR);
    it.setLink({ isUp: false });
    it.run(2 * HOUR);
    it.setLink({ isUp: true });
    const from = it.sent.length;
    // What is new has gone and is known to be stored: nothing is under way behind history.
    while (it.sent.length === from) it.run(1);
    const newest = sequenceOf((it.sent.at(-1) as Sent).frame);
    it.ack((newest - 31) & 0xffff, 1);
    it.run(4 * MINUTE);
    const frames = it.sent.slice(from).filter((one) => one.uplink.kind === "backlog");
    expect(frames.map((one) => one.asks)).toEqual([true]);
  });

  test("history asks with one frame in four at least, seldom with more, and all of it arrives", () => {
    // Numbers that hardly compress.
    const codes = (nowS: number) => [(nowS * 7919) % 2000, (nowS * 104_729) % 16_000].map(Math.floor);
    const it = createBench({ codes, link: { ...SLOW, costS: 0.05 }, settings: [0, 60, 0, 0, 0, 0, 0, 0, 200] });
    it.run(HOUR);
    it.setLink({ isUp: false });
    it.run(12 * HOUR);
    it.setLink({ isUp: true });
    const from = it.sent.length;
    it.run(HOUR);
    const frames = it.sent.slice(from).filter((one) => one.uplink.kind === "backlog");
    const asks = frames.map((one) => one.asks);
    expect(frames.length).toBeGreaterThan(12);
    expect(asks.filter((one) => one).length).toBeLessThan(frames.length / 2);
    const gaps = frames.flatMap((one, i) => (one.asks ? [i] : [])).map((at, i, all) => at - (all[i - 1] ?? -1));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(4);
    expect(it.stored().filter(({ frame }) => !it.gateway.records.has(sequenceOf(frame)))).toEqual([]);
  });

  /** The next sample is lost; what is answered just behind it names an event. */
  function loseNext(it: ReturnType<typeof createBench>): { readonly lost: number; readonly from: number } {
    const from = it.sent.length;
    it.gateway.loses = ({ uplink }) => uplink.kind === "report";
    while (it.sent.length === from) it.run(1);
    it.gateway.loses = () => false;
    it.run(10);
    it.device().help(1);
    return { lost: sequenceOf((it.sent[from] as Sent).frame), from: from + 1 };
  }

  test("a sample that is lost is stored within minutes, as history", () => {
    const it = createBench({ link: SLOW, settings: QUARTERLY });
    it.run(6 * HOUR);
    const { lost, from } = loseNext(it);
    it.run(5 * MINUTE);
    expect(it.gateway.records.has(lost)).toBe(true);
    expect(it.sent.slice(from).filter(({ frame }) => sequenceOf(frame) === lost)).toEqual([]);
  });

  /** Back after three days, when nobody has answered yet: the first report that goes, and how often it has gone some minutes later. */
  function comeBack(hasClock = true) {
    const it = createBench({ link: { ...SLOW, costS: 0.5 }, settings: QUARTERLY });
    if (!hasClock) it.gateway.unixS = () => 0;
    it.run(HOUR);
    it.setLink({ isUp: false });
    it.run(72 * HOUR);
    it.setLink({ isUp: true });
    it.gateway.answers = false;
    const from = it.sent.length;
    const reports = () => it.sent.slice(from).filter((one) => one.uplink.kind === "report");
    while (reports().length === 0) it.run(1);
    const first = sequenceOf((reports()[0] as Sent).frame);
    const times = (of: number) => reports().filter(({ frame }) => sequenceOf(frame) === of).length;
    return { it, first, times, reports };
  }

  test("a live sample goes twice while there is history, and hardly ever otherwise", () => {
    const { it, first, times, reports } = comeBack();
    it.run(HOUR);
    const each = [...new Set(reports().map(({ frame }) => sequenceOf(frame)))].map(times);
    expect(each.length).toBeGreaterThan(2);
    expect(new Set(each)).toEqual(new Set([2]));
    expect(times(first)).toBe(2);
    it.gateway.answers = true;
    it.run(72 * HOUR);
    const from = it.sent.length;
    it.run(6 * HOUR);
    const all = it.sent.slice(from).map(({ frame }) => sequenceOf(frame));
    expect(all.length - new Set(all).size).toBeLessThanOrEqual(1);
  });

  test("one without a clock goes once: the second time it would seem new", () => {
    const { it, times, reports } = comeBack(false);
    it.run(HOUR);
    const each = [...new Set(reports().map(({ frame }) => sequenceOf(frame)))].map(times);
    expect(each.length).toBeGreaterThan(2);
    expect(new Set(each)).toEqual(new Set([1]));
  });

  test("one that is acknowledged meanwhile does not go again", () => {
    const { it, first, times } = comeBack();
    it.ack((first - 31) & 0xffff, 1);
    it.run(10 * MINUTE);
    expect(times(first)).toBe(1);
  });

  test("an event meanwhile does not take its place", () => {
    const { it, first, times } = comeBack();
    const from = it.sent.length;
    it.command(70_000, "set-occupancy", 55);
    it.run(10 * MINUTE);
    expect(it.sent.slice(from).map((one) => one.uplink.kind)).toContain("event");
    expect(times(first)).toBe(2);
  });

  test("a sample that is lost and no longer the newest is history", () => {
    const it = createBench({ link: { ...SLOW, costS: 0.05 }, settings: [0, 60, 0, 0, 0, 0, 0, 0, 4] });
    it.run(6 * HOUR);
    const lost: number[] = [];
    it.gateway.loses = ({ frame, uplink }) => {
      if (lost.length > 2 || uplink.kind !== "report") return false;
      lost.push(sequenceOf(frame));
      return true;
    };
    const from = it.sent.length;
    it.run(20 * MINUTE);
    const again = it.sent.slice(from).filter((one) => one.uplink.kind === "report");
    expect(again.filter(({ frame }) => sequenceOf(frame) === lost[0])).toHaveLength(1);
    expect(lost.filter((one) => !it.gateway.records.has(one))).toEqual([]);
  });

  test("a sample without a clock that is lost is history: in a frame of its own it would seem new", () => {
    const it = createBench({ link: SLOW, settings: QUARTERLY });
    it.gateway.unixS = () => 0;
    it.run(6 * HOUR);
    const { lost, from } = loseNext(it);
    it.run(2 * HOUR);
    expect(it.sent.slice(from).filter(({ frame }) => sequenceOf(frame) === lost)).toEqual([]);
    expect(it.gateway.records.has(lost)).toBe(true);
  });

  test("info is not repeated while nobody answers anything", () => {
    const it = createBench({ link: SLOW, settings: QUARTERLY });
    it.gateway.answers = false;
    it.run(12 * HOUR);
    expect(it.infos()).toHaveLength(1);
    it.gateway.answers = true;
    it.run(6 * HOUR);
    expect(it.infos()).toHaveLength(2);
  });
});

describe("an event", () => {
  test("of help, tamper or failure goes at once, confirmed and asking, before anything else", () => {
    const it = createBench({ link: SLOW, groups: POWER, codes: () => STOPPED });
    it.run(10 * MINUTE);
    const from = it.sent.length;
    it.device().help(1);
    it.device().tamper(true);
    it.codes = () => [500, 5, 1, 1023, 127];
    it.run(2 * MINUTE);
    const urgent = it.sent.slice(from).filter((one) => one.uplink.kind === "event");
    const names = urgent.map((one) => (one.uplink.kind === "event" ? one.uplink.value.event : ""));
    expect(names).toEqual(["help-requested", "tamper", "generator-failed"]);
    expect(urgent.every((one) => one.isConfirmed && one.asks)).toBe(true);
    expect(it.sent[from]?.uplink.kind).toBe("event");
  });

  test("of the mains is spread over two minutes on a slow link, of each device at a moment of its own", () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => {
      const it = createBench({ seed, link: SLOW, groups: POWER, codes: () => STOPPED });
      it.run(10 * MINUTE);
      it.codes = () => MAINS_LOST;
      it.run(5 * MINUTE);
      const event = it.sent.find((one) => one.uplink.kind === "event");
      expect(event?.isConfirmed).toBe(false);
      return (event?.atS ?? Infinity) + UNIX_S - (event?.uplink.kind === "event" ? event.uplink.value.time : 0);
    });
    for (const delay of delays) expect(delay).toBeLessThan(132);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(30);
  });

  test("of the mains goes at once on a fast link", () => {
    const it = createBench({ groups: POWER, codes: () => STOPPED });
    it.run(10 * MINUTE);
    it.codes = () => MAINS_LOST;
    it.run(90);
    const event = it.sent.find((one) => one.uplink.kind === "event");
    if (event?.uplink.kind !== "event") throw new Error("no event");
    expect(event.atS + UNIX_S - event.uplink.value.time).toBeLessThan(2);
    expect(event.uplink.value).toMatchObject({ event: "mains-lost", argument: 0, flags: { clockSynced: true } });
  });

  test("is sent again until it is acknowledged, less and less often, and then no more", () => {
    const it = createBench();
    it.run(10 * MINUTE);
    it.gateway.answers = false;
    it.device().help(3);
    it.run(3 * HOUR);
    const times = it.sent.filter((one) => one.uplink.kind === "event").map((one) => one.atS);
    expect(times.length).toBeGreaterThan(3);
    const gaps = times.slice(1).map((atS, i) => atS - (times[i] as number));
    expect(gaps.at(-1)).toBeGreaterThan(2 * (gaps[0] as number));
    it.gateway.answers = true;
    it.run(HOUR);
    const count = it.events().length;
    it.run(HOUR);
    expect(it.events().length).toBe(count);
    expect(it.stored().filter(({ frame, isMarked }) => decoded(frame).kind === "event" && !isMarked)).toEqual([]);
  });

  test("that nobody has acknowledged outlives a restart, byte for byte", () => {
    const it = createBench();
    it.run(10 * MINUTE);
    it.setLink({ isUp: false });
    it.device().help(4);
    it.run(MINUTE);
    it.boot();
    it.setLink({ isUp: true });
    it.run(5 * MINUTE);
    const [event] = it.stored().filter(({ frame }) => decoded(frame).kind === "event");
    expect(it.gateway.records.get(sequenceOf(event?.frame as Uint8Array))).toBe(asStored(event?.frame as Uint8Array));
  });

  test("beyond what can wait by itself is kept as history: forty of them all arrive", () => {
    const it = createBench();
    it.run(10 * MINUTE);
    it.setLink({ isUp: false });
    for (let i = 0; i < 40; i++) it.device().help(1 + (i % 6));
    it.run(10 * MINUTE);
    it.setLink({ isUp: true });
    it.run(30 * MINUTE);
    const events = it.stored().filter(({ frame }) => decoded(frame).kind === "event");
    expect(events).toHaveLength(40);
    expect(events.filter(({ frame }) => !it.gateway.records.has(sequenceOf(frame)))).toEqual([]);
  });
});

describe("an info frame", () => {
  test("goes at boot with what the device is, and again until it is acknowledged, and is then forgotten", () => {
    const it = createBench({ settings: [0, 120, 0, 20, 10] });
    it.gateway.answers = false;
    it.run(30 * MINUTE);
    const count = it.infos().length;
    expect(count).toBeGreaterThan(1);
    expect(new Set(it.sent.flatMap((one) => (one.uplink.kind === "info" ? [sequenceOf(one.frame)] : []))).size).toBe(1);
    it.gateway.answers = true;
    it.run(30 * MINUTE);
    const after = it.infos().length;
    it.run(2 * HOUR);
    expect(it.infos().length).toBe(after);
    expect(it.infos()[0]).toMatchObject({
      firmwareVersion: "0.1.0",
      bootCount: 1,
      resetCause: "unknown",
      reportIntervalS: 120,
      board: 255,
      sensors: 1 << 4,
      memoryFreePct: 40,
      faultCount: 0,
      flags: { firstSinceBoot: true, ackRequested: true },
    });
  });

  test("comes once a day", () => {
    const it = createBench({ settings: [0, 900] });
    it.run(3.2 * 24 * HOUR);
    expect(it.infos().length).toBeGreaterThanOrEqual(4);
    expect(it.infos().length).toBeLessThanOrEqual(5);
  });

  test("that found no link for days goes once when there is one, and tells of this day", () => {
    const it = createBench({ settings: [0, 900] });
    it.run(HOUR);
    const known = it.infos().length;
    it.setLink({ isUp: false });
    it.run(3.1 * 24 * HOUR);
    it.setLink({ isUp: true });
    const from = UNIX_S + it.nowS();
    it.run(3 * HOUR);
    const since = it.infos().slice(known);
    expect(since).toHaveLength(1);
    expect(from - (since[0]?.time ?? 0)).toBeLessThan(24 * HOUR);
  });

  test("at boot is spread over two minutes on a slow link", () => {
    const delays = [1, 2, 3, 4, 5, 6].map((seed) => {
      const it = createBench({ seed, link: SLOW });
      it.run(10 * MINUTE);
      return it.sent.find((one) => one.uplink.kind === "info")?.atS ?? Infinity;
    });
    for (const delay of delays) expect(delay).toBeLessThan(135);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(20);
  });
});

test("an ack frame for something that is not under way sets no clock and marks nothing", () => {
  const it = createBench();
  it.gateway.answers = false;
  it.run(10 * MINUTE);
  it.ack(9000, 0xffffffff);
  it.ack(9000, 0xffffffff);
  it.run(5 * MINUTE);
  expect(it.reports().some((one) => one.flags.clockSynced)).toBe(false);
  expect(it.stored().filter((one) => one.isMarked)).toEqual([]);
});

test("a link that fails with an exception does not end the reporting", () => {
  const it = createBench();
  it.run(10 * MINUTE);
  it.setLink({ fails: true });
  const from = it.sent.length;
  // The engine says what nobody caught, and goes on with the next timer.
  for (let minute = 0; minute < 30; minute++) {
    try {
      it.run(MINUTE);
    } catch (error) {
      expect(String(error)).toContain("the serial line failed");
    }
  }
  expect(it.sent.length - from).toBeGreaterThan(25);
  const known = [...it.gateway.records.keys()];
  it.run(10 * MINUTE);
  expect(it.gateway.records.size).toBeGreaterThan(known.length);
});
