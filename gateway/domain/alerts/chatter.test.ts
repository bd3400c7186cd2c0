import { describe, expect, test } from "vitest";
import {
  AGAIN_MS,
  type Chatter,
  chatterAfter,
  chatterIn,
  chatterMatter,
  isChattering,
  offDelayOf,
  withChatter,
} from "./chatter.ts";

const MINUTE = 60_000;

function raisedAt(...minutes: number[]): Chatter | undefined {
  return minutes.reduce<Chatter | undefined>((one, at) => chatterAfter(one, at * MINUTE), undefined);
}

describe("what comes and goes", () => {
  test.each([
    [[0], 1, false, 60],
    [[0, 5], 2, false, 60],
    [[0, 5, 10], 3, true, 300],
    [[0, 5, 10, 20], 4, true, 600],
    [[0, 5, 10, 20, 40, 80], 6, true, 1_800],
    [[0, 5, 10, 36], 1, false, 60],
    [[0, 5, 10, 35], 4, true, 600],
    [[0, 21, 42], 1, false, 60],
  ])("at the minutes %j: %i times, chatters %s, off after %i s", (minutes, count, chatters, offS) => {
    const found = raisedAt(...minutes);
    expect([found?.count, isChattering(found), offDelayOf(60, found)]).toEqual([count, chatters, offS]);
  });

  test("a longer delay of the rule stays, and a clock that goes back begins anew", () => {
    expect(offDelayOf(900, raisedAt(0, 1, 2))).toBe(900);
    expect(chatterAfter({ count: 5, atMs: AGAIN_MS }, AGAIN_MS - 1)).toEqual({ count: 1, atMs: AGAIN_MS - 1 });
  });

  test("lives among the conditions of a point, by its matter", () => {
    const kept = withChatter({ "off-power": 3 }, "power", { count: 2, atMs: 7 });
    expect(chatterIn(kept, "power")).toEqual({ count: 2, atMs: 7 });
    expect(chatterIn(kept, "mains")).toBeUndefined();
    expect(Object.keys(kept).map(chatterMatter)).toEqual([undefined, "power", "power"]);
  });
});
