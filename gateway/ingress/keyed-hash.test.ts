import { createHmac, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { createTagger } from "../../protocol/index.ts";
import { sha256 } from "../../tests/fixtures.ts";
import { createKeyedTagger } from "./keyed-hash.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("is HMAC-SHA256 for every length of a frame, over all borders of blocks", () => {
  for (let length = 0; length <= 260; length++) {
    const [key, frame] = [randomBytes(32), randomBytes(length)];
    const made = createKeyedTagger(key);
    expect(hex(made.hmac(frame)), `key ${hex(key)} frame ${hex(frame)}`).toBe(
      createHmac("sha256", key).update(frame).digest("hex"),
    );
    const plain = createTagger(sha256, key);
    expect(hex(made.inner(frame))).toBe(hex(plain.inner(frame)));
    expect(hex(made.outer(made.inner(frame)))).toBe(hex(made.hmac(frame)));
  }
});

test("keys do not get into each other's way", () => {
  const [one, two] = [createKeyedTagger(new Uint8Array(32).fill(1)), createKeyedTagger(new Uint8Array(32).fill(2))];
  const frame = new Uint8Array(30).fill(9);
  const before = one.hmac(frame);
  expect(hex(two.hmac(frame))).not.toBe(hex(before));
  expect(hex(one.hmac(frame))).toBe(hex(before));
});
