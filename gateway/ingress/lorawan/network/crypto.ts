// The cryptography of LoRaWAN 1.0.x: AES-CMAC (RFC 4493) over frames (LoRaWAN 1.0.2 §4.4, §6.2), the cipher of payloads (§4.3.3),
// the keys of a session and the join-accept (§6.2.5). Numbers go over the air least significant byte first.
import { createCipheriv, createDecipheriv, timingSafeEqual } from "node:crypto";

const BLOCK = 16;
export const MIC_BYTES = 4;
const ZERO = new Uint8Array(BLOCK);

export type Direction = "up" | "down";

export interface SessionKeys {
  readonly nwkSKey: Uint8Array;
  readonly appSKey: Uint8Array;
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

function ecb(key: Uint8Array, blocks: Uint8Array): Uint8Array {
  return createCipheriv("aes-128-ecb", key, null).setAutoPadding(false).update(blocks);
}

/** Twice as much in GF(2^128). */
function doubled(block: Uint8Array): Uint8Array {
  const out = new Uint8Array(BLOCK);
  for (let i = 0; i < BLOCK; i++) out[i] = ((block[i] as number) << 1) | ((block[i + 1] ?? 0) >>> 7);
  if (((block[0] as number) & 0x80) !== 0) out[BLOCK - 1] = (out[BLOCK - 1] as number) ^ 0x87;
  return out;
}

const subkeys = new WeakMap<Uint8Array, readonly [Uint8Array, Uint8Array]>();

function subkeysOf(key: Uint8Array): readonly [Uint8Array, Uint8Array] {
  const known = subkeys.get(key);
  if (known !== undefined) return known;
  const whole = doubled(ecb(key, ZERO));
  const made = [whole, doubled(whole)] as const;
  subkeys.set(key, made);
  return made;
}

/** AES-CMAC, 16 bytes (RFC 4493 §2.4). */
export function cmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  const [whole, padded] = subkeysOf(key);
  const isWhole = message.length > 0 && message.length % BLOCK === 0;
  const blocks = new Uint8Array(Math.max(1, Math.ceil(message.length / BLOCK)) * BLOCK);
  blocks.set(message);
  if (!isWhole) blocks[message.length] = 0x80;
  const mask = isWhole ? whole : padded;
  const last = blocks.length - BLOCK;
  for (let i = 0; i < BLOCK; i++) blocks[last + i] = (blocks[last + i] as number) ^ (mask[i] as number);
  const chained = createCipheriv("aes-128-cbc", key, ZERO).setAutoPadding(false).update(blocks);
  return chained.subarray(last);
}

/** What differs from frame to frame in B0 and A (§4.4, §4.3.3). */
export interface FrameContext {
  readonly direction: Direction;
  /** 8 hexadecimal digits. */
  readonly devAddr: string;
  /** All 32 bits. */
  readonly counter: number;
}

function contextBlock(first: number, last: number, { direction, devAddr, counter }: FrameContext): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const view = new DataView(block.buffer);
  block[0] = first;
  block[5] = direction === "up" ? 0 : 1;
  view.setUint32(6, Number.parseInt(devAddr, 16), true);
  view.setUint32(10, counter, true);
  block[15] = last;
  return block;
}

/** Over all of a data frame but its MIC. */
export function dataMic(nwkSKey: Uint8Array, message: Uint8Array, context: FrameContext): Uint8Array {
  const whole = new Uint8Array(BLOCK + message.length);
  whole.set(contextBlock(0x49, message.length, context));
  whole.set(message, BLOCK);
  return cmac(nwkSKey, whole).subarray(0, MIC_BYTES);
}

/** Over all of a join-request or join-accept but its MIC. */
export function joinMic(appKey: Uint8Array, message: Uint8Array): Uint8Array {
  return cmac(appKey, message).subarray(0, MIC_BYTES);
}

export function isSameMic(mine: Uint8Array, theirs: Uint8Array): boolean {
  return mine.length === theirs.length && timingSafeEqual(mine, theirs);
}

/** Enciphers and deciphers: the key is AppSKey, or NwkSKey on port 0. */
export function cipherPayload(key: Uint8Array, payload: Uint8Array, context: FrameContext): Uint8Array {
  if (payload.length === 0) return new Uint8Array(0);
  return new Uint8Array(createCipheriv("aes-128-ctr", key, contextBlock(0x01, 1, context)).update(payload));
}

export interface JoinNumbers {
  /** 24 bits: AppNonce, in 1.0.4 JoinNonce. */
  readonly joinNonce: number;
  /** 24 bits. */
  readonly netId: number;
  readonly devNonce: number;
}

export function sessionKeys(appKey: Uint8Array, { joinNonce, netId, devNonce }: JoinNumbers): SessionKeys {
  const derive = (first: number) => {
    const block = Buffer.alloc(BLOCK);
    block[0] = first;
    block.writeUIntLE(joinNonce, 1, 3);
    block.writeUIntLE(netId, 4, 3);
    block.writeUInt16LE(devNonce, 7);
    return new Uint8Array(ecb(appKey, block));
  };
  return { nwkSKey: derive(0x01), appSKey: derive(0x02) };
}

/** The server deciphers so that a device needs to encipher only (§6.2.5). `body`: all after MHDR, its MIC last. */
export function sealJoinAccept(appKey: Uint8Array, body: Uint8Array): Uint8Array {
  return new Uint8Array(createDecipheriv("aes-128-ecb", appKey, null).setAutoPadding(false).update(body));
}

/** Tells one key from another without telling it: eight digits that nobody can search a random key by. */
export function keyTag(...keys: readonly string[]): string {
  return toHex(
    cmac(fromHex(keys[0] as string), Buffer.from(`waakvlam lorawan ${keys.slice(1).join(" ")}`)).subarray(0, 4),
  );
}
