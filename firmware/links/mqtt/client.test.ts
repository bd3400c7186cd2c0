// MQTT as a link: signing in, the window, answers that stay out, and coming back.
import { describe, expect, test } from "vitest";
import type { Stream, StreamEvents } from "../../hal.ts";
import { createPacketReaderOfBroker } from "../../simulator/broker-packets.ts";
import { createSchedule } from "../../simulator/schedule.ts";
import { createMqttLink, IN_FLIGHT_MAX, MQTT_FRAME_MAX } from "./client.ts";

const CONNACK = "\x20\x02\0\0";
const SUBACK = "\x90\x03\xff\xff\0";

interface Connection {
  readonly events: StreamEvents;
  readonly written: string[];
  isEnded: boolean;
}

function bench(random = () => 0.5) {
  const schedule = createSchedule();
  const connections: Connection[] = [];
  const published: Uint8Array[] = [];
  const received: Uint8Array[] = [];
  const opens: number[] = [];
  const script = { opens: true, answers: true, pubacks: true, breaks: false, refuses: false };
  let changes = 0;

  function connect(events: StreamEvents): Stream {
    const connection: Connection = { events, written: [], isEnded: false };
    connections.push(connection);
    opens.push(schedule.nowMs());
    const broker = createPacketReaderOfBroker({
      reply: (data) => {
        const isPuback = data.charCodeAt(0) === 0x40;
        if (!script.answers || (isPuback && !script.pubacks)) return;
        const answer = script.refuses && data.charCodeAt(0) === 0x20 ? "\x20\x02\0\x05" : data;
        schedule.after(20, () => events.data(answer));
      },
      published: (payload) => published.push(payload),
    });
    if (script.opens) schedule.after(50, events.opened);
    return {
      write: (data) => {
        if (script.breaks) throw new Error("this socket is closed");
        connection.written.push(data);
        broker.take(data);
      },
      end: () => {
        connection.isEnded = true;
      },
    };
  }

  const link = createMqttLink({
    connect,
    delay: (ms, run) => schedule.after(ms, run),
    random,
    identity: { clientId: "alm-01-d1", userName: "alm-01-d1", password: "secret", keepAliveS: 60 },
    uplink: "up",
    downlink: "down",
    seal: (frame, done) => done(Uint8Array.from([...frame, 99])),
    changed: () => changes++,
    received: (payload) => received.push(payload),
  });
  return {
    schedule,
    link,
    script,
    connections,
    published,
    received,
    opens,
    changes: () => changes,
    run: (ms: number) => schedule.runUntil(schedule.nowMs() + ms),
    last: () => connections.at(-1) as Connection,
  };
}

function upAndRunning(random?: () => number) {
  const it = bench(random);
  it.link.start();
  it.run(1000);
  expect(it.link.isUp()).toBe(true);
  return it;
}

describe("the link", () => {
  test("is up only when it is signed in and subscribed, and says so", () => {
    const it = bench();
    it.link.start();
    expect([it.link.isUp(), it.link.room(), it.link.spare()]).toEqual([false, 0, 0]);
    it.run(1000);
    expect([it.link.isUp(), it.link.room(), it.link.spare()]).toEqual([true, MQTT_FRAME_MAX, MQTT_FRAME_MAX]);
    expect(it.changes()).toBe(1);
    expect([it.link.isSlow(), it.link.costS(200)]).toEqual([false, 0]);
  });

  test("sends a frame with its tag, and reports it taken once, when the broker has answered", () => {
    const it = upAndRunning();
    const done: boolean[] = [];
    it.link.send(Uint8Array.of(1, 2), false, (taken) => done.push(taken));
    expect(done).toEqual([]);
    it.run(1000);
    expect(done).toEqual([true]);
    it.run(60_000);
    expect(done).toEqual([true]);
    expect(it.published).toEqual([Uint8Array.of(1, 2, 99)]);
  });

  test("has no room when its window is full, and room again with every answer", () => {
    const it = upAndRunning();
    it.script.pubacks = false;
    for (let i = 0; i < IN_FLIGHT_MAX; i++) {
      expect(it.link.room()).toBe(MQTT_FRAME_MAX);
      it.link.send(Uint8Array.of(i), false, () => undefined);
    }
    expect([it.link.room(), it.link.spare(), it.link.isUp()]).toEqual([0, 0, true]);
    it.last().events.data("\x40\x02\0\x01");
    it.run(10);
    expect(it.link.room()).toBe(MQTT_FRAME_MAX);
  });

  test("gives downlinks of its own topic, in pieces of any size, and nothing of another", () => {
    const it = upAndRunning();
    const broker = createPacketReaderOfBroker({ reply: () => undefined, published: () => undefined });
    const data = broker.publish("down", Uint8Array.of(0x18, 0, 255)) + broker.publish("other", Uint8Array.of(1));
    for (const char of data) it.last().events.data(char);
    it.run(10);
    expect(it.received).toEqual([Uint8Array.of(0x18, 0, 255)]);
    expect(it.link.isUp()).toBe(true);
  });
});

