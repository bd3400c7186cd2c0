// The answers of one commit to one connection. Aedes writes each PUBACK by itself, in three pieces and one turn of the loop
// apart; here those of a commit are one write, and Aedes is told that nothing is left to be answered (QoS 0).
import type { Socket } from "node:net";
import type { Clock } from "../clock.ts";
import type { Leaving } from "./flow.ts";

/** MQTT 3.1.1 §3.4: type and remaining length, then the packet identifier. */
const PUBACK = [0x40, 2] as const;
const PUBACK_BYTES = 4;

/** A publish that waits for its answer. `done` makes Aedes carry on with it; with an error it ends the connection. */
export interface Answerable {
  readonly packet: { qos: 0 | 1 | 2; readonly messageId?: number | undefined };
  readonly done: (error?: Error | null) => void;
}

export interface AnswerDeps {
  readonly conn: Socket;
  readonly clock: Clock;
  /** A sender that takes no answers for so long is closed. */
  readonly drainTimeoutMs: number;
  /** The sender takes no answers now, or takes them again. */
  block(blocked: boolean): void;
  /** How long a publish waited, from the hook on. */
  observe?: ((ms: number) => void) | undefined;
}

export function createAnswers(deps: AnswerDeps): (run: readonly Leaving<Answerable>[]) => void {
  const { conn, clock, block, observe } = deps;

  function write(bytes: Buffer): void {
    if (conn.destroyed || conn.write(bytes)) return;
    block(true);
    const patience = clock.after(deps.drainTimeoutMs, () => conn.destroy());
    conn.once("close", patience.stop);
    conn.once("drain", () => {
      patience.stop();
      conn.off("close", patience.stop);
      block(false);
    });
  }

  return (run) => {
    const bytes = pubacksOf(run);
    if (bytes.length > 0) write(bytes);
    const nowMs = observe === undefined ? 0 : clock.monotonicMs();
    for (const { packet, enteredMs, error } of run) {
      if (error === undefined) {
        observe?.(nowMs - enteredMs);
        packet.done(null);
      } else packet.done(error);
    }
  };
}

/** One for each publish at QoS 1, up to the first that ends the connection: nothing overtakes it. */
function pubacksOf(run: readonly Leaving<Answerable>[]): Buffer {
  const bytes = Buffer.allocUnsafe(run.length * PUBACK_BYTES);
  let at = 0;
  for (const { packet, error } of run) {
    if (error !== undefined) break;
    const { qos, messageId } = packet.packet;
    // A will is published by its connection's end, and has no identifier.
    if (qos !== 1 || messageId === undefined) continue;
    bytes[at++] = PUBACK[0];
    bytes[at++] = PUBACK[1];
    bytes[at++] = messageId >> 8;
    bytes[at++] = messageId & 255;
    packet.packet.qos = 0;
  }
  return bytes.subarray(0, at);
}
