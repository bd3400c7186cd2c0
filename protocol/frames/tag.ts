// Every frame can be checked by its receiver: 8 bytes of HMAC-SHA256 (RFC 2104) behind it, on every link but LoRaWAN.
// The hash is the caller's: a board, Node and a browser each have their own.

/** SHA-256 of `bytes`: 32 bytes. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** SHA-256 of two parts as one message, for an engine that can hash them without joining them first. */
export type Sha256OfTwo = (head: Uint8Array, tail: Uint8Array) => Uint8Array;

export const TAG_BYTES = 8;
export const KEY_BYTES = 32;
const BLOCK_BYTES = 64;

/** Makes tags with one key. What depends on the key alone is done once. */
export interface Tagger {
  /** HMAC-SHA256(key, bytes): 32 bytes. */
  hmac(bytes: Uint8Array): Uint8Array;
  /** Its two hashes, for who must not do both at once: the one of the bytes, and the one of what that gave. */
  inner(bytes: Uint8Array): Uint8Array;
  outer(digest: Uint8Array): Uint8Array;
}

function block(key: Uint8Array, mask: number): Uint8Array {
  const out = new Uint8Array(BLOCK_BYTES);
  // Behind the key is nothing, which counts as zero.
  for (let i = 0; i < BLOCK_BYTES; i++) out[i] = (key[i] as number) ^ mask;
  return out;
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const out = new Uint8Array(head.length + tail.length);
  out.set(head, 0);
  out.set(tail, head.length);
  return out;
}

/** For a key of at most 64 bytes. */
export function createTaggerOfTwo(sha256: Sha256OfTwo, key: Uint8Array): Tagger {
  const first = block(key, 0x36);
  const second = block(key, 0x5c);
  const inner = (bytes: Uint8Array): Uint8Array => sha256(first, bytes);
  const outer = (digest: Uint8Array): Uint8Array => sha256(second, digest);
  return { hmac: (bytes) => outer(inner(bytes)), inner: inner, outer: outer };
}

/** For a key of at most 64 bytes. */
export function createTagger(sha256: Sha256, key: Uint8Array): Tagger {
  return createTaggerOfTwo((head, tail) => sha256(joined(head, tail)), key);
}

/** HMAC-SHA256 with a key of at most 64 bytes. */
export function hmacSha256(sha256: Sha256, key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return createTagger(sha256, key).hmac(bytes);
}

/** The frame with its tag behind it: the first 8 bytes of HMAC-SHA256(key, frame). */
export function sealWith(tagger: Tagger, frame: Uint8Array): Uint8Array {
  return joined(frame, tagger.hmac(frame).slice(0, TAG_BYTES));
}

/** The frame with its tag behind it. */
export function sealFrame(sha256: Sha256, key: Uint8Array, frame: Uint8Array): Uint8Array {
  return sealWith(createTagger(sha256, key), frame);
}

/** The frame without its tag, or undefined when the tag is not that of this key. Compares in constant time. */
export function openWith(tagger: Tagger, sealed: Uint8Array): Uint8Array | undefined {
  const size = sealed.length - TAG_BYTES;
  if (size < 0) return undefined;
  const frame = sealed.slice(0, size);
  const mac = tagger.hmac(frame);
  let differs = 0;
  for (let i = 0; i < TAG_BYTES; i++) differs |= (mac[i] as number) ^ (sealed[size + i] as number);
  return differs === 0 ? frame : undefined;
}

export function openFrame(sha256: Sha256, key: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  return openWith(createTagger(sha256, key), sealed);
}

const LOGIN = "mqtt-login";

/** Hex of the first 16 bytes of HMAC-SHA256(key, "mqtt-login"): what a device signs in with; the key never travels. */
export function loginWith(tagger: Tagger): string {
  const text = new Uint8Array(LOGIN.length);
  for (let i = 0; i < LOGIN.length; i++) text[i] = LOGIN.charCodeAt(i);
  const mac = tagger.hmac(text);
  let hex = "";
  for (let i = 0; i < 16; i++) hex += ((mac[i] as number) + 256).toString(16).substr(1);
  return hex;
}

export function mqttPassword(sha256: Sha256, key: Uint8Array): string {
  return loginWith(createTagger(sha256, key));
}
