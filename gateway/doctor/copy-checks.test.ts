// What the doctor makes of the history in the copy, which is copied by itself and can fail beside the rest.
import { expect, test } from "vitest";
import { NOON_MS } from "../../tests/fixtures.ts";
import { checkCopy } from "./copy-checks.ts";
import type { DoctorFacts } from "./facts.ts";

const DAY_MS = 86_400_000;

function found(history: { readonly writtenMs: number | undefined } | undefined): readonly string[] {
  const facts: Pick<DoctorFacts, "nowMs" | "account" | "http" | "copy"> = {
    nowMs: NOON_MS,
    account: "waakvlam",
    http: { host: "127.0.0.1", port: 8080, answer: "gateway", notReady: [] },
    copy: {
      dir: "/b",
      everyS: 300,
      place: { kind: "there", writable: true, sameDisk: false },
      found: { folder: "/b/0a", newestMs: NOON_MS, damaged: [], parts: 0, ...(history && { history }) },
      passphrase: { kind: "usable" },
    },
  };
  return checkCopy(facts as DoctorFacts).map(({ level, what }) => `${level}: ${what}`);
}

test("a copy without the history, or with one of long ago, is told of", () => {
  expect(found({ writtenMs: undefined })).toEqual(["warning: the history is not in /b/0a, and lost with this disk"]);
  expect(found({ writtenMs: NOON_MS - 2 * DAY_MS - 1 })).toEqual([
    "warning: the history in /b/0a is 2 days older than the rest",
  ]);
  expect(found({ writtenMs: NOON_MS - 2 * DAY_MS })).toEqual([expect.stringContaining("ok: in /b")]);
  // A gateway that has none has none to copy.
  expect(found(undefined)).toEqual([expect.stringContaining("ok: in /b")]);
});
