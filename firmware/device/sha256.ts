// SHA-256 (FIPS 180-4) and HMAC (RFC 2104) for the board whose engine has none. A hash takes about a second there, so it goes two
// rounds a turn; one at a time.
import type { Delay } from "../hal.ts";
import type { Hmac } from "./tags.ts";

/** Rounds in one turn: 16 ms each. */
const ROUNDS = 2;
const TURN_MS = 2;
const BLOCK = 64;
/** Round constants and first state, little endian: cube and square roots of the first primes. */
const CONSTANTS =
  "mC+KQpFEN3HP+8C1pdu16VvCVjnxEfFZpII/ktVeHKuYqgfYAVuDEr6FMSTDfQxVdF2+cv6x3oCnBtybdPGbwcFpm+SGR77vxp3BD8yhDCRvLOktqoR0StypsFzaiPl2UlE+mG3GMajIJwOwx39Zv/ML4MZHkafVUWPKBmcpKRSFCrcnOCEbLvxtLE0TDThTVHMKZbsKanYuycKBhSxykqHov6JLZhqocItLwqNRbMcZ6JLRJAaZ1oU1DvRwoGoQFsGkGQhsNx5Md0gntbywNLMMHDlKqthOT8qcW/NvLmjugo90b2OleBR4yIQIAseM+v++kOtsUKT3o/m+8nhxxg==";
const FIRST = "Z+YJaoWuZ7ty8248OvVPpX9SDlGMaAWbq9mDHxnN4Fs=";

function wordsOf(base64: string): Int32Array {
  return new Int32Array(bytesOfText(atob(base64)).buffer);
}

function bytesOfText(text: string): Uint8Array {
  const out = new Uint8Array(text.length);
  for (let i = 0; i < out.length; i++) out[i] = text.charCodeAt(i);
  return out;
}

function turned(value: number, by: number): number {
  return (value >>> by) | (value << (32 - by));
}

/** Head and tail as one message, padded to whole blocks with its length in bits. */
function padded(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const size = head.length + tail.length;
  const out = new Uint8Array((size + 72) & ~63);
  out.set(head, 0);
  out.set(tail, head.length);
  out[size] = 128;
  out[out.length - 2] = size >> 5;
  out[out.length - 1] = size << 3;
  return out;
}

/** HMAC-SHA256 of up to 8 KB with a key of at most 64 bytes. `done` is called later; with undefined while another is under way. */
export function createSlicedHmac(key: Uint8Array, delay: Delay): Hmac {
  const constants = wordsOf(CONSTANTS);
  const w = new Int32Array(64);
  const v = new Int32Array(8);
  let h = wordsOf(FIRST);
  let isBusy = false;

  function pad(mask: number): Uint8Array {
    const out = new Uint8Array(BLOCK);
    out.fill(mask);
    for (let i = 0; i < key.length; i++) out[i] = (key[i] as number) ^ mask;
    return out;
  }

  function round(bytes: Uint8Array, block: number, t: number): void {
    if (t < 16) {
      const at = block + t * 4;
      w[t] =
        ((bytes[at] as number) << 24) |
        ((bytes[at + 1] as number) << 16) |
        ((bytes[at + 2] as number) << 8) |
        (bytes[at + 3] as number);
    } else {
      const a = w[t - 15] as number;
      const b = w[t - 2] as number;
      const low = turned(a, 7) ^ turned(a, 18) ^ (a >>> 3);
      const high = turned(b, 17) ^ turned(b, 19) ^ (b >>> 10);
      w[t] = ((w[t - 16] as number) + low + (w[t - 7] as number) + high) | 0;
    }
    const e = v[4] as number;
    const a = v[0] as number;
    const b = v[1] as number;
    const c = v[2] as number;
    const mixed = (e & (v[5] as number)) ^ (~e & (v[6] as number));
    const first =
      ((v[7] as number) +
        (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) +
        mixed +
        (constants[t] as number) +
        (w[t] as number)) |
      0;
    const second = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    for (let i = 7; i > 0; i--) v[i] = v[i - 1] as number;
    v[4] = ((v[4] as number) + first) | 0;
    v[0] = (first + second) | 0;
  }

  function digest(): Uint8Array {
    const out = new Uint8Array(32);
    for (let i = 0; i < 32; i++) out[i] = (h[i >> 2] as number) >>> (24 - 8 * (i & 3));
    return out;
  }

  /** Of the key under this mask and what follows it. */
  function hash(mask: number, tail: Uint8Array, done: (digest: Uint8Array) => void): void {
    let bytes = tail;
    let block = 0;
    let t = 0;
    function begin(): void {
      bytes = pad(mask);
      delay(TURN_MS, ready);
    }
    function ready(): void {
      bytes = padded(bytes, tail);
      h = wordsOf(FIRST);
      delay(TURN_MS, go);
    }
    function end(): void {
      const found = digest();
      delay(TURN_MS, () => done(found));
    }
    function go(): void {
      if (t === 0) v.set(h);
      for (let i = 0; i < ROUNDS && t < 64; i++) round(bytes, block, t++);
      if (t === 64) {
        for (let i = 0; i < 8; i++) h[i] = ((h[i] as number) + (v[i] as number)) | 0;
        t = 0;
        block += BLOCK;
      }
      delay(TURN_MS, block < bytes.length ? go : end);
    }
    delay(TURN_MS, begin);
  }

  return (bytes, done) => {
    if (isBusy) {
      done(undefined);
      return;
    }
    isBusy = true;
    hash(0x36, bytes, (inner) => {
      hash(0x5c, inner, (mac) => {
        isBusy = false;
        done(mac);
      });
    });
  };
}
