// Every frame can be checked by its receiver: 8 bytes of HMAC-SHA256 (RFC 2104) behind it, on every link but LoRaWAN.
// The hash is the caller's: a board, Node and a browser each have their own.

/** SHA-256 of `bytes`: 32 bytes. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

export const TAG_BYTES = 8;
export const KEY_BYTES = 32;
const BLOCK_BYTES = 64;

function padded(key: Uint8Array, mask: number, tail: Uint8Array): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES + tail.length);
  for (let i = 0; i < BLOCK_BYTES; i++) block[i] = (i < key.length ? (key[i] as number) : 0) ^ mask;
  block.set(tail, BLOCK_BYTES);
  return block;
}

/** HMAC-SHA256 with a key of at most 64 bytes. */
export function hmacSha256(sha256: Sha256, key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return sha256(padded(key, 0x5c, sha256(padded(key, 0x36, bytes))));
}

/** The tag of a frame: the first 8 bytes of HMAC-SHA256(key, frame). */
export function tagOf(sha256: Sha256, key: Uint8Array, frame: Uint8Array): Uint8Array {
  return hmacSha256(sha256, key, frame).slice(0, TAG_BYTES);
}

/** The frame with its tag behind it. */
export function sealFrame(sha256: Sha256, key: Uint8Array, frame: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(frame.length + TAG_BYTES);
  sealed.set(frame, 0);
  sealed.set(tagOf(sha256, key, frame), frame.length);
  return sealed;
}

/** The frame without its tag, or undefined when the tag is not that of this key. Compares in constant time. */
export function openFrame(sha256: Sha256, key: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  const size = sealed.length - TAG_BYTES;
  if (size < 0) return undefined;
  const frame = sealed.slice(0, size);
  const tag = tagOf(sha256, key, frame);
  let differs = 0;
  for (let i = 0; i < TAG_BYTES; i++) differs |= (tag[i] as number) ^ (sealed[size + i] as number);
  return differs === 0 ? frame : undefined;
}

const LOGIN = "mqtt-login";

/** Hex of the first 16 bytes of HMAC-SHA256(key, "mqtt-login"): what a device signs in with; the key never travels. */
export function mqttPassword(sha256: Sha256, key: Uint8Array): string {
  const text = new Uint8Array(LOGIN.length);
  for (let i = 0; i < LOGIN.length; i++) text[i] = LOGIN.charCodeAt(i);
  const mac = hmacSha256(sha256, key, text);
  let hex = "";
  for (let i = 0; i < 16; i++) hex += ((mac[i] as number) + 256).toString(16).substr(1);
  return hex;
}
