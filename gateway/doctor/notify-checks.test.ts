import { describe, expect, test } from "vitest";
import { checkNotify } from "./checks.ts";
import type { DoctorFacts } from "./facts.ts";

describe("who is told of alerts", () => {
  const notify = { file: "notify.toml", problems: [], recipients: 2, ways: [] };

  test("nobody, a mistake, and a way that does not work are told of, each with what mends it", () => {
    expect(checkNotify({} as DoctorFacts)).toEqual([]);
    const of = (part: Partial<NonNullable<DoctorFacts["notify"]>>) =>
      checkNotify({ notify: { ...notify, ...part } } as DoctorFacts).map(({ check, level }) => `${check} ${level}`);
    expect(of({})).toEqual(["recipients ok"]);
    expect(of({ recipients: 0 })).toEqual(["recipients warning"]);
    expect(of({ problems: ["line 1"], ways: [{ name: "sms" }] })).toEqual(["recipients fault"]);
    expect(of({ ways: [{ name: "sms", waits: "asks" }] })).toEqual(["recipients ok", "notify sms warning"]);
    const failure = "no network: searching";
    expect(of({ ways: [{ name: "sms", failure }, { name: "email" }] })).toEqual([
      "recipients ok",
      "notify sms fault",
      "notify email ok",
    ]);
  });
});
