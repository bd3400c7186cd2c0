import { createHash, createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { hmacSha256, mqttPassword, openFrame, type Sha256, sealFrame, TAG_BYTES } from "./tag.ts";

const sha256: Sha256 = (bytes) => new Uint8Array(createHash("sha256").update(bytes).digest());
const key = Uint8Array.from({ length: 32 }, (_, i) => i);

describe("a tag", () => {
  test("is HMAC-SHA256 as another implementation computes it", () => {
    for (const size of [0, 1, 22, 63, 64, 65, 250]) {
      const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 7) & 255);
      const theirs = createHmac("sha256", key).update(bytes).digest("hex");
      expect(Buffer.from(hmacSha256(sha256, key, bytes)).toString("hex")).toBe(theirs);
    }
  });

  test("any single bit flipped, in frame or tag, is refused", () => {
    const sealed = sealFrame(sha256, key, Uint8Array.from([0x11, 0x10, 0x92, 0x6a]));
    expect(openFrame(sha256, key, sealed)).toEqual(Uint8Array.from([0x11, 0x10, 0x92, 0x6a]));
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = sealed.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(openFrame(sha256, key, flipped), `bit ${bit}`).toBeUndefined();
    }
  });

  test("shorter than a tag is refused, and nothing but a tag is an empty frame", () => {
    expect(openFrame(sha256, key, new Uint8Array(TAG_BYTES - 1))).toBeUndefined();
    expect(openFrame(sha256, key, sealFrame(sha256, key, new Uint8Array(0)))).toEqual(new Uint8Array(0));
  });

  test("the password says nothing of the tag: 32 hex digits of another text", () => {
    const theirs = createHmac("sha256", key).update("mqtt-login").digest("hex").slice(0, 32);
    expect(mqttPassword(sha256, key)).toBe(theirs);
  });
});
