import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import mqttPacket from "mqtt-packet";
import { expect, test } from "vitest";
import { virtualClock } from "../../tests/virtual-clock.ts";
import { type Answerable, createAnswers, type Delivery } from "./answers.ts";
import type { Leaving } from "./flow.ts";

const DRAIN_MS = 5_000;

/** A connection that takes bytes until `isFull`. */
class Wire extends EventEmitter {
  readonly written: Buffer[] = [];
  isFull = false;
  destroyed = false;
  write(bytes: Uint8Array): boolean {
    this.written.push(Buffer.from(bytes));
    return !this.isFull;
  }
  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
  packets(): mqttPacket.Packet[] {
    const found: mqttPacket.Packet[] = [];
    const parser = mqttPacket.parser();
    parser.on("packet", (packet) => found.push(packet));
    for (const bytes of this.written) parser.parse(bytes);
    return found;
  }
}

function answersOn(wire: Wire, alongside: readonly Delivery[] = []) {
  const clock = virtualClock(0);
  const blocked: boolean[] = [];
  const waits: number[] = [];
  const answer = createAnswers({
    conn: wire as unknown as Socket,
    clock,
    drainTimeoutMs: DRAIN_MS,
    block: (next) => blocked.push(next),
    alongside: () => alongside,
    observe: (ms) => waits.push(ms),
  });
  return { clock, blocked, waits, answer };
}

function publishes(...asked: (readonly [qos: 0 | 1 | 2, messageId: number | undefined, error?: Error])[]) {
  const done: unknown[] = [];
  const run = asked.map(([qos, messageId, error], i): Leaving<Answerable> => {
    const packet = { qos, messageId };
    return { packet: { packet, done: (why) => done.push([i, packet.qos, why]) }, enteredMs: 0, error };
  });
  return { run, done };
}

test("PUBACKs of a commit and what goes behind them are one write, and Aedes has nothing left to answer", () => {
  const wire = new Wire();
  const long = Buffer.alloc(250, 7);
  const { answer, waits } = answersOn(wire, [
    { topic: "waakvlam/v1/devices/é/down", payload: long },
    { topic: "t", payload: Buffer.from([1]) },
  ]);
  // A will has no identifier, and QoS 2 stays with Aedes.
  const { run, done } = publishes([1, 1], [0, undefined], [1, 65_535], [2, 9], [1, undefined]);
  answer(run);
  expect(wire.written).toHaveLength(1);
  expect(wire.packets()).toMatchObject([
    { cmd: "puback", messageId: 1 },
    { cmd: "puback", messageId: 65_535 },
    { cmd: "publish", topic: "waakvlam/v1/devices/é/down", payload: long, qos: 0, retain: false },
    { cmd: "publish", topic: "t", qos: 0 },
  ]);
  expect(done).toEqual([0, 0, 0, 2, 1].map((qos, i) => [i, qos, null]));
  expect(waits).toHaveLength(5);
});

test("nothing overtakes a packet that ends its connection", () => {
  const wire = new Wire();
  const error = new Error("banned");
  const { run, done } = publishes([1, 1], [1, 2, error], [1, 3]);
  answersOn(wire).answer(run);
  expect(wire.packets().map((packet) => (packet as { messageId: number }).messageId)).toEqual([1]);
  expect(done[1]).toEqual([1, 1, error]);
});

test("who takes no answers is not read, and closed after a while; who takes them again is read again", async () => {
  const wire = new Wire();
  wire.isFull = true;
  const { answer, blocked, clock } = answersOn(wire);
  answer(publishes([1, 1]).run);
  expect(blocked).toEqual([true]);
  await clock.advance(DRAIN_MS - 1);
  wire.emit("drain");
  expect(blocked).toEqual([true, false]);
  await clock.advance(DRAIN_MS);
  expect(wire.destroyed).toBe(false);
  answer(publishes([1, 2]).run);
  await clock.advance(DRAIN_MS);
  expect(wire.destroyed).toBe(true);
  answer(publishes([1, 3]).run);
  expect(wire.packets()).toHaveLength(2);
});
