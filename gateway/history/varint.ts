// Whole numbers as bytes, seven bits each, least significant first. Up to 2^53: ids and milliseconds do not fit 32 bits.

const BYTES_MAX = 8;

export interface ByteSink {
  put(value: number): void;
  /** Small when the number is near zero, on either side. */
  putSigned(value: number): void;
  putBytes(bytes: Uint8Array): void;
  bytes(): Uint8Array;
}

export function createByteSink(size = 4_096): ByteSink {
  let out = Buffer.allocUnsafe(size);
  let at = 0;
  const room = (more: number) => {
    if (at + more <= out.length) return;
    const larger = Buffer.allocUnsafe(Math.max(out.length * 2, at + more));
    out.copy(larger, 0, 0, at);
    out = larger;
  };
  const put = (value: number) => {
    room(BYTES_MAX);
    let rest = value;
    while (rest >= 128) {
      out[at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    out[at++] = rest;
  };
  return {
    put,
    putSigned: (value) => put(value >= 0 ? value * 2 : -value * 2 - 1),
    putBytes: (bytes) => {
      room(bytes.length);
      out.set(bytes, at);
      at += bytes.length;
    },
    bytes: () => out.subarray(0, at),
  };
}

/** What stands in damaged bytes: thrown inside a decoder and made a value at its door, never past it. */
export class Damage extends Error {}

export interface ByteSource {
  take(): number;
  takeSigned(): number;
  takeBytes(count: number): Uint8Array;
  isAtEnd(): boolean;
}

/** Throws Damage when the bytes end too soon or hold a number beyond 2^53. */
export function createByteSource(bytes: Uint8Array): ByteSource {
  let at = 0;
  const take = () => {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < BYTES_MAX; i++) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Damage("too short");
      value += (byte & 127) * scale;
      if (byte < 128) return Number.isSafeInteger(value) ? value : fail();
      scale *= 128;
    }
    return fail();
  };
  const fail = (): never => {
    throw new Damage("a number out of range");
  };
  return {
    take,
    takeSigned: () => {
      const value = take();
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    },
    takeBytes: (count) => {
      if (at + count > bytes.length) throw new Damage("too short");
      at += count;
      return bytes.slice(at - count, at);
    },
    isAtEnd: () => at === bytes.length,
  };
}
