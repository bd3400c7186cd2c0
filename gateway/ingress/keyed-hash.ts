// HMAC-SHA256 (RFC 2104, FIPS 180-4) for one key and many short frames. `node:crypto` takes two calls of over a microsecond each
// for a tag, most of it setting up; here the key's own blocks are hashed once, at the sign-in, and nothing is allocated for a frame.
// Every step is whole-number arithmetic on 32 bits: how long it takes does not depend on the key.
import { KEY_BYTES, type Tagger } from "../../protocol/index.ts";

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const WORDS = 8;
const BLOCK_WORDS = 16;
/** The bit behind the message (FIPS 180-4 §5.1.1). */
const END_OF_MESSAGE = 0x80;
const INNER = 0x36;
const OUTER = 0x5c;

/** FIPS 180-4 §4.2.2. */
// biome-ignore format: eight a line
const K = Int32Array.of(
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
);
/** FIPS 180-4 §5.3.3. */
const START = Int32Array.of(
  0x6a09e667,
  0xbb67ae85,
  0x3c6ef372,
  0xa54ff53a,
  0x510e527f,
  0x9b05688c,
  0x1f83d9ab,
  0x5be0cd19,
);

/** The block that is to be hashed, in its first sixteen words, and what FIPS 180-4 §6.2.2 makes of it. */
const schedule = new Int32Array(64);
const state = new Int32Array(WORDS);

/** The block in the schedule into the state (FIPS 180-4 §6.2.2). */
function compress(into: Int32Array): void {
  const w = schedule;
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15] as number;
    const y = w[i - 2] as number;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = ((w[i - 16] as number) + s0 + (w[i - 7] as number) + s1) | 0;
  }
  // Eight variables and no list: a list is made anew for each block.
  let a = into[0] as number;
  let b = into[1] as number;
  let c = into[2] as number;
  let d = into[3] as number;
  let e = into[4] as number;
  let f = into[5] as number;
  let g = into[6] as number;
  let h = into[7] as number;
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (K[i] as number) + (w[i] as number)) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  into[0] = ((into[0] as number) + a) | 0;
  into[1] = ((into[1] as number) + b) | 0;
  into[2] = ((into[2] as number) + c) | 0;
  into[3] = ((into[3] as number) + d) | 0;
  into[4] = ((into[4] as number) + e) | 0;
  into[5] = ((into[5] as number) + f) | 0;
  into[6] = ((into[6] as number) + g) | 0;
  into[7] = ((into[7] as number) + h) | 0;
}

/** The state after the block of a key. */
function keyed(key: Uint8Array, mask: number): Int32Array {
  const first = new Uint8Array(BLOCK_BYTES).fill(mask);
  for (let i = 0; i < key.length; i++) first[i] = (key[i] as number) ^ mask;
  const after = START.slice();
  putBlock(first, 0);
  compress(after);
  return after;
}

function putBlock(bytes: Uint8Array, start: number): void {
  for (let i = 0, at = start; i < BLOCK_WORDS; i++, at += 4) {
    schedule[i] =
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number);
  }
}

/** The digest of a key's block and `bytes` behind it, as it lies in `state`. */
function hashBehind(start: Int32Array, bytes: Uint8Array): void {
  state.set(start);
  let at = 0;
  for (; at + BLOCK_BYTES <= bytes.length; at += BLOCK_BYTES) {
    putBlock(bytes, at);
    compress(state);
  }
  const rest = bytes.length - at;
  schedule.fill(0, 0, BLOCK_WORDS);
  for (let i = 0; i < rest; i++) putByte(i, bytes[at + i] as number);
  putByte(rest, END_OF_MESSAGE);
  if (rest >= BLOCK_BYTES - 8) {
    compress(state);
    schedule.fill(0, 0, BLOCK_WORDS);
  }
  putBits(bytes.length);
  compress(state);
}

function putByte(at: number, byte: number): void {
  schedule[at >> 2] = (schedule[at >> 2] as number) | (byte << (24 - 8 * (at & 3)));
}

/** The length in bits, with the key's block; a frame has fewer than 2^29 bytes. */
function putBits(bytes: number): void {
  schedule[BLOCK_WORDS - 1] = (BLOCK_BYTES + bytes) * 8;
}

/** The digest in `state` as the message of another key's block: its words are not taken apart in between. */
function hashStateBehind(start: Int32Array): void {
  schedule.fill(0, 0, BLOCK_WORDS);
  schedule.set(state);
  putByte(DIGEST_BYTES, END_OF_MESSAGE);
  putBits(DIGEST_BYTES);
  state.set(start);
  compress(state);
}

function digest(): Uint8Array {
  const out = new Uint8Array(DIGEST_BYTES);
  for (let i = 0; i < DIGEST_BYTES; i++) out[i] = (state[i >> 2] as number) >>> (24 - 8 * (i & 3));
  return out;
}

/** For a key of 32 bytes. */
export function createKeyedTagger(key: Uint8Array): Tagger {
  const own = key.subarray(0, KEY_BYTES);
  const [inside, outside] = [keyed(own, INNER), keyed(own, OUTER)];
  const hashed = (start: Int32Array, bytes: Uint8Array) => {
    hashBehind(start, bytes);
    return digest();
  };
  return {
    inner: (bytes) => hashed(inside, bytes),
    outer: (bytes) => hashed(outside, bytes),
    hmac: (bytes) => {
      hashBehind(inside, bytes);
      hashStateBehind(outside);
      return digest();
    },
  };
}
