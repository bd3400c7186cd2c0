// What stands between a socket and the broker, which has neither: a limit on the size of packets, and a gate that stops
// reading while too much is under way. Closing the gate leaves the rest in TCP, which holds the sender back.
import type { Duplex } from "node:stream";

/** Largest remaining length of an MQTT packet: topic, payload, and a sign-in or subscription of any sense. */
export const PACKET_BYTES_MAX = 2_048;

const PUBLISH = 0x30;

/** What a chunk holds: a packet that announces too much, the beginning of a publish, or nothing to look at. */
type Seen = "oversize" | "publish" | "other";

export interface HeaderWatch {
  look(chunk: Uint8Array): Seen;
  /** What has been looked at ends with a packet. */
  isBetween(): boolean;
}

/** Watches the fixed headers of a byte stream (MQTT 3.1.1 §2.2). */
export function createHeaderWatch(bytesMax: number): HeaderWatch {
  let skip = 0;
  let remaining = 0;
  let multiplier = 0; // 0: at the first byte of a packet
  function look(chunk: Uint8Array): Seen {
    let seen: Seen = "other";
    let at = 0;
    while (at < chunk.length) {
      if (skip > 0) {
        const step = Math.min(skip, chunk.length - at);
        skip -= step;
        at += step;
        continue;
      }
      const byte = chunk[at++] as number;
      if (multiplier === 0) {
        multiplier = 1;
        remaining = 0;
        if ((byte & 0xf0) === PUBLISH) seen = "publish";
        continue;
      }
      remaining += (byte & 127) * multiplier;
      multiplier *= 128;
      if (remaining > bytesMax || multiplier > 128 ** 4) return "oversize";
      if ((byte & 128) === 0) {
        skip = remaining;
        multiplier = 0;
      }
    }
    return seen;
  }
  return { look, isBetween: () => multiplier === 0 && skip === 0 };
}

export interface Gate {
  set(open: boolean): void;
  /** A publish has come in and was not read. */
  hasUnreadPublish(): boolean;
}

export interface GuardEvents {
  oversized(): void;
  /** Bytes of a publish have come and are not read yet: whoever closes the gate now keeps them from it. */
  publishCame(): void;
  /** What was read, where it begins with a packet; gives what the broker is to read. */
  pass(read: Buffer): Buffer;
}

/** Puts the size guard and a gate on `conn`, before the broker gets it. A packet too large ends the connection. */
export function guardConnection(conn: Duplex, events: GuardEvents): Gate {
  const watch = createHeaderWatch(PACKET_BYTES_MAX);
  const push = conn.push.bind(conn);
  let open = true;
  let hasUnreadPublish = false;
  /** The last read ended with a packet. */
  let isBetween = true;
  conn.push = (chunk: unknown, encoding?: BufferEncoding) => {
    const seen = chunk instanceof Uint8Array ? watch.look(chunk) : "other";
    if (seen === "oversize") {
      events.oversized();
      conn.destroy();
      return false;
    }
    if (seen === "publish") {
      hasUnreadPublish = true;
      events.publishCame();
    }
    return push(chunk, encoding);
  };
  const read = conn.read.bind(conn);
  conn.read = (size?: number) => {
    if (!open) return null;
    // A size of 0 asks for nothing, it only makes the stream fetch more.
    if (size !== 0) hasUnreadPublish = false;
    const bytes = read(size) as Buffer | null;
    if (bytes === null) return null;
    const beganBetween = isBetween;
    isBetween = conn.readableLength === 0 && watch.isBetween();
    return beganBetween ? events.pass(bytes) : bytes;
  };
  return {
    set(next) {
      if (next === open) return;
      open = next;
      if (open) conn.emit("readable");
    },
    hasUnreadPublish: () => hasUnreadPublish,
  };
}
