// The other end of a scenario's links: takes every frame once, acknowledges what it has, and keeps it for the comparison.
import { createHash } from "node:crypto";
import { decodeUplink, encodeAck, openFrame, type Sha256, sealFrame } from "../../protocol/wire.ts";

const sha256: Sha256 = (bytes) => new Uint8Array(createHash("sha256").update(bytes).digest());
const ACK_REQUESTED = 0x40;
const WINDOW = 32;

export interface PlainGateway {
  /** An uplink without its tag; the ack frame that answers it, if it asks for one. */
  take(frame: Uint8Array): Uint8Array | undefined;
  /** Frames as they came, in hex. */
  readonly frames: readonly string[];
  seal(frame: Uint8Array): Uint8Array;
  open(payload: Uint8Array): Uint8Array | undefined;
}

export function createPlainGateway(key: Uint8Array, unixS: () => number): PlainGateway {
  const stored = new Set<number>();
  const frames: string[] = [];
  return {
    frames,
    take: (frame) => {
      frames.push(Buffer.from(frame).toString("hex"));
      const decoded = decodeUplink(frame);
      if (decoded.kind === "fault") throw new Error(`the device sent what is no frame: ${frames.at(-1)}`);
      const { sequence } = decoded.value;
      stored.add(sequence);
      if (((frame[7] as number) & ACK_REQUESTED) === 0) return undefined;
      const baseSequence = (sequence - (WINDOW - 1)) & 65535;
      let bitmap = 0;
      for (let i = 0; i < WINDOW; i++) if (stored.has((baseSequence + i) & 65535)) bitmap |= 1 << (31 - i);
      return encodeAck({ time: Math.floor(unixS()), baseSequence, bitmap: bitmap >>> 0 });
    },
    seal: (frame) => sealFrame(sha256, key, frame),
    open: (payload) => openFrame(sha256, key, payload),
  };
}
