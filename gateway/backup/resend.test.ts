import { expect, test } from "vitest";
import { createResendPlan, type HeldRow } from "./resend.ts";

const HOUR = 3_600_000;
function resendFrom(rows: readonly HeldRow[]): Map<number, number> {
  const plan = createResendPlan();
  for (const one of rows) plan.add(one);
  return plan.from();
}
const row = (sequence: number, hours: number, device = 1) => ({ device, sequence, time_ms: hours * HOUR });

test("a device that lacks nothing goes on behind its last record", () => {
  expect(resendFrom([row(10, 1), row(11, 2), row(12, 3), row(70_000, 3, 2)])).toEqual(
    new Map([
      [1, 13],
      [2, 70_001],
    ]),
  );
});

test("a device in the middle of its history is asked for all from the first hole on, whatever came live", () => {
  expect(resendFrom([row(10, 1), row(11, 2), row(90, 70), row(91, 71)])).toEqual(new Map([[1, 12]]));
});

test("what a device no longer has is not asked for", () => {
  expect(resendFrom([row(10, 0), row(12, 100), row(13, 101)])).toEqual(new Map([[1, 14]]));
});

test("frames without a sequence say nothing", () => {
  expect(resendFrom([row(0, 5), row(5, 1)])).toEqual(new Map([[1, 6]]));
});
