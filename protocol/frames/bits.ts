// Bits packed most significant first. Word-wise: on a small board a bit at a time costs up to twice as much.

export interface BitWriter {
  /** Appends the low `bits` (1..16) of `value`. */
  put(value: number, bits: number): void;
  /** The bytes so far; the last one is padded with zero bits. */
  bytes(): Uint8Array;
}

/** Writes into one buffer of `size` bytes, which must be large enough for the whole frame. */
export function createBitWriter(size: number): BitWriter {
  const out = new Uint8Array(size);
  let at = 0;
  let held = 0;
  let heldBits = 0;
  return {
    put: (value, bits) => {
      held = (held << bits) | value;
      heldBits += bits;
      while (heldBits >= 8) {
        heldBits -= 8;
        out[at++] = (held >> heldBits) & 255;
      }
      held &= (1 << heldBits) - 1;
    },
    bytes: () => {
      if (heldBits > 0) {
        out[at++] = (held << (8 - heldBits)) & 255;
        heldBits = 0;
      }
      return new Uint8Array(out.buffer, 0, at);
    },
  };
}

export interface BitReader {
  /** The next `bits` (1..16). The caller has checked that they are there. */
  take(bits: number): number;
  /** What is left of the byte last begun: must be zero in a well-formed frame. */
  padding(): number;
}

export function createBitReader(bytes: Uint8Array, start: number): BitReader {
  let at = start;
  let held = 0;
  let heldBits = 0;
  return {
    take: (bits) => {
      while (heldBits < bits) {
        held = (held << 8) | (bytes[at++] as number);
        heldBits += 8;
      }
      heldBits -= bits;
      const value = (held >> heldBits) & ((1 << bits) - 1);
      held &= (1 << heldBits) - 1;
      return value;
    },
    padding: () => held,
  };
}
