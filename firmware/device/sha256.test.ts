import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createSchedule } from "../simulator/schedule.ts";
import { createSlicedHmac } from "./sha256.ts";
import { openLater } from "./tags.ts";

const KEY = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
const theirs = (bytes: Uint8Array) => createHmac("sha256", KEY).update(bytes).digest();

function bench() {
  const schedule = createSchedule();
  const hmac = createSlicedHmac(KEY, (ms, run) => schedule.after(ms, run));
  return { schedule, hmac };
}

describe("HMAC-SHA256 a few rounds a turn", () => {
  test.each([0, 1, 16, 47, 55, 56, 63, 64, 119, 120, 250])("of %i bytes is what the standard says", (size) => {
    const { schedule, hmac } = bench();
    const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 37 + size) & 255);
    let got: Uint8Array | undefined;
    hmac(bytes, (mac) => {
      got = mac;
    });
    expect(got).toBeUndefined();
    schedule.runUntil(60_000);
    expect(Buffer.from(got as Uint8Array).equals(theirs(bytes))).toBe(true);
  });

  test("says no to a second one while the first is under way, and yes afterwards", () => {
    const { schedule, hmac } = bench();
    const said: boolean[] = [];
    hmac(new Uint8Array(3), (mac) => said.push(mac !== undefined));
    hmac(new Uint8Array(4), (mac) => said.push(mac !== undefined));
    schedule.runUntil(60_000);
    hmac(new Uint8Array(4), (mac) => said.push(mac !== undefined));
    schedule.runUntil(120_000);
    expect(said).toEqual([false, true, true]);
  });

  test("a frame comes off its tag only when every bit of it fits", () => {
    const frame = Uint8Array.from([0x1a, 0, 0, 0, 1, 4, 0, 0]);
    const sealed = Uint8Array.from([...frame, ...theirs(frame).subarray(0, 8)]);
    for (let bit = -1; bit < sealed.length * 8; bit += 7) {
      const { schedule, hmac } = bench();
      const tried = sealed.slice();
      if (bit >= 0) tried[bit >> 3] = (tried[bit >> 3] as number) ^ (1 << (bit & 7));
      let got: Uint8Array | undefined;
      openLater(hmac, tried, (found) => {
        got = found;
      });
      schedule.runUntil(60_000);
      expect(got).toEqual(bit < 0 ? frame : undefined);
    }
    const { hmac } = bench();
    openLater(hmac, new Uint8Array(7), (found) => expect(found).toBeUndefined());
  });
});
