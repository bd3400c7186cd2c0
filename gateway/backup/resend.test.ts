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
  expect(resendFrom([row(10, 0), row(11, 80), row(12, 81), row(70_000, 0, 2), row(70_001, 100, 2)])).toEqual(
    new Map([
      [1, 13],
      [2, 70_002],
    ]),
  );
});

test("a device in the middle of its history is asked for all from the first hole on, whatever came live", () => {
  expect(resendFrom([row(10, 0), row(11, 80), row(90, 150), row(91, 151)])).toEqual(new Map([[1, 12]]));
  expect(resendFrom([row(10, 0), row(12, 100), row(13, 101)])).toEqual(new Map([[1, 11]]));
});

test("a copy that does not reach back far enough asks for all that the device has: an event can have overtaken its samples", () => {
  expect(resendFrom([row(65_545, 1), row(65_546, 2)])).toEqual(new Map([[1, 45_546]]));
  expect(resendFrom([row(10, 1)])).toEqual(new Map([[1, 0]]));
});

test("never asks so far back that what is newest would count as older: a device compares in half the number space", () => {
  const [from] = [...resendFrom([row(1, 0), row(30_000, 100), row(90_000, 101)]).values()];
  expect(from).toBe(70_000);
  expect((90_000 + 12_000 - (from as number)) & 0x8000).toBe(0);
});

test("frames without a sequence say nothing", () => {
  expect(resendFrom([row(0, 5), row(5, 0), row(6, 90)])).toEqual(new Map([[1, 7]]));
});
