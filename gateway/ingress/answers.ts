// The answers of one commit to one connection, in one write: PUBACKs in the order of the packets, and behind them what the device
// is told of what was stored. Aedes would write each by itself, in pieces; it is told that nothing is left to be answered (QoS 0).
import type { Socket } from "node:net";
import type { Clock } from "../clock.ts";
import type { Leaving } from "./flow.ts";

/** Types with their flags (MQTT 3.1.1 §3.3.1, §3.4.1). */
const PUBLISH_QOS_0 = 0x30;
const PUBACK = 0x40;
const PUBACK_BYTES = 4;
/** A publish without topic and payload, its length in at most four bytes. */
const PUBLISH_HEAD_BYTES = 7;

/** A publish that waits for its answer. `done` makes Aedes carry on with it; with an error it ends the connection. */
export interface Answerable {
  readonly packet: { qos: 0 | 1 | 2; readonly messageId?: number | undefined };
  readonly done: (error?: Error | null) => void;
}

export interface Delivery {
  readonly topic: string;
  readonly payload: Uint8Array;
}

export interface AnswerDeps {
  readonly conn: Socket;
  readonly clock: Clock;
  /** A sender that takes no answers for so long is closed. */
  readonly drainTimeoutMs: number;
  /** The sender takes no answers now, or takes them again. */
  block(blocked: boolean): void;
  /** What goes out behind the answers. */
  alongside(): readonly Delivery[];
  /** How long a publish waited, from the hook on. */
  observe?: ((ms: number) => void) | undefined;
}

export function createAnswers(deps: AnswerDeps): (run: readonly Leaving<Answerable>[]) => void {
  const { conn, clock, block, alongside, observe } = deps;
  let isBlocked = false;

  function write(bytes: Uint8Array): void {
    if (bytes.length === 0 || conn.destroyed || conn.write(bytes) || isBlocked) return;
    isBlocked = true;
    block(true);
    const patience = clock.after(deps.drainTimeoutMs, () => conn.destroy());
    conn.once("close", patience.stop);
    conn.once("drain", () => {
      isBlocked = false;
      patience.stop();
      conn.off("close", patience.stop);
      block(false);
    });
  }

  return (run) => {
    write(packetsOf(run, alongside()));
    const nowMs = observe === undefined ? 0 : clock.monotonicMs();
    for (const { packet, enteredMs, error } of run) {
      if (error === undefined) {
        observe?.(nowMs - enteredMs);
        packet.done(null);
      } else packet.done(error);
    }
  };
}

function packetsOf(run: readonly Leaving<Answerable>[], deliveries: readonly Delivery[]): Uint8Array {
  let bytesMax = run.length * PUBACK_BYTES;
  for (const { topic, payload } of deliveries) {
    bytesMax += PUBLISH_HEAD_BYTES + Buffer.byteLength(topic) + payload.length;
  }
  const bytes = Buffer.allocUnsafe(bytesMax);
  let at = putPubacks(bytes, run);
  for (const delivery of deliveries) at = putPublish(bytes, at, delivery);
  return bytes.subarray(0, at);
}

/** One for each publish at QoS 1, up to the first that ends the connection: nothing overtakes it. */
function putPubacks(bytes: Buffer, run: readonly Leaving<Answerable>[]): number {
  let at = 0;
  for (const { packet, error } of run) {
    if (error !== undefined) break;
    const { qos, messageId } = packet.packet;
    // A will is published by its connection's end, and has no identifier.
    if (qos !== 1 || messageId === undefined) continue;
    bytes[at] = PUBACK;
    bytes[at + 1] = PUBACK_BYTES - 2;
    bytes[at + 2] = messageId >> 8;
    bytes[at + 3] = messageId & 255;
    at += PUBACK_BYTES;
    packet.packet.qos = 0;
  }
  return at;
}

/** Gives the end of it. */
function putPublish(bytes: Buffer, start: number, { topic, payload }: Delivery): number {
  const topicBytes = Buffer.byteLength(topic);
  let at = start;
  bytes[at++] = PUBLISH_QOS_0;
  let rest = 2 + topicBytes + payload.length;
  // Seven bits a byte, the lowest first (MQTT 3.1.1 §2.2.3).
  for (; rest > 127; rest >>= 7) bytes[at++] = (rest & 127) | 128;
  bytes[at++] = rest;
  bytes[at++] = topicBytes >> 8;
  bytes[at++] = topicBytes & 255;
  at += bytes.write(topic, at);
  bytes.set(payload, at);
  return at + payload.length;
}
