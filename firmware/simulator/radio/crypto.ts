// What a LoRaWAN 1.0.x device does with its keys: AES-128 in blocks, CMAC (RFC 4493), the payload's key stream (1.0.2 §4.3.3). Written apart
// from the gateway's, which it checks.
import { createCipheriv } from "node:crypto";

const BLOCK = 16;

/** Blocks of 16 bytes, each by itself. */
export function encryptBlocks(key: Uint8Array, blocks: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  return new Uint8Array(Buffer.concat([cipher.update(blocks), cipher.final()]));
}

/** A block shifted left by a bit, and folded back where one fell out. */
function doubled(block: Uint8Array): Uint8Array {
  const out = new Uint8Array(BLOCK);
  for (let i = 0; i < BLOCK; i++) out[i] = ((block[i] as number) << 1) | ((block[i + 1] ?? 0) >> 7);
  if ((block[0] as number) & 0x80) out[BLOCK - 1] = (out[BLOCK - 1] as number) ^ 0x87;
  return out;
}

/** The first four bytes of the CMAC: a MIC. */
export function micOf(key: Uint8Array, message: Uint8Array): Uint8Array {
  const whole = Math.max(1, Math.ceil(message.length / BLOCK));
  const isFull = message.length === whole * BLOCK;
  const k1 = doubled(encryptBlocks(key, new Uint8Array(BLOCK)));
  const mask = isFull ? k1 : doubled(k1);
  const padded = new Uint8Array(whole * BLOCK);
  padded.set(message);
  if (!isFull) padded[message.length] = 0x80;
  for (let i = 0; i < BLOCK; i++) {
    const at = padded.length - BLOCK + i;
    padded[at] = (padded[at] as number) ^ (mask[i] as number);
  }
  const cipher = createCipheriv("aes-128-cbc", key, new Uint8Array(BLOCK)).setAutoPadding(false);
  const out = Buffer.concat([cipher.update(padded), cipher.final()]);
  return new Uint8Array(out.subarray(-BLOCK, 4 - BLOCK));
}

export interface Direction {
  readonly isDown: boolean;
  readonly devAddr: number;
  readonly counter: number;
}

/** The block that both the key stream and the MIC begin with. */
export function blockOf(first: number, { isDown, devAddr, counter }: Direction, last: number): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const view = new DataView(block.buffer);
  block[0] = first;
  block[5] = isDown ? 1 : 0;
  view.setUint32(6, devAddr, true);
  view.setUint32(10, counter, true);
  block[15] = last;
  return block;
}

/** To cipher and back. */
export function cipherPayload(key: Uint8Array, direction: Direction, payload: Uint8Array): Uint8Array {
  const blocks = Math.ceil(payload.length / BLOCK);
  const plain = new Uint8Array(blocks * BLOCK);
  for (let i = 0; i < blocks; i++) plain.set(blockOf(1, direction, i + 1), i * BLOCK);
  const stream = blocks === 0 ? plain : encryptBlocks(key, plain);
  return payload.map((byte, i) => byte ^ (stream[i] as number));
}