describe("a loss", () => {
  test("gives back all that was under way as not taken, and says that the link has changed", () => {
    const it = upAndRunning();
    it.script.pubacks = false;
    const done: boolean[] = [];
    for (let i = 0; i < 3; i++) it.link.send(Uint8Array.of(i), false, (taken) => done.push(taken));
    it.last().events.closed();
    expect(done).toEqual([false, false, false]);
    expect([it.link.isUp(), it.link.room(), it.changes(), it.link.losses()]).toEqual([false, 0, 2, 1]);
    it.run(5000);
    expect(it.link.isUp()).toBe(true);
    expect(done).toHaveLength(3);
  });

  test("is noticed when a publish is not answered within 30 s, and when a ping is not", () => {
    const publish = upAndRunning();
    publish.script.pubacks = false;
    publish.link.send(Uint8Array.of(1), false, () => undefined);
    publish.run(29_000);
    expect(publish.link.losses()).toBe(0);
    publish.run(2000);
    expect(publish.link.losses()).toBe(1);
    const ping = upAndRunning();
    ping.script.answers = false;
    ping.run(61_000);
    expect(ping.link.isUp()).toBe(false);
  });

  test("is noticed when a stream never opens, or a broker never speaks", () => {
    for (const part of ["opens", "answers"] as const) {
      const it = bench();
      it.script[part] = false;
      it.link.start();
      it.run(14_000);
      expect(it.link.losses()).toBe(0);
      it.run(2000);
      expect(it.link.losses()).toBe(1);
      expect(it.last().isEnded).toBe(true);
    }
  });

  test("is followed by pauses that grow to two minutes, partly by chance, and short ones again after a success", () => {
    for (const chance of [0, 0.99]) {
      const it = bench(() => chance);
      it.script.refuses = true;
      it.link.start();
      it.run(1_200_000);
      const pauses = it.opens.slice(1).map((at, i) => at - (it.opens[i] as number) - 70);
      const share = 0.5 + chance / 2;
      expect(pauses.slice(0, 3).map((ms) => Math.round(ms / share / 1000))).toEqual([2, 4, 8]);
      expect(Math.max(...pauses)).toBeLessThanOrEqual(120_000 * share + 1);
      it.script.refuses = false;
      it.run(200_000);
      expect(it.link.isUp()).toBe(true);
      it.last().events.closed();
      it.run(2100);
      expect(it.link.isUp()).toBe(true);
    }
  });

  test("is not sat out when the network below is there again", () => {
    const it = bench();
    it.script.opens = false;
    it.link.start();
    it.run(600_000);
    it.script.opens = true;
    const count = it.connections.length;
    // Whether it waits or tries in vain just now: within the time of one attempt it is up.
    it.link.wake();
    it.run(20_000);
    expect(it.link.isUp()).toBe(true);
    expect(it.connections.length - count).toBeLessThanOrEqual(2);
  });

  test("lets nothing of the old stream through: its late data and its end are nobody's", () => {
    const it = upAndRunning();
    const old = it.last();
    old.events.closed();
    it.run(5000);
    expect(it.link.isUp()).toBe(true);
    old.events.data(CONNACK + SUBACK);
    old.events.closed();
    expect([it.link.isUp(), it.link.losses()]).toEqual([true, 1]);
  });

  test("by something that is not MQTT makes nothing behind it count, also in the same piece of data", () => {
    for (const broken of ["\x20\x02\0\x05", "\x00\x00", "\x30\xff\xff\xff\xff\x01"]) {
      const it = bench();
      it.script.answers = false;
      it.link.start();
      it.run(100);
      it.last().events.data(broken + SUBACK);
      expect(it.link.isUp()).toBe(false);
      expect(it.link.room()).toBe(0);
    }
  });

  test("during a send is told later, not within it", () => {
    const it = upAndRunning();
    it.script.breaks = true;
    const done: boolean[] = [];
    it.link.send(Uint8Array.of(1), false, (taken) => done.push(taken));
    expect(done).toEqual([]);
    it.run(1000);
    expect(done).toEqual([false]);
  });
});
