// What stands between a socket and the broker, which has neither: a limit on the size of packets, and a gate that stops
// reading while too much is under way. Closing the gate leaves the rest in TCP, which holds the sender back.
import type { Duplex } from "node:stream";

/** Largest remaining length of an MQTT packet: topic, payload, and a sign-in or subscription of any sense. */
export const PACKET_BYTES_MAX = 2_048;

/** Watches the fixed headers of a byte stream (MQTT 3.1.1 §2.2); false as soon as a packet announces too much. */
export function createSizeGuard(bytesMax: number): (chunk: Uint8Array) => boolean {
  let skip = 0;
  let remaining = 0;
  let multiplier = 0; // 0: at the first byte of a packet
  return (chunk) => {
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
        continue;
      }
      remaining += (byte & 127) * multiplier;
      multiplier *= 128;
      if (remaining > bytesMax || multiplier > 128 ** 4) return false;
      if ((byte & 128) === 0) {
        skip = remaining;
        multiplier = 0;
      }
    }
    return true;
  };
}

export interface Gate {
  set(open: boolean): void;
}

/** Puts the size guard and a gate on `conn`, before the broker gets it. A packet too large ends the connection. */
export function guardConnection(conn: Duplex, onOversize: () => void): Gate {
  const fits = createSizeGuard(PACKET_BYTES_MAX);
  const push = conn.push.bind(conn);
  conn.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk instanceof Uint8Array && !fits(chunk)) {
      onOversize();
      conn.destroy();
      return false;
    }
    return push(chunk, encoding);
  };
  const read = conn.read.bind(conn);
  let open = true;
  conn.read = (size?: number) => (open ? read(size) : null);
  return {
    set(next) {
      if (next === open) return;
      open = next;
      if (open) conn.emit("readable");
    },
  };
}
