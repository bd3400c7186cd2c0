// What goes past the broker's parser is what the parser would have found, in the same order, whatever stands between and however the
// stream is cut.
import { Duplex } from "node:stream";
import fc from "fast-check";
import mqttPacket, { type Packet } from "mqtt-packet";
import { describe, expect, test } from "vitest";
import { guardConnection } from "./guard.ts";
import { createShortWay } from "./short-way.ts";

const OWN = "waakvlam/v1/devices/alm-01-d1/up";

const packet = (made: Packet) => mqttPacket.generate(made) as Buffer;
const publish = (messageId: number, payload: Buffer, part: object = {}) =>
  packet({
    ...{ cmd: "publish", topic: OWN, qos: 1, messageId, dup: false, retain: false, payload },
    ...part,
  } as Packet);

const said = (messageId: number | undefined, payload: string | Buffer) =>
  `publish ${messageId} ${Buffer.from(payload).toString("hex")}`;

/** A connection whose reader parses as the broker does; what comes is listed in its order, and what came the short way. */
function reader(ownTopic: () => string | undefined = () => OWN) {
  const [list, short]: [string[], string[]] = [[], []];
  const conn = new Duplex({ read: () => undefined, write: (_bytes, _encoding, done) => done() });
  const parser = mqttPacket.parser();
  parser.on("packet", (one: Packet) => {
    if (one.cmd === "publish" && one.topic === OWN && !one.retain) list.push(said(one.messageId, one.payload));
    else list.push(one.cmd === "publish" ? `${one.topic} ${one.qos} ${one.retain}` : one.cmd);
  });
  const bytes = (topic: string | undefined) => (topic === undefined ? undefined : Buffer.from(topic));
  const pass = createShortWay({
    ownTopic: () => bytes(ownTopic()),
    take: (messageId, payload) => {
      list.push(said(messageId, payload));
      short.push(said(messageId, payload));
    },
  });
  const gate = guardConnection(conn, { oversized: () => undefined, publishCame: () => undefined, pass });
  const read = (size?: number) => {
    const got = conn.read(size) as Buffer | null;
    if (got !== null) parser.parse(got);
  };
  return { conn, gate, read, list, short };
}

/** All that the parser finds when it gets everything. */
function parsed(stream: Buffer): string[] {
  const whole = reader(() => undefined);
  whole.conn.push(stream);
  whole.read();
  return whole.list;
}

const payload = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const id = fc.integer({ min: 1, max: 0xffff });
const plain = fc.tuple(id, payload, fc.boolean()).map(([n, bytes, dup]) => publish(n, bytes, { dup }));
const other = fc.oneof(
  fc.constant(packet({ cmd: "pingreq" } as Packet)),
  fc.tuple(id, payload).map(([n, bytes]) => publish(n, bytes, { topic: OWN.replace("01", "02") })),
  fc.tuple(id, payload).map(([n, bytes]) => publish(n, bytes, { topic: `${OWN}/more` })),
  fc.tuple(id, payload).map(([n, bytes]) => publish(n, bytes, { retain: true })),
  fc.tuple(id, payload).map(([n, bytes]) => publish(n, bytes, { qos: 2 })),
  payload.map((bytes) => publish(0, bytes, { qos: 0, messageId: undefined })),
  id.map((messageId) => packet({ cmd: "subscribe", messageId, subscriptions: [{ topic: OWN, qos: 0 }] } as Packet)),
);
const stream = fc.array(fc.oneof({ weight: 3, arbitrary: plain }, other), { maxLength: 30 });
const cuts = fc.array(fc.oneof(fc.nat(10), fc.nat(2_000)), { maxLength: 20 });

describe("the short way", () => {
  test("together with the parser finds what the parser finds alone, in its order", () => {
    let taken = 0;
    fc.assert(
      fc.property(stream, cuts, fc.array(fc.boolean()), (packets, steps, reads) => {
        const bytes = Buffer.concat(packets);
        const it = reader();
        let at = 0;
        for (const [i, step] of steps.entries()) {
          if (at >= bytes.length) break;
          it.conn.push(bytes.subarray(at, at + step));
          at += step;
          if (reads[i] !== false) it.read();
        }
        if (at < bytes.length) it.conn.push(bytes.subarray(at));
        it.read();
        expect(it.list).toEqual(parsed(bytes));
        taken += it.short.length;
      }),
      { numRuns: 500 },
    );
    // Some 600: there is something that the two can agree on.
    expect(taken).toBeGreaterThan(100);
  });

  test("is for all but the last of one read, which keeps the connection alive in the broker", () => {
    const it = reader();
    it.conn.push(Buffer.concat([1, 2, 3].map((n) => publish(n, Buffer.alloc(30, n)))));
    it.read();
    expect(it.short).toEqual([1, 2].map((n) => said(n, Buffer.alloc(30, n))));
    expect(it.list).toHaveLength(3);
  });

  test("goes on behind a packet that was cut, once the parser has all of it", () => {
    const it = reader();
    const bytes = Buffer.concat([1, 2, 3, 4, 5].map((n) => publish(n, Buffer.alloc(200, n))));
    const cut = Math.floor(bytes.length * 0.5);
    it.conn.push(bytes.subarray(0, cut));
    it.read();
    expect(it.short).toHaveLength(2);
    it.conn.push(bytes.subarray(cut));
    it.read();
    expect([it.short.length, it.list.length]).toEqual([2, 5]);
    it.conn.push(bytes);
    it.read();
    expect([it.short.length, it.list.length]).toEqual([6, 10]);
  });

  test("does not take for packets what a packet holds", () => {
    const within = Buffer.concat([1, 2, 3].map((n) => publish(n, Buffer.alloc(30, n))));
    const bytes = publish(9, within);
    const headBytes = bytes.length - within.length;
    const cut = reader();
    cut.conn.push(bytes.subarray(0, headBytes));
    cut.read();
    cut.conn.push(bytes.subarray(headBytes));
    cut.read();
    expect([cut.list, cut.short]).toEqual([[said(9, within)], []]);
    // All of it has come, and only some is read.
    const some = reader();
    some.conn.push(bytes);
    some.read(headBytes);
    some.read();
    expect([some.list, some.short]).toEqual([[said(9, within)], []]);
  });

  test("leaves to the broker whoever has no topic of its own yet", () => {
    let topic: string | undefined;
    const it = reader(() => topic);
    const bytes = Buffer.concat([1, 2].map((n) => publish(n, Buffer.alloc(30, n))));
    it.conn.push(bytes);
    it.read();
    expect([it.short.length, it.list.length]).toEqual([0, 2]);
    topic = OWN;
    it.conn.push(bytes);
    it.read();
    expect([it.short.length, it.list.length]).toEqual([1, 4]);
  });

  test.each([
    ["an identifier of 0", [0x32, 2 + OWN.length + 2, 0, OWN.length, ...Buffer.from(OWN), 0, 0]],
    [
      "a length longer than it need be",
      [0x32, 0x80 | (2 + OWN.length + 2), 0, 0, OWN.length, ...Buffer.from(OWN), 0, 1],
    ],
    ["a packet too short for its topic", [0x32, 2 + OWN.length, 0, OWN.length, ...Buffer.from(OWN)]],
  ])("leaves %s to the broker", (_name, bytes) => {
    const left: Buffer[] = [];
    const pass = createShortWay({
      ownTopic: () => Buffer.from(OWN),
      take: () => {
        throw new Error("taken");
      },
    });
    const read = Buffer.from([...bytes, ...bytes]);
    left.push(pass(read));
    expect(left).toEqual([read]);
  });
});
